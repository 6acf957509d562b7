"""Matches of a pair as lines between the photos, and where a point goes."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.drawing.canvas import Point
from fmstudio.drawing.colors import cividis
from fmstudio.drawing.figure import Figure
from fmstudio.drawing.page import Page, Panel
from fmstudio.drawing.pair import Matches, Query, match_elements
from fmstudio.engine.match import PairMap
from fmstudio.figures.photos import PhotoPair
from fmstudio.spectral.confidence import point_doubt
from fmstudio.spectral.convert import row_at
from fmstudio.spectral.displacement import fit_displacement
from fmstudio.spectral.transfer import transfer_keypoints

_MATCHES = 36
_TALL = 620  # units, of the photos
_APART = 3.0  # patches between two matches that are drawn
# Patches at the frame resemble each other by the padding that the networks saw there.
_FRAME = 3
# Of a point's heat map, in the score's units: as soft as masks are carried.
_TEMPERATURE = 0.05


def matches_figure(pair: PhotoPair, count: int = _MATCHES) -> Figure:
    """Return the surest matches of a pair as lines between the photos.

    Parameters
    ----------
    pair : PhotoPair
    count : int
        Lines, at most; at least 1.
    """
    matches = find_matches(pair.map, count)
    mean = float(matches.score.mean())
    page = Page(
        f"Matches of {pair.a.name} and {pair.b.name}",
        f"{len(matches.score)} of the surest, spread over {pair.a.name}; "
        f"mean confidence {mean:.2f}",
    )
    box_a, box_b = page.row(
        [Panel(photo.rgb, photo.name) for photo in (pair.a, pair.b)], tall=_TALL
    )
    page.add(
        *match_elements(
            matches,
            lambda xy: box_a.place(xy, pair.a.size),
            lambda xy: box_b.place(xy, pair.b.size),
        )
    )
    page.ramp("confidence", cividis(np.linspace(0, 1, 120)), "0", "1")
    return page.figure()


def find_matches(pair: PairMap, count: int = _MATCHES) -> Matches:
    """Return the surest matches of a pair, spread over the source.

    Parameters
    ----------
    pair : PairMap
    count : int
        At most so many; mutual nearest neighbours come first.
    """
    best, own = pair.score.max(dim=1).values, torch.arange(pair.grid_s.n)
    is_mutual = (pair.p2p_ts[pair.p2p_st].cpu() == own).numpy()
    rank = best.cpu().numpy() + np.where(is_mutual, 0.0, -10.0)
    places = np.stack(np.divmod(np.arange(pair.grid_s.n), pair.grid_s.cols), axis=1)
    chosen = _spread(np.argsort(-rank, kind="stable"), places, count)
    xy_s = pair.grid_s.centers()[chosen]
    xy_t = transfer_keypoints(pair.score, pair.grid_s, pair.grid_t, xy_s)
    back = transfer_keypoints(pair.score.T, pair.grid_t, pair.grid_s, xy_t)
    rows = row_at(pair.score, pair.grid_s, xy_s)
    cycle = np.linalg.norm(back - xy_s, axis=1)
    everywhere = np.ones(pair.grid_s.n)
    support = fit_displacement(pair.score, pair.grid_s, pair.grid_t, everywhere).support
    doubt = point_doubt(rows, pair.grid_t, xy_t, cycle, support)
    return Matches(xy_s, xy_t, doubt.confidence(pair.grid_s.size.long_side))


def make_query(pair: PairMap, xy_s: Point) -> Query:
    """Return where the map sees a point of the source, as a heat map and as a place."""
    xy = np.array([xy_s])
    row = row_at(pair.score, pair.grid_s, xy)
    heat = (row[0] / _TEMPERATURE).softmax(dim=0).reshape(pair.grid_t.rows, pair.grid_t.cols)
    x, y = transfer_keypoints(pair.score, pair.grid_s, pair.grid_t, xy)[0]
    return Query(xy_s, heat.cpu().numpy(), (float(x), float(y)))


def _spread(
    order: Sequence[int] | NDArray[np.int64], places: NDArray[np.int64], count: int
) -> list[int]:
    """Return the first patches of an order that keep their distance from those before them."""
    chosen: list[int] = []
    for index in order:
        if len(chosen) == count:
            break
        gaps = np.linalg.norm(places[chosen] - places[index], axis=1)
        if (gaps >= _APART).all():
            chosen.append(int(index))
    return chosen


def surest(matches: Matches, pair: PairMap) -> Point:
    """Return the source's place of the match trusted most, away from both frames if there is one.

    Patches at the frame are the surest of all and say the least.
    """
    inner = np.ones(len(matches.score), dtype=bool)
    for xy, grid in ((matches.xy_s, pair.grid_s), (matches.xy_t, pair.grid_t)):
        rc = grid.xy_to_rc(xy)
        low, high = _FRAME - 0.5, np.array([grid.rows, grid.cols]) - _FRAME - 0.5
        inner &= ((rc > low) & (rc < high)).all(axis=1)
    x, y = matches.xy_s[int(np.argmax(matches.score + inner))]
    return float(x), float(y)
