"""Contact sheets: many annotated photos on one page, with captions and a legend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fmstudio.drawing.canvas import Canvas, elide, text_width
from fmstudio.drawing.colors import (
    ACCENT,
    CANVAS,
    HAIRLINE,
    MASK,
    PANEL,
    TEXT,
    TEXT_DIM,
    WHITE,
    Rgb,
    cividis,
    keypoint_colors,
)
from fmstudio.drawing.overlay import (
    LOW_CONFIDENCE,
    Overlay,
    draw_cross,
    draw_mark,
    draw_overlay,
    resize,
)
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints

Role = Literal["reference", "proposed", "accepted", "truth"]

MARGIN, GAP, PAD = 24, 16, 12
_TITLE, _BODY, _SMALL = 22, 14, 12
_LINE = 20
_SMALL_SUBJECT = 0.42
_RAMP = 120


@dataclass(frozen=True, slots=True, eq=False)
class TileView:
    """One photo of a sheet.

    Attributes
    ----------
    rgb : ndarray, (H, W, 3) uint8
    keypoints, mask, names, skeleton, colors, truth
        As in ``Overlay``.
    caption : str
        Usually the file's name; written below the photo, never over it.
    role : {"reference", "proposed", "accepted", "truth"}
        Proposed tiles show confidence and a dashed mask.
    details : tuple of str
        Short facts for the second line of the caption, such as ``"confidence 0.82"``.
    """

    rgb: NDArray[np.uint8]
    keypoints: Keypoints | None = None
    mask: Mask | None = None
    names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    caption: str = ""
    role: Role = "accepted"
    details: tuple[str, ...] = ()
    truth: Keypoints | None = None
    colors: tuple[str, ...] = ()

    def overlay(self) -> Overlay:
        """Return what to draw over the photo."""
        return Overlay(
            keypoints=self.keypoints,
            mask=self.mask,
            names=self.names,
            skeleton=self.skeleton,
            colors=self.colors,
            truth=self.truth,
            is_proposed=self.role == "proposed",
        )


def contact_sheet(
    tiles: Sequence[TileView],
    *,
    columns: int = 3,
    title: str = "",
    subtitle: str = "",
    legend: bool = True,
    tile_width: int = 384,
) -> NDArray[np.uint8]:
    """Return a page of tiles in rows, under a title and above a legend.

    Photos keep their shape and are centred in tiles of one size. Where the subject is small, a
    magnified part is set into the corner that is farthest from it.

    Parameters
    ----------
    tiles : sequence of TileView
        At least one.
    columns : int
        Tiles in a row, at least 1; fewer if there are fewer tiles.
    title, subtitle : str
        Written at the top; left out when empty.
    legend : bool
        Explain marks, keypoint colours and the confidence ramp at the bottom.
    tile_width : int
        Pixels, at least 120.

    Returns
    -------
    ndarray, (H, W, 3) uint8

    Raises
    ------
    ValueError
        If there is no tile, a number is too small, or a tile's parts do not fit its photo.
    """
    if not tiles or columns < 1 or tile_width < 120:
        raise ValueError("a sheet needs a tile, a column and tiles at least 120 px wide")
    columns = min(columns, len(tiles))
    photo_height = _photo_height(tiles, tile_width)
    tile_height = photo_height + PAD + 2 * _LINE + PAD // 2
    width = 2 * MARGIN + columns * tile_width + (columns - 1) * GAP
    rows = -(-len(tiles) // columns)
    top = MARGIN + (36 if title else 0) + (_LINE + 4 if subtitle else 0)
    height = top + rows * (tile_height + GAP) - GAP + MARGIN
    legend_rows = _legend_rows(tiles, width - 2 * MARGIN) if legend else []
    canvas = Canvas.plain(width, height + 32 * len(legend_rows), CANVAS)
    if title:
        canvas.text((MARGIN, MARGIN + 20), elide(title, _TITLE, width - 2 * MARGIN), _TITLE, TEXT)
    if subtitle:
        line = elide(subtitle, _BODY, width - 2 * MARGIN)
        canvas.text((MARGIN, top - 14), line, _BODY, TEXT_DIM)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        corner = (MARGIN + column * (tile_width + GAP), top + row * (tile_height + GAP))
        _draw_tile(canvas, tile, corner, ImageSize(tile_width, photo_height), tile_height)
    for number, entries in enumerate(legend_rows):
        _draw_legend_row(canvas, entries, tiles, height - MARGIN + 32 * number + 36)
    return canvas.rgb()


def error_text(tile: TileView) -> str | None:
    """Return the mean distance to the truth in pixels as a caption's detail, or None without."""
    points, truth = tile.keypoints, tile.truth
    if points is None or truth is None or not (points.labelled & truth.labelled).any():
        return None
    both = points.labelled & truth.labelled
    error = np.hypot(*(points.xy[both] - truth.xy[both]).T).mean()
    return f"error {error:.1f} px"


