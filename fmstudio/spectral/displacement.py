"""A smooth displacement that a similarity supports: what an object as a whole does.

Each patch alone may be wrong; what most of an object's patches say together rarely is.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.geometry.masks import Mask
from fmstudio.spectral.threads import one_blas_thread

# Width of the Gaussian (shares of the target's longer side) and cosine modes, round by round: an
# affine fit to what is anywhere near, then ever more detail from ever nearer.
SCHEDULE = ((0.25, 0), (0.18, 0), (0.12, 6), (0.08, 12), (0.06, 24), (0.05, 32))
_TEMPERATURE = 0.02
_ROUGHNESS = 2e-4
_OUTLIER = 0.02
_ORDERS = 9
# Of an object's box: how far its patches reach beyond its mask or its points.
_GROW_MASK, _GROW_POINTS = 0.05, 0.15
_FEWEST = 4


@dataclass(frozen=True, slots=True, eq=False)
class SmoothDisplacement:
    """Where source places lie on the target: an affine map and the lowest cosine modes.

    ``y(x) = theta' [1, u - 1/2, v - 1/2, cos(pi p u) cos(pi q v), ...]`` with (u, v) the place
    within the object's box, in shares of its sides.

    Attributes
    ----------
    low, extent : ndarray, (2,)
        The box: corner and sides, source pixels.
    theta : ndarray, (3 + modes, 2)
        In target pixels.
    support : float
        Share of the object's patches, in [0, 1], whose similarity lies where the fit says.
    patch_support : ndarray, (m,)
        How much of each patch's similarity does, in [0, 1], of the patches that count.
    """

    low: NDArray[np.float64]
    extent: NDArray[np.float64]
    theta: NDArray[np.float64]
    support: float
    patch_support: NDArray[np.float64]

    def __call__(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return target pixels (m, 2) of source pixels (m, 2).

        Outside of the object's box the cosine modes stay at its border: only the affine part goes
        on.
        """
        uv = (np.asarray(xy, dtype=np.float64) - self.low) / self.extent
        return _design(uv, len(self.theta) - 3) @ self.theta

    def jacobian(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the derivative (m, 2, 2), target over source pixels, at source pixels (m, 2).

        By central differences of a thousandth of the box. A determinant below 0 is a mirror, at 0
        a fold.
        """
        xy = np.asarray(xy, dtype=np.float64)
        step = 1e-3 * self.extent
        columns = [
            (self(xy + step * unit) - self(xy - step * unit)) / (2 * step[axis])
            for axis, unit in enumerate(np.eye(2))
        ]
        return np.stack(columns, axis=2)


@one_blas_thread()
def fit_displacement(
    score: torch.Tensor,
    grid_s: PatchGrid,
    grid_t: PatchGrid,
    weights: NDArray[np.floating],
    *,
    schedule: tuple[tuple[float, int], ...] = SCHEDULE,
) -> SmoothDisplacement:
    """Return the smooth displacement that a score supports best.

    With ``p(y|x) = softmax(score / 0.02)`` and the present fit y(x), each round weighs every
    target patch y by ``q = p(y|x) exp(-|y - y(x)|^2 / 2 sigma^2)``, takes its mean as where x
    goes, trusts x by ``m / (m + 0.02)``, m the sum of q, and fits again by least squares, high
    modes held back by ``2e-4 (p^2 + q^2)^2``. sigma falls and modes come in from round to round.

    Parameters
    ----------
    score : Tensor, (n_s, n_t)
        Of the scale of a cosine.
    grid_s, grid_t : PatchGrid
    weights : ndarray, (n_s,)
        At least 0: how much each source patch belongs to the object; see `object_weights`.
    schedule : tuple of (float, int)
        sigma and number of modes of each round, at least one.

    Raises
    ------
    ValueError
        If no weight is above 0.

    References
    ----------
    Myronenko and Song 2010, "Point set registration: coherent point drift",
    doi:10.1109/TPAMI.2010.46: the same alternation, there between bare points and over a Gaussian
    kernel; here the similarity is part of the weights and the space is a low-frequency basis.
    """
    chosen = np.flatnonzero(np.asarray(weights) > 0)
    if len(chosen) == 0:
        raise ValueError("a displacement needs at least one source patch that counts")
    likely = _Likelihood(score[torch.from_numpy(chosen).to(score.device)], grid_t)
    weight = np.asarray(weights, dtype=np.float64)[chosen]
    x = grid_s.centers()[chosen]
    low = x.min(axis=0)
    # An object of one row of patches still has a box.
    extent = np.maximum(x.max(axis=0) - low, max(grid_s.patch))
    most = max(modes for _, modes in schedule)
    X = _design((x - low) / extent, most)
    # The first round knows no fit yet: each patch goes to its mean, trusted by its peak.
    mass, mean, used = likely.peak(), likely.near(None, 1.0)[1], 3 + schedule[0][1]
    theta = _least_squares(X[:, :used], mean, weight * mass / (mass + _OUTLIER))
    for sigma, modes in schedule[1:]:
        mass, mean = likely.near(X[:, : len(theta)] @ theta, sigma)
        theta = _least_squares(X[:, : 3 + modes], mean, weight * mass / (mass + _OUTLIER))
    mass, _ = likely.near(X[:, : len(theta)] @ theta, schedule[-1][0])
    support = float((weight * mass).sum() / weight.sum())
    return SmoothDisplacement(low, extent, theta * grid_t.size.long_side, support, mass)


class _Likelihood:
    """Where source patches lie on the target by a score alone: ``p(y|x) = softmax(score / 0.02)``.

    Parameters
    ----------
    score : Tensor, (m, n_t)
    grid : PatchGrid
        The target's, of n_t patches.
    """

    def __init__(self, score: torch.Tensor, grid: PatchGrid) -> None:
        p = (score.float() / _TEMPERATURE).softmax(dim=1)
        self._p = p.reshape(-1, grid.rows, grid.cols)
        side = grid.size.long_side
        centers = torch.from_numpy(grid.centers().reshape(grid.rows, grid.cols, 2) / side)
        self._x = centers[0, :, 0].to(p)  # (cols,)
        self._y = centers[:, 0, 1].to(p)  # (rows,)

    def peak(self) -> NDArray[np.float64]:
        """Return each patch's highest probability, (m,)."""
        return np.asarray(self._p.flatten(1).amax(dim=1).double().cpu().numpy())

    def near(
        self, fitted: NDArray[np.float64] | None, sigma: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mass (m,) and mean (m, 2) of p near where a fit says, or of all of it.

        Near is the Gaussian ``exp(-|y - y(x)|^2 / 2 sigma^2)``, in shares of the target's longer
        side, which is one factor along rows times one along columns: p is read once, and no
        table of distances is made.
        """
        count = len(self._p)
        across = self._x.expand(count, -1)  # (m, cols)
        down = self._y.expand(count, -1)  # (m, rows)
        wide, high = torch.ones_like(across), torch.ones_like(down)
        if fitted is not None:
            at = torch.from_numpy(fitted).to(self._p)
            wide = _gaussian(across - at[:, :1], sigma)
            high = _gaussian(down - at[:, 1:], sigma)
        # This way round it is read along its rows, in a quarter of the time.
        rows = torch.bmm(torch.stack([wide, wide * across], dim=1), self._p.transpose(1, 2))
        mass = (rows[:, 0] * high).sum(dim=1)  # rows is (m, 2, rows)
        x = (rows[:, 1] * high).sum(dim=1)
        y = (rows[:, 0] * high * down).sum(dim=1)
        mean = torch.stack([x, y], dim=1) / mass.clamp_min(1e-12)[:, None]
        return (
            np.asarray(mass.double().cpu().numpy()),
            np.asarray(mean.double().cpu().numpy()),
        )


def _gaussian(gap: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return ``exp(-gap^2 / 2 sigma^2)``, at least 1e-13: numbers near the smallest are slow."""
    return torch.exp((gap.square() / (-2 * sigma**2)).clamp_min(-30.0))


def prior_rows(
    displaced: NDArray[np.floating],
    places: NDArray[np.floating],
    side: float,
    weight: float,
    *,
    sigma: float = 0.08,
) -> torch.Tensor:
    """Return what a displacement adds to rows of a score: ``-weight d^2 / (2 sigma^2)``.

    Parameters
    ----------
    displaced : ndarray, (m, 2)
        Where the rows' places lie by the displacement, target pixels.
    places : ndarray, (n, 2)
        Where the columns' places lie, target pixels.
    side : float
        The target's longer side in pixels: d is a share of it, as sigma is.
    weight : float
        In the score's units, at least 0.

    Returns
    -------
    prior : Tensor, (m, n) float32
        At most 0.
    """
    squares = _squares(np.asarray(displaced) / side, np.asarray(places) / side)
    return torch.from_numpy(-weight * squares / (2 * sigma**2)).float()


def object_weights(
    grid: PatchGrid, mask: Mask | None, xy: NDArray[np.floating] | None
) -> NDArray[np.float64]:
    """Return which patches belong to an object: 1 or 0, (n,).

    Parameters
    ----------
    grid : PatchGrid
    mask : Mask or None
        Grown by 0.05 of its box's longer side.
    xy : ndarray, (m, 2), or None
        Labelled keypoints: where there is no mask, all patches of their box grown by 0.15.

    Returns
    -------
    weights : ndarray, (n,)
        All 1 where fewer than four patches would be chosen.
    """
    centers = grid.centers()
    chosen = np.ones(grid.n, dtype=bool)
    around = None if mask is None else mask.bbox
    if mask is not None and around is not None:
        reach = int(max(around[2:]) * _GROW_MASK)
        kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        grown = cv2.dilate(mask.to_array().astype(np.uint8), kernel)
        at = np.minimum(centers.astype(np.int64), [grid.size.width - 1, grid.size.height - 1])
        chosen = grown[at[:, 1], at[:, 0]] > 0
    elif xy is not None and len(xy) > 0:
        low, high = xy.min(axis=0), xy.max(axis=0)
        beyond = _GROW_POINTS * float((high - low).max()) + max(grid.patch) / 2
        chosen = ((centers >= low - beyond) & (centers <= high + beyond)).all(axis=1)
    if np.count_nonzero(chosen) < _FEWEST:
        chosen[:] = True
    return chosen.astype(np.float64)


def object_box(
    places: NDArray[np.floating],
    points: NDArray[np.floating],
    size: ImageSize,
    *,
    margin: float = 0.25,
) -> tuple[int, int, int, int]:
    """Return the part of an image that shows an object: (x0, y0, x1, y1), whole pixels.

    Parameters
    ----------
    places : ndarray, (n, 2)
        Where its patches lie; a few may be astray: 3 % on each side are left out.
    points : ndarray, (m, 2)
        Where its keypoints lie: none is left out.
    size : ImageSize
    margin : float
        Added on each side, in shares of the box's longer side.

    Returns
    -------
    box : tuple of int
        Within the image, at multiples of 8 pixels so that like boxes share what is cached; each
        side at least 64 pixels or the image's, and 0.7 of the other before the margin.
    """
    low, high = np.percentile(places, 3, axis=0), np.percentile(places, 97, axis=0)
    if len(points) > 0:
        low, high = np.minimum(low, points.min(axis=0)), np.maximum(high, points.max(axis=0))
    limit = np.array([size.width, size.height], dtype=np.float64)
    low = np.clip(low, 0, np.maximum(limit - 32, 0))
    high = np.clip(high, low + 16, np.maximum(limit, low + 16))
    longer = float((high - low).max())
    half = np.maximum((high - low) / 2, 0.35 * longer) + margin * longer
    middle = (low + high) / 2
    x0, y0 = (8 * round(float(v) / 8) for v in np.maximum(middle - half, 0))
    x1, y1 = (8 * round(float(v) / 8) for v in np.minimum(middle + half, limit))
    x1, y1 = min(size.width, max(x1, x0 + 64)), min(size.height, max(y1, y0 + 64))
    return max(0, min(x0, x1 - 64)), max(0, min(y0, y1 - 64)), x1, y1


def _design(uv: NDArray[np.float64], modes: int) -> NDArray[np.float64]:
    """Return the functions (m, 3 + modes) of the fit at places (m, 2) of the box."""
    affine = np.column_stack([np.ones(len(uv)), uv - 0.5])
    p, q, _ = _lowest(modes)
    waves = np.cos(np.pi * np.clip(uv, 0.0, 1.0)[:, :, None] * np.arange(_ORDERS))  # (m, 2, orders)
    return np.concatenate([affine, waves[:, 0, p] * waves[:, 1, q]], axis=1)


@cache
def _lowest(modes: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the orders p and q of the lowest modes and their p^2 + q^2, each (modes,)."""
    orders = [(p * p + q * q, p, q) for p in range(_ORDERS) for q in range(_ORDERS) if p + q > 0]
    chosen = np.array(sorted(orders)[:modes], dtype=np.int64).reshape(-1, 3)
    return chosen[:, 1], chosen[:, 2], chosen[:, 0]


def _least_squares(
    X: NDArray[np.float64],
    mean: NDArray[np.float64],
    trust: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return theta (3 + modes, 2) of the weighted ridge fit."""
    total = max(float(trust.sum()), 1e-12)
    roughness = np.concatenate([np.zeros(3), _lowest(X.shape[1] - 3)[2] ** 2])
    gram = X.T @ (trust[:, None] * X) + total * np.diag(_ROUGHNESS * roughness + 1e-6)
    # The ridge makes it positive definite; numpy's own solver is quick at this size.
    return np.asarray(np.linalg.solve(gram, X.T @ (trust[:, None] * mean)))


def _squares(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return squared distances (m, n) of places (m, 2) and (n, 2)."""
    product = -2 * a @ b.T
    product += (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :]
    return np.maximum(product, 0.0)
