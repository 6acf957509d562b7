"""Answers to a person's questions about a pair: one point at once, or all that can be drawn."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from fmstudio.engine.carry import extent_of
from fmstudio.engine.object_map import ObjectMap
from fmstudio.engine.questions import (
    Contours,
    DenseField,
    HeatMap,
    MatchLines,
    PairFound,
    PairLayers,
    PairQuestion,
    PointAnswer,
    PointQuestion,
    WarpedGrid,
)
from fmstudio.engine.reasons import decoded
from fmstudio.geometry.frames import Frame
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.spectral.confidence import point_doubt
from fmstudio.spectral.convert import row_at

# At which points are decoded, so that what is drawn is what was decoded from.
_TEMPERATURE = 0.02
_MATCHES = 60
# Points of all outlines together; cells of the grid along the object's longer side, and steps
# along each of a cell's sides.
_OUTLINE, _CELLS, _STEPS = 320, 14, 3


def describe(question: PairQuestion, found: ObjectMap) -> PairFound:
    """Return what is said of a matched pair as a whole."""
    return PairFound(question, found.displacement.support, found.frame_s.turn)


def answer_point(question: PointQuestion, found: ObjectMap) -> PointAnswer:
    """Return where a point lies on the other image, its distribution and its round trip.

    Parameters
    ----------
    question : PointQuestion
    found : ObjectMap
        Of its pair.
    """
    xy = np.array([question.xy], dtype=np.float64)
    extent_s = extent_of(question.pair.mark, found.pair.grid_s)
    if question.is_back:
        rows = found.rows_back(xy)
        at = found.decode_back(rows)
        back = found.points(at)
        grid, place = found.pair.grid_s, found.frame_s.enter(at)
        extent, on = _extent_t(found, extent_s), at
    else:
        rows = found.rows(xy)
        at = found.decode(rows)
        back = found.points_back(at)
        grid, place = found.pair.grid_t, at - found.corner_t
        extent, on = extent_s, xy
    cycle = np.linalg.norm(back - xy, axis=1)
    doubt = point_doubt(rows, grid, place, cycle, found.displacement.support)
    part, inner = found.pair.grid_s, found.frame_s.enter(on)
    weight = found.weights[part.xy_to_index(inner)] * part.size.contains(inner)
    return PointAnswer(
        question,
        there=(float(at[0, 0]), float(at[0, 1])),
        back=(float(back[0, 0]), float(back[0, 1])),
        cycle=float(cycle[0]),
        confidence=float(doubt.confidence(extent)[0]),
        is_on_object=bool(weight[0] > 0),
        heat=_heat(question, found, xy, rows),
    )


def pair_layers(question: PairQuestion, found: ObjectMap) -> PairLayers:
    """Return all that can be drawn of a matched pair at once."""
    return PairLayers(
        question,
        dense_field(found),
        warped_grid(found),
        match_lines(question, found),
        contours(question, found),
    )


def dense_field(found: ObjectMap) -> DenseField:
    """Return where the patches of the target's part come from, each decoded by itself.

    Not the smooth displacement: what is folded, torn or astray is to be seen.
    """
    grid_s, grid_t = found.pair.grid_s, found.pair.grid_t
    back = found.points_back(grid_t.centers() + found.corner_t)
    share = found.weights[grid_s.xy_to_index(found.frame_s.enter(back))]
    shape = (grid_t.rows, grid_t.cols)
    return DenseField(
        found.box_t,
        back.reshape(*shape, 2).astype(np.float32),
        share.reshape(shape).astype(np.float32),
    )


def match_lines(question: PairQuestion, found: ObjectMap, count: int = _MATCHES) -> MatchLines:
    """Return so many places of the object, far from each other, with their counterparts."""
    places = found.pair.grid_s.centers()[found.weights > 0]
    xy_s = found.frame_s.leave(places[_spread(places, count)])
    xy_t, doubt = decoded(found, xy_s)
    return MatchLines(xy_s, xy_t, doubt.confidence(extent_of(question.mark, found.pair.grid_s)))


def contours(question: PairQuestion, found: ObjectMap) -> Contours:
    """Return the outlines and the skeleton of the mark on the target.

    Outlines follow the smooth displacement, keypoints lie where they are decoded.
    """
    mask, points = question.mark.mask, question.mark.keypoints
    rings: tuple[NDArray[np.float64], ...] = ()
    if mask is not None:
        drawn = [ring for polygon in mask.polygons() for ring in polygon.rings]
        step = max(1.0, sum(map(_length, drawn)) / _OUTLINE)
        rings = tuple(_displaced(found, _paced(ring, step)) for ring in drawn)
    if points is None:
        return Contours(rings)
    there = found.points(points.xy)
    limbs = [limb for limb in question.skeleton if points.labelled[list(limb)].all()]
    return Contours(rings, tuple(there[list(limb)] for limb in limbs))


def warped_grid(found: ObjectMap) -> WarpedGrid:
    """Return a square grid over the source's object, displaced as the object as a whole is."""
    low, extent = found.displacement.low, found.displacement.extent
    step = float(extent.max()) / _CELLS
    cols, rows = (max(1, round(float(side) / step)) for side in extent)
    x = np.linspace(low[0], low[0] + extent[0], cols * _STEPS + 1)
    y = np.linspace(low[1], low[1] + extent[1], rows * _STEPS + 1)
    places = np.stack(np.meshgrid(x, y), axis=-1)  # (rows * steps + 1, cols * steps + 1, 2)
    corners = places[::_STEPS, ::_STEPS]
    centres = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    inside = found.weights[found.pair.grid_s.xy_to_index(centres)] > 0  # (rows, cols)
    quads = np.stack(
        [corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=2
    )[inside]
    signs = np.sign(np.linalg.det(found.displacement.jacobian(centres[inside])))
    lines = [*_lines(places, inside), *_lines(places.swapaxes(0, 1), inside.T)]
    return WarpedGrid(
        tuple(found.frame_s.leave(line) for line in lines),
        tuple(found.displacement(line) + found.corner_t for line in lines),
        found.displacement(quads.reshape(-1, 2)).reshape(-1, 4, 2) + found.corner_t,
        np.where(signs < 0, -1, 1).astype(np.int8),
    )


def _lines(places: NDArray[np.float64], inside: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return the lines along the rows of a lattice that border a cell inside."""
    found = []
    for line in range(inside.shape[0] + 1):
        beside = inside[max(line - 1, 0) : line + 1].any(axis=0)
        ends = np.flatnonzero(np.diff(np.concatenate([[False], beside, [False]])))
        for first, last in ends.reshape(-1, 2):
            found.append(places[line * _STEPS, first * _STEPS : last * _STEPS + 1])
    return found


def _heat(
    question: PointQuestion, found: ObjectMap, xy: NDArray[np.float64], rows: torch.Tensor
) -> HeatMap:
    """Return the distribution of a point with these rows (1, n) of the score."""
    logits = [rows] if question.heat in ("map", "both") else []
    if question.heat in ("features", "both"):
        logits.append(_alike(found, xy, is_back=question.is_back).to(rows))
    # The mean of logits is the geometric mean of the distributions: where both agree.
    mean = torch.stack(logits).mean(dim=0)[0]
    p = torch.softmax(mean / _TEMPERATURE, dim=0)
    values = (p / p.max()).float().cpu().numpy()
    if question.is_back:
        grid = found.pair.grid_s
        return upright(values.reshape(grid.rows, grid.cols), grid, found.frame_s)
    grid = found.pair.grid_t
    return HeatMap(found.box_t, values.reshape(grid.rows, grid.cols))


def _alike(found: ObjectMap, xy: NDArray[np.float64], *, is_back: bool) -> torch.Tensor:
    """Return the cosines (1, n) of a point's features with those of the other part's patches."""
    at = xy - found.corner_t if is_back else found.frame_s.enter(xy)
    own, other = (found.part_t, found.part_s) if is_back else (found.part_s, found.part_t)
    return normalize(row_at(own.descriptors, own.grid, at), dim=1) @ other.descriptors.T


def upright(values: NDArray[np.float32], grid: PatchGrid, frame: Frame) -> HeatMap:
    """Return values (rows, cols) of a turned picture on a raster of the image itself."""
    if frame.turn == 0:
        return HeatMap(frame.box, values)
    x0, y0, x1, y1 = box = frame.box
    upright = PatchGrid.of_long_side(ImageSize(x1 - x0, y1 - y0), max(grid.rows, grid.cols))
    places = frame.enter(upright.centers() + np.array([x0, y0]))
    flat = torch.from_numpy(values.reshape(-1, 1))
    turned = row_at(flat, grid, places).numpy()[:, 0] * frame.size.contains(places)
    return HeatMap(box, turned.reshape(upright.rows, upright.cols).astype(np.float32))


def _displaced(found: ObjectMap, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return target pixels (m, 2) of source pixels (m, 2) by the smooth displacement."""
    return found.displacement(found.frame_s.enter(xy)) + found.corner_t


def _length(ring: NDArray[np.float64]) -> float:
    """Return how long a closed ring (v, 2) is."""
    return float(np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1).sum())


def _paced(ring: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Return points (m, 2) along a closed ring (v, 2), ``step`` pixels apart, at least four."""
    closed = np.concatenate([ring, ring[:1]])
    way = np.concatenate([[0.0], np.linalg.norm(np.diff(closed, axis=0), axis=1).cumsum()])
    at = np.linspace(0, way[-1], max(4, round(way[-1] / step)), endpoint=False)
    return np.stack([np.interp(at, way, closed[:, axis]) for axis in (0, 1)], axis=1)


def _extent_t(found: ObjectMap, extent_s: float) -> float:
    """Return how long the object is on the target, given how long it is on the source; pixels."""
    places = found.pair.grid_s.centers()[found.weights > 0]
    there = found.displacement(places)
    growth = np.ptp(there, axis=0).max() / max(np.ptp(places, axis=0).max(), 1.0)
    return float(max(extent_s * growth, *found.pair.grid_t.patch))


def _spread(places: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return indices of at most so many of the places (n, 2), each far from those before it."""
    chosen = [int(np.argmin(np.linalg.norm(places - places.mean(axis=0), axis=1)))]
    gap = np.linalg.norm(places - places[chosen[0]], axis=1)
    while len(chosen) < min(count, len(places)):
        chosen.append(int(np.argmax(gap)))
        gap = np.minimum(gap, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return np.array(sorted(chosen), dtype=np.int64)
