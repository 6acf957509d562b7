import numpy as np
import pytest
import torch
from scipy import sparse

from fmstudio.spectral.eigenbasis import solve_eigenbasis, uniform_basis
from fmstudio.spectral.graph import affinity, grid_edges
from fmstudio.spectral.laplacian import Laplacian, build_laplacian


def laplacian_of(rows, cols, kind="symmetric", seed=0):
    features = torch.from_numpy(np.random.default_rng(seed).standard_normal((rows * cols, 6)))
    return build_laplacian(affinity(features, grid_edges(rows, cols), rows * cols), kind)


def projector(basis):
    return basis.evecs @ basis.evecs.T @ torch.diag(basis.mass)


@pytest.mark.parametrize("kind", ["symmetric", "random-walk"])
@pytest.mark.parametrize("k", [12, 150])  # shift-invert, and dense
def test_eigenvectors_solve_the_problem_and_are_mass_orthonormal(kind, k):
    laplacian = laplacian_of(14, 16, kind)
    basis = solve_eigenbasis(laplacian, k)
    evecs, evals = basis.evecs.double().numpy(), basis.evals.double().numpy()
    residual = laplacian.L @ evecs - laplacian.mass[:, None] * evecs * evals
    assert np.abs(residual).max() < 1e-5
    gram = basis.evecs.T @ (basis.mass[:, None] * basis.evecs)
    assert torch.allclose(gram, torch.eye(k), atol=1e-4)
    assert (basis.evals.diff() >= -1e-6).all()
    assert basis.evals[0] == pytest.approx(0, abs=1e-6)


def test_shift_invert_finds_the_dense_solver_s_eigenvalues():
    laplacian = laplacian_of(12, 13)
    dense = np.linalg.eigvalsh(laplacian.L.toarray())[:30]
    assert np.allclose(solve_eigenbasis(laplacian, 30).evals.numpy(), dense, atol=1e-6)


def test_first_random_walk_eigenvector_is_constant():
    first = solve_eigenbasis(laplacian_of(9, 9, "random-walk"), 5).evecs[:, 0]
    assert torch.allclose(first, first[0].expand_as(first), atol=1e-5)
    assert first[0] > 0


def test_the_same_image_gives_the_same_basis():
    first, second = (solve_eigenbasis(laplacian_of(10, 11), 20) for _ in range(2))
    assert torch.equal(first.evecs, second.evecs)


def test_uniform_basis_solves_the_unweighted_grid():
    rows, cols, k = 7, 9, 20
    basis = uniform_basis(rows, cols, k)
    W = affinity(None, grid_edges(rows, cols), rows * cols).toarray()
    L = (np.diag(W.sum(axis=1)) - W) / 4
    evecs, evals = basis.evecs.double().numpy(), basis.evals.double().numpy()
    assert np.abs(L @ evecs - evecs * evals).max() < 1e-5
    assert np.allclose(evals, np.linalg.eigvalsh(L)[:k], atol=1e-6)
    assert torch.allclose(basis.evecs.T @ basis.evecs, torch.eye(k), atol=1e-5)


def test_repeated_eigenvalues_give_one_subspace():
    # A square grid's eigenvectors come in pairs: only their span is determined.
    W = affinity(None, grid_edges(8, 8), 64)
    degree = np.asarray(W.sum(axis=1)).ravel()
    L = sparse.csc_array((np.diag(degree) - W.toarray()) / 4)
    solved = solve_eigenbasis(Laplacian(L, np.ones(64)), 15)
    assert torch.allclose(projector(solved), projector(uniform_basis(8, 8, 15)), atol=1e-4)


def test_projecting_a_lifted_function_returns_its_coefficients():
    basis = solve_eigenbasis(laplacian_of(10, 10, "random-walk"), 25)
    coefficients = torch.randn(25, 3)
    assert torch.allclose(basis.project(basis.lift(coefficients)), coefficients, atol=1e-4)
    smooth = basis.low_pass(torch.randn(100, 2))
    assert torch.allclose(basis.low_pass(smooth), smooth, atol=1e-4)


def test_truncation_keeps_the_lowest():
    basis = uniform_basis(5, 5, 10)
    assert basis.truncated(4).k == 4
    assert torch.equal(basis.truncated(4).evals, basis.evals[:4])
    with pytest.raises(ValueError, match="no first 11"):
        basis.truncated(11)


@pytest.mark.parametrize("k", [0, 101])
def test_impossible_sizes_are_refused(k):
    with pytest.raises(ValueError, match="from 1 to 100"):
        solve_eigenbasis(laplacian_of(10, 10), k)
    with pytest.raises(ValueError, match="from 1 to 100"):
        uniform_basis(10, 10, k)


def test_a_failed_solution_is_not_returned(monkeypatch):
    laplacian = laplacian_of(10, 10)

    def wrong(A, **_):
        return np.zeros(5), np.linalg.qr(np.random.default_rng(0).standard_normal((100, 5)))[0]

    monkeypatch.setattr("fmstudio.spectral.eigenbasis.eigsh", wrong)
    with pytest.raises(ArithmeticError, match="residual"):
        solve_eigenbasis(laplacian, 5)
