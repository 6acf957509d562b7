"""What can be typed after 'fmstudio figure': one command for each kind of figure."""

from pathlib import Path
from typing import Annotated

import typer

from fmstudio.cli_settings import (
    Device,
    DeviceOption,
    PresetOption,
    SettingsOption,
    parse_point,
    parse_settings,
)

figures = typer.Typer(
    no_args_is_help=True, help="Draw maps, bases, matches, colours and heat maps: PNG or SVG."
)

Source = Annotated[Path, typer.Argument(metavar="A", help="Image to carry from.")]
Target = Annotated[Path, typer.Argument(metavar="B", help="Image to carry to.")]
Width = Annotated[int, typer.Option(min=400, max=8000, help="Of the figure, in pixels.")]


def _checked(out: Path) -> Path:
    """Return the file to write; one that is neither PNG nor SVG is wrong usage."""
    if out.suffix.lower() not in (".png", ".svg"):
        raise typer.BadParameter(f"A figure is written as PNG or SVG: end '{out}' in .png or .svg.")
    return out


Out = Annotated[
    Path, typer.Option(metavar="FILE", callback=_checked, help="PNG or SVG, by its ending.")
]
Picture = Annotated[
    Path | None,
    typer.Option("--heat", metavar="PNG", help="Grey picture of A's size: white is hot."),
]
At = Annotated[
    str | None, typer.Option(metavar="X,Y", help="Point of A, in pixels: a Gaussian there.")
]
Labels = Annotated[
    Path | None,
    typer.Option(
        metavar="COCO",
        help="COCO file with keypoints of A: Gaussians there; those of B, if any, are the truth.",
    ),
]
Keypoint = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Keypoint to take; may be repeated; else all."),
]
Sigma = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        max=1.0,
        help="Of a Gaussian: a share of the longer side of the annotation's box, 0.1 by default, "
        "or of A with --point, 0.05.",
    ),
]
Truth = Annotated[
    Path | None,
    typer.Option(metavar="PNG", help="Grey picture of B's size: what should come out."),
]


@figures.command()
def colours(
    a: Source,
    b: Target,
    out: Out,
    width: Width = 1800,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
) -> None:
    """Repaint B with the colours of A: through the map, and by nearest neighbours alone."""
    wanted = parse_settings(settings or [], preset)
    from fmstudio.cli_figure import Output, draw_colours

    draw_colours((a, b), Output(out, width), settings=wanted, device=device.value)


@figures.command()
def basis(
    a: Annotated[Path, typer.Argument(metavar="A", help="Image.")],
    out: Out,
    b: Annotated[Path | None, typer.Argument(metavar="[B]", help="A second image.")] = None,
    count: Annotated[int, typer.Option(min=1, max=200, help="Functions of each image.")] = 11,
    width: Width = 1800,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
) -> None:
    """Draw the first eigenfunctions of one image's basis, or of two."""
    wanted = parse_settings(settings or [], preset)
    from fmstudio.cli_figure import Output, draw_basis

    paths = (a,) if b is None else (a, b)
    draw_basis(paths, Output(out, width), count=count, settings=wanted, device=device.value)


@figures.command("map")
def map_matrix(
    a: Source,
    b: Target,
    out: Out,
    width: Width = 1800,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
) -> None:
    """Draw the functional map as a matrix, beside its Laplacian mask."""
    wanted = parse_settings(settings or [], preset)
    from fmstudio.cli_figure import Output, draw_map

    draw_map((a, b), Output(out, width), settings=wanted, device=device.value)


@figures.command()
def matches(
    a: Source,
    b: Target,
    out: Out,
    count: Annotated[int, typer.Option(min=1, max=1000, help="Lines, at most.")] = 36,
    width: Width = 1800,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
) -> None:
    """Draw the surest matches as lines between the images."""
    wanted = parse_settings(settings or [], preset)
    from fmstudio.cli_figure import Output, draw_matches

    draw_matches((a, b), Output(out, width), count=count, settings=wanted, device=device.value)


@figures.command()
def heat(
    a: Source,
    b: Target,
    out: Out,
    picture: Picture = None,
    point: At = None,
    annotations: Labels = None,
    keypoint: Keypoint = None,
    sigma: Sigma = None,
    truth: Truth = None,
    width: Width = 1800,
    device: DeviceOption = Device.AUTO,
    preset: PresetOption = None,
    settings: SettingsOption = None,
) -> None:
    """Carry a heat map of A to B, and score it where the truth is known."""
    at, wanted = parse_point(point), parse_settings(settings or [], preset)
    if [picture, at, annotations].count(None) != 2:
        raise typer.BadParameter("Give one of --heat, --point and --annotations: what is carried.")
    if keypoint and annotations is None:
        raise typer.BadParameter("--keypoint names one of --annotations: give that too.")
    from fmstudio.cli_figure import HeatWish, Output, draw_heat

    wish = HeatWish(
        picture=picture,
        point=at,
        annotations=annotations,
        keypoints=tuple(keypoint or ()),
        sigma=sigma,
        truth=truth,
    )
    draw_heat((a, b), Output(out, width), wish, settings=wanted, device=device.value)
