"""Two photos side by side: match lines, colours carried through the map, a point's heat map."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fmstudio.drawing.canvas import Canvas, Point, elide, text_width
from fmstudio.drawing.colors import (
    CANVAS,
    OUTLINE,
    TEXT,
    TEXT_DIM,
    WHITE,
    cividis,
    confidence_color,
    position_colors,
)
from fmstudio.drawing.figure import Dot, Element, Segment, paint
from fmstudio.drawing.overlay import draw_cross, resize
from fmstudio.geometry.grid import ImageSize, PatchGrid

_MARGIN, _GAP = 24, 16
_TITLE, _BODY, _SMALL = 22, 14, 12
_CAPTION = 32
_RAMP = 120

Rgb8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Matched places of two photos.

    Attributes
    ----------
    xy_s, xy_t : ndarray, (n, 2)
        Pixels of the source and of the target.
    score : ndarray, (n,)
        Confidence in [0, 1].
    """

    xy_s: NDArray[np.floating]
    xy_t: NDArray[np.floating]
    score: NDArray[np.floating]

    def __post_init__(self) -> None:
        n = len(self.score)
        if self.xy_s.shape != (n, 2) or self.xy_t.shape != (n, 2):
            raise ValueError(f"{self.xy_s.shape}, {self.xy_t.shape} and {n} scores do not match")


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A point of the source and where the map sees it in the target.

    Attributes
    ----------
    xy_s : (float, float)
        Pixels of the source.
    heat : ndarray, (rows, cols)
        Weight of every target patch; scaled to its own range.
    xy_t : (float, float), optional
        The decoded place, in pixels of the target.
    """

    xy_s: Point
    heat: NDArray[np.floating]
    xy_t: Point | None = None


def pair_sheet(
    rgb_s: Rgb8,
    rgb_t: Rgb8,
    *,
    names: tuple[str, str] = ("source", "target"),
    title: str = "",
    subtitle: str = "",
    matches: Matches | None = None,
    source_xy: NDArray[np.floating] | None = None,
    query: Query | None = None,
    height: int = 360,
) -> Rgb8:
    """Return a page with one row per view of the map from source to target.

    Rows: the photos joined by match lines coloured by confidence; the source's position colours
    and the same colours carried to the target, and the target rebuilt from source pixels; a point
    and its heat map. A row whose data is missing is left out; with none, the photos stand alone.

    Parameters
    ----------
    rgb_s, rgb_t : ndarray, (H, W, 3) uint8
    names : (str, str)
        Captions below the photos.
    title, subtitle : str
        At the top; left out when empty.
    matches : Matches, optional
    source_xy : ndarray, (rows, cols, 2), optional
        For every target patch the place in the source, in pixels.
    query : Query, optional
    height : int
        Of the photos on the page, in pixels, at least 80.

    Returns
    -------
    ndarray, (H, W, 3) uint8

    Raises
    ------
    ValueError
        If ``height`` is too small or an array has a wrong shape.
    """
    if height < 80:
        raise ValueError("photos on a pair sheet are at least 80 px high")
    photos, wide = (rgb_s, rgb_t), height
    rows: list[list[tuple[Rgb8, str]]] = []
    if source_xy is not None:
        rows.append(_color_row(photos, source_xy, names, height))
        # Rows of two are as wide as the row of three, within reason.
        room = sum(rgb.shape[1] for rgb, _ in rows[0]) + _GAP
        wide = min(_height_for(photos, room), round(1.6 * height))
    if query is not None:
        rows.append(_heat_row(photos, query, names, wide))
    if matches is not None or not rows:
        rows.insert(
            0, [(_scaled(rgb, wide), name) for rgb, name in zip(photos, names, strict=True)]
        )
    canvas, corners = _page(rows, title, subtitle)
    if matches is not None:
        scales = wide / rgb_s.shape[0], wide / rgb_t.shape[0]
        places = [_placed(corner, scale) for corner, scale in zip(corners[0], scales, strict=True)]
        paint(canvas, match_elements(matches, places[0], places[1]))
    if matches is not None or query is not None:
        kinds = ["confidence"] * (matches is not None) + ["heat"] * (query is not None)
        _draw_legend(canvas, ", ".join(kinds))
    return canvas.rgb()


def paint_patches(rgb: Rgb8, colors: NDArray[np.floating] | Rgb8, opacity: float = 0.8) -> Rgb8:
    """Return a photo tinted by one colour per patch, its light and shade kept.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3) uint8
    colors : ndarray, (rows, cols, 3)
        0 to 255; upsampled smoothly.
    opacity : float
        In [0, 1].

    Raises
    ------
    ValueError
        If ``colors`` is not (rows, cols, 3).
    """
    if np.ndim(colors) != 3 or colors.shape[2] != 3:
        raise ValueError(f"patch colours are (rows, cols, 3), not {np.shape(colors)}")
    tint = _upsampled(np.asarray(colors, dtype=np.float32), rgb.shape)
    light = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None] / 255
    shaded = tint * (0.5 + 0.6 * light)
    mixed = rgb + (shaded - rgb) * opacity
    return np.asarray(np.clip(np.rint(mixed), 0, 255), dtype=np.uint8)


def paint_heat(rgb: Rgb8, heat: NDArray[np.floating], opacity: float = 0.85) -> Rgb8:
    """Return a photo, greyed and dimmed, with a heat map in cividis over it.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3) uint8
    heat : ndarray, (rows, cols)
        Any range; its least value is left grey, its greatest is the brightest.
    opacity : float
        Of the greatest value, in [0, 1].

    Raises
    ------
    ValueError
        If ``heat`` is not (rows, cols) of finite numbers.
    """
    heat = np.asarray(heat, dtype=np.float64)
    if heat.ndim != 2 or not np.isfinite(heat).all():
        raise ValueError("a heat map is (rows, cols) of finite numbers")
    span = float(np.ptp(heat))
    unit = (heat - heat.min()) / span if span > 0 else np.zeros_like(heat)
    fine = np.clip(_upsampled(unit[..., None].astype(np.float32), rgb.shape)[..., 0], 0, 1)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None] * 0.6
    share = (opacity * np.sqrt(fine))[..., None]
    mixed = grey + (cividis(fine).astype(np.float32) - grey) * share
    return np.asarray(np.clip(np.rint(mixed), 0, 255), dtype=np.uint8)


def rebuild_target(rgb_s: Rgb8, source_xy: NDArray[np.floating], size: ImageSize) -> Rgb8:
    """Return the target as the map sees it: every pixel taken from its place in the source.

    Parameters
    ----------
    rgb_s : ndarray, (H, W, 3) uint8
    source_xy : ndarray, (rows, cols, 2)
        For every target patch the place in the source, in pixels; upsampled bilinearly.
    size : ImageSize
        Of the returned picture.

    Raises
    ------
    ValueError
        If ``source_xy`` is not (rows, cols, 2).
    """
    _check_places(source_xy)
    shape = (size.height, size.width)
    fine = _upsampled(source_xy.astype(np.float32), shape, cv2.INTER_LINEAR) - 0.5
    border = cv2.BORDER_REPLICATE
    taken = cv2.remap(rgb_s, fine[..., 0], fine[..., 1], cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(taken, dtype=np.uint8)


def _check_places(source_xy: NDArray[np.floating]) -> None:
    """Raise ValueError unless the array holds a place per patch."""
    if source_xy.ndim != 3 or source_xy.shape[2] != 2:
        raise ValueError(f"places per patch are (rows, cols, 2), not {source_xy.shape}")


def _upsampled(
    values: NDArray[np.float32], shape: tuple[int, ...], method: int = cv2.INTER_CUBIC
) -> NDArray[np.float32]:
    """Return patch values (rows, cols, c) at every pixel (H, W, c)."""
    fine = cv2.resize(values, (shape[1], shape[0]), interpolation=method)
    return np.asarray(fine, dtype=np.float32).reshape(shape[0], shape[1], values.shape[2])


def _scaled(rgb: Rgb8, height: int) -> Rgb8:
    """Return a photo at another height, its shape kept."""
    return resize(rgb, ImageSize(max(1, round(rgb.shape[1] * height / rgb.shape[0])), height))


def _height_for(photos: tuple[Rgb8, Rgb8], width: float) -> int:
    """Return the height at which two photos together are this wide."""
    return round(width / sum(float(rgb.shape[1] / rgb.shape[0]) for rgb in photos))


def _color_row(
    photos: tuple[Rgb8, Rgb8],
    source_xy: NDArray[np.floating],
    names: tuple[str, str],
    height: int,
) -> list[tuple[Rgb8, str]]:
    """Return the pictures and captions that show colours and pixels carried by the map."""
    _check_places(source_xy)
    photo_s, photo_t = _scaled(photos[0], height), _scaled(photos[1], height)
    rows, cols = photos[0].shape[:2]
    grid = PatchGrid(ImageSize(cols, rows), photo_s.shape[0], photo_s.shape[1])
    own = grid.centers().reshape(grid.rows, grid.cols, 2)
    carried = _upsampled(source_xy.astype(np.float32), photo_t.shape, cv2.INTER_LINEAR)
    size_t = ImageSize(photo_t.shape[1], photo_t.shape[0])
    return [
        (paint_patches(photo_s, position_colors(own, cols, rows)), f"colours of {names[0]}"),
        (
            paint_patches(photo_t, position_colors(carried, cols, rows)),
            f"the same, carried to {names[1]}",
        ),
        (rebuild_target(photos[0], source_xy, size_t), f"{names[1]} from pixels of {names[0]}"),
    ]


def _heat_row(
    photos: tuple[Rgb8, Rgb8], query: Query, names: tuple[str, str], height: int
) -> list[tuple[Rgb8, str]]:
    """Return the pictures and captions that show a point and where the map sees it."""
    asked = Canvas(_scaled(photos[0], height))
    seen = Canvas(paint_heat(_scaled(photos[1], height), query.heat))
    scale_s, scale_t = (height / rgb.shape[0] for rgb in photos)
    at = (query.xy_s[0] * scale_s, query.xy_s[1] * scale_s)
    asked.ring(at, 9, 4.5, OUTLINE, 0.8)
    asked.ring(at, 9, 2.2, WHITE)
    asked.disc(at, 2.2, OUTLINE)
    asked.disc(at, 1.6, WHITE)
    if query.xy_t is not None:
        draw_cross(seen, (query.xy_t[0] * scale_t, query.xy_t[1] * scale_t), 6)
    return [(asked.rgb(), f"a point of {names[0]}"), (seen.rgb(), f"its heat map on {names[1]}")]


def _page(
    rows: list[list[tuple[Rgb8, str]]], title: str, subtitle: str
) -> tuple[Canvas, list[list[tuple[int, int]]]]:
    """Return a canvas with rows of captioned pictures, and the pictures' corners."""
    widths = [sum(rgb.shape[1] for rgb, _ in row) + _GAP * (len(row) - 1) for row in rows]
    width = max([*widths, 480]) + 2 * _MARGIN
    top = _MARGIN + (36 if title else 0) + (24 if subtitle else 0)
    height = top + sum(row[0][0].shape[0] + _CAPTION + 8 for row in rows) + 40
    canvas = Canvas.plain(width, height, CANVAS)
    room = width - 2 * _MARGIN
    if title:
        canvas.text((_MARGIN, _MARGIN + 20), elide(title, _TITLE, room), _TITLE, TEXT)
    if subtitle:
        canvas.text((_MARGIN, top - 14), elide(subtitle, _BODY, room), _BODY, TEXT_DIM)
    corners: list[list[tuple[int, int]]] = []
    for row in rows:
        left, below = _MARGIN, top + row[0][0].shape[0]
        corners.append([])
        for rgb, caption in row:
            canvas.paste(rgb, left, top)
            short = elide(caption, _SMALL, rgb.shape[1])
            canvas.text((left, below + 18), short, _SMALL, TEXT_DIM)
            corners[-1].append((left, top))
            left += rgb.shape[1] + _GAP
        top = below + _CAPTION + 8
    return canvas, corners