def confidence_text(tile: TileView) -> str | None:
    """Return the mean confidence of a proposal as a caption's detail, or None for other roles."""
    points = tile.keypoints
    if tile.role != "proposed" or points is None or not points.labelled.any():
        return None
    return f"confidence {points.score[points.labelled].mean():.2f}"


def _photo_height(tiles: Sequence[TileView], tile_width: int) -> int:
    """Return one height for all photos: the median shape's, between 0.6 and 1 of the width."""
    shape = float(np.median([tile.rgb.shape[0] / tile.rgb.shape[1] for tile in tiles]))
    return 4 * round(tile_width * min(max(shape, 0.6), 1.0) / 4)


def _draw_tile(
    canvas: Canvas, tile: TileView, corner: tuple[int, int], box: ImageSize, tile_height: int
) -> None:
    """Paint a tile: its photo on the canvas colour, its caption on the panel below."""
    left, top = corner
    canvas.box(left, top, box.width, tile_height, PANEL, 6)
    canvas.box(left, top, box.width, box.height, (0x10, 0x11, 0x13), 6)
    canvas.box(left, top + box.height - 8, box.width, 8, (0x10, 0x11, 0x13))
    height, width = tile.rgb.shape[:2]
    scale = min(box.width / width, box.height / height)
    size = ImageSize(max(1, round(width * scale)), max(1, round(height * scale)))
    x, y = left + (box.width - size.width) // 2, top + (box.height - size.height) // 2
    overlay = tile.overlay()
    canvas.paste(draw_overlay(tile.rgb, overlay, size=size), x, y)
    _draw_inset(canvas, tile, (left, top), box, (x, y), scale)
    baseline = top + box.height + PAD + 14
    badge = _draw_badge(canvas, tile.role, left + box.width - PAD, baseline)
    name = elide(tile.caption, _BODY, box.width - 2 * PAD - badge - 8)
    canvas.text((left + PAD, baseline), name, _BODY, TEXT)
    known = (confidence_text(tile), error_text(tile))
    facts = " · ".join([fact for fact in known if fact] + list(tile.details))
    facts = elide(facts, _SMALL, box.width - 2 * PAD)
    if facts:
        canvas.text((left + PAD, baseline + _LINE), facts, _SMALL, TEXT_DIM)


def _draw_badge(canvas: Canvas, role: Role, right: int, baseline: int) -> float:
    """Write a tile's role in a small box that ends at ``right``; return the box's width."""
    width = text_width(role, _SMALL) + 14
    left = right - width
    color, ink = (ACCENT, WHITE) if role == "reference" else (HAIRLINE, TEXT)
    canvas.box(left, baseline - 15, width, 20, color, 4)
    canvas.text((left + width / 2, baseline - 5), role, _SMALL, ink, "mm")
    return width


def _draw_inset(
    canvas: Canvas,
    tile: TileView,
    corner: tuple[int, int],
    box: ImageSize,
    photo: tuple[int, int],
    scale: float,
) -> None:
    """Set a magnified part of the photo into a corner if the subject is small in the tile."""
    part = tile.overlay().subject_box()
    if part is None or max(part[2], part[3]) * scale > _SMALL_SUBJECT * min(box.width, box.height):
        return
    height, width = tile.rgb.shape[:2]
    side = min(1.3 * max(part[2], part[3]), width, height)
    x0 = int(np.clip(part[0] + part[2] / 2 - side / 2, 0, width - side))
    y0 = int(np.clip(part[1] + part[3] / 2 - side / 2, 0, height - side))
    crop = tile.rgb[y0 : y0 + int(side), x0 : x0 + int(side)]
    inset = 4 * round(0.5 * min(box.width, box.height) / 4)
    picture = draw_overlay(crop, _cropped(tile, x0, y0, int(side)), size=ImageSize(inset, inset))
    middle = (
        photo[0] + (part[0] + part[2] / 2) * scale,
        photo[1] + (part[1] + part[3] / 2) * scale,
    )
    spots = [
        (corner[0] + dx, corner[1] + dy)
        for dx in (8, box.width - inset - 8)
        for dy in (8, box.height - inset - 8)
    ]
    spot = max(
        spots, key=lambda s: np.hypot(s[0] + inset / 2 - middle[0], s[1] - middle[1] + inset / 2)
    )
    canvas.frame(photo[0] + x0 * scale, photo[1] + y0 * scale, side * scale, side * scale, WHITE)
    canvas.box(spot[0] - 2, spot[1] - 2, inset + 4, inset + 4, WHITE, 2)
    canvas.paste(picture, *spot)


