"""From functional maps to points and back, and the scores that points are decoded from."""

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.geometry.grid import PatchGrid
from fmstudio.spectral.eigenbasis import EigenBasis

_CHUNK = 2048


def fmap_to_p2p(C_st: torch.Tensor, basis_s: EigenBasis, basis_t: EigenBasis) -> torch.Tensor:
    """Return, for each target patch, the source patch that a functional map sends there.

    Reading a carried function at target patch y is the row ``evecs_t[y] @ C_st`` applied to its
    source coefficients, and reading the source function at patch x is the row ``evecs_s[x]``: y's
    counterpart is the x with the nearest row.

    Parameters
    ----------
    C_st : Tensor, (k_t, k_s)
    basis_s, basis_t : EigenBasis
        Of n_s and n_t patches.

    Returns
    -------
    p2p_ts : Tensor, (n_t,) int64

    References
    ----------
    Ovsjanikov et al. 2012, "Functional Maps", doi:10.1145/2185520.2185526, section 6.1.
    """
    rows_t = basis_t.evecs @ C_st  # (n_t, k_s)
    nearest = [
        torch.cdist(rows_t[i : i + _CHUNK], basis_s.evecs).argmin(dim=1)
        for i in range(0, len(rows_t), _CHUNK)
    ]
    return torch.cat(nearest)


def p2p_to_fmap(p2p_ts: torch.Tensor, basis_s: EigenBasis, basis_t: EigenBasis) -> torch.Tensor:
    """Return the functional map C_st (k_t, k_s) of a point-to-point map p2p_ts (n_t,).

    Composing a source function with p2p_ts is a function on the target, so column i of C_st is the
    projection of ``evecs_s[p2p_ts, i]``.

    References
    ----------
    Ovsjanikov et al. 2012 (above), section 4.
    """
    return basis_t.project(basis_s.evecs[p2p_ts])


def map_similarity(
    C_st: torch.Tensor,
    basis_s: EigenBasis,
    basis_t: EigenBasis,
    A_s: torch.Tensor,
) -> torch.Tensor:
    """Return how well each target patch matches each source patch according to the map.

    The source's descriptors are band-limited by its basis, carried to the target by C_st, and
    compared by cosine with the band-limited source descriptors themselves: both sides live in the
    same d channels and the same band.

    Parameters
    ----------
    C_st : Tensor, (k_t, k_s)
    basis_s, basis_t : EigenBasis
        Of n_s and n_t patches.
    A_s : Tensor, (k_s, d)
        The source's descriptors in its basis, at any scale.

    Returns
    -------
    similarity : Tensor, (n_s, n_t)
        Cosines in [-1, 1].

    References
    ----------
    arXiv 2403.12038, section 3.3 (features transferred through C, then nearest neighbours).
    """
    # Both sides are coefficients times A_s: their products need its Gram matrix, not d channels.
    gram = A_s @ A_s.T
    rows_s, rows_t = basis_s.evecs, basis_t.evecs @ C_st  # (n_s, k_s), (n_t, k_s)
    lifted = rows_s @ gram
    norm_s = _norms(rows_s, lifted)
    norm_t = _norms(rows_t, rows_t @ gram)
    return (lifted / norm_s) @ (rows_t / norm_t).T


def _norms(rows: torch.Tensor, lifted: torch.Tensor) -> torch.Tensor:
    """Return the norms (n, 1) under a Gram matrix of rows (n, k), given rows @ gram."""
    squares = (rows * lifted).sum(dim=1, keepdim=True)
    return squares.clamp_min(torch.finfo(rows.dtype).tiny).sqrt()


def hub_corrected(similarity: torch.Tensor, neighbours: int = 10) -> torch.Tensor:
    """Return a similarity less the mean that each of its two patches reaches with its best matches.

    Some patches resemble everything and would win every nearest-neighbour search; measured
    against their own neighbourhood they no longer do.

    Parameters
    ----------
    similarity : Tensor, (n_s, n_t)
    neighbours : int
        Best matches that make a patch's mean, at least 1; at most all are used.

    Returns
    -------
    score : Tensor, (n_s, n_t)

    References
    ----------
    Conneau et al. 2018, "Word translation without parallel data", arXiv 1710.04087, section 2.3
    (cross-domain similarity local scaling), halved so that the unit stays that of the similarity.
    """
    hub_s = similarity.topk(min(neighbours, similarity.shape[1]), dim=1).values.mean(dim=1)
    hub_t = similarity.topk(min(neighbours, similarity.shape[0]), dim=0).values.mean(dim=0)
    return similarity - 0.5 * (hub_s[:, None] + hub_t[None, :])


def row_at(score: torch.Tensor, grid: PatchGrid, xy: NDArray[np.floating]) -> torch.Tensor:
    """Return the rows of ``score`` at points between patch centres, by bilinear interpolation.

    Parameters
    ----------
    score : Tensor, (grid.n, q)
    grid : PatchGrid
        Of the rows.
    xy : ndarray, (m, 2)
        Pixels; outside the outermost centres the nearest is used.

    Returns
    -------
    rows : Tensor, (m, q)
    """
    rc = grid.xy_to_rc(xy)
    limit = np.array([grid.rows - 1, grid.cols - 1])
    rc = np.clip(rc, 0, limit)
    low = np.minimum(np.floor(rc), np.maximum(limit - 1, 0)).astype(np.int64)
    part = torch.from_numpy(rc - low).to(score)  # (m, 2)
    rows = torch.zeros((len(rc), score.shape[1]), dtype=score.dtype, device=score.device)
    for down in (0, 1):
        for right in (0, 1):
            corner = np.minimum(low + np.array([down, right]), limit)
            index = torch.from_numpy(corner[:, 0] * grid.cols + corner[:, 1])
            weight = (part[:, 0] if down else 1 - part[:, 0]) * (
                part[:, 1] if right else 1 - part[:, 1]
            )
            rows += weight[:, None] * score[index.to(score.device)]
    return rows


def soft_argmax(
    rows: torch.Tensor, grid: PatchGrid, *, temperature: float = 0.02, radius: int = 2
) -> NDArray[np.float64]:
    """Return the sub-cell position of each row's maximum.

    The centroid of ``exp(score / temperature)`` in a window around the best patch: a mean over the
    whole image would be drawn to its middle by far, weak matches.

    Parameters
    ----------
    rows : Tensor, (m, grid.n)
    grid : PatchGrid
    temperature : float
        In the score's units, above 0.
    radius : int
        The window reaches this many patches to each side, at least 0.

    Returns
    -------
    xy : ndarray, (m, 2) float64
        Pixels.
    """
    best = rows.argmax(dim=1)
    at = torch.stack([best // grid.cols, best % grid.cols], dim=1)  # (m, 2)
    span = torch.arange(-radius, radius + 1, device=rows.device)
    offset = torch.cartesian_prod(span, span)  # (w, 2)
    cells = at[:, None, :] + offset[None, :, :]  # (m, w, 2)
    limit = torch.tensor([grid.rows, grid.cols], device=rows.device)
    inside = ((cells >= 0) & (cells < limit)).all(dim=2)
    index = (cells[..., 0] * grid.cols + cells[..., 1]).clamp(0, grid.n - 1)
    logits = (rows.gather(1, index) / temperature).masked_fill(~inside, -torch.inf)
    weight = logits.softmax(dim=1)
    rc = (weight[..., None] * cells.to(rows.dtype)).sum(dim=1)
    return grid.rc_to_xy(rc.double().cpu().numpy())
