"""Carry keypoints, masks, heat maps and colours through a pair's score."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from fmstudio.geometry.grid import PatchGrid
from fmstudio.geometry.masks import Mask
from fmstudio.spectral.convert import row_at, soft_argmax
from fmstudio.spectral.eigenbasis import EigenBasis

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


def transfer_function(
    C_st: torch.Tensor, basis_s: EigenBasis, basis_t: EigenBasis, f: torch.Tensor
) -> torch.Tensor:
    """Return source functions on the target's patches, carried by the functional map alone.

    ``evecs_t @ C_st @ evecs_s.T @ diag(mass_s) @ f``: linear, so what lies outside the bases is
    lost, and values can leave the range that they had.

    Parameters
    ----------
    C_st : Tensor, (k_t, k_s)
    basis_s, basis_t : EigenBasis
        Of n_s and n_t patches, k_s and k_t functions.
    f : Tensor, (n_s, p)
        Heat maps, colours, coordinates.

    Returns
    -------
    f_t : Tensor, (n_t, p)

    Raises
    ------
    ValueError
        If a shape does not fit the bases.

    References
    ----------
    Ovsjanikov et al. 2012, "Functional Maps", doi:10.1145/2185520.2185526, section 4.
    """
    n_s = len(basis_s.mass)
    if C_st.shape != (basis_t.k, basis_s.k) or f.ndim != 2 or len(f) != n_s:
        raise ValueError(
            f"a map {tuple(C_st.shape)} cannot carry functions {tuple(f.shape)} from {n_s} patches "
            f"with {basis_s.k} basis functions to {basis_t.k}"
        )
    return basis_t.lift(C_st @ basis_s.project(f))


def transport_function(
    score: torch.Tensor,
    f: torch.Tensor,
    temperature: float = _TEMPERATURE,
    neighbours: int = _NEIGHBOURS,
) -> torch.Tensor:
    """Return source functions on the target's patches, carried softly by a score.

    Each target patch takes the mean of its best source patches, weighted by
    ``exp(score / temperature)``: softer than the one nearest neighbour, and a part that only some
    of them support comes out between. Values stay within the range that they had.

    Parameters
    ----------
    score : Tensor, (n_s, n_t)
        Higher is better.
    f : Tensor, (n_s, p)
        Indicators of masks, heat maps, colours.
    temperature : float
        In the score's units, above 0.
    neighbours : int
        Best source patches of each target patch that count, at least 1; at most all are used.

    Returns
    -------
    f_t : Tensor, (n_t, p)

    Raises
    ------
    ValueError
        If a number is out of its range or ``f`` does not fit the score.
    """
    if not temperature > 0 or neighbours < 1:
        raise ValueError(
            f"temperature is above 0 and neighbours at least 1, not {temperature}, {neighbours}"
        )
    if f.ndim != 2 or len(f) != len(score):
        raise ValueError(f"functions {tuple(f.shape)} do not fit {len(score)} source patches")
    best = score.topk(min(neighbours, len(score)), dim=0)  # (neighbours, n_t)
    weight = (best.values / temperature).softmax(dim=0)
    return (weight[:, :, None] * f[best.indices]).sum(dim=0)


def transfer_field(score: torch.Tensor, field_s: torch.Tensor) -> torch.Tensor:
    """Return a source function (n_s, c) on the target's patches (n_t, c), as masks are carried.

    That is `transport_function` at its default temperature and number of neighbours.
    """
    return transport_function(score, field_s)


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
    return patch_means(mask.to_array()[..., None], grid)[:, 0]


def patch_means(values: NDArray[np.generic], grid: PatchGrid) -> torch.Tensor:
    """Return the mean of an image's values in each patch.

    Parameters
    ----------
    values : ndarray, (H, W, c)
        Colours, a heat map, a mask, at the image's pixels.
    grid : PatchGrid
        Of n patches.

    Returns
    -------
    means : Tensor, (n, c) float32
    """
    array = torch.from_numpy(np.array(values, dtype=np.float32)).permute(2, 0, 1)[None]
    means = adaptive_avg_pool2d(array, (grid.rows, grid.cols))[0]
    return means.reshape(len(means), grid.n).T


def patches_to_pixels(
    field: torch.Tensor | NDArray[np.floating], grid: PatchGrid
) -> NDArray[np.float32]:
    """Return a patch function at the image's pixels, by bilinear interpolation between centres.

    Parameters
    ----------
    field : Tensor or ndarray, (n,)
    grid : PatchGrid

    Returns
    -------
    values : ndarray, (H, W) float32
    """
    size = (grid.size.height, grid.size.width)
    values = torch.as_tensor(field).float().reshape(1, 1, grid.rows, grid.cols)
    fine = interpolate(values, size=size, mode="bilinear", align_corners=False)[0, 0]
    return np.asarray(fine.cpu().numpy(), dtype=np.float32)


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
