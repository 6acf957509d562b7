"""Affordance transfer: a heat map of the source carried to the target, in several ways."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fmstudio.drawing.colors import OUTLINE, WHITE, cividis
from fmstudio.drawing.figure import Circle, Figure, Mark
from fmstudio.drawing.page import Box, Page, Panel
from fmstudio.drawing.pair import paint_heat
from fmstudio.figures.photos import Photo, PhotoPair
from fmstudio.spectral.transfer import patch_means, patches_to_pixels

THROUGH_MAP, BY_SCORE, BY_NEAREST = (
    "functional map",
    "map and similarity",
    "nearest neighbours alone",
)

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
) -> Figure:
    """Return a page with a heat map on the source and what became of it on the target.

    Parameters
    ----------
    pair : PhotoPair
    heat : ndarray, (H, W)
        Of the source.
    carried : mapping of str to ndarray, (H_t, W_t)
        By the way it was carried; a ring marks each map's greatest value.
    subtitle : str
        Where the heat map comes from.
    truth : ndarray, (H_t, W_t), optional
        What it should be on the target.
    notes : mapping of str to str
        Scores, by the way it was carried.
    """
    a, b = pair.a, pair.b
    page = Page(f"Heat map of {a.name} on {b.name}", subtitle)
    shown = [(b, f"on {b.name}: {way}", notes.get(way, ""), map_) for way, map_ in carried.items()]
    rows = [[(a, f"on {a.name}: source", "", heat)], shown]
    if truth is not None:
        rows[0].append((b, f"on {b.name}: truth", "", truth))
    if all(photo.size[0] > photo.size[1] for photo in (a, b)):
        for row in rows:
            _put(page, row)
    else:
        _put(page, [*rows[0], *rows[1]])
    page.ramp("heat, of each map's greatest value", cividis(np.linspace(0, 1, 120)), "0", "1")
    return page.figure()


def _put(page: Page, row: list[tuple[Photo, str, str, Heat]]) -> None:
    """Put heat maps over their photos side by side, the greatest value of each marked."""
    panels = [
        Panel(paint_heat(photo.rgb, np.maximum(map_, 0)), caption, note)
        for photo, caption, note, map_ in row
    ]
    for box, (photo, _, _, map_) in zip(page.row(panels), row, strict=True):
        page.add(*_peak(box, photo, map_))


def _peak(box: Box, photo: Photo, heat: Heat) -> list[Mark]:
    """Return the ring around a map's greatest value."""
    y, x = divmod(int(np.argmax(heat)), heat.shape[1])
    at = box.place((x + 0.5, y + 0.5), photo.size)
    return [Circle(at, 7, 3.6, OUTLINE, 0.8), Circle(at, 7, 1.8, WHITE)]
