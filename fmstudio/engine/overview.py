"""A whole set of images at a glance: what is found, as arrays that any thread may read."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.requests import Failure

# With fewer images there is no cycle, and nothing to stand out from.
FEWEST = 3


class OutlierReason(StrEnum):
    """Why an image does not seem to belong to the set."""

    MAPS = "maps"
    LOOKS = "looks"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Outlier:
    """An image that does not seem to belong to the set.

    Attributes
    ----------
    index : int
        Of the image, among those of the overview.
    reason : OutlierReason
    """

    index: int
    reason: OutlierReason


@dataclass(frozen=True, slots=True, eq=False)
class Overview:
    """A set of n images that could be read, with the maps along e edges of its graph.

    Attributes
    ----------
    ids : tuple of int
    xy : ndarray, (n, 2) float64
        Place of each image in [0, 1]: images that look alike are near each other.
    clusters : ndarray, (n,) int64
        Group of each image; 0 is the largest.
    coverage : ndarray, (n,) float64
        How well the annotated images serve each one, in [0, 1].
    errors : ndarray, (n,) float64
        Median inconsistency of an image's maps, at least 0; NaN where it has none.
    triangles : ndarray, (n,) float64
        Median 3-cycle loss through each image; NaN where there is none.
    edges : ndarray, (e, 2) int64
        Indices of mapped pairs.
    edge_errors : ndarray, (e,) float64
        Inconsistency of both maps of a pair, on average.
    pair_losses : ndarray, (e,) float64
        2-cycle loss of each pair.
    outliers : tuple of Outlier
        The one that stands out most first.
    failures : tuple of Failure
        Images that could not be read.
    """

    ids: tuple[int, ...]
    xy: NDArray[np.float64]
    clusters: NDArray[np.int64]
    coverage: NDArray[np.float64]
    errors: NDArray[np.float64]
    triangles: NDArray[np.float64]
    edges: NDArray[np.int64]
    edge_errors: NDArray[np.float64]
    pair_losses: NDArray[np.float64]
    outliers: tuple[Outlier, ...]
    failures: tuple[Failure, ...] = ()

    @property
    def worst_edges(self) -> NDArray[np.int64]:
        """Return the edges in order, the least consistent first."""
        return np.argsort(-self.edge_errors, kind="stable")
