"""What can be typed after evaluate."""

from pathlib import Path
from typing import Annotated

import typer

from fmstudio.cli_settings import (
    Device,
    DeviceOption,
    PresetOption,
    SettingsOption,
    parse_settings,
)

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]",
        help="Folder with images/ and coco.json, or a folder of such folders; with --dataset "
        "where that set was unpacked.",
    ),
]
Dataset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Published set in DIR, such as spair-71k; see docs/datasets.md."
    ),
]
Split = Annotated[
    str | None, typer.Option(metavar="NAME", help="Of --dataset; by default test, or val.")
]
Pairs = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Pairs of each category, at most; by default 30, of a published set with pairs of "
        "its own all.",
    ),
]
Seed = Annotated[int, typer.Option(help="Of the shuffle that chooses the pairs.")]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME...",
        help="Methods to judge; by default all but 'published', which is slow.",
    ),
]
Ablate = Annotated[
    bool, typer.Option("--ablate", help="Judge the default with one part changed at a time.")
]
Parts = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME...",
        help="Of --ablate: which groups of parts; by default all but the slow 'network' and "
        "'published'.",
    ),
]
Synthetic = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Judge dense fields on N photos of each category under known warps instead.",
    ),
]
Stereo = Annotated[
    bool,
    typer.Option(
        "--stereo", help="Judge dense fields on the stereo pair that scikit-image ships; no DIR."
    ),
]
References = Annotated[
    int | None,
    typer.Option(
        min=2,
        metavar="N",
        help="Judge what N references of each target bring over one instead.",
    ),
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Where to write the numbers.")
]
CardFolder = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where to write a report card: JSON, Markdown and plots."),
]


def evaluate(
    folder: Folder = None,
    dataset: Dataset = None,
    split: Split = None,
    pairs: Pairs = None,
    seed: Seed = 0,
    methods: Methods = None,
    ablate: Ablate = False,
    parts: Parts = None,
    synthetic: Synthetic = None,
    stereo: Stereo = False,
    references: References = None,
    json_file: JsonFile = None,
    card: CardFolder = None,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
) -> None:
    """Judge methods on labelled images: PCK, mask IoU, smoothness, cycle error, milliseconds."""
    wanted = parse_settings(settings or [], preset)
    groups, names = _names(parts), _names(methods)
    kinds = (bool(groups) or ablate, references is not None, synthetic is not None, stereo)
    _check(kinds, chooses=bool(names), is_published=dataset is not None, has_card=card is not None)
    if (folder is None) != stereo:
        raise typer.BadParameter("Give a DIR, or --stereo without one.")
    from fmstudio import cli_evaluate as run

    wish = run.Wish(folder or Path(), dataset, split, pairs, seed, json_file, wanted, device.value)
    if kinds[0]:
        run.ablate_folder(wish, groups)
    elif references is not None:
        run.evaluate_references(wish, references)
    elif synthetic is not None:
        run.evaluate_warps(wish, names, synthetic)
    elif stereo:
        run.evaluate_stereo(wish, names)
    else:
        run.evaluate_folder(wish, names, card)


def _check(
    kinds: tuple[bool, bool, bool, bool], *, chooses: bool, is_published: bool, has_card: bool
) -> None:
    """Refuse options that do not go together; ``kinds`` are what is judged instead of pairs."""
    if sum(kinds) > 1:
        raise typer.BadParameter(
            "--ablate, --references, --synthetic and --stereo do not go together."
        )
    if (any(kinds[:2]) and chooses) or (any(kinds) and has_card):
        raise typer.BadParameter(
            "--ablate and --references choose their methods; a card is of labelled pairs only."
        )
    if is_published and any(kinds):
        raise typer.BadParameter("A published set is judged as it is published: no other kind.")


def _names(given: list[str] | None) -> list[str]:
    """Return names that may also be joined by commas."""
    return [part for item in given or [] for part in item.split(",") if part]
