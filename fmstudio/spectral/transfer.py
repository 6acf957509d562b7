"""Carry keypoints, masks, heat maps and colours through a pair's score."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from fmstudio.geometry.grid import PatchGrid
from fmstudio.geometry.masks import Mask
from fmstudio.spectral.convert import row_at, soft_argmax

_NEIGHBOURS = 10
_TEMPERATURE = 0.05
# Below a half: soft transport spreads an object's edge outwards less than it hollows thin parts.
MASK_THRESHOLD = 0.45


def transfer_keypoints(
    score: torch.Tensor, grid_s: PatchGrid, grid_t: PatchGrid, xy: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return where source points lie on the target.

    Parameters
    ----------
    score : Tensor, (n_s, n_t)
        Higher is better.
    grid_s, grid_t : PatchGrid
    xy : ndarray, (m, 2)
        Source pixels.

    Returns
    -------
    xy_t : ndarray, (m, 2) float64
        Target pixels.
    """
    return soft_argmax(row_at(score, grid_s, xy), grid_t)


def transfer_field(score: torch.Tensor, field_s: torch.Tensor) -> torch.Tensor:
    """Return a source function on the target's patches.

    Each target patch takes the mean of its best source patches, weighted by
    ``exp(score / temperature)``: softer than the one nearest neighbour, and a part that only some
    of them support comes out between.

    Parameters
    ----------
    score : Tensor, (n_s, n_t)
    field_s : Tensor, (n_s, c)
        Indicator of a mask, a heat map, colours.

    Returns
    -------
    field_t : Tensor, (n_t, c)
    """
    count = min(_NEIGHBOURS, len(score))
    best = score.topk(count, dim=0)  # (count, n_t)
    weight = (best.values / _TEMPERATURE).softmax(dim=0)
    return (weight[:, :, None] * field_s[best.indices]).sum(dim=0)


def transfer_mask(
    score: torch.Tensor, grid_s: PatchGrid, grid_t: PatchGrid, mask_s: Mask
) -> NDArray[np.float32]:
    """Return how much of each target patch a source mask covers.

    Parameters
    ----------
    score : Tensor, (n_s, n_t)
    grid_s, grid_t : PatchGrid
    mask_s : Mask
        Of the source image.

    Returns
    -------
    soft_t : ndarray, (rows_t, cols_t) float32
        In [0, 1].
    """
    cover = patch_cover(mask_s, grid_s).to(score)
    field = transfer_field(score, cover[:, None])
    return np.asarray(field.reshape(grid_t.rows, grid_t.cols).cpu().numpy(), dtype=np.float32)


def patch_cover(mask: Mask, grid: PatchGrid) -> torch.Tensor:
    """Return the share of each patch that a mask covers, (n,) float32 in [0, 1]."""
    array = torch.from_numpy(mask.to_array()).float()[None, None]
    cover = torch.nn.functional.adaptive_avg_pool2d(array, (grid.rows, grid.cols))
    return cover.reshape(-1)


def mask_from_soft(
    soft: NDArray[np.floating], grid: PatchGrid, *, threshold: float = MASK_THRESHOLD
) -> Mask:
    """Return the mask of the pixels where a soft mask, interpolated, exceeds a threshold.

    Parameters
    ----------
    soft : ndarray, (rows, cols)
        In [0, 1], one value a patch.
    grid : PatchGrid
    threshold : float
        In [0, 1].
    """
    size = (grid.size.height, grid.size.width)
    values = torch.from_numpy(np.asarray(soft, dtype=np.float32))[None, None]
    # align_corners=False is the pixel-centre rule of `geometry.grid`.
    fine = interpolate(values, size=size, mode="bicubic", align_corners=False)[0, 0]
    return Mask.from_array((fine > threshold).numpy())
