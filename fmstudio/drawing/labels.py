"""Where to write the names of points so that text covers neither the subject nor other marks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_DISTANCES = np.array([1.2, 1.8, 2.6, 3.6, 5.0, 7.0, 9.5, 12.5, 16.0])


@dataclass(frozen=True, slots=True)
class Placed:
    """The box of a text: left, top, width, height in pixels; ``is_far`` if it needs a leader."""

    left: float
    top: float
    width: float
    height: float
    is_far: bool

    @property
    def centre(self) -> tuple[float, float]:
        """Return the middle of the box."""
        return self.left + self.width / 2, self.top + self.height / 2

    def nearest(self, at: tuple[float, float]) -> tuple[float, float]:
        """Return the point of the box nearest to ``at``."""
        x = min(max(at[0], self.left), self.left + self.width)
        return x, min(max(at[1], self.top), self.top + self.height)


def place_labels(
    xy: NDArray[np.floating],
    sizes: Sequence[tuple[float, float]],
    *,
    subject: NDArray[np.bool_],
    clearance: float,
) -> list[Placed]:
    """Return a place for the text of every point.

    Each text tries places around its point, nearest first, and takes the cheapest: covering the
    subject, a mark or another text costs most, then distance, then pointing to the middle. Where
    the subject fills the picture, text beside the point is better than a line across it.

    Parameters
    ----------
    xy : ndarray, (m, 2)
        The points, in pixels.
    sizes : sequence of (width, height)
        The texts' sizes, in pixels; as many as points.
    subject : ndarray, (H, W) bool
        What text should not cover; its shape is the picture's.
    clearance : float
        Pixels to keep between text and any point.
    """
    summed = np.pad(np.cumsum(np.cumsum(subject, axis=0, dtype=np.int64), axis=1), ((1, 0), (1, 0)))
    middle = xy.mean(axis=0) if len(xy) else np.zeros(2)
    placed: list[Placed] = []
    for point, (width, height) in zip(xy, sizes, strict=True):
        centres, far = _candidates(point, width, height, clearance)
        boxes = np.column_stack([centres - [width / 2, height / 2], np.full(len(far), width)])
        boxes = np.column_stack([boxes, np.full(len(far), height)])
        cost = _cost(boxes, summed, xy, placed, clearance)
        outward = (point - middle) / max(float(np.hypot(*(point - middle))), 1e-9)
        away = (centres - point) / np.maximum(np.hypot(*(centres - point).T), 1e-9)[:, None]
        cost += 0.9 * far - 0.6 * away @ outward + 6.0 * _crossed(point, boxes, xy, clearance)
        best = int(np.argmin(cost))
        left, top = boxes[best, :2]
        placed.append(Placed(float(left), float(top), width, height, bool(far[best] > 1.8)))
    return placed


def _candidates(
    point: NDArray[np.floating], width: float, height: float, clearance: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return box centres (c, 2) around a point, and their distances in text heights (c,)."""
    far, angle = (grid.ravel() for grid in np.meshgrid(_DISTANCES, _ANGLES, indexing="ij"))
    direction = np.column_stack([np.cos(angle), np.sin(angle)])
    reach = clearance + (far - 1.2) * height
    half = np.array([width / 2, height / 2])
    # The box touches the circle of radius ``reach`` from outside, in this direction.
    return point + direction * reach[:, None] + direction * half, far


def _crossed(
    point: NDArray[np.floating],
    boxes: NDArray[np.floating],
    xy: NDArray[np.floating],
    clearance: float,
) -> NDArray[np.int64]:
    """Return how many other points the line from a point to each box (c, 4) runs over, (c,)."""
    ends = np.clip(point, boxes[:, :2], boxes[:, :2] + boxes[:, 2:])
    way = ends - point
    length2 = np.maximum((way**2).sum(axis=1), 1e-9)
    share = np.clip((way @ (xy - point).T) / length2[:, None], 0, 1)
    off = point + share[..., None] * way[:, None] - xy
    is_near = np.hypot(off[..., 0], off[..., 1]) < clearance * 0.6
    is_near &= (xy != point).any(axis=1)
    return np.asarray(is_near.sum(axis=1), dtype=np.int64)


def _cost(
    boxes: NDArray[np.floating],
    summed: NDArray[np.integer],
    xy: NDArray[np.floating],
    placed: Sequence[Placed],
    clearance: float,
) -> NDArray[np.float64]:
    """Return what each box (c, 4) covers, weighted: frame, subject, points, other texts."""
    height, width = summed.shape[0] - 1, summed.shape[1] - 1
    left, top = boxes[:, 0], boxes[:, 1]
    right, bottom = left + boxes[:, 2], top + boxes[:, 3]
    outside = (left < 2) | (top < 2) | (right > width - 2) | (bottom > height - 2)
    x0, x1 = (np.clip(np.rint(v), 0, width).astype(int) for v in (left, right))
    y0, y1 = (np.clip(np.rint(v), 0, height).astype(int) for v in (top, bottom))
    covered = summed[y1, x1] - summed[y0, x1] - summed[y1, x0] + summed[y0, x0]
    share = covered / (boxes[:, 2] * boxes[:, 3])
    cost = 1000.0 * outside + 4.0 * (share > 0.02) + 8.0 * share
    near_x = np.clip(xy[:, 0], left[:, None], right[:, None]) - xy[:, 0]
    near_y = np.clip(xy[:, 1], top[:, None], bottom[:, None]) - xy[:, 1]
    cost += 40.0 * (np.hypot(near_x, near_y) < clearance * 0.9).sum(axis=1)
    for other in placed:
        apart = (right + 3 < other.left) | (left > other.left + other.width + 3)
        apart |= (bottom + 1 < other.top) | (top > other.top + other.height + 1)
        cost += 80.0 * ~apart
    return np.asarray(cost, dtype=np.float64)
