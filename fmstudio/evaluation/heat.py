"""Affordance heat maps: made from points, and how right a carried one is."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fmstudio.geometry.grid import ImageSize


def gaussian_heat(size: ImageSize, xy: ArrayLike, sigma: float) -> NDArray[np.float32]:
    """Return a heat map that is 1 at given points and falls off around them.

    The greatest of ``exp(-|p - xy_i|^2 / (2 sigma^2))`` over the points, at every pixel centre p.

    Parameters
    ----------
    size : ImageSize
    xy : array_like, (m, 2)
        Pixels; at least one point.
    sigma : float
        Pixels, above 0.

    Returns
    -------
    heat : ndarray, (H, W) float32
        In [0, 1].

    Raises
    ------
    ValueError
        If there is no point, or sigma is not above 0.
    """
    points = np.asarray(xy, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not sigma > 0:
        raise ValueError(f"a heat map needs points (m, 2) and a width, not {points.shape}, {sigma}")
    # Separable: a row and a column per point.
    across = np.arange(size.width) + 0.5 - points[:, :1]
    down = np.arange(size.height) + 0.5 - points[:, 1:]
    heat = np.zeros((size.height, size.width), dtype=np.float32)
    for dx, dy in zip(across, down, strict=True):
        row, column = (np.exp(-(d**2) / (2 * sigma**2)).astype(np.float32) for d in (dx, dy))
        np.maximum(heat, column[:, None] * row[None, :], out=heat)
    return heat


def heat_scores(carried: ArrayLike, truth: ArrayLike) -> tuple[float, float | None]:
    """Return mean squared error and Pearson correlation of two heat maps over all pixels.

    Parameters
    ----------
    carried, truth : array_like, (H, W)
        In one unit, such as [0, 1]; the error is in its square.

    Returns
    -------
    mse : float
        At least 0.
    correlation : float or None
        In [-1, 1]; None where one of the two is the same everywhere.

    Raises
    ------
    ValueError
        If the shapes differ, or a map is empty or not finite.
    """
    a, b = (np.asarray(values, dtype=np.float64) for values in (carried, truth))
    if a.shape != b.shape or not a.size or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError(
            f"heat maps are two arrays of finite numbers of one shape, not {a.shape} and {b.shape}"
        )
    mse = float(((a - b) ** 2).mean())
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return mse, (float(np.clip((a * b).sum() / norm, -1, 1)) if norm > 0 else None)
