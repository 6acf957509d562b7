"""Eigen-solvers on the graph of a real photo."""

from collections.abc import Callable
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

# lobpcg takes minutes on more patches than this.
LOBPCG_LIMIT = 1000
DENSE_LIMIT = 2000
LOBPCG_STEPS = 200


def make_laplacian(patches_long: int) -> tuple[Laplacian, PatchGrid]:
    """Return the Laplacian of a cat's feature graph, so many patches on the longer side."""
    rgb = read_rgb(cat_photos()[0])
    grid = PatchGrid.of_long_side(ImageSize(rgb.shape[1], rgb.shape[0]), patches_long)
    features = make_extractor("efficientnet-lite0", device="cpu").extract(rgb, grid).flat()
    return build_laplacian(affinity(features, grid_edges(grid.rows, grid.cols), grid.n)), grid


def measure(patches_long: int, k: int, repeats: int) -> list[tuple[str, ...]]:
    """Return the table: patches, k, solver, milliseconds, times ours, residual."""
    laplacian, grid = make_laplacian(patches_long)
    solvers = _solvers(laplacian, grid, k)
    seconds = compare(solvers, repeats)
    base = seconds["ours: shift-invert, single precision"]
    return [
        (str(grid.n), str(k), name, f"{1e3 * seconds[name]:.1f}", f"{seconds[name] / base:.2f}",
         "another graph" if name.startswith("uniform") else f"{residual(laplacian, solve()):.0e}")
        for name, solve in solvers.items()
    ]  # fmt: skip


def _solvers(
    laplacian: Laplacian, grid: PatchGrid, k: int
) -> dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]]:
    """Return the contestants for one graph."""
    found: dict[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = {
        "ours: shift-invert, single precision": lambda: _pair(solve_eigenbasis(laplacian, k)),
        "eigsh, shift-invert, all defaults": partial(eigsh, laplacian.L, k=k, sigma=-1e-2),
        "uniform grid in closed form": lambda: _pair(uniform_basis(grid.rows, grid.cols, k)),
    }
    if grid.n <= DENSE_LIMIT:
        found["torch.linalg.eigh, dense"] = partial(_solve_dense, laplacian, k)
    if grid.n <= LOBPCG_LIMIT and 3 * k <= grid.n:
        found[f"torch.lobpcg, {LOBPCG_STEPS} steps"] = partial(_solve_lobpcg, laplacian, k)
    return found


def _pair(basis: EigenBasis) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenvalues and eigenvectors as arrays."""
    return basis.evals.double().numpy(), basis.evecs.double().numpy()


def _solve_dense(laplacian: Laplacian, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest k of all eigenpairs."""
    evals, evecs = torch.linalg.eigh(torch.from_numpy(laplacian.L.toarray()))
    return evals[:k].numpy(), evecs[:, :k].numpy()


def _solve_lobpcg(laplacian: Laplacian, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return eigenpairs as the published code computes them, stopped after some steps."""
    A = torch.from_numpy(laplacian.L.toarray())
    evals, evecs = torch.lobpcg(A, k=k, largest=False, niter=LOBPCG_STEPS)
    return evals.numpy(), evecs.numpy()


def residual(laplacian: Laplacian, pair: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the largest entry of ``|L v - lambda v|`` over all eigenpairs."""
    evals, evecs = pair
    return float(np.abs(laplacian.L @ evecs - evecs * evals).max())
