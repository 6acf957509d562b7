"""How far a carried point can be trusted, and why."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.geometry.grid import PatchGrid

_WINDOW = 3.0  # patches: rivals nearer than this are the same answer
# Logistic regression by benchmarks/confidence.py on 5480 points of twelve categories; left out of
# the fit one by one, the categories show an expected calibration error of 0.027.
_BIAS, _CYCLE, _MARGIN, _PEAK, _SUPPORT = -3.66, -0.39, 5.38, 8.10, 4.24

# The same of points that 2, 3 or 5 references vote on, by benchmarks/fused_confidence.py on 4106
# points; left out one by one, the categories show an expected calibration error of 0.018.
_FUSED = (-1.60, 0.96, 2.06, 0.99)
_AGREES = 0.1
_UNSURE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """What speaks for and against each of m carried points.

    Attributes
    ----------
    cycle : ndarray, (m,) float64
        Pixels between a source point and where its target point is carried back to.
    margin : ndarray, (m,) float64
        Best score less the best score more than three patches away, in the score's units.
    peak : ndarray, (m,) float64
        The best score.
    support : float
        Of the object's smooth displacement, in [0, 1]: what the object as a whole says.
    """

    cycle: NDArray[np.float64]
    margin: NDArray[np.float64]
    peak: NDArray[np.float64]
    support: float

    def confidence(self, extent: float) -> NDArray[np.float64]:
        """Return the probability that each point is right, (m,) in [0, 1].

        "Right" is within a tenth of the object's longest side. A logistic model of the four.

        Parameters
        ----------
        extent : float
            Longest side of the source object in pixels, above 0: a cycle error counts in relation.
        """
        relative = np.log(self.cycle / extent + 0.01)
        logit = _BIAS + _CYCLE * relative + _MARGIN * self.margin + _PEAK * self.peak
        logit = logit + _SUPPORT * self.support
        return np.asarray(1 / (1 + np.exp(-logit)))


def point_doubt(
    rows: torch.Tensor,
    grid_t: PatchGrid,
    xy_t: NDArray[np.floating],
    cycle: NDArray[np.floating],
    support: float,
) -> Doubt:
    """Return what speaks for and against carried points.

    Parameters
    ----------
    rows : Tensor, (m, n_t)
        Score of each source point with the target's patches.
    grid_t : PatchGrid
    xy_t : ndarray, (m, 2)
        Where they were carried, in the grid's pixels.
    cycle : ndarray, (m,)
        Pixels between each source point and where its target point is carried back to.
    support : float
        See `SmoothDisplacement.support`.
    """
    peak = rows.amax(dim=1)
    at = torch.from_numpy(grid_t.xy_to_rc(xy_t)).to(rows)  # (m, 2)
    cell = torch.arange(grid_t.n, device=rows.device)
    place = torch.stack([cell // grid_t.cols, cell % grid_t.cols], dim=1).to(rows)
    near = torch.cdist(at, place) <= _WINDOW
    rival = rows.masked_fill(near, -torch.inf).amax(dim=1)
    rival = torch.where(rival.isfinite(), rival, peak)
    as_array = [v.double().cpu().numpy() for v in (peak - rival, peak)]
    return Doubt(np.asarray(cycle, dtype=np.float64), as_array[0], as_array[1], support)


def agreement(
    confidence: NDArray[np.floating],
    labelled: NDArray[np.bool_],
    gap: NDArray[np.floating],
    counted: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return what speaks for points that several references voted on, (m, 3).

    With c the references' confidences, each weighing as its square: the logit of their mean; the
    mean of ``exp(-gap^2 / 2 * 0.1^2)``; the logarithm of how many have their own point within 0.1.

    Parameters
    ----------
    confidence : ndarray, (r, m)
        Of each reference by itself, in [0, 1].
    labelled : ndarray, (r, m) bool
        Which references have the point.
    gap : ndarray, (r, m)
        Between a reference's own point and the fused one, in shares of the object's longest side.
    counted : ndarray, (r, m) bool or None
        Who is counted among those that have their own point within 0.1; None is ``labelled``.
    """
    c = np.clip(np.where(labelled, confidence, 0.0), _UNSURE, 1 - _UNSURE)
    weight = c**2 * labelled + 1e-12
    weight = weight / weight.sum(axis=0)
    mean = (weight * c).sum(axis=0)
    near = (weight * np.exp(-((gap / _AGREES) ** 2) / 2)).sum(axis=0)
    count = ((gap < _AGREES) & (labelled if counted is None else counted)).sum(axis=0)
    return np.stack([np.log(mean / (1 - mean)), near, np.log(np.maximum(count, 1))], axis=1)


def fused_confidence(inputs: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the probability (m,) that points are right, given what `agreement` says (m, 3)."""
    logit = _FUSED[0] + inputs @ np.array(_FUSED[1:])
    return np.asarray(1 / (1 + np.exp(-logit)))


def patch_confidence(p2p_st: torch.Tensor, p2p_ts: torch.Tensor, grid_t: PatchGrid) -> torch.Tensor:
    """Return the trust in each target patch from its round trip over the source.

    ``exp(-cycle / two patches)``: 1 where t -> s -> t returns to the same patch.

    Parameters
    ----------
    p2p_st, p2p_ts : Tensor, (n_s,) and (n_t,) int64
        For each source patch its target patch, and the other way.
    grid_t : PatchGrid

    Returns
    -------
    confidence_t : Tensor, (n_t,) float32 in [0, 1]
    """
    return torch.exp(-round_trip(p2p_st, p2p_ts, grid_t) / 2)


def round_trip(p2p_st: torch.Tensor, p2p_ts: torch.Tensor, grid_t: PatchGrid) -> torch.Tensor:
    """Return how many patches from each target patch t -> s -> t ends, (n_t,) float32.

    Parameters
    ----------
    p2p_st, p2p_ts : Tensor, (n_s,) and (n_t,) int64
    grid_t : PatchGrid
    """
    there = p2p_st[p2p_ts]
    own = torch.arange(grid_t.n, device=there.device)
    rows = (there // grid_t.cols - own // grid_t.cols).float()
    cols = (there % grid_t.cols - own % grid_t.cols).float()
    return torch.hypot(rows, cols)
