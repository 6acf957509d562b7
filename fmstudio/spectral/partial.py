"""Images that share only a part: how much of each, where the object may be, what it does to C."""

import torch

from fmstudio.geometry.grid import PatchGrid
from fmstudio.spectral.confidence import round_trip

# Patches: a round trip that ends nearer than this has found a counterpart.
_TOLERANCE = 2.0
# A share below this is too few patches to tell a slope from.
_LEAST = 0.05
_STEEPEST = 4.0
_NEIGHBOURS = 5


def overlap(
    p2p_st: torch.Tensor, p2p_ts: torch.Tensor, grid_s: PatchGrid, grid_t: PatchGrid
) -> tuple[float, float]:
    """Return the share of each image's patches that have a cycle-consistent counterpart.

    A patch has one if the round trip over the other image ends at most two patches from it.

    Parameters
    ----------
    p2p_st, p2p_ts : Tensor, (n_s,) and (n_t,) int64
        For each source patch its target patch, and the other way.
    grid_s, grid_t : PatchGrid

    Returns
    -------
    overlap_s, overlap_t : float
        In [0, 1].
    """
    there_s = round_trip(p2p_ts, p2p_st, grid_s) <= _TOLERANCE
    there_t = round_trip(p2p_st, p2p_ts, grid_t) <= _TOLERANCE
    return float(there_s.float().mean()), float(there_t.float().mean())


def slant(overlap_s: float, overlap_t: float) -> float:
    """Return the slope of a functional map's diagonal: the ratio of the two images' overlaps.

    By Weyl's law the i-th of n patches' functions has a frequency near i / n per patch. What the
    images share are ``overlap_s n_s`` and ``overlap_t n_t`` patches, so carrying a function scales
    its frequency by their ratio, and i on the source becomes ``i overlap_s / overlap_t`` on the
    target. Held within [1/4, 4]; 1 where an image shares less than a twentieth.

    References
    ----------
    Rodola et al. 2017, "Partial functional correspondence", doi:10.1111/cgf.12797: a
    part's map onto the whole has a diagonal of slope area over area. The estimate of the areas by
    round trips is ours.
    """
    if min(overlap_s, overlap_t) < _LEAST:
        return 1.0
    return min(max(overlap_s / overlap_t, 1 / _STEEPEST), _STEEPEST)


def foreground(descriptors: torch.Tensor, grid: PatchGrid) -> torch.Tensor:
    """Return how unlike the image's border each patch is, (n,) in [0, 1].

    1 less the mean cosine with the five most similar patches of the outermost ring other than
    itself, stretched to [0, 1]; all 1 where nothing differs. A guess without any annotation: an
    object that fills the frame is taken for background.

    Parameters
    ----------
    descriptors : Tensor, (n, d)
        Unit rows.
    grid : PatchGrid
        Of n patches.

    References
    ----------
    The boundary prior of Wei et al. 2012, "Geodesic saliency using background priors",
    ECCV 2012; without its geodesic distances.
    """
    index = torch.arange(grid.n, device=descriptors.device)
    row, col = index // grid.cols, index % grid.cols
    is_border = (row == 0) | (row == grid.rows - 1) | (col == 0) | (col == grid.cols - 1)
    border = index[is_border]
    similarity = descriptors @ descriptors[border].T  # (n, b)
    similarity[border, torch.arange(len(border), device=border.device)] = -torch.inf
    count = min(_NEIGHBOURS, len(border) - 1)
    if count < 1:
        return torch.ones_like(descriptors[:, 0])
    unlike = 1 - similarity.topk(count, dim=1).values.mean(dim=1)
    span = unlike.max() - unlike.min()
    if not span > torch.finfo(unlike.dtype).eps:
        return torch.ones_like(unlike)
    return (unlike - unlike.min()) / span


def patch_weights(fore: torch.Tensor, strength: float) -> torch.Tensor:
    """Return the weights of patches before projection, (n,): ``1 - strength + strength fore``.

    Scaled to mean square 1, so that the weights of a map's other terms keep their meaning.

    Parameters
    ----------
    fore : Tensor, (n,)
        In [0, 1].
    strength : float
        In [0, 1]; 0 weighs all patches alike.
    """
    weights = 1 - strength + strength * fore
    return weights / weights.square().mean().sqrt()
