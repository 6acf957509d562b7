"""Landmarks: places of which a person has said where they lie on the target."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

# How much a place loses at most that a landmark holds already, in the score's units, and how far
# that reaches, in shares of the object's longest side. See docs/method.md for what was measured.
_TAKEN, _REACH = 0.1, 0.06


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Source places and where they lie on the target.

    Attributes
    ----------
    xy_s, xy_t : ndarray, (a, 2) float64
        Pixels.

    Raises
    ------
    ValueError
        If the two differ in length, or a coordinate is not finite.
    """

    xy_s: NDArray[np.float64]
    xy_t: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("xy_s", "xy_t"):
            xy = np.array(getattr(self, name), dtype=np.float64).reshape(-1, 2)
            if not np.isfinite(xy).all():
                raise ValueError("a landmark's coordinates must be finite numbers")
            xy.setflags(write=False)
            object.__setattr__(self, name, xy)
        if len(self.xy_s) != len(self.xy_t):
            raise ValueError(
                f"{len(self.xy_s)} source places cannot have {len(self.xy_t)} target places"
            )

    def __len__(self) -> int:
        return len(self.xy_s)


def taken_rows(
    landmarks: Landmarks,
    xy: NDArray[np.floating],
    places: NDArray[np.floating],
    extent_s: float,
    extent_t: float,
) -> torch.Tensor:
    """Return what rows of a score lose at places that a landmark holds already.

    Two keypoints of one object are rarely at the same place, so what is not at a landmark on the
    source is not at it on the target: with g_s and g_t the Gaussians of width 0.06 of the object
    around a landmark on both images, a point x loses ``0.1 (1 - g_s(x)) g_t(y)`` at y.

    Parameters
    ----------
    landmarks : Landmarks
    xy : ndarray, (m, 2)
        The rows' places, source pixels.
    places : ndarray, (n, 2)
        The columns' places, target pixels.
    extent_s, extent_t : float
        The object's longest side on both images in pixels, above 0.

    Returns
    -------
    loss : Tensor, (m, n) float32
        At most 0.
    """
    if not len(landmarks):
        return torch.zeros(len(xy), len(places))
    elsewhere = 1 - _gaussian(xy, landmarks.xy_s, _REACH * extent_s)  # (m, a)
    there = _gaussian(places, landmarks.xy_t, _REACH * extent_t)  # (n, a)
    loss = np.max(elsewhere[:, None, :] * there[None, :, :], axis=2)
    return torch.from_numpy(-_TAKEN * loss).float()


def _gaussian(
    a: NDArray[np.floating], b: NDArray[np.floating], sigma: float
) -> NDArray[np.float64]:
    """Return ``exp(-d^2 / 2 sigma^2)`` of the distances d (m, n) of places (m, 2) and (n, 2)."""
    squares = ((np.asarray(a)[:, None, :] - np.asarray(b)[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(np.exp(-squares / (2 * sigma**2)))
