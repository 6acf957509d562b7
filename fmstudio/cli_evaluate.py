"""The command evaluate: how well each method carries labels that are known."""

import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fmstudio.cli_output import note, progress, say, stop_on_interrupt
from fmstudio.cli_settings import checked_settings
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.device import choose_device
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import MatchSettings
from fmstudio.evaluation.ablation import ablate
from fmstudio.evaluation.benchmark import evaluate
from fmstudio.evaluation.card import Card, write_card
from fmstudio.evaluation.datasets import LabelledSet, find_sets
from fmstudio.evaluation.datasets.catalogue import open_dataset
from fmstudio.evaluation.datasets.davis import VideoSequence
from fmstudio.evaluation.datasets.dense import DensePair
from fmstudio.evaluation.datasets.tss import DenseSet
from fmstudio.evaluation.dense_benchmark import evaluate_dense
from fmstudio.evaluation.environment import examine, peak_memory
from fmstudio.evaluation.methods import DEFAULT_METHODS
from fmstudio.evaluation.report import Report, write_json
from fmstudio.evaluation.several import evaluate_several
from fmstudio.evaluation.stereo import motorcycle_pair
from fmstudio.evaluation.synthetic import KINDS, synthetic_pairs
from fmstudio.evaluation.video_benchmark import evaluate_videos
from fmstudio.io.atomic import write_text
from fmstudio.project.wording import counted

_PAIRS = 30


@dataclass(frozen=True, slots=True)
class Wish:
    """What every judgement takes.

    Attributes
    ----------
    folder : Path
        One set (``images/`` and ``coco.json``), a folder of such folders, or where the published
        set lies.
    dataset : str or None
        The published set's name; None for plain COCO folders.
    split : str or None
        Of the published set.
    pairs : int or None
        At most so many pairs of each category; None takes all of a set's own pairs, and else 30.
    seed : int
        Of the shuffle.
    json_file : Path or None
        Where the numbers go.
    settings : MatchSettings
    device : str
    """

    folder: Path
    dataset: str | None
    split: str | None
    pairs: int | None
    seed: int
    json_file: Path | None
    settings: MatchSettings
    device: str

    def sets(self) -> tuple[LabelledSet, ...]:
        """Return the labelled sets of plain COCO folders; say how many there are."""
        sets = find_sets(self.folder)
        note(f"{counted(len(sets), 'category')} in {self.folder}")
        return sets

    def pairs_of(self, sets: Sequence[LabelledSet]) -> int | None:
        """Return how many pairs of each category are judged; None for all."""
        if self.pairs is None and not all(s.pairs is not None for s in sets):
            return _PAIRS
        return self.pairs


def evaluate_folder(wish: Wish, methods: Sequence[str], card: Path | None) -> None:
    """Judge methods on what a folder holds; print the tables, write the numbers.

    Parameters
    ----------
    wish : Wish
    methods : sequence of str
        Empty means all but the slow ones.
    card : Path or None
        Folder of the report card, which only labelled pairs have.

    Raises
    ------
    Cancelled
        If the person stopped it; nothing is written then.
    DatasetError
        If the set is not there, or is not as it states.
    """
    if wish.dataset is None:
        _evaluate_sets(wish, wish.sets(), methods, card)
        return
    contents = open_dataset(wish.dataset, wish.folder, wish.split)
    if isinstance(contents, DenseSet):
        _evaluate_dense(wish, methods, contents.pairs(), len(contents))
    elif isinstance(contents[0], VideoSequence):
        _evaluate_videos(wish, [s for s in contents if isinstance(s, VideoSequence)], methods)
    else:
        sets = [s for s in contents if isinstance(s, LabelledSet)]
        note(f"{counted(len(sets), 'category')} in {wish.folder}")
        _evaluate_sets(wish, sets, methods, card)


def _evaluate_sets(
    wish: Wish, sets: Sequence[LabelledSet], methods: Sequence[str], card: Path | None
) -> None:
    """Judge methods on labelled pairs."""
    token, start = CancelToken(), time.perf_counter()
    with progress("Judging", "pairs") as report, stop_on_interrupt(token), checked_settings():
        result = evaluate(
            sets,
            pairs=wish.pairs_of(sets),
            seed=wish.seed,
            methods=list(methods) or list(DEFAULT_METHODS),
            settings=wish.settings,
            progress=report,
            token=token,
            device=wish.device,
        )
    seconds = time.perf_counter() - start
    if wish.json_file is not None:
        write_json(result, wish.json_file)
        note(f"Wrote {wish.json_file}.")
    if card is not None:
        for path in write_card(_card(result, wish, seconds), card):
            note(f"Wrote {path}.")
    say(result.to_markdown().rstrip())


