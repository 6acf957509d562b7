"""What speaks for and against carried points beside their confidence, for a person to read.

Of m points: "cycle" (pixels of the source between a point and where the way back ends), "margin"
(best score less the best far away), "stretch", "coverage" and "occlusion" as below.
"""

import numpy as np
from numpy.typing import NDArray

from fmstudio.spectral.displacement import SmoothDisplacement

REASONS = ("cycle", "margin", "stretch", "coverage", "occlusion")

# A patch with this much of its similarity where the displacement says supports it.
_SUPPORTS = 0.2
# Patches this near to a point, in shares of the object's longest side, speak for it.
_NEAR = 0.15
# An object with this support fits: what does not look like it there may be hidden.
_FITS = 0.3
# Best scores below this differ by chance: no share of them is taken.
_USUAL = 0.3


def relative_stretch(
    displacement: SmoothDisplacement,
    xy: NDArray[np.floating],
    places: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return how much larger a displacement makes the surroundings of points, (m,).

    The Jacobian's determinant over its median over the object: 1 where the scale is the object's
    own, 3 where an area grows three times as much, below 0 where the map is folded over.

    Parameters
    ----------
    displacement : SmoothDisplacement
    xy : ndarray, (m, 2)
    places : ndarray, (n, 2)
        Patches of the object, at least one; all in source pixels.
    """
    own = np.linalg.det(displacement.jacobian(places))
    typical = float(np.median(own))
    if abs(typical) < 1e-6:  # an object drawn to a line has no scale to compare with
        return np.full(len(xy), np.nan)
    # Outside of the object's box only the affine part goes on: its scale says nothing there.
    inside = np.clip(xy, places.min(axis=0), places.max(axis=0))
    return np.asarray(np.linalg.det(displacement.jacobian(inside)) / typical)


def coverage(
    xy: NDArray[np.floating], places: NDArray[np.floating], support: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the share of the object's patches around points that support its map, (m,).

    Around is a Gaussian of 0.15 of the object's longest side; a patch supports the map if at
    least a fifth of its similarity lies where the displacement puts it.

    Parameters
    ----------
    xy : ndarray, (m, 2)
    places : ndarray, (n, 2)
        The object's patches, at least one; all in source pixels.
    support : ndarray, (n,)
        See `SmoothDisplacement.patch_support`.
    """
    side = max(float(np.ptp(places, axis=0).max()), 1.0)
    gap = np.linalg.norm(xy[:, None] - places[None], axis=2) / side  # (m, n)
    # Less the nearest: a point beyond the patches takes the word of those that are nearest to it.
    weight = np.exp(-(gap**2 - gap.min(axis=1, keepdims=True) ** 2) / (2 * _NEAR**2))
    return np.asarray(weight @ (support >= _SUPPORTS) / weight.sum(axis=1))


def occlusion(peak: NDArray[np.floating], typical: float, support: float) -> NDArray[np.float64]:
    """Return how likely points are hidden, (m,) in [0, 1]: a proxy, no probability.

    By how large a share a point's best score falls short of what is usual on its object, or of 0.3
    where that is less, times ``min(support / 0.3, 1)``: where the object as a whole fits and a part
    of it resembles nothing on the target, something may stand before that part. One that merely
    looks different (another fur, a shadow) scores as high.

    Parameters
    ----------
    peak : ndarray, (m,)
        The best score of each point.
    typical : float
        The median of the same over the object.
    support : float
        See `SmoothDisplacement.support`.
    """
    short = np.clip((typical - peak) / max(typical, _USUAL), 0.0, 1.0)
    return np.asarray(short * min(support / _FITS, 1.0))
