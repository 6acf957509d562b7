"""The low-frequency functions of an image: eigenvectors of its Laplacian."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh, splu

from fmstudio.spectral.laplacian import Laplacian
from fmstudio.spectral.threads import one_blas_thread

# Just below the spectrum: the factorised matrix is positive definite and the wanted end is nearest.
_SHIFT = -1e-2
_TOLERANCE = 1e-6
# Above this share of all eigenvectors a dense solver is the faster one.
_DENSE_SHARE = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class EigenBasis:
    """A basis of slowly varying functions on the patches of one image.

    Attributes
    ----------
    evals : Tensor, (k,) float32
        Ascending, in [0, 2].
    evecs : Tensor, (n, k) float32
        ``evecs.T @ diag(mass) @ evecs = I``; each column's largest entry is positive.
    mass : Tensor, (n,) float32
        Lumped mass of the patches.
    """

    evals: torch.Tensor
    evecs: torch.Tensor
    mass: torch.Tensor

    @property
    def k(self) -> int:
        """Return the number of functions."""
        return len(self.evals)

    def project(self, functions: torch.Tensor) -> torch.Tensor:
        """Return the coefficients (k, p) of functions (n, p): ``evecs.T @ diag(mass) @ f``."""
        return self.evecs.T @ (self.mass[:, None] * functions)

    def lift(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Return the functions (n, p) with coefficients (k, p)."""
        return self.evecs @ coefficients

    def low_pass(self, functions: torch.Tensor) -> torch.Tensor:
        """Return functions (n, p) with everything outside the basis removed."""
        return self.lift(self.project(functions))

    def truncated(self, k: int) -> "EigenBasis":
        """Return the first ``k`` functions; ``k`` from 1 to the basis size."""
        if not 1 <= k <= self.k:
            raise ValueError(f"a basis of {self.k} functions has no first {k}")
        return EigenBasis(self.evals[:k], self.evecs[:, :k], self.mass)

    def per_patch(self) -> "EigenBasis":
        """Return the same functions with mean square 1 and a mass that sums to 1.

        Maps between grids of different sizes are then on one scale: the coefficients are those of
        `project` over the square root of n.
        """
        n = len(self.mass)
        return EigenBasis(self.evals, self.evecs * n**0.5, self.mass / n)

    def to(self, device: torch.device | str) -> "EigenBasis":
        """Return the basis on a device."""
        return EigenBasis(self.evals.to(device), self.evecs.to(device), self.mass.to(device))


def solve_eigenbasis(laplacian: Laplacian, k: int) -> EigenBasis:
    """Return the ``k`` eigenvectors of a Laplacian with the smallest eigenvalues.

    Shift-invert Lanczos just below zero, with BLAS held to one thread (its small panels make the
    threads wait for each other); a dense solver where ``k`` is a large share of n.

    Parameters
    ----------
    laplacian : Laplacian
        Of n patches.
    k : int
        From 1 to n.

    Raises
    ------
    ValueError
        If ``k`` is out of range.
    ArithmeticError
        If the residual ``|L v - lambda M v|`` of an eigenpair is not small: the graph is unusable.
    """
    n = len(laplacian.mass)
    if not 1 <= k <= n:
        raise ValueError(f"a graph of {n} patches has from 1 to {n} eigenvectors, not {k}")
    solve = _solve_dense if k > _DENSE_SHARE * n else _solve_shift_invert
    evals, evecs = solve(laplacian, k)
    order = np.argsort(evals)
    evals, evecs = evals[order], evecs[:, order]
    _check_residual(laplacian, evals, evecs)
    return _as_basis(np.clip(evals, 0.0, 2.0), _fix_signs(evecs), laplacian.mass)


