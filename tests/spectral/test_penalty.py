import math

import numpy as np
import pytest
import torch

from fmstudio.engine.requests import LAP_MASKS
from fmstudio.spectral.fmap import FmapWeights, fmap_energy, solve_fmap, solve_fmap_pair
from fmstudio.spectral.penalty import (
    PENALTIES,
    commutator_penalty,
    laplacian_penalty,
    resolvent_penalty,
    slanted_penalty,
)

EVALS_S = torch.linspace(0, 1.2, 7, dtype=torch.float64)
EVALS_T = torch.linspace(0, 0.9, 5, dtype=torch.float64) ** 2


def test_the_settings_offer_every_penalty():
    assert LAP_MASKS == PENALTIES


@pytest.mark.parametrize("slope", [0.4, 1.0, 2.5])
def test_slanted_weights_equal_their_formula(slope):
    penalty = slanted_penalty(6, 4, slope=slope)
    for j, i in np.ndindex(4, 6):
        ease = math.exp(-0.03 * math.sqrt((i + 1) ** 2 + (j + 1) ** 2))
        # The cross product of (i, j) with the diagonal's unit direction (1, slope).
        distance = abs(i * slope - j * 1) / math.hypot(1, slope)
        assert float(penalty[j, i]) == pytest.approx((ease * distance) ** 2)


def test_the_slanted_diagonal_is_free_and_the_reverse_is_its_transpose():
    penalty = slanted_penalty(6, 12, slope=2.0)
    assert [float(penalty[2 * i, i]) for i in range(6)] == [0.0] * 6
    assert (penalty > 0).sum() == 6 * 12 - 6
    assert torch.allclose(slanted_penalty(12, 6, slope=0.5), penalty.T)


def test_resolvent_weights_are_the_difference_of_the_resolvents():
    penalty = resolvent_penalty(EVALS_S, EVALS_T)
    largest = float(EVALS_S.max())
    for j, i in np.ndindex(5, 7):
        s, t = (math.sqrt(float(v) / largest) for v in (EVALS_S[i], EVALS_T[j]))
        # 1 / (x - i) = x / (1 + x^2) + i / (1 + x^2).
        assert float(penalty[j, i]) == pytest.approx(abs(1 / (s - 1j) - 1 / (t - 1j)) ** 2)


def test_resolvent_takes_eigenvalues_that_rounding_put_below_zero():
    evals = torch.tensor([-1e-9, 0.3, 0.6])
    assert resolvent_penalty(evals, evals).isfinite().all()


@pytest.mark.parametrize("kind", PENALTIES)
def test_penalties_are_of_one_size(kind):
    penalty = laplacian_penalty(kind, EVALS_S, EVALS_T, slope=0.7)
    assert penalty.shape == (5, 7)
    assert penalty.dtype == EVALS_S.dtype
    wanted = float(commutator_penalty(EVALS_S, EVALS_T).mean())
    assert float(penalty.mean()) == pytest.approx(wanted)


@pytest.mark.parametrize("kind", PENALTIES)
def test_one_function_is_never_penalised_into_nothing(kind):
    one = torch.zeros(1)
    assert laplacian_penalty(kind, one, one).tolist() == [[0.0]]


def test_unknown_kinds_and_slopes_are_refused():
    with pytest.raises(ValueError, match='not "wide"'):
        laplacian_penalty("wide", EVALS_S, EVALS_T)
    with pytest.raises(ValueError, match="above 0"):
        laplacian_penalty("slanted", EVALS_S, EVALS_T, slope=0.0)


@pytest.mark.parametrize("kind", PENALTIES)
def test_the_solver_minimises_under_any_penalty(kind):
    generator = torch.Generator().manual_seed(0)
    A_s, A_t = (torch.randn(k, 20, generator=generator, dtype=torch.float64) for k in (7, 5))
    penalty = laplacian_penalty(kind, EVALS_S, EVALS_T, slope=0.7)
    C = solve_fmap(A_s, A_t, EVALS_S, EVALS_T, lap_weight=3.0, penalty=penalty)
    # The gradient of |C A_s - A_t|^2 + 3 sum(penalty C^2) vanishes.
    slope = (C @ A_s - A_t) @ A_s.T + 3.0 * penalty * C
    assert float(slope.abs().max()) < 1e-3 * float((A_t @ A_s.T).abs().max())


def test_the_default_penalty_is_the_commutator():
    generator = torch.Generator().manual_seed(0)
    A_s, A_t = (torch.randn(k, 20, generator=generator, dtype=torch.float64) for k in (7, 5))
    terms = (A_s, A_t, EVALS_S, EVALS_T)
    penalty = commutator_penalty(EVALS_S, EVALS_T)
    plain = solve_fmap(*terms, lap_weight=0.5)
    assert torch.equal(plain, solve_fmap(*terms, lap_weight=0.5, penalty=penalty))
    weights = FmapWeights(laplacian=0.5, bijectivity=0.2, orthogonality=0.1)
    for a, b in zip(
        solve_fmap_pair(*terms, weights), solve_fmap_pair(*terms, weights, penalty), strict=True
    ):
        assert torch.equal(a, b)
    data = float((plain @ A_s - A_t).square().sum())
    energy = fmap_energy(plain, *terms, lap_weight=0.5)
    assert energy == pytest.approx(data + 0.5 * float((penalty * plain.square()).sum()))
