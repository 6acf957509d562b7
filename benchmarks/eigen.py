"""Eigen-solvers on the graph of a real photo."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from scipy.sparse.linalg import eigsh

from benchmarks.photos import cat_photos
from benchmarks.timing import compare
from fmstudio.features.registry import make_extractor
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.io.images import read_rgb
from fmstudio.spectral.eigenbasis import EigenBasis, solve_eigenbasis, uniform_basis
from fmstudio.spectral.graph import affinity, grid_edges
from fmstudio.spectral.laplacian import Laplacian, build_laplacian

OURS = "ours"
LOBPCG = "torch.lobpcg"
LOBPCG_STEPS = 200
# Above both of these torch.lobpcg takes over half a minute.
LOBPCG_PATCHES, LOBPCG_K = 1000, 100


def make_laplacian(patches_long: int) -> tuple[Laplacian, PatchGrid]:
    """Return the Laplacian of a cat's feature graph, so many patches on the longer side."""
    rgb = read_rgb(cat_photos()[-1])
    grid = PatchGrid.of_long_side(ImageSize(rgb.shape[1], rgb.shape[0]), patches_long)
    features = make_extractor("efficientnet-lite0", device="cpu").extract(rgb, grid).flat()
    return build_laplacian(affinity(features, grid_edges(grid.rows, grid.cols), grid.n)), grid


def measure(patches_long: int, sizes: Sequence[int], repeats: int) -> list[tuple[str, ...]]:
    """Return the table: patches, k, solver, milliseconds, times ours, residual.

    Parameters
    ----------
    patches_long : int
        Patches on the photo's longer side.
    sizes : sequence of int
        Values of k.
    repeats : int
    """
    laplacian, grid = make_laplacian(patches_long)
    return [row for k in sizes for row in _measure_one(laplacian, grid, k, repeats)]


def _measure_one(
    laplacian: Laplacian, grid: PatchGrid, k: int, repeats: int
) -> list[tuple[str, ...]]:
    """Return the rows of one graph and one k."""
    found = compare(_solvers(laplacian, grid, k), repeats)
    base = found[OURS][0]
    rows = [
        (str(grid.n), str(k), name, f"{1e3 * seconds:.1f}", f"{seconds / base:.2f}",
         "another graph" if name.startswith("uniform") else f"{residual(laplacian, pair):.0e}")
        for name, (seconds, pair) in found.items()
    ]  # fmt: skip
    reason = _why_no_lobpcg(grid.n, k)
    if reason:
        rows.append((str(grid.n), str(k), LOBPCG, "-", "-", f"skipped: {reason}"))
    return rows


def _solvers(
    laplacian: Laplacian, grid: PatchGrid, k: int
) -> dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]]:
    """Return the contestants: each returns eigenvalues (k,) and eigenvectors (n, k)."""
    found: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
        OURS: lambda: _pair(solve_eigenbasis(laplacian, k)),
        "eigsh, shift-invert, all defaults": partial(eigsh, laplacian.L, k=k, sigma=-1e-2),
        "torch.linalg.eigh, dense": partial(_solve_dense, laplacian, k),
        "uniform grid in closed form": lambda: _pair(uniform_basis(grid.rows, grid.cols, k)),
    }
    if not _why_no_lobpcg(grid.n, k):
        found[f"{LOBPCG}, {LOBPCG_STEPS} steps"] = partial(_solve_lobpcg, laplacian, k)
    return found


def _why_no_lobpcg(n: int, k: int) -> str:
    """Return why torch.lobpcg takes no part at a size, "" where it does."""
    if 3 * k > n:
        return "needs 3 k patches"
    is_slow = n > LOBPCG_PATCHES and k > LOBPCG_K
    return f"{LOBPCG_STEPS} steps take over 30 s" if is_slow else ""


def _pair(basis: EigenBasis) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues and eigenvectors as arrays."""
    return basis.evals.double().numpy(), basis.evecs.double().numpy()


def _solve_dense(laplacian: Laplacian, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest k of all eigenpairs."""
    evals, evecs = torch.linalg.eigh(torch.from_numpy(laplacian.L.toarray()))
    return evals[:k].numpy(), evecs[:, :k].numpy()


def _solve_lobpcg(laplacian: Laplacian, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenpairs by the solver of the published code, stopped after some steps."""
    L = laplacian.L.tocoo()
    A = torch.sparse_coo_tensor(
        np.stack(L.coords), L.data, L.shape, check_invariants=True
    ).coalesce()
    evals, evecs = torch.lobpcg(A, k=k, largest=False, niter=LOBPCG_STEPS)
    return evals.numpy(), evecs.numpy()


def residual(laplacian: Laplacian, pair: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the largest entry of ``|L v - lambda v|`` over all eigenpairs."""
    evals, evecs = pair
    return float(np.abs(laplacian.L @ evecs - evecs * evals).max())
