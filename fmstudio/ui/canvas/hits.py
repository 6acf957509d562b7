"""What lies under the pointer: pure arithmetic on image pixels."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints

Point = tuple[float, float]

REACH = 8.0
"""Screen pixels within which a point counts as hit."""


def nearest_point(xy: NDArray[np.float64], at: Point, reach: float) -> int | None:
    """Return the index of the nearest of points (m, 2) within a reach, or None.

    Parameters
    ----------
    xy : ndarray, (m, 2)
    at : tuple of float
    reach : float
        In the points' unit.
    """
    if not len(xy):
        return None
    gaps = np.hypot(xy[:, 0] - at[0], xy[:, 1] - at[1])
    best = int(np.argmin(gaps))
    return best if gaps[best] <= reach else None


def hit_keypoint(points: Keypoints | None, at: Point, reach: float) -> int | None:
    """Return the index of the nearest labelled keypoint within a reach, or None."""
    if points is None or not points.labelled.any():
        return None
    labelled = np.flatnonzero(points.labelled)
    found = nearest_point(points.xy[labelled], at, reach)
    return None if found is None else int(labelled[found])


def gaps_to_lines(
    starts: NDArray[np.float64], ends: NDArray[np.float64], at: Point | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far a place is from straight lines between starts and ends (m, 2), (m,).

    With places (m, 2), how far each is from its own line.
    """
    along, to = ends - starts, np.asarray(at) - starts
    length = np.maximum((along**2).sum(axis=-1), 1e-12)
    share = np.clip((to * along).sum(axis=-1) / length, 0, 1)
    return np.asarray(np.linalg.norm(to - share[:, None] * along, axis=-1))


def hits_limb(
    points: Keypoints | None, skeleton: Sequence[tuple[int, int]], at: Point, reach: float
) -> bool:
    """Return whether a place lies on a limb between two labelled keypoints."""
    if points is None or not skeleton:
        return False
    limbs = np.asarray(skeleton)
    limbs = limbs[points.labelled[limbs].all(axis=1)]
    gaps = gaps_to_lines(points.xy[limbs[:, 0]], points.xy[limbs[:, 1]], at)
    return bool((gaps <= reach).any())


def hits_box(box: tuple[float, float, float, float] | None, at: Point) -> bool:
    """Return whether a place lies in a box (x, y, width, height)."""
    if box is None:
        return False
    x, y, width, height = box
    return x <= at[0] < x + width and y <= at[1] < y + height


def hits_mask(mask: Mask | None, at: Point) -> bool:
    """Return whether a place lies on a mask."""
    if mask is None or not hits_box(mask.bbox, at):
        return False
    # Runs go down the columns; an odd number of run ends before a pixel means it is set.
    index = int(at[0]) * mask.size.height + int(at[1])
    ends = np.cumsum(mask.counts, dtype=np.int64)
    return bool(np.searchsorted(ends, index, side="right") % 2)


def clamped(at: Point, width: int, height: int) -> Point:
    """Return the nearest place on an image."""
    return min(max(at[0], 0.0), float(width)), min(max(at[1], 0.0), float(height))


def step_within(low: float, high: float, limit: float, by: float, *, is_whole: bool) -> float:
    """Return as much of a step as keeps a span between 0 and a limit.

    Parameters
    ----------
    low, high : float
        Ends of the span; where it sticks out already, it may come back.
    limit : float
    by : float
    is_whole : bool
        Only whole steps are taken.
    """
    least, most = min(-low, 0.0), max(limit - high, 0.0)
    if is_whole:
        return float(min(max(round(by), math.ceil(least)), math.floor(most)))
    return min(max(by, least), most)


def box_between(a: Point, b: Point) -> tuple[float, float, float, float]:
    """Return the box (x, y, width, height) with two opposite corners."""
    return min(a[0], b[0]), min(a[1], b[1]), abs(a[0] - b[0]), abs(a[1] - b[1])
