"""The functions that a set of images shares, as its functional maps tell.

Maps stand under the edge they belong to: ``maps[i, j]`` is C_ij (k_j, k_i), from image i to j.
Images are numbered from 0 and every one has a map.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import lobpcg

Edge = tuple[int, int]
Maps = Mapping[Edge, torch.Tensor]

# Up to this many rows a dense solver is the faster one, and takes well under half a second.
_DENSE_ROWS = 512
_ITERATIONS = 500
# Of an eigenpair, in units of the matrix's largest row sum of magnitudes.
_RESIDUAL = 1e-6


def consistency_matrix(
    maps: Maps, *, check: Callable[[], object] | None = None
) -> sparse.csr_array:
    """Return W with ``tr(Y' W Y) = sum over maps of |C_ij Y_i - Y_j|^2``, Y the stacked Y_i.

    From ``|C_ij Y_i - Y_j|^2 = tr(Y_i' C_ij' C_ij Y_i) - 2 tr(Y_j' C_ij Y_i) + tr(Y_j' Y_j)`` each
    map adds ``C_ij' C_ij`` to block (i, i), I to block (j, j), ``-C_ij`` to block (j, i) and
    ``-C_ij'`` to block (i, j). Where both directions are mapped, so
    ``W_ij = -C_ij' - C_ji`` and ``W_ii = sum_j (C_ij' C_ij + I)``.

    Parameters
    ----------
    maps : Mapping of (i, j) to Tensor, (k_j, k_i)
    check : callable or None
        Called before each map; what it raises ends the work.

    Returns
    -------
    W : sparse array, (K, K) float64
        K is the sum of all k_i; symmetric, positive semi-definite.

    Raises
    ------
    ValueError
        If the images are not numbered from 0 without gaps, are not connected, or a map does not
        fit the others of its images.
    """
    sizes = _sizes(maps)
    offset = np.concatenate([[0], np.cumsum(sizes)])
    diagonal = [np.zeros((k, k)) for k in sizes]
    rows: list[NDArray[np.int64]] = []
    cols: list[NDArray[np.int64]] = []
    values: list[NDArray[np.float64]] = []
    for (i, j), C in maps.items():
        if check is not None:
            check()
        block = C.detach().double().cpu().numpy()
        diagonal[i] += block.T @ block
        diagonal[j] += np.eye(sizes[j])
        for at, row, col in ((-block, j, i), (-block.T, i, j)):
            _append(at, offset[row], offset[col], rows, cols, values)
    for i, block in enumerate(diagonal):
        _append(block, offset[i], offset[i], rows, cols, values)
    index = (np.concatenate(rows), np.concatenate(cols))
    shape = (int(offset[-1]), int(offset[-1]))
    # Blocks that meet are added up.
    return sparse.csr_array(sparse.coo_array((np.concatenate(values), index), shape=shape))


def latent_basis(
    maps: Maps, size: int | None = None, *, check: Callable[[], object] | None = None
) -> tuple[torch.Tensor, ...]:
    """Return the functions that the maps carry into each other best, in each image's basis.

    Y minimises ``sum over maps of |C_ij Y_i - Y_j|^2`` under ``sum Y_i' Y_i = I``: the eigenvectors
    of `consistency_matrix` with the ``size`` smallest eigenvalues. Perfectly consistent maps leave
    0. Column l of all Y_i is one function seen on every image; columns whose eigenvalues are equal
    may be rotated among each other, which changes no map that is made of them.

    Parameters
    ----------
    maps : Mapping of (i, j) to Tensor, (k_j, k_i)
    size : int or None
        q, from 1 to the smallest k; None is the smallest k.
    check : callable or None
        Called before each map is added and, beyond 512 rows, in each iteration of the solution;
        what it raises ends the work.

    Returns
    -------
    latent : tuple of Tensor, (k_i, q) each
        Of the maps' type and device.

    Raises
    ------
    ValueError
        If the images are not connected, or a size does not fit.
    ArithmeticError
        If the eigenvectors do not converge.

    References
    ----------
    Wang, Huang and Guibas 2013, "Image co-segmentation via consistent functional maps",
    doi:10.1109/ICCV.2013.110.
    """
    sizes = _sizes(maps)
    size = min(sizes) if size is None else size
    if not 1 <= size <= min(sizes):
        raise ValueError(f"a latent basis has from 1 to {min(sizes)} functions, not {size}")
    W = consistency_matrix(maps, check=check)
    if check is not None:
        check()
    if W.shape[0] <= _DENSE_ROWS:
        Y = torch.linalg.eigh(torch.from_numpy(W.toarray())).eigenvectors[:, :size]
    else:
        Y = _lowest_iteratively(W, sizes, size, check)
    some = next(iter(maps.values()))
    return tuple(part.to(some).contiguous() for part in Y.split(sizes))


def synchronised_map(latent: Sequence[torch.Tensor], i: int, j: int) -> torch.Tensor:
    """Return the map (k_j, k_i) between two images through the latent basis: ``Y_j pinv(Y_i)``.

    Any two images, neighbours or not; such maps are consistent along every cycle.
    """
    inverse = torch.linalg.pinv(latent[i].double())
    C: torch.Tensor = latent[j].double() @ inverse
    return C.to(latent[j])


def check_connected(edges: Sequence[Edge], count: int) -> None:
    """Raise `ValueError` unless the edges connect the images 0 to count - 1."""
    if not edges or min(min(e) for e in edges) < 0 or max(max(e) for e in edges) >= count:
        raise ValueError(f"the graph's edges must join images from 0 to {count - 1}")
    i, j = np.array(edges).T
    graph = sparse.coo_array((np.ones(len(edges)), (i, j)), shape=(count, count))
    parts, part = connected_components(graph, directed=False)
    if parts > 1:
        lone = int(np.flatnonzero(part != part[0])[0])
        raise ValueError(
            f"the graph of images falls into {parts} parts: nothing leads from image 0 to image "
            f"{lone}; add edges between them or solve each part on its own"
        )


def _sizes(maps: Maps) -> list[int]:
    """Return k of each image; raise `ValueError` where maps contradict or images are not joined."""
    found: dict[int, int] = {}
    for (i, j), C in maps.items():
        for image, size in ((i, C.shape[1]), (j, C.shape[0])):
            if found.setdefault(image, size) != size:
                raise ValueError(
                    f"map {(i, j)} takes image {image} to have {size} functions, another map "
                    f"{found[image]}"
                )
    check_connected(list(maps), 1 + max(found, default=-1))
    return [found[i] for i in range(len(found))]


def _append(
    block: NDArray[np.float64],
    top: int,
    left: int,
    rows: list[NDArray[np.int64]],
    cols: list[NDArray[np.int64]],
    values: list[NDArray[np.float64]],
) -> None:
    """Append a dense block at (top, left) to the parts of a coordinate list."""
    i, j = np.indices(block.shape)
    rows.append((top + i).ravel())
    cols.append((left + j).ravel())
    values.append(block.ravel())


def _lowest_iteratively(
    W: sparse.csr_array, sizes: Sequence[int], size: int, check: Callable[[], object] | None
) -> torch.Tensor:
    """Return the lowest eigenvectors (K, size) of a large sparse W by LOBPCG.

    All of them at once, because they are as good as equal, and without a factorisation, whose
    fill-in on a graph of images would not be bounded. Preconditioned by W's diagonal blocks.
    """
    offset = np.concatenate([[0], np.cumsum(sizes)])
    spans = [slice(a, b) for a, b in pairwise(offset)]
    # Where no map leads into an image its block may be singular: a thousandth keeps it solvable.
    inverses = [np.linalg.inv(W[s, s].toarray() + 1e-3 * np.eye(s.stop - s.start)) for s in spans]

    def precondition(residual: NDArray[np.float64]) -> NDArray[np.float64]:
        if check is not None:
            check()
        return np.concatenate([B @ residual[s] for B, s in zip(inverses, spans, strict=True)])

    start = np.random.default_rng(0).standard_normal((W.shape[0], size))
    scale = float(abs(W).sum(axis=1).max())
    with warnings.catch_warnings():
        # It warns where it stops short; the residual is looked at here, against our own bound.
        warnings.simplefilter("ignore", UserWarning)
        evals, Y = lobpcg(
            W, start, M=precondition, largest=False, tol=_RESIDUAL * scale, maxiter=_ITERATIONS
        )
    worst = float(np.linalg.norm(W @ Y - Y * evals, axis=0).max())
    if not worst <= 10 * _RESIDUAL * scale:
        raise ArithmeticError(
            f"the latent basis has a residual of {worst:.1e}; it should be below "
            f"{10 * _RESIDUAL * scale:.1e}: solve fewer images or fewer functions at once"
        )
    return torch.from_numpy(np.ascontiguousarray(Y))
