"""An object's mask on the target's patches.

Carried softly, kept where the object went, and told from the background by the target's own
features.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.geometry.grid import PatchGrid
from fmstudio.spectral.transfer import transfer_field

# Width of what a displaced patch vouches for, in shares of the target's longer side.
_REACH = 0.06
# A discriminant is trained on patches that are surely one or the other, at least so many of each.
_SURELY_ON, _SURELY_OFF, _FEWEST = 0.7, 0.2, 6
_SHRINKAGE = 0.3
_SLOPE = 3.0
# When conjugate gradients end: at this share of where they began, or after so many steps.
_PRECISION, _STEPS = 1e-3, 100


def carried_mask(
    score: torch.Tensor,
    cover: torch.Tensor,
    displaced: NDArray[np.floating],
    grid_t: PatchGrid,
    descriptors_t: torch.Tensor,
) -> NDArray[np.float32]:
    """Return how much of each target patch an object covers, (rows, cols) in [0, 1].

    ``g (m + l) / 2`` with m the source's cover carried by the score, times ``g = exp(-d^2 / (4 *
    0.06^2))``, d the distance to the nearest displaced patch of the object in shares of the longer
    side; and l what a linear discriminant of the target's own descriptors, trained on the patches
    where m is sure, says of all of them.

    Parameters
    ----------
    score : Tensor, (n_s, n_t)
    cover : Tensor, (n_s,)
        Share of each source patch that the object covers.
    displaced : ndarray, (m, 2)
        Where the object's patches lie by the smooth displacement, target pixels.
    grid_t : PatchGrid
    descriptors_t : Tensor, (n_t, d)
    """
    carried = transfer_field(score, cover[:, None].to(score))[:, 0]
    side = grid_t.size.long_side
    places = torch.from_numpy(grid_t.centers() / side).float()
    near = torch.cdist(places, torch.from_numpy(np.asarray(displaced) / side).float())
    gate = torch.exp(-near.amin(dim=1).square() / (4 * _REACH**2)).to(score)
    soft = carried * gate
    told = discriminant(descriptors_t, soft)
    soft = (0.5 * (soft + told) * gate).reshape(grid_t.rows, grid_t.cols)
    return np.asarray(soft.float().cpu().numpy())


def discriminant(descriptors: torch.Tensor, soft: torch.Tensor) -> torch.Tensor:
    """Return what a linear discriminant trained on the sure patches says of all, (n,) in [0, 1].

    Parameters
    ----------
    descriptors : Tensor, (n, d)
    soft : Tensor, (n,)
        Probability of the object; above 0.7 and below 0.2 a patch is sure. With fewer than six of
        either kind there is nothing to learn, and it is returned as it is.

    References
    ----------
    Fisher 1936, "The use of multiple measurements in taxonomic problems",
    doi:10.1111/j.1469-1809.1936.tb02137.x; covariance shrunk towards its mean diagonal as by
    Ledoit and Wolf 2004, doi:10.1016/S0047-259X(03)00096-4, by a fixed share.
    """
    on, off = soft > _SURELY_ON, soft < _SURELY_OFF
    if min(int(on.sum()), int(off.sum())) < _FEWEST:
        return soft
    share = soft.clamp(0, 1)
    mean_on = (descriptors * share[:, None]).sum(dim=0) / share.sum()
    mean_off = (descriptors * (1 - share)[:, None]).sum(dim=0) / (1 - share).sum()
    centred = torch.cat([descriptors[on] - mean_on, descriptors[off] - mean_off])
    axis = _whitened(mean_on - mean_off, centred)
    along = descriptors @ axis
    high, low = along[on].mean(), along[off].mean()
    return torch.sigmoid(_SLOPE * (2 * along - high - low) / (high - low).clamp_min(1e-9))


def _whitened(gap: torch.Tensor, centred: torch.Tensor) -> torch.Tensor:
    """Return a direction (d,) by the inverse of the shrunk covariance of rows (n, d).

    By conjugate gradients: some forty products with the rows take a quarter of the time of a
    covariance and its factors, which would be needed only once.
    """
    ridge = _SHRINKAGE * centred.square().sum() / centred.numel() + 1e-9
    axis, residual = torch.zeros_like(gap), gap
    step, square = residual, residual @ residual
    enough = _PRECISION**2 * square
    for _ in range(_STEPS):
        if square <= enough:
            break
        curved = (centred @ step) @ centred / len(centred) + ridge * step
        length = square / (step @ curved)
        axis = axis + length * step
        residual = residual - length * curved
        before, square = square, residual @ residual
        step = residual + square / before * step
    return axis
