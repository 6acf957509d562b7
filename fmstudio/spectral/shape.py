"""Where an object's points are to be expected, by its shape elsewhere and by those that are known.

A similarity carries the points of another image over; what is known of some points then pulls the
expectation of those near them along.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# In shares of the object's longest side: how far a point may well be from where a similarity puts
# it, how far what is known of a point reaches, how well a known point is known, and the least that
# is left of the first. See docs/method.md for how they were chosen.
_LOOSE, _REACH, _EXACT, _TIGHT = 0.35, 0.3, 0.02, 0.03
# How much of a point's deviation its surroundings share; the rest is its own.
_SHARED = 0.9
# Root mean square distance, of the longest side, at which a shape counts a factor e less.
_ALIKE = 0.07
_FEWEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """A Gaussian per point.

    Attributes
    ----------
    xy : ndarray, (m, 2)
        Pixels.
    sigma : ndarray, (m,)
        Pixels; infinite where nothing is known.
    """

    xy: NDArray[np.float64]
    sigma: NDArray[np.float64]

    def log_density(self, places: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return ``-d^2 / 2 sigma^2`` (m, n) of the distances d to places (n, 2)."""
        squares = ((places[None, :, :] - self.xy[:, None, :]) ** 2).sum(axis=2)
        return np.asarray(-squares / (2 * self.sigma[:, None] ** 2))


def expected_points(
    shapes: Sequence[tuple[NDArray[np.floating], NDArray[np.bool_]]],
    xy: NDArray[np.floating],
    trust: NDArray[np.floating],
    known: NDArray[np.bool_],
    extent: float,
) -> Expected:
    """Return where points are to be expected.

    Each shape is brought onto the points by a similarity, mirrored where that fits better; those
    that fit better count more. The known points' distances from there are interpolated to the
    others as a Gaussian process whose reach is 0.3 of the object.

    Parameters
    ----------
    shapes : sequence of ((m, 2) ndarray, (m,) bool ndarray)
        The points of the object on other images, and which of them are labelled there.
    xy : ndarray, (m, 2)
        Where the points lie as far as is known, pixels.
    trust : ndarray, (m,)
        What each of them counts as shapes are fitted, at least 0.
    known : ndarray, (m,) bool
        Which of them are certain.
    extent : float
        The object's longest side in pixels, above 0.

    References
    ----------
    Umeyama 1991, "Least-squares estimation of transformation parameters between two point
    patterns", doi:10.1109/34.88573; Rasmussen and Williams 2006, "Gaussian Processes for Machine
    Learning", equations 2.23 and 2.24.
    """
    m = len(xy)
    fitted, weights = np.zeros((0, m, 2)), np.zeros((0, m))
    for points, labelled in shapes:
        if labelled.sum() < _FEWEST:
            continue
        placed, error = fit_similarity(points, xy, trust * labelled)
        alike = np.exp(-error / (_ALIKE * extent) ** 2)
        fitted = np.concatenate([fitted, placed[None]])
        weights = np.concatenate([weights, (alike * labelled)[None]])
    total = weights.sum(axis=0)
    is_told = total > 0
    mean = (weights[:, :, None] * fitted).sum(axis=0) / np.where(is_told, total, 1.0)[:, None]
    variance = np.full(m, (_LOOSE * extent) ** 2)
    at = np.flatnonzero(known & is_told)
    if len(at):
        gain, left = _interpolation(mean, at, extent)
        mean = mean + gain @ (np.asarray(xy)[at] - mean[at])
        variance = np.maximum(left, (_TIGHT * extent) ** 2)
    return Expected(mean, np.where(is_told, np.sqrt(variance), np.inf))


def fit_similarity(
    xy: NDArray[np.floating], onto: NDArray[np.floating], weights: NDArray[np.floating]
) -> tuple[NDArray[np.float64], float]:
    """Return points (m, 2) brought onto others by the best similarity, and the mean square left.

    Parameters
    ----------
    xy, onto : ndarray, (m, 2)
    weights : ndarray, (m,)
        At least 0, above 0 for some.
    """
    share = weights / weights.sum()
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (np.asarray(xy), np.asarray(onto)))
    fits = []
    for form in (z, -z.conj()):
        a, b = form - share @ form, w - share @ w
        turn = (share @ (b * a.conj())) / max(float(share @ np.abs(a) ** 2), 1e-12)
        fits.append((float(share @ np.abs(b - turn * a) ** 2), share @ w + turn * a))
    error, placed = min(fits, key=lambda fit: fit[0])
    return np.stack([placed.real, placed.imag], axis=1), error


def _interpolation(
    mean: NDArray[np.float64], at: NDArray[np.intp], extent: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the gain (m, a) of points that are known, and what variance (m,) they leave."""
    squares = ((mean[:, None, :] - mean[None, :, :]) ** 2).sum(axis=2)
    kernel = _SHARED * np.exp(-squares / (2 * (_REACH * extent) ** 2))
    np.fill_diagonal(kernel, 1.0)
    kernel *= (_LOOSE * extent) ** 2
    noise = (_EXACT * extent) ** 2 * np.eye(len(at))
    gain = np.linalg.solve(kernel[np.ix_(at, at)] + noise, kernel[at]).T
    return gain, np.diag(kernel) - (gain * kernel[:, at]).sum(axis=1)
