"""Known warps of a photo: pairs whose true displacement is dense and exact.

A warp says where each place of the target lies in the source, so the target is made by looking the
source up there, and the truth at the target's patch centres needs no inversion.
"""

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from fmstudio.geometry.grid import ImageSize

# Of a smooth warp: cosine modes along each axis, and how much of the longer side it moves at most.
_MODES = 3
_REACH = 0.08
# The least local change of area that a warp may make: far from a fold, which lies at 0.
_LEAST_AREA = 0.25


class Warp(Protocol):
    """Where the target's places lie in the source; both images have one size."""

    def to_source(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return source pixels (m, 2) of target pixels (m, 2)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class AffineWarp:
    """``x_s = linear x_t + shift``: similarities, shears and the mirror.

    Attributes
    ----------
    linear : ndarray, (2, 2)
    shift : ndarray, (2,)
        In pixels.
    """

    linear: NDArray[np.float64]
    shift: NDArray[np.float64]

    def to_source(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return source pixels (m, 2) of target pixels (m, 2)."""
        return np.asarray(xy @ self.linear.T + self.shift)


@dataclass(frozen=True, slots=True, eq=False)
class SmoothWarp:
    """A displacement of few cosine modes: ``x_s = x_t + sum_pq a_pq cos(pi p u) cos(pi q v)``.

    ``u`` and ``v`` are the place as shares of width and height.

    Attributes
    ----------
    size : ImageSize
    amplitudes : ndarray, (modes, modes, 2)
        In pixels; first index along the width.
    """

    size: ImageSize
    amplitudes: NDArray[np.float64]

    def to_source(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return source pixels (m, 2) of target pixels (m, 2)."""
        orders = np.arange(len(self.amplitudes))
        u, v = (xy / [self.size.width, self.size.height]).T
        across, down = np.cos(np.pi * u[:, None] * orders), np.cos(np.pi * v[:, None] * orders)
        return np.asarray(xy + np.einsum("mp,mq,pqd->md", across, down, self.amplitudes))


def mirror_warp(size: ImageSize) -> AffineWarp:
    """Return the horizontal mirror."""
    return AffineWarp(np.diag([-1.0, 1.0]), np.array([float(size.width), 0.0]))


def affine_warp(size: ImageSize, generator: np.random.Generator) -> AffineWarp:
    """Return a random turn, scale and shear about the image's middle, and a small shift.

    Up to 20 degrees, 0.8 to 1.25 times, 0.1 of shear and 0.05 of the longer side.
    """
    angle = np.deg2rad(generator.uniform(-20, 20))
    scale = np.exp(generator.uniform(np.log(0.8), np.log(1.25)))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = scale * turn @ np.array([[1.0, generator.uniform(-0.1, 0.1)], [0.0, 1.0]])
    middle = np.array([size.width, size.height]) / 2
    moved = generator.uniform(-0.05, 0.05, 2) * size.long_side
    return AffineWarp(linear, middle - linear @ middle + moved)


def smooth_warp(size: ImageSize, generator: np.random.Generator) -> SmoothWarp:
    """Return a random smooth warp that folds nowhere.

    It moves no place by more than 0.08 of the longer side; where its Jacobian would fall below
    0.25 on a lattice of 33 x 33 places, it is weakened until it does not.
    """
    amplitudes = generator.normal(size=(_MODES, _MODES, 2))
    warp = SmoothWarp(size, amplitudes)
    at = _lattice(size)
    longest = np.linalg.norm(warp.to_source(at) - at, axis=1).max()
    warp = SmoothWarp(size, amplitudes * (_REACH * size.long_side / longest))
    # Ends: without amplitudes the Jacobian is 1 everywhere.
    while jacobian(warp, at).min() < _LEAST_AREA:
        warp = SmoothWarp(size, warp.amplitudes * 0.8)
    return warp


def jacobian(warp: Warp, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the determinant (m,) of a warp's derivative at target pixels (m, 2).

    By central differences of one pixel; below 0 the orientation is turned, at 0 it folds.
    """
    right, down = np.array([0.5, 0.0]), np.array([0.0, 0.5])
    a = warp.to_source(xy + right) - warp.to_source(xy - right)
    b = warp.to_source(xy + down) - warp.to_source(xy - down)
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def warp_image(rgb: NDArray[np.uint8], warp: Warp) -> NDArray[np.uint8]:
    """Return the target (H, W, 3) that a warp makes of a source of the same size.

    What lies outside of the source takes the nearest border's colour.
    """
    height, width = rgb.shape[:2]
    rows, cols = np.mgrid[:height, :width]
    centres = np.stack([cols.ravel(), rows.ravel()], axis=1) + 0.5
    # OpenCV counts from the centre of the first pixel.
    at = (warp.to_source(centres) - 0.5).reshape(height, width, 2).astype(np.float32)
    made = cv2.remap(
        np.ascontiguousarray(rgb),
        at[..., 0],
        at[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(made, dtype=np.uint8)


def _lattice(size: ImageSize) -> NDArray[np.float64]:
    """Return 33 x 33 places spread over an image, its borders included, (1089, 2)."""
    x, y = np.meshgrid(np.linspace(0, size.width, 33), np.linspace(0, size.height, 33))
    return np.stack([x.ravel(), y.ravel()], axis=1)
