"""Pairs whose true displacement is known at every pixel."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmstudio.geometry.grid import PatchGrid

ToSource = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class DensePair:
    """Two images and where each pixel of the target lies in the source.

    Attributes
    ----------
    name, kind : str
    source, target : ndarray, (H, W, 3) uint8
    to_source : callable
        From target pixels (m, 2) to source pixels (m, 2).
    visible : ndarray, (H, W) bool
        Which target pixels have a truth and are judged.
    object_side : float or None
        Longer side of the source object's box in pixels, where the pair has an object.
    """

    name: str
    kind: str
    source: NDArray[np.uint8]
    target: NDArray[np.uint8]
    to_source: ToSource
    visible: NDArray[np.bool_]
    object_side: float | None = None

    def truth(self, grid_t: PatchGrid) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the source pixels (n, 2) of the target's patch centres, and which are judged.

        Judged is what is visible and lies within the source.
        """
        centers = grid_t.centers()
        xy = self.to_source(centers)
        at = np.minimum(centers.astype(np.int64), np.array(self.visible.shape[::-1]) - 1)
        height, width = self.source.shape[:2]
        inside = ((xy >= 0) & (xy <= [width, height])).all(axis=1)
        return xy, inside & self.visible[at[:, 1], at[:, 0]]


def by_pixel(displacement: NDArray[np.floating]) -> ToSource:
    """Return the field that adds to each place the displacement (H, W, 2) of its pixel.

    A pixel whose displacement is not finite moves nothing.
    """
    is_known = np.isfinite(displacement).all(axis=2, keepdims=True)
    moved = np.where(is_known, displacement, 0.0).astype(np.float64)

    def to_source(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        limit = np.array(moved.shape[1::-1]) - 1
        at = np.clip(np.floor(xy).astype(np.int64), 0, limit)
        return np.asarray(xy + moved[at[:, 1], at[:, 0]])

    return to_source