def _evaluate_videos(
    wish: Wish, sequences: Sequence[VideoSequence], methods: Sequence[str]
) -> None:
    """Judge methods on the objects of videos."""
    token = CancelToken()
    with progress("Judging", "frames") as report, stop_on_interrupt(token), checked_settings():
        result = evaluate_videos(
            sequences,
            methods=list(methods) or list(DEFAULT_METHODS),
            settings=wish.settings,
            progress=report,
            token=token,
            device=wish.device,
        )
    if wish.json_file is not None:
        write_text(wish.json_file, result.to_json())
        note(f"Wrote {wish.json_file}.")
    say(result.to_markdown().rstrip())


def ablate_folder(wish: Wish, groups: Sequence[str]) -> None:
    """Judge the default with one part changed at a time; print the table, write the numbers.

    Parameters
    ----------
    wish : Wish
    groups : sequence of str
        Of `evaluation.ablation.GROUPS`; empty means all but the slow ones.

    Raises
    ------
    Cancelled
        If the person stopped it; nothing is written then.
    DatasetError
        If there is no labelled set, or one is not as it states.
    MatchError
        If a group is not known.
    """
    sets = wish.sets()
    token = CancelToken()
    with progress("Judging", "pairs") as report, stop_on_interrupt(token), checked_settings():
        result = ablate(
            sets,
            groups=groups,
            pairs=wish.pairs_of(sets),
            seed=wish.seed,
            settings=wish.settings,
            progress=report,
            token=token,
            device=wish.device,
        )
    if wish.json_file is not None:
        write_text(wish.json_file, result.to_json())
        note(f"Wrote {wish.json_file}.")
    say(result.to_markdown().rstrip())


def evaluate_references(wish: Wish, count: int) -> None:
    """Judge what several references bring over one; print the tables, write the numbers.

    Parameters
    ----------
    wish : Wish
    count : int
        References of each target, at least 2.

    Raises
    ------
    Cancelled
        If the person stopped it; nothing is written then.
    DatasetError
        If no set has enough images, or one is not as it states.
    """
    token = CancelToken()
    sets = wish.sets()
    with progress("Judging", "targets") as report, stop_on_interrupt(token), checked_settings():
        result = evaluate_several(
            sets,
            count,
            pairs=wish.pairs or _PAIRS,
            seed=wish.seed,
            settings=wish.settings,
            progress=report,
            token=token,
            device=wish.device,
        )
    if wish.json_file is not None:
        write_text(wish.json_file, result.to_json())
        note(f"Wrote {wish.json_file}.")
    say(result.to_markdown().rstrip())


def evaluate_warps(wish: Wish, methods: Sequence[str], count: int) -> None:
    """Judge dense fields on photos under known warps; print the tables, write the numbers.

    Parameters
    ----------
    wish : Wish
    methods : sequence of str
        Empty means all but the slow ones.
    count : int
        Photos of each category, at most.

    Raises
    ------
    Cancelled
        If the person stopped it; nothing is written then.
    DatasetError
        If there is no labelled set, or one is not as it states.
    """
    images = [image for labelled in wish.sets() for image in labelled.images[:count]]
    _evaluate_dense(
        wish, methods, synthetic_pairs(images, seed=wish.seed), len(KINDS) * len(images)
    )


def evaluate_stereo(wish: Wish, methods: Sequence[str]) -> None:
    """Judge dense fields on a stereo pair; as `evaluate_warps`."""
    _evaluate_dense(wish, methods, [motorcycle_pair()], 1)


def _evaluate_dense(
    wish: Wish, methods: Sequence[str], pairs: Iterable[DensePair], total: int
) -> None:
    """Judge methods on pairs with a dense truth."""
    token = CancelToken()
    with progress("Judging", "pairs") as report, stop_on_interrupt(token), checked_settings():
        result = evaluate_dense(
            pairs,
            total,
            methods=list(methods) or list(DEFAULT_METHODS),
            settings=wish.settings,
            progress=report,
            token=token,
            device=wish.device,
        )
    if wish.json_file is not None:
        write_text(wish.json_file, result.to_json())
        note(f"Wrote {wish.json_file}.")
    say(result.to_markdown().rstrip())


def _card(report: Report, wish: Wish, seconds: float) -> Card:
    """Return a report with what it ran on."""
    device = choose_device(wish.device)
    # Its networks' keys: loaded once more, which takes a moment and measures nothing.
    weights = Matcher(wish.settings, device=device).extractor_keys
    command = shlex.join(["fmstudio", *sys.argv[1:]])
    memory = peak_memory(device)
    return Card(report, examine(weights, device), seconds, memory, command)
