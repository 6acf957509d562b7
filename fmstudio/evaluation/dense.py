"""How right a dense displacement is, where the truth is dense too."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmstudio.geometry.grid import PatchGrid
from fmstudio.geometry.metrics import epe, pck, smoothness


@dataclass(frozen=True, slots=True)
class DenseScores:
    """What one field reaches on one pair; None where no patch is judged.

    Attributes
    ----------
    epe : float or None
        Mean end-point error as a share of the source image's longer side.
    pck05, pck1 : float or None
        Share of patches within 0.05 and 0.1 of that side.
    pck05_box : float or None
        Share within 0.05 of the longer side of the source object's box; None without an object.
    smoothness, smoothness_true : float or None
        Of the field and of the truth, in source patches, over judged neighbours.
    """

    epe: float | None
    pck05: float | None
    pck1: float | None
    pck05_box: float | None
    smoothness: float | None
    smoothness_true: float | None


def judge_dense(
    xy: NDArray[np.float64],
    xy_true: NDArray[np.float64],
    valid: NDArray[np.bool_],
    grid_s: PatchGrid,
    grid_t: PatchGrid,
    *,
    object_side: float | None = None,
) -> DenseScores:
    """Return the scores of a target-to-source field against its truth.

    Parameters
    ----------
    xy, xy_true : ndarray, (n_t, 2)
        Source pixels of the target's patch centres, row-major: found and true. The truth is
        finite where it is valid.
    valid : ndarray, (n_t,) bool
        Which patches have a truth and are judged.
    grid_s, grid_t : PatchGrid
    object_side : float or None
        Longer side of the source object's box in pixels.

    Raises
    ------
    ValueError
        If shapes do not fit.
    """
    side = grid_s.size.long_side
    error = epe(xy, xy_true, valid)
    shape = (grid_t.rows, grid_t.cols)
    sizes_s, sizes_t = (np.array([g.size.width, g.size.height]) for g in (grid_s, grid_t))
    copied = grid_s.xy_to_rc(grid_t.centers() * sizes_s / sizes_t)
    inside = valid.reshape(shape)
    found, true = (
        smoothness((grid_s.xy_to_rc(at) - copied).reshape(*shape, 2), inside)
        for at in (xy, xy_true)
    )
    near, far = (pck(xy, xy_true, valid, alpha=a, length=side) for a in (0.05, 0.1))
    by_box = None
    if object_side is not None:
        by_box = pck(xy, xy_true, valid, alpha=0.05, length=object_side)
    relative = None if error is None else error / side
    return DenseScores(relative, near, far, by_box, found, true)