def _cropped(tile: TileView, x0: int, y0: int, side: int) -> Overlay:
    """Return a tile's overlay for the square part of its photo at (x0, y0)."""

    def moved(points: Keypoints | None) -> Keypoints | None:
        if points is None:
            return None
        return Keypoints(points.xy - [x0, y0], points.visibility, points.score)

    mask = tile.mask
    if mask is not None:
        mask = Mask.from_array(mask.to_array()[y0 : y0 + side, x0 : x0 + side])
    return Overlay(
        keypoints=moved(tile.keypoints),
        mask=mask,
        names=tile.names,
        skeleton=tile.skeleton,
        colors=tile.colors,
        truth=moved(tile.truth),
        is_proposed=tile.role == "proposed",
    )


def _legend_rows(tiles: Sequence[TileView], width: int) -> list[list[tuple[str, str, float]]]:
    """Return the legend's entries (kind, text, width) in rows that fit ``width``."""
    named = max(tiles, key=lambda tile: len(tile.names))
    entries = [(f"point {i}", name) for i, name in enumerate(named.names)]
    visibility = [tile.keypoints.visibility for tile in tiles if tile.keypoints is not None]
    shapes: list[tuple[str, str]] = []
    if any((v == 1).any() for v in visibility):
        shapes.append(("hidden", "hidden"))
    if any(tile.role == "proposed" for tile in tiles):
        shapes.append(("low", f"confidence below {LOW_CONFIDENCE:.1f}"))
    if any(tile.truth is not None for tile in tiles):
        shapes.append(("truth", "truth"))
    if any(tile.mask is not None for tile in tiles):
        shapes.append(("mask", "mask"))
    if any(tile.role == "proposed" for tile in tiles):
        shapes += [("mask dashed", "proposed mask"), ("ramp", "confidence")]
    return _wrapped(entries, width) + _wrapped(shapes, width)


def _wrapped(entries: Sequence[tuple[str, str]], width: int) -> list[list[tuple[str, str, float]]]:
    """Return entries with their widths, broken into rows."""
    rows: list[list[tuple[str, str, float]]] = []
    used = float("inf")
    for kind, text in entries:
        icon = 24.0 + _RAMP + 16 if kind == "ramp" else 24.0
        wide = icon + text_width(text, _SMALL) + 20
        if used + wide > width:
            rows.append([])
            used = 0.0
        rows[-1].append((kind, text, wide))
        used += wide
    return rows


def _draw_legend_row(
    canvas: Canvas,
    entries: Sequence[tuple[str, str, float]],
    tiles: Sequence[TileView],
    baseline: int,
) -> None:
    """Paint one row of the legend."""
    x = float(MARGIN)
    colors = max(tiles, key=lambda tile: len(tile.names)).colors
    for kind, text, wide in entries:
        at = (x + 9, baseline - 4.5)
        text_left = x + 24
        if kind.startswith("point "):
            index = int(kind.split()[1])
            draw_mark(canvas, at, 5, keypoint_colors(index + 1, colors)[index])
        elif kind == "ramp":
            text_left = x
            _draw_ramp(canvas, x + text_width(text, _SMALL) + 24, baseline)
        else:
            _draw_shape(canvas, kind, at)
        canvas.text((text_left, baseline), text, _SMALL, TEXT_DIM)
        x += wide


def _draw_shape(canvas: Canvas, kind: str, at: tuple[float, float]) -> None:
    """Paint the sign of one kind of mark."""
    grey: Rgb = (0xC8, 0xCC, 0xD0)
    if kind == "hidden":
        draw_mark(canvas, at, 5, grey, is_hidden=True)
    elif kind == "low":
        draw_mark(canvas, at, 4.5, grey, score=0.2)
    elif kind == "truth":
        draw_cross(canvas, at, 4.5)
    elif kind == "mask":
        canvas.line((at[0] - 8, at[1]), (at[0] + 8, at[1]), 2, MASK)
    else:
        for start in (-9, -2, 5):
            canvas.line((at[0] + start, at[1]), (at[0] + start + 3.5, at[1]), 2, MASK)


def _draw_ramp(canvas: Canvas, left: float, baseline: int) -> None:
    """Paint the confidence ramp, 0 to 1."""
    colors = np.repeat(cividis(np.linspace(0, 1, _RAMP))[None], 10, axis=0)
    canvas.text((left - 4, baseline), "0", _SMALL, TEXT_DIM, "rs")
    canvas.paste(resize(colors, ImageSize(_RAMP, 10)), round(left), baseline - 10)
    canvas.text((left + _RAMP + 4, baseline), "1", _SMALL, TEXT_DIM)