def uniform_basis(rows: int, cols: int, k: int) -> EigenBasis:
    """Return the ``k`` lowest cosine functions of a grid: its uniform graph in closed form.

    They are the eigenvectors of the 4-neighbour Laplacian ``D - W`` with unit weights, whose
    eigenvalues ``4 - 2 cos(pi i / rows) - 2 cos(pi j / cols)`` are divided by 4 to lie in [0, 2].

    Parameters
    ----------
    rows, cols : int
        At least 1.
    k : int
        From 1 to ``rows * cols``.

    Raises
    ------
    ValueError
        If ``k`` is out of range.

    References
    ----------
    Strang 1999, "The discrete cosine transform", doi:10.1137/S0036144598336745, section 2 (DCT-2).
    """
    n = rows * cols
    if not 1 <= k <= n:
        raise ValueError(f"a grid of {n} patches has from 1 to {n} functions, not {k}")
    down, across = _cosines(rows), _cosines(cols)
    frequency = (down[0][:, None] + across[0][None, :]) / 4
    chosen = np.argsort(frequency.ravel(), kind="stable")[:k]
    i, j = np.divmod(chosen, cols)
    evecs = (down[1][:, None, i] * across[1][None, :, j]).reshape(n, k)
    return _as_basis(frequency.ravel()[chosen], _fix_signs(evecs), np.ones(n))


def _cosines(length: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return eigenvalues (length,) and orthonormal eigenvectors (length, length) of a path."""
    index = np.arange(length)
    evals = 2 - 2 * np.cos(np.pi * index / length)
    evecs = np.cos(np.pi * np.outer(index + 0.5, index) / length)
    return evals, evecs / np.linalg.norm(evecs, axis=0)


def _solve_shift_invert(
    laplacian: Laplacian, k: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the k lowest eigenpairs by ARPACK on the symmetrised, factorised problem.

    In single precision, in which the basis is kept: a fifth faster, with residuals near 1e-7.
    """
    root = np.sqrt(laplacian.mass)
    A = _symmetrised(laplacian, root)
    # A fixed start makes the result repeatable; a constant one can miss symmetric eigenvectors.
    start = np.random.default_rng(0).standard_normal(len(root)).astype(np.float32)
    shifted = A - sparse.diags_array(np.full(len(root), np.float32(_SHIFT)), format="csc")
    with one_blas_thread():
        # Positive definite: no pivoting, and the order of least fill of a symmetric pattern.
        factors = splu(
            shifted,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        inverse = LinearOperator(A.shape, matvec=factors.solve, dtype=np.float32)
        evals, evecs = eigsh(
            A, k=k, sigma=_SHIFT, which="LM", v0=start, tol=_TOLERANCE, OPinv=inverse
        )
    return evals.astype(np.float64), evecs.astype(np.float64) / root[:, None]


def _symmetrised(laplacian: Laplacian, root: NDArray[np.float64]) -> sparse.csc_array:
    """Return ``M^-1/2 L M^-1/2`` in single precision."""
    A = sparse.csc_array(laplacian.L, copy=True)
    columns = np.repeat(np.arange(len(root)), np.diff(A.indptr))
    A.data /= root[A.indices] * root[columns]
    return A.astype(np.float32)


def _solve_dense(laplacian: Laplacian, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the k lowest eigenpairs by a dense solver (torch's: it lets go of the GIL)."""
    root = np.sqrt(laplacian.mass)
    A = laplacian.L.toarray() / root[:, None] / root[None, :]
    evals, evecs = torch.linalg.eigh(torch.from_numpy(A))
    return evals[:k].numpy(), evecs[:, :k].numpy() / root[:, None]


def _check_residual(
    laplacian: Laplacian, evals: NDArray[np.float64], evecs: NDArray[np.float64]
) -> None:
    """Raise `ArithmeticError` unless every pair solves the eigenproblem."""
    residual = laplacian.L @ evecs - laplacian.mass[:, None] * evecs * evals
    worst = float(np.abs(residual).max())
    if not worst < 1e-5:
        raise ArithmeticError(
            f"the eigenbasis has a residual of {worst:.1e}; it should be below 1e-5"
        )


def _fix_signs(evecs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return eigenvectors whose entry of largest magnitude is positive."""
    largest = np.abs(evecs).argmax(axis=0)
    signs = np.sign(evecs[largest, np.arange(evecs.shape[1])])
    return np.asarray(evecs * signs)


def _as_basis(
    evals: NDArray[np.float64], evecs: NDArray[np.float64], mass: NDArray[np.float64]
) -> EigenBasis:
    """Return a single-precision basis: half the memory, and far below the features' noise."""
    values = (torch.from_numpy(np.ascontiguousarray(a)).float() for a in (evals, evecs, mass))
    return EigenBasis(*values)
