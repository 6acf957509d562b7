"""Images and their patch grids: the only place where pixels become patches.

The pixel-centre rule of the whole project: coordinates are continuous, pixel ``(c, r)``
covers ``[c, c + 1) x [r, r + 1)`` and its centre is ``(c + 0.5, r + 0.5)``; patch ``(row, col)``
of a grid covers an equal share of the image, so its centre is
``((col + 0.5) * width / cols, (row + 0.5) * height / rows)``. Resizing an image therefore
scales coordinates by the ratio of the sizes, with no half-pixel term anywhere else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 2**28
"""How large an image may be, width times height: 16,384 x 16,384."""


@dataclass(frozen=True, slots=True, order=True)
class ImageSize:
    """Width and height of an image in pixels, both at least 1."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"an image has at least one pixel, not {self.width} x {self.height}")

    @property
    def long_side(self) -> int:
        """Return the longer side in pixels."""
        return max(self.width, self.height)

    def contains(self, xy: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return which pixels (..., 2) xy lie on the image, its border included, (...,) bool."""
        return np.asarray(((xy >= 0) & (xy <= np.array([self.width, self.height]))).all(axis=-1))


@dataclass(frozen=True, slots=True)
class PatchGrid:
    """A regular division of an image into ``rows x cols`` patches in row-major order.

    Attributes
    ----------
    size : ImageSize
        The image, in pixels.
    rows, cols : int
        Patches along the height and the width, at least 1.
    """

    size: ImageSize
    rows: int
    cols: int

    def __post_init__(self) -> None:
        if self.rows < 1 or self.cols < 1:
            raise ValueError(f"a grid has at least one patch, not {self.rows} x {self.cols}")

    @classmethod
    def of_long_side(cls, size: ImageSize, patches: int) -> "PatchGrid":
        """Return the grid of near-square patches with ``patches`` along the longer side.

        The shorter side gets the nearest whole number of patches, at least 2.
        """
        scale = patches / size.long_side
        return cls(size, max(2, round(size.height * scale)), max(2, round(size.width * scale)))

    @property
    def n(self) -> int:
        """Return the number of patches."""
        return self.rows * self.cols

    @property
    def patch(self) -> tuple[float, float]:
        """Return a patch's width and height in pixels."""
        return self.size.width / self.cols, self.size.height / self.rows

    def rc_to_xy(self, rc: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return pixels (..., 2) xy for patch coordinates (..., 2) rc (integers are centres)."""
        rc = np.asarray(rc, dtype=np.float64)
        width, height = self.patch
        return np.stack([(rc[..., 1] + 0.5) * width, (rc[..., 0] + 0.5) * height], axis=-1)

    def xy_to_rc(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return patch coordinates (..., 2) rc (integers are centres) for pixels (..., 2) xy."""
        xy = np.asarray(xy, dtype=np.float64)
        width, height = self.patch
        return np.stack([xy[..., 1] / height - 0.5, xy[..., 0] / width - 0.5], axis=-1)

    def xy_to_index(self, xy: NDArray[np.floating]) -> NDArray[np.int64]:
        """Return the row-major index (...,) of the patch that covers each pixel (..., 2) xy.

        Points outside the image go to the nearest patch.
        """
        rc = np.floor(self.xy_to_rc(xy) + 0.5).astype(np.int64)
        rows = np.clip(rc[..., 0], 0, self.rows - 1)
        cols = np.clip(rc[..., 1], 0, self.cols - 1)
        return np.asarray(rows * self.cols + cols, dtype=np.int64)

    def centers(self) -> NDArray[np.float64]:
        """Return the patch centres (n, 2) in xy pixels, row-major."""
        rows, cols = np.divmod(np.arange(self.n), self.cols)
        return self.rc_to_xy(np.stack([rows, cols], axis=-1).astype(np.float64))
