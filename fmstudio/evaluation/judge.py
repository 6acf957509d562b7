"""One pair judged: what a method reached on it, and what that makes over many pairs."""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.engine.requests import Mark
from fmstudio.engine.views import View
from fmstudio.evaluation.datasets import Box, LabelledImage
from fmstudio.evaluation.methods import CopyTransfer, Method, PairTransfer
from fmstudio.evaluation.report import METRICS, Scores, mean_of
from fmstudio.geometry.grid import PatchGrid
from fmstudio.geometry.metrics import counted_points, cycle_error, iou, pck, smoothness

# Metric to alpha and to what it is a share of; None is what is customary for the set.
THRESHOLDS = {"pck@0.05": (0.05, None), "pck@0.1": (0.1, None), "pck@0.1/image": (0.1, "image")}
PER_POINT = {"pck@0.1/points": "pck@0.1"}

DEFINITIONS = {
    "pairs": "the set's own pairs in their order; where it has none, per category all ordered "
    "pairs of annotated images in the order of their ids, shuffled by random.Random(seed); the "
    "first N of them; of several annotations of a category on one image the first by id",
    "pck@alpha": "share of points with v > 0 in both images that lie within alpha times the "
    "longest side of the target annotation's box (of the target image, where that is customary "
    "for the set: threshold); mean over points, then pairs, then categories",
    "pck@0.1/points": "as pck@0.1, but the mean over all points of a category's pairs, so that a "
    "pair with many points counts more; then over categories",
    "pck@0.1/image": "as pck@0.1, but alpha times the longest side of the target image",
    "iou": "intersection over union of the carried and the target's mask; mean over pairs, then "
    "categories with masks",
    "smoothness": "mean norm of first differences, between neighbouring target patches in the "
    "target's box, of the target-to-source displacement from the copied position, in source "
    "patches",
    "cycle": "mean distance of the source's patch centres in the source's box from where they come "
    "back to, as a share of the source image's longer side",
    "ms": "milliseconds: features and basis per image (each image once for all methods), map (with "
    "a closer look at the object, where there is one) and transfer per pair; null where a method "
    "has no such stage",
}


@dataclass(slots=True)
class Tally:
    """What one method collects over the pairs of one category."""

    values: dict[str, list[float | None]] = field(default_factory=lambda: defaultdict(list))
    points: list[int] = field(default_factory=list)
    map_ms: list[float | None] = field(default_factory=list)
    transfer_ms: list[float | None] = field(default_factory=list)


def judge(
    method: Method,
    source: tuple[LabelledImage, View],
    target: tuple[LabelledImage, View],
    tally: Tally,
    threshold: str,
) -> None:
    """Match one pair by one method and add what it reached."""
    (s, a), (t, b) = source, target
    start = time.perf_counter()
    pair = method.pair(a, b, Mark(0, 0, s.keypoints, s.mask))
    _finish(b.analysis.descriptors.device)
    matched = time.perf_counter()
    xy = None if s.keypoints is None else pair.keypoints(s.keypoints.xy)
    mask = None if s.mask is None else pair.mask(s.mask)
    carried = time.perf_counter()
    tally.map_ms.append(1e3 * (matched - start))
    tally.transfer_ms.append(1e3 * (carried - matched))
    counted = _counted(s, t)
    tally.points.append(int(counted.sum()))
    for metric, (alpha, of) in THRESHOLDS.items():
        tally.values[metric].append(
            None if xy is None else _pck(xy, t, counted, alpha, of or threshold)
        )
    overlap = None
    if mask is not None and t.mask is not None:
        overlap = iou(mask.to_array(), t.mask.to_array())
    tally.values["iou"].append(overlap)
    tally.values["smoothness"].append(_smoothness(pair, a.analysis.grid, b.analysis.grid, t.box))
    tally.values["cycle"].append(_cycle(pair, a.analysis.grid, s.box))


def _counted(s: LabelledImage, t: LabelledImage) -> NDArray[np.bool_]:
    """Return which keypoints are judged, (m,) bool; none where either image has none."""
    if s.keypoints is None or t.keypoints is None:
        return np.zeros(0, dtype=bool)
    return counted_points(s.keypoints.visibility, t.keypoints.visibility)


def _pck(
    xy: NDArray[np.float64],
    t: LabelledImage,
    counted: NDArray[np.bool_],
    alpha: float,
    of: str,
) -> float | None:
    """Return the PCK of carried points; None where the target has no points or no such length."""
    length = t.size.long_side if of == "image" else max(t.box[2:]) if t.box else None
    if t.keypoints is None or length is None:
        return None
    return pck(xy, t.keypoints.xy, counted, alpha=alpha, length=length)


def _smoothness(
    pair: PairTransfer, grid_s: PatchGrid, grid_t: PatchGrid, box_t: Box | None
) -> float | None:
    """Return the smoothness of a pair's displacement in the target's box."""
    copied = CopyTransfer(grid_s, grid_t).field()
    displacement = grid_s.xy_to_rc(pair.field()) - grid_s.xy_to_rc(copied)
    shape = (grid_t.rows, grid_t.cols)
    inside = _inside(grid_t, box_t).reshape(shape)
    return smoothness(displacement.reshape(*shape, 2), inside)


def _cycle(pair: PairTransfer, grid_s: PatchGrid, box_s: Box | None) -> float | None:
    """Return the cycle error of the patch centres in the source's box."""
    xy = grid_s.centers()[_inside(grid_s, box_s)]
    if len(xy) == 0:
        return None
    back = pair.keypoints_back(pair.keypoints(xy))
    return cycle_error(xy, back, long_side=grid_s.size.long_side)


def _inside(grid: PatchGrid, box: Box | None) -> NDArray[np.bool_]:
    """Return which patch centres lie in a box, (n,) bool; all of them without one."""
    if box is None:
        return np.ones(grid.n, dtype=bool)
    x, y, width, height = box
    low, high = np.array([x, y]), np.array([x + width, y + height])
    centers = grid.centers()
    return np.asarray(((centers >= low) & (centers <= high)).all(axis=1))


def scores_of(tally: Tally, pairs: int, image_ms: dict[str, float | None]) -> Scores:
    """Return the means of a method over the pairs of a category."""
    ms = {**image_ms, "map": mean_of(tally.map_ms), "transfer": mean_of(tally.transfer_ms)}
    by_pair = {name: tuple(values) for name, values in tally.values.items()}
    values = {name: mean_of(by_pair[name]) for name in by_pair}
    for name, of in PER_POINT.items():
        values[name] = _mean_by_points(by_pair[of], tally.points)
    return Scores({metric: values[metric] for metric in METRICS}, pairs, ms, by_pair)


def _mean_by_points(values: Sequence[float | None], points: Sequence[int]) -> float | None:
    """Return the mean of pairs' values, each weighted by its points; None without a point."""
    judged = [(value, n) for value, n in zip(values, points, strict=True) if value is not None]
    total = sum(n for _, n in judged)
    return sum(value * n for value, n in judged) / total if total else None


def _finish(device: torch.device) -> None:
    """Wait for a GPU, so that a stage is charged with its own work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