def _placed(corner: tuple[int, int], scale: float) -> Callable[[NDArray[np.floating]], Point]:
    """Return the way from places (2,) of a photo to the page, its corner and scale given."""
    return lambda xy: (corner[0] + float(xy[0]) * scale, corner[1] + float(xy[1]) * scale)


def match_elements(
    matches: Matches,
    to_s: Callable[[NDArray[np.floating]], Point],
    to_t: Callable[[NDArray[np.floating]], Point],
) -> list[Element]:
    """Return match lines and their ends, the most confident last so that they lie on top.

    Parameters
    ----------
    matches : Matches
    to_s, to_t : callable
        From a place (2,) of the photo to one of the page.
    """
    order = np.argsort(matches.score, kind="stable")
    ends = [(to_s(matches.xy_s[i]), to_t(matches.xy_t[i]), float(matches.score[i])) for i in order]
    elements: list[Element] = []
    for a, b, score in ends:
        elements.append(Segment(a, b, 2.6, OUTLINE, 0.35))
        elements.append(Segment(a, b, 1.3, confidence_color(score), 0.9))
    for a, b, score in ends:
        for at in (a, b):
            elements.append(Dot(at, 4.6, OUTLINE, 0.85))
            elements.append(Dot(at, 3.6, confidence_color(score)))
    return elements


def _draw_legend(canvas: Canvas, text: str) -> None:
    """Paint the ramp and what it stands for at the bottom."""
    baseline = canvas.height - _MARGIN
    canvas.text((_MARGIN, baseline), text, _SMALL, TEXT_DIM)
    left = _MARGIN + round(text_width(text, _SMALL)) + 24
    ramp = np.repeat(cividis(np.linspace(0, 1, _RAMP))[None], 10, axis=0)
    canvas.text((left - 4, baseline), "0", _SMALL, TEXT_DIM, "rs")
    canvas.paste(ramp, left, baseline - 10)
    canvas.text((left + _RAMP + 4, baseline), "1", _SMALL, TEXT_DIM)
