from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from fmstudio.spectral.eigenbasis import uniform_basis
from fmstudio.spectral.fmap import (
    FmapWeights,
    fmap_energy,
    nearest_orthogonal,
    solve_fmap,
    solve_fmap_pair,
)
from fmstudio.spectral.reference import published_energy, solve_fmap_iterative


def problem(k_s=12, k_t=10, p=40, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    A_s, A_t = (torch.randn(k, p, generator=generator, dtype=dtype) for k in (k_s, k_t))
    evals = [torch.rand(k, generator=generator, dtype=dtype).sort().values for k in (k_s, k_t)]
    return A_s, A_t, evals[0], evals[1]


def pair_energy(C_st, C_ts, problem, weights):
    A_s, A_t, evals_s, evals_t = problem
    ortho = sum((C - nearest_orthogonal(C)).square().sum() for C in (C_st, C_ts))
    forth = (C_st @ C_ts - torch.eye(len(C_st))).square().sum()
    back = (C_ts @ C_st - torch.eye(len(C_ts))).square().sum()
    data = fmap_energy(C_st, A_s, A_t, evals_s, evals_t, lap_weight=weights.laplacian)
    data += fmap_energy(C_ts, A_t, A_s, evals_t, evals_s, lap_weight=weights.laplacian)
    return data + weights.orthogonality * float(ortho), float(forth), float(back)


def test_closed_form_is_the_minimum():
    A_s, A_t, evals_s, evals_t = values = problem(5, 4)
    C = solve_fmap(*values, lap_weight=0.7)

    def energy(flat):
        return fmap_energy(
            torch.from_numpy(flat).reshape(4, 5), A_s, A_t, evals_s, evals_t, lap_weight=0.7
        )

    best = minimize(energy, np.zeros(20), tol=1e-12)
    assert np.allclose(C.numpy().ravel(), best.x, atol=1e-3)
    assert energy(C.numpy().ravel()) <= best.fun * (1 + 1e-6)


def test_closed_form_agrees_with_pyfm():
    from pyFM.optimize import base_functions

    A_s, A_t, evals_s, evals_t = values = problem()
    C = solve_fmap(*values, lap_weight=0.3)
    ev_sqdiff = ((evals_s[None, :] - evals_t[:, None]) ** 2).numpy()
    theirs = base_functions.energy_func_std(
        C.numpy().ravel(), 1.0, 0.3, 0.0, 0.0, A_s.numpy(), A_t.numpy(), [], [], ev_sqdiff
    )
    # pyFM halves both terms.
    ours = fmap_energy(C, A_s, A_t, evals_s, evals_t, lap_weight=0.3)
    assert ours / 2 == pytest.approx(theirs, rel=1e-9)


def test_map_of_an_image_to_itself_is_the_identity():
    A_s, _, evals_s, _ = problem()
    C = solve_fmap(A_s, A_s, evals_s, evals_s, lap_weight=1.0)
    assert torch.allclose(C, torch.eye(12, dtype=C.dtype), atol=1e-4)


def test_a_large_laplacian_weight_makes_the_map_diagonal():
    A_s, A_t, _, _ = problem(10, 10)
    evals_s = torch.linspace(0, 1, 10, dtype=A_s.dtype)
    loose = solve_fmap(A_s, A_t, evals_s, evals_s, lap_weight=0.0)
    tight = solve_fmap(A_s, A_t, evals_s, evals_s, lap_weight=1e6)

    def off(C):
        return float((C - C.diag().diag()).norm() / C.norm())

    assert off(tight) < 1e-2 < off(loose)


def test_rank_deficient_descriptors_are_solvable():
    A_s, A_t, evals_s, evals_t = problem(30, 30, p=3, dtype=torch.float32)
    assert solve_fmap(A_s, A_t, evals_s, evals_t, lap_weight=0.0).isfinite().all()


def test_pair_solution_without_further_terms_is_two_closed_forms():
    A_s, A_t, evals_s, evals_t = values = problem()
    C_st, C_ts = solve_fmap_pair(*values, FmapWeights(laplacian=0.5))
    assert torch.allclose(C_st, solve_fmap(*values, lap_weight=0.5))
    assert torch.allclose(C_ts, solve_fmap(A_t, A_s, evals_t, evals_s, lap_weight=0.5))


def test_bijectivity_and_orthogonality_do_what_they_say():
    values = problem(10, 10)
    plain = solve_fmap_pair(*values, FmapWeights())
    bijective = solve_fmap_pair(*values, FmapWeights(bijectivity=50.0, rounds=10))
    orthogonal = solve_fmap_pair(*values, FmapWeights(orthogonality=500.0, rounds=10))

    def inverse_error(C_st, C_ts):
        return float((C_st @ C_ts - torch.eye(10)).norm())

    def orthogonality_error(C):
        return float((C @ C.T - torch.eye(10)).norm())

    assert inverse_error(*bijective) < 0.7 * inverse_error(*plain)
    assert orthogonality_error(orthogonal[0]) < 0.2 * orthogonality_error(plain[0])


def test_more_rounds_never_raise_the_orthogonal_energy():
    values = problem(9, 9)
    energies = [
        pair_energy(*solve_fmap_pair(*values, weights), values, weights)[0]
        for weights in (FmapWeights(orthogonality=20.0, rounds=r) for r in (1, 2, 4, 8))
    ]
    assert all(late <= early * (1 + 1e-9) for early, late in pairwise(energies))


def test_nearest_orthogonal_is_orthogonal_and_nearest():
    C = torch.randn(6, 6, dtype=torch.float64)
    R = nearest_orthogonal(C)
    assert torch.allclose(R @ R.T, torch.eye(6, dtype=R.dtype), atol=1e-10)
    for seed in range(5):
        torch.manual_seed(seed)
        other = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64))[0]
        assert (C - R).norm() <= (C - other).norm() + 1e-12


@pytest.mark.parametrize(
    ("shapes", "message"),
    [(((3, 5), (3, 6), 3, 3), "one p"), (((3, 5), (3, 5), 4, 3), "do not fit")],
)
def test_misfits_are_refused(shapes, message):
    a, b, k_s, k_t = shapes
    with pytest.raises(ValueError, match=message):
        solve_fmap(torch.ones(a), torch.ones(b), torch.ones(k_s), torch.ones(k_t), lap_weight=1.0)


def test_published_solver_descends_but_stays_above_the_closed_form():
    A_s = uniform_basis(12, 12, 20).project(torch.randn(144, 60)).double()
    A_t = uniform_basis(12, 12, 20).project(torch.randn(144, 60)).double()
    evals = uniform_basis(12, 12, 20).evals.double()
    start = published_energy(torch.eye(20, dtype=torch.float64), A_s, A_t, evals, evals)
    iterated = solve_fmap_iterative(A_s, A_t, evals, evals, steps=200)
    closed = solve_fmap(A_s, A_t, evals, evals, lap_weight=50.0)
    energies = [published_energy(C, A_s, A_t, evals, evals) for C in (closed, iterated)]
    assert energies[0] < energies[1] < start
    assert iterated.min() >= 0
    assert iterated.max() <= 1
