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
    Path,
    typer.Argument(
        metavar="DIR",
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
Split = Annotated[str, typer.Option(help="Of --dataset.")]
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
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Where to write the numbers.")
]
CardFolder = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where to write a report card: JSON, Markdown and plots."),
]


def evaluate(
    folder: Folder,
    dataset: Dataset = None,
    split: Split = "test",
    pairs: Pairs = None,
    seed: Seed = 0,
    methods: Methods = None,
    ablate: Ablate = False,
    parts: Parts = None,
    json_file: JsonFile = None,
    card: CardFolder = None,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
) -> None:
    """Judge methods on labelled images: PCK, mask IoU, smoothness, cycle error, milliseconds."""
    wanted = parse_settings(settings or [], preset)
    groups = _names(parts)
    if (groups or ablate) and (methods or card):
        raise typer.BadParameter("--ablate chooses its methods, and makes a table and no card.")
    from fmstudio.cli_evaluate import Wish, ablate_folder, evaluate_folder

    wish = Wish(folder, dataset, split, pairs, seed, json_file, wanted, device.value)
    if groups or ablate:
        ablate_folder(wish, groups)
    else:
        evaluate_folder(wish, _names(methods), card)


def _names(given: list[str] | None) -> list[str]:
    """Return names that may also be joined by commas."""
    return [part for item in given or [] for part in item.split(",") if part]
