"""Keypoints of one object."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

NOT_LABELLED, HIDDEN, VISIBLE = 0, 1, 2


def _frozen(values: ArrayLike, dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return a read-only copy of ``values`` with the given dtype and shape."""
    array = np.array(values, dtype=dtype).reshape(shape)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """The keypoints of one object, in the order of its category's schema.

    Attributes
    ----------
    xy : ndarray, (m, 2) float64
        Pixels; rows with visibility 0 are (0, 0).
    visibility : ndarray, (m,) int8
        COCO's meaning: 0 not labelled, 1 labelled but hidden, 2 visible.
    score : ndarray, (m,) float64
        Confidence in [0, 1]; 1 for points a person placed. Never a stand-in for visibility.

    Raises
    ------
    ValueError
        If lengths differ, a labelled coordinate is not finite, a visibility is not 0, 1 or 2,
        or a score is outside [0, 1].
    """

    xy: NDArray[np.float64]
    visibility: NDArray[np.int8]
    score: NDArray[np.float64]

    def __post_init__(self) -> None:
        m = len(self.visibility)
        visibility = _frozen(self.visibility, np.int8, (m,))
        xy = np.array(self.xy, dtype=np.float64).reshape(m, 2)
        score = _frozen(self.score, np.float64, (m,))
        if ((visibility < NOT_LABELLED) | (visibility > VISIBLE)).any():
            raise ValueError(f"visibility is 0, 1 or 2, not {visibility.tolist()}")
        xy[visibility == NOT_LABELLED] = 0.0
        if not np.isfinite(xy).all():
            raise ValueError("keypoint coordinates must be finite numbers")
        if not ((score >= 0) & (score <= 1)).all():
            raise ValueError("keypoint scores lie between 0 and 1")
        xy.setflags(write=False)
        object.__setattr__(self, "xy", xy)
        object.__setattr__(self, "visibility", visibility)
        object.__setattr__(self, "score", score)

    @classmethod
    def drawn(cls, xy: ArrayLike, visibility: ArrayLike) -> "Keypoints":
        """Return keypoints a person placed: score 1 everywhere."""
        v = np.asarray(visibility)
        return cls(np.asarray(xy, dtype=np.float64), v, np.ones(len(v)))

    @classmethod
    def many(
        cls,
        xy: NDArray[np.float64],
        visibility: NDArray[np.int8],
        score: NDArray[np.float64],
        lengths: Sequence[int],
    ) -> "list[Keypoints]":
        """Return the keypoints of many objects that stand one after the other.

        The same as one by one, ten times as fast: what is checked is checked once for all.

        Parameters
        ----------
        xy : ndarray, (n, 2)
        visibility, score : ndarray, (n,)
        lengths : sequence of int
            How many of the n points each object has.

        Raises
        ------
        ValueError
            As for one object.
        """
        whole = cls(xy, visibility, score)
        set_field, found, start = object.__setattr__, [], 0
        for length in lengths:
            end = start + length
            part = object.__new__(cls)
            set_field(part, "xy", whole.xy[start:end])
            set_field(part, "visibility", whole.visibility[start:end])
            set_field(part, "score", whole.score[start:end])
            found.append(part)
            start = end
        return found

    def __len__(self) -> int:
        return len(self.visibility)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Keypoints):
            return NotImplemented
        return (
            np.array_equal(self.xy, other.xy)
            and np.array_equal(self.visibility, other.visibility)
            and np.array_equal(self.score, other.score)
        )

    def __hash__(self) -> int:
        return hash((self.xy.tobytes(), self.visibility.tobytes(), self.score.tobytes()))

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Return which points are labelled, (m,) bool: visibility above 0."""
        return self.visibility > NOT_LABELLED

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Return which points a person placed, (m,) bool: labelled, with score 1.

        No engine is ever that sure.
        """
        return np.asarray(self.labelled & (self.score == 1))

    def bbox(self, margin: float = 0.0) -> tuple[float, float, float, float] | None:
        """Return (x, y, width, height) around the labelled points, or None without any.

        ``margin`` is added on every side, in pixels.
        """
        if not self.labelled.any():
            return None
        low = self.xy[self.labelled].min(axis=0) - margin
        high = self.xy[self.labelled].max(axis=0) + margin
        return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def with_point(
    points: Keypoints | None, m: int, index: int, xy: ArrayLike, visibility: int
) -> Keypoints:
    """Return keypoints with one of them somewhere else; what a person places has score 1."""
    places = np.zeros((m, 2)) if points is None else points.xy.copy()
    seen = np.zeros(m, dtype=np.int8) if points is None else points.visibility.copy()
    score = np.zeros(m) if points is None else points.score.copy()
    places[index], seen[index] = xy, visibility
    score[index] = 0.0 if visibility == NOT_LABELLED else 1.0
    return Keypoints(places, seen, score)


def without_point(points: Keypoints, index: int) -> Keypoints:
    """Return keypoints with one of them no longer labelled."""
    return with_point(points, len(points), index, (0.0, 0.0), NOT_LABELLED)
