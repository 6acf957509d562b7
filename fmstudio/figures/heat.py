"""Affordance transfer: a heat map of the source carried to the target, in several ways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fmstudio.drawing.colors import OUTLINE, WHITE, cividis
from fmstudio.drawing.figure import Circle, Element, Figure
from fmstudio.drawing.page import GAP, ROOM, Box, Page, Panel
from fmstudio.drawing.pair import paint_heat
from fmstudio.figures.photos import Photo, PhotoPair
from fmstudio.spectral.transfer import patch_means, patches_to_pixels

THROUGH_MAP, BY_SCORE, BY_NEAREST = (
    "functional map",
    "map and similarity",
    "nearest neighbours alone",
)

# Width over height from which the carried maps fill a row of their own.
_WIDE = 0.8
# Up to this ratio of their shapes two photos stand in columns of one width.
_ALIKE = 1.25

Heat = NDArray[np.floating]


def carried_heat(pair: PhotoPair, heat: Heat) -> dict[str, NDArray[np.float32]]:
    """Return a heat map of the source on the target, by the way it was carried.

    Parameters
    ----------
    pair : PhotoPair
    heat : ndarray, (H, W)
        Of the source's size, in [0, 1].

    Returns
    -------
    carried : dict of str to ndarray, (H_t, W_t)
        "functional map": through C_st alone, which may leave [0, 1]; "map and similarity": softly
        by the score; "nearest neighbours alone": without any map.

    Raises
    ------
    ValueError
        If the heat map has another size than the source.
    """
    if heat.shape != pair.a.rgb.shape[:2]:
        raise ValueError(f"a heat map of {heat.shape} does not fit {pair.a.rgb.shape[:2]}")
    f = patch_means(heat[..., None], pair.a.analysis.grid)
    ways = {
        THROUGH_MAP: pair.through_map(f),
        BY_SCORE: pair.by_score(f),
        BY_NEAREST: pair.by_nearest(f),
    }
    grid = pair.b.analysis.grid
    return {name: patches_to_pixels(f_t[:, 0], grid) for name, f_t in ways.items()}


def heat_figure(
    pair: PhotoPair,
    heat: Heat,
    carried: Mapping[str, Heat],
    *,
    subtitle: str = "",
    truth: Heat | None = None,
    notes: Mapping[str, str] = MappingProxyType({}),
    has_peaks: bool = True,
) -> Figure:
    """Return a page with a heat map on the source and what became of it on the target.

    Parameters
    ----------
    pair : PhotoPair
    heat : ndarray, (H, W)
        Of the source.
    carried : mapping of str to ndarray, (H_t, W_t)
        By the way it was carried; at least one.
    subtitle : str
        Where the heat map comes from.
    truth : ndarray, (H_t, W_t), optional
        What it should be on the target.
    notes : mapping of str to str
        Scores, by the way it was carried.
    has_peaks : bool
        Mark each map's greatest value by a ring.
    """
    a, b = pair.a, pair.b
    page = Page(f"Heat map of {a.name} on {b.name}", subtitle)
    first = [_View(a, f"{a.name}: source", heat)]
    if truth is not None:
        first.append(_View(b, f"{b.name}: truth", truth))
    second = [_View(b, way, map_, notes.get(way, "")) for way, map_ in carried.items()]
    is_wide = b.size[0] >= _WIDE * b.size[1]
    for views in (first, second) if is_wide else ([*first, *second],):
        _put(page, views, len(second) if is_wide else len(views), pair, has_peaks)
    page.ramp("heat, of each map's greatest value", cividis(np.linspace(0, 1, 120)), "0", "1")
    return page.figure()


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A heat map to be drawn over a photo."""

    photo: Photo
    caption: str
    heat: Heat
    note: str = ""


def _put(
    page: Page, views: Sequence[_View], columns: int, pair: PhotoPair, has_peaks: bool
) -> None:
    """Put heat maps over their photos side by side, in columns of one width."""
    panels = [
        Panel(paint_heat(view.photo.rgb, np.maximum(view.heat, 0)), view.caption, view.note)
        for view in views
    ]
    aspects = [photo.size[0] / photo.size[1] for photo in (pair.a, pair.b)]
    if max(aspects) < _ALIKE * min(aspects):
        boxes = page.row(panels, columns=columns, aspect=max(aspects))
    else:
        # Columns would gape: pictures of one height instead.
        tall = (ROOM - GAP * (columns - 1)) / (columns * max(aspects[1], sum(aspects) / columns))
        boxes = page.row(panels, tall=tall)
    for box, view in zip(boxes, views, strict=True):
        if has_peaks:
            page.add(*_peak(box, view))


def _peak(box: Box, view: _View) -> list[Element]:
    """Return the ring around a map's greatest value."""
    y, x = divmod(int(np.argmax(view.heat)), view.heat.shape[1])
    at = box.place((x + 0.5, y + 0.5), view.photo.size)
    return [Circle(at, 7, 3.6, OUTLINE, 0.8), Circle(at, 7, 1.8, WHITE)]
