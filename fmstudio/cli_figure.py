"""The commands of figure: what maps do, drawn as PNG or SVG."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmstudio.cli_output import note, say, say_table
from fmstudio.cli_settings import checked_settings
from fmstudio.drawing.canvas import Point
from fmstudio.drawing.figure import Figure, render
from fmstudio.drawing.svg import to_svg
from fmstudio.engine.device import choose_device
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import MatchSettings
from fmstudio.errors import ImageError
from fmstudio.evaluation.heat import gaussian_heat, heat_scores
from fmstudio.evaluation.heat_points import NamedImage, keypoint_heat
from fmstudio.figures.basis import basis_figure
from fmstudio.figures.colours import colours_figure
from fmstudio.figures.fmaps import map_figure
from fmstudio.figures.heat import carried_heat, heat_figure
from fmstudio.figures.matches import matches_figure
from fmstudio.figures.photos import PhotoPair, analyse_photos, check_inside, match_photos
from fmstudio.geometry.grid import ImageSize
from fmstudio.io.images import probe, read_rgb, write_picture, write_png

# Of a Gaussian at a point, as a share of the image's longer side.
_POINT_SIGMA = 0.05

Pair = tuple[Path, Path]
Heat = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Output:
    """The file to write, PNG or SVG by its ending, and the figure's width in pixels."""

    path: Path
    width: int


@dataclass(frozen=True, slots=True)
class HeatWish:
    """What is carried, exactly one of the first three, and what it is judged by.

    Attributes
    ----------
    picture : Path or None
        Grey picture of the source's size.
    point : (float, float) or None
        Pixels of the source.
    annotations : Path or None
        COCO file.
    keypoints : tuple of str
        Of the annotations; empty means all.
    sigma : float or None
        Of Gaussians, as a share of a longer side.
    truth : Path or None
        Grey picture of the target's size.
    """

    picture: Path | None = None
    point: Point | None = None
    annotations: Path | None = None
    keypoints: tuple[str, ...] = ()
    sigma: float | None = None
    truth: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """A heat map of the source, where it comes from, and the truth on the target if known.

    Its greatest value is worth a mark unless several points share it.
    """

    heat: Heat
    origin: str
    truth: Heat | None = None
    has_peak: bool = True


def draw_colours(paths: Pair, out: Output, *, settings: MatchSettings, device: str) -> None:
    """Draw the target in the source's colours.

    Raises
    ------
    ImageError
        If a photo cannot be read or the figure not written.
    MatchError
        If the settings cannot be used.
    """
    _write(colours_figure(_matched(paths, settings, device)), out)


def draw_basis(
    paths: tuple[Path, ...], out: Output, *, count: int, settings: MatchSettings, device: str
) -> None:
    """Draw the first ``count`` eigenfunctions of each photo; errors as `draw_colours`."""
    note(f"Analysing {' and '.join(path.name for path in paths)} ...")
    with checked_settings():
        matcher = Matcher(settings, device=choose_device(device))
        photos = analyse_photos(matcher, paths)
    _write(basis_figure(photos, count), out)


def draw_map(paths: Pair, out: Output, *, settings: MatchSettings, device: str) -> None:
    """Draw the functional map as a matrix; errors as `draw_colours`."""
    _write(map_figure(_matched(paths, settings, device)), out)


def draw_matches(
    paths: Pair, out: Output, *, count: int, settings: MatchSettings, device: str
) -> None:
    """Draw at most ``count`` matches as lines; errors as `draw_colours`."""
    _write(matches_figure(_matched(paths, settings, device), count), out)


def draw_heat(
    paths: Pair, out: Output, wish: HeatWish, *, settings: MatchSettings, device: str
) -> None:
    """Carry a heat map, draw it, and print how right it is where the truth is known.

    Raises
    ------
    ImageError, MatchError
        As `draw_colours`; also if a heat map has another size than its photo, or the point lies
        outside.
    FormatError, DatasetError
        If the annotations cannot be used.
    """
    given = _given(paths, wish)
    pair = _matched(paths, settings, device)
    carried = carried_heat(pair, given.heat)
    notes = {} if given.truth is None else _scored(carried, given.truth)
    figure = heat_figure(
        pair,
        given.heat,
        carried,
        subtitle=given.origin,
        truth=given.truth,
        notes=notes,
        has_peaks=given.has_peak,
    )
    _write(figure, out)


def _matched(paths: Pair, settings: MatchSettings, device: str) -> PhotoPair:
    """Return two photos matched."""
    note(f"Matching {paths[0].name} and {paths[1].name} ...")
    with checked_settings():
        return match_photos(Matcher(settings, device=choose_device(device)), paths)


def _given(paths: Pair, wish: HeatWish) -> _Given:
    """Return the heat map that is wished for."""
    sizes = [probe(path).size for path in paths]
    if wish.annotations is not None:
        images = [NamedImage(p.name, size) for p, size in zip(paths, sizes, strict=True)]
        made = keypoint_heat(wish.annotations, *images, names=wish.keypoints, sigma=wish.sigma)
        some = ", ".join(made.names)
        kind = "Gaussian" if len(made.names) == 1 else "Gaussians"
        origin = f"{kind} around {some}, as annotated"
        given = _Given(made.source, origin, made.truth, len(made.names) == 1)
    elif wish.point is not None:
        check_inside(wish.point, sizes[0], paths[0].name)
        share = _POINT_SIGMA if wish.sigma is None else wish.sigma
        heat = gaussian_heat(sizes[0], [wish.point], share * sizes[0].long_side)
        given = _Given(heat, f"Gaussian around {wish.point[0]:g},{wish.point[1]:g}")
    elif wish.picture is not None:
        given = _Given(_read_heat(wish.picture, sizes[0], paths[0]), wish.picture.name)
    else:
        raise ValueError("a heat map comes from a picture, a point or annotations")
    if wish.truth is not None:
        given = replace(given, truth=_read_heat(wish.truth, sizes[1], paths[1]))
    return given


def _read_heat(path: Path, size: ImageSize, photo: Path) -> Heat:
    """Return a grey picture as a heat map in [0, 1]."""
    grey = read_rgb(path).mean(axis=2, dtype=np.float32) / 255
    if grey.shape != (size.height, size.width):
        raise ImageError(
            f"{path} has {grey.shape[1]} x {grey.shape[0]} pixels: a heat map of {photo.name} "
            f"has {size.width} x {size.height}."
        )
    return np.asarray(grey, dtype=np.float32)


def _scored(carried: Mapping[str, Heat], truth: Heat) -> dict[str, str]:
    """Print how right carried heat maps are, and return it as a line for each."""
    scores = {way: heat_scores(heat, truth) for way, heat in carried.items()}
    texts = {
        way: (f"{mse:.4f}", "none" if correlation is None else f"{correlation:.3f}")
        for way, (mse, correlation) in scores.items()
    }
    rows = [(way, *numbers) for way, numbers in texts.items()]
    say_table("", ("carried by", "MSE", "correlation"), rows)
    return {way: f"MSE {mse}, correlation {c}" for way, (mse, c) in texts.items()}


def _write(figure: Figure, out: Output) -> None:
    """Write a figure and say so."""
    if out.path.suffix.lower() == ".svg":
        write_picture(out.path, to_svg(figure, out.width))
    else:
        write_png(out.path, render(figure, out.width))
    size = figure.size_at(out.width)
    say(f"Wrote {out.path} ({size.width} x {size.height}).")
