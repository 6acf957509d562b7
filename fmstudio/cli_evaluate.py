"""The command evaluate: how well each method carries labels that are known."""

from collections.abc import Sequence
from pathlib import Path

from fmstudio.cli_output import note, progress, say, stop_on_interrupt
from fmstudio.cli_settings import checked_settings
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import MatchSettings
from fmstudio.evaluation.benchmark import evaluate
from fmstudio.evaluation.datasets import find_sets
from fmstudio.evaluation.methods import DEFAULT_METHODS
from fmstudio.evaluation.report import write_json
from fmstudio.project.wording import counted


def evaluate_folder(
    folder: Path,
    *,
    pairs: int,
    seed: int,
    methods: Sequence[str],
    json_file: Path | None,
    settings: MatchSettings,
    device: str,
) -> None:
    """Judge methods on the labelled sets of a folder; print the tables, write the numbers.

    Parameters
    ----------
    folder : Path
        One set (``images/`` and ``coco.json``), or a folder of such folders.
    pairs : int
        At most so many pairs of each category.
    seed : int
        Of the shuffle.
    methods : sequence of str
        Empty means all but the slow ones.
    json_file : Path or None
    settings : MatchSettings
    device : str

    Raises
    ------
    Cancelled
        If the person stopped it; nothing is written then.
    DatasetError
        If there is no labelled set, or one is not as it states.
    """
    sets = find_sets(folder)
    note(f"{counted(len(sets), 'category')} in {folder}")
    token = CancelToken()
    with progress("Judging", "pairs") as report, stop_on_interrupt(token), checked_settings():
        result = evaluate(
            sets,
            pairs=pairs,
            seed=seed,
            methods=list(methods) or list(DEFAULT_METHODS),
            settings=settings,
            progress=report,
            token=token,
            device=device,
        )
    if json_file is not None:
        write_json(result, json_file)
        note(f"Wrote {json_file}.")
    say(result.to_markdown().rstrip())
