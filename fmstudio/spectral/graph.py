"""Patch graphs: who is a neighbour of whom, and how strongly."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

_CHUNK = 1024


def grid_edges(rows: int, cols: int, neighbours: int = 4) -> NDArray[np.int64]:
    """Return the edges of a ``rows x cols`` grid, each once.

    Parameters
    ----------
    rows, cols : int
        At least 1.
    neighbours : int
        4 (sides) or 8 (sides and corners).

    Returns
    -------
    edges : ndarray, (e, 2) int64
        Row-major patch indices, the smaller first.

    Raises
    ------
    ValueError
        If ``neighbours`` is neither 4 nor 8.
    """
    if neighbours not in (4, 8):
        raise ValueError(f"a patch has 4 or 8 grid neighbours, not {neighbours}")
    index = np.arange(rows * cols, dtype=np.int64).reshape(rows, cols)
    pairs = [(index[:, :-1], index[:, 1:]), (index[:-1], index[1:])]
    if neighbours == 8:
        pairs += [(index[:-1, :-1], index[1:, 1:]), (index[:-1, 1:], index[1:, :-1])]
    return np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in pairs])


def knn_edges(features: torch.Tensor, count: int) -> NDArray[np.int64]:
    """Return edges from every patch to its ``count`` most similar patches, each edge once.

    Parameters
    ----------
    features : Tensor, (n, d)
        Compared by cosine similarity.
    count : int
        From 1 to n - 1.

    Returns
    -------
    edges : ndarray, (e, 2) int64
        The smaller index first; e is at most n * count.

    Raises
    ------
    ValueError
        If ``count`` is out of range.
    """
    n = len(features)
    if not 1 <= count < n:
        raise ValueError(f"a patch among {n} has from 1 to {n - 1} nearest others, not {count}")
    unit = torch.nn.functional.normalize(features, dim=1)
    best = []
    for start in range(0, n, _CHUNK):
        similarity = unit[start : start + _CHUNK] @ unit.T
        own = torch.arange(len(similarity))
        similarity[own, own + start] = -torch.inf
        best.append(similarity.topk(count, dim=1).indices)
    other = torch.cat(best).cpu().numpy().ravel()
    pairs = np.stack([np.repeat(np.arange(n, dtype=np.int64), count), other], axis=1)
    return np.unique(np.sort(pairs, axis=1), axis=0)


def affinity(
    features: torch.Tensor | None, edges: NDArray[np.int64], n: int, *, sharpness: float = 1.0
) -> sparse.csr_array:
    """Return the affinity matrix of a patch graph.

    ``w_ij = exp(-(sharpness * d_ij)^2 / (2 median(d)^2))`` with ``d_ij`` the Euclidean distance of
    the features of patches i and j, and the median over all edges.

    Parameters
    ----------
    features : Tensor, (n, d), or None
        None weighs every edge 1: the uniform graph.
    edges : ndarray, (e, 2) int64
        Each edge once.
    n : int
        Number of patches.
    sharpness : float
        Above 0; larger cuts more firmly between unlike neighbours.

    Returns
    -------
    W : sparse array, (n, n) float64
        Symmetric, non-negative, zero diagonal.

    References
    ----------
    arXiv 2403.12038, section 3: graph Laplacian over the patch grid.
    """
    i, j = edges[:, 0], edges[:, 1]
    weights = np.ones(len(edges))
    if features is not None and len(edges):
        first, second = (torch.from_numpy(np.ascontiguousarray(ends)) for ends in (i, j))
        gap = features.index_select(0, first) - features.index_select(0, second)
        distance = gap.norm(dim=1).double().cpu().numpy()
        # Constant features (a blank image) have median 0 and must still give a usable graph.
        scale = max(float(np.median(distance)), np.finfo(np.float32).eps)
        # The floor keeps the graph connected, so that eigenvalue 0 stays simple.
        weights = np.maximum(np.exp(-0.5 * (sharpness * distance / scale) ** 2), 1e-6)
    half = sparse.coo_array((weights, (i, j)), shape=(n, n))
    return sparse.csr_array(half + half.T)
