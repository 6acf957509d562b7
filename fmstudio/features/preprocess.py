"""From an image to a network's input, and from a network's cells back to the patch grid.

Positions along an axis are fractions of the image in [0, 1], so the image's size, the network's
input size and the grid never have to agree: they only share the image they cover.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.geometry.grid import ImageSize, PatchGrid


@dataclass(frozen=True, slots=True)
class SideRule:
    """Which lengths of an input side a network is run at: ``multiple * i + remainder``.

    Attributes
    ----------
    multiple : int
        In pixels, at least 1.
    remainder : int
        In pixels, in [0, multiple).
    least : int
        The smallest length, itself of the rule, in pixels.
    """

    multiple: int
    remainder: int
    least: int

    def nearest(self, pixels: float) -> int:
        """Return the length of this rule that is nearest to ``pixels``."""
        steps = round((pixels - self.remainder) / self.multiple)
        return max(self.least, steps * self.multiple + self.remainder)


@dataclass(frozen=True, slots=True)
class CellAxis:
    """Where the cells of a feature block lie along one axis of the image.

    Attributes
    ----------
    count : int
        Cells, at least 1.
    first : float
        Centre of the first cell as a fraction of the image's side.
    step : float
        From one centre to the next, as a fraction of the image's side; above 0.
    """

    count: int
    first: float
    step: float

    @classmethod
    def even(cls, count: int) -> "CellAxis":
        """Return cells that share the side equally: centres ``(i + 0.5) / count``."""
        return cls(count, 0.5 / count, 1 / count)

    @classmethod
    def in_pixels(cls, count: int, first: float, step: float, side: int) -> "CellAxis":
        """Return cells given by their centres ``first + step * i`` in pixels of the input."""
        return cls(count, first / side, step / side)

    def weights(self, patches: int) -> torch.Tensor:
        """Return the linear interpolation (patches, count) at the centres of equal patches.

        Beyond the outermost centres the outermost cells continue unchanged.
        """
        centres = (torch.arange(patches, dtype=torch.float64) + 0.5) / patches
        at = ((centres - self.first) / self.step).clamp(0, self.count - 1)
        low = at.floor().clamp(max=max(self.count - 2, 0)).long()
        high = (low + 1).clamp(max=self.count - 1)
        share = (at - low).unsqueeze(1)
        weights = torch.zeros(patches, self.count, dtype=torch.float64)
        weights.scatter_add_(1, low.unsqueeze(1), 1 - share)
        weights.scatter_add_(1, high.unsqueeze(1), share)
        return weights.float()


def resample(block: torch.Tensor, rows: CellAxis, cols: CellAxis, grid: PatchGrid) -> torch.Tensor:
    """Return a block's values at the centres of a grid's patches, by bilinear interpolation.

    Parameters
    ----------
    block : Tensor, (d, rows.count, cols.count) float32
    rows, cols : CellAxis
        Where the block's cells lie.
    grid : PatchGrid

    Returns
    -------
    Tensor, (grid.rows, grid.cols, d) float32
    """
    by_col = cols.weights(grid.cols).to(block.device)
    by_row = rows.weights(grid.rows).to(block.device)
    return (by_row @ (block @ by_col.T)).permute(1, 2, 0).contiguous()  # (rows, cols, d)


def check_rgb(rgb: NDArray[np.uint8], grid: PatchGrid) -> None:
    """Raise ValueError unless ``rgb`` is the (H, W, 3) uint8 image that the grid describes."""
    expected = (grid.size.height, grid.size.width, 3)
    if rgb.shape != expected or rgb.dtype != np.uint8:
        raise ValueError(
            f"an image for this grid is uint8 of shape {expected}, "
            f"not {rgb.dtype} of shape {rgb.shape}"
        )


def resize(rgb: NDArray[np.uint8], size: ImageSize) -> NDArray[np.uint8]:
    """Return an image (H, W, 3) brought to ``size``, antialiased.

    Each axis goes its own way, since parity rules may shrink one and stretch the other: area
    averaging where it shrinks (exact antialiasing, by the pixel-centre rule), cubic where it
    grows (sharper than linear, and what the default networks saw in training).
    """
    for new_width, new_height in ((size.width, rgb.shape[0]), (size.width, size.height)):
        if (new_height, new_width) == rgb.shape[:2]:
            continue
        shrinks = new_width < rgb.shape[1] or new_height < rgb.shape[0]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        rgb = np.asarray(cv2.resize(rgb, (new_width, new_height), interpolation=how), np.uint8)
    return rgb


def to_input(
    rgb: NDArray[np.uint8],
    size: ImageSize,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    device: torch.device,
) -> torch.Tensor:
    """Return a network's input (1, 3, size.height, size.width) float32, channels last in memory.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3) uint8
    size : ImageSize
        Of the input.
    mean, std : tuple of 3 floats
        Subtracted from, then divided out of the values in [0, 255].
    device : torch.device
    """
    pixels = torch.from_numpy(np.ascontiguousarray(resize(rgb, size))).to(device)
    shift = torch.tensor(mean, device=device)
    scale = torch.tensor(std, device=device)
    # An (H, W, 3) array seen as (3, H, W) already lies channels last.
    return ((pixels.float() - shift) / scale).permute(2, 0, 1).unsqueeze(0)


def half_precision(device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which a network's products run in half precision where that is faster.

    On CUDA, by its tensor cores; elsewhere everything stays in single precision. What torch knows
    to need the range (norms, softmax) stays in single precision anyway.
    """
    if device.type != "cuda":
        return nullcontext()
    return torch.autocast(device.type, torch.float16)
