import numpy as np
import pytest
import torch

from fmstudio.spectral.fmap import FmapWeights, fmap_energy, solve_fmap, solve_fmap_pair
from fmstudio.spectral.losses import (
    bijectivity_loss,
    cycle_loss,
    descriptor_loss,
    laplacian_loss,
    orthogonality_loss,
    report_losses,
    weighted_sum,
)
from fmstudio.spectral.penalty import commutator_penalty, laplacian_penalty


def problem(k_s=6, k_t=5, p=20, seed=0):
    generator = torch.Generator().manual_seed(seed)
    A = [torch.randn(k, p, generator=generator, dtype=torch.float64) for k in (k_s, k_t)]
    evals = [
        torch.rand(k, generator=generator, dtype=torch.float64).sort().values for k in (k_s, k_t)
    ]
    return A[0], A[1], evals[0], evals[1]


def random(rows, cols, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, cols, generator=generator, dtype=torch.float64)


def squares(array):
    """Sum of squares, entry by entry."""
    return sum(float(v) ** 2 for v in np.asarray(array).ravel())


def test_the_descriptor_term_is_its_definition():
    A_s, A_t, _, _ = problem()
    C = random(5, 6)
    wanted = 0.0
    for channel in range(20):
        carried = C.numpy() @ A_s.numpy()[:, channel]
        wanted += squares(carried - A_t.numpy()[:, channel])
    assert float(descriptor_loss(C, A_s, A_t)) == pytest.approx(wanted)


def test_the_laplacian_term_is_the_commutator():
    _, _, evals_s, evals_t = problem()
    C = random(5, 6)
    commutator = C.numpy() @ np.diag(evals_s) - np.diag(evals_t) @ C.numpy()
    loss = laplacian_loss(C, commutator_penalty(evals_s, evals_t))
    assert float(loss) == pytest.approx(squares(commutator))


def test_the_orthogonality_term_is_that_of_the_singular_values():
    C = random(5, 6)
    sigma = np.linalg.svd(C.numpy(), compute_uv=False)
    assert float(orthogonality_loss(C)) == pytest.approx(squares(1 - sigma))
    rotation = torch.linalg.qr(random(5, 5))[0]
    assert float(orthogonality_loss(rotation)) == pytest.approx(0, abs=1e-20)


def test_the_bijectivity_term_is_the_distance_of_there_and_back_to_the_identity():
    C_st, C_ts = random(5, 6), random(6, 5, seed=2)
    wanted = 0.0
    for i, j in np.ndindex(5, 5):
        entry = sum(float(C_st[i, m] * C_ts[m, j]) for m in range(6))
        wanted += (entry - (i == j)) ** 2
    assert float(bijectivity_loss(C_st, C_ts)) == pytest.approx(wanted)


def test_a_cycle_is_carried_in_its_order():
    C_12, C_23, C_31 = random(5, 6), random(4, 5, seed=2), random(6, 4, seed=3)
    wanted = squares(C_31.numpy() @ C_23.numpy() @ C_12.numpy() - np.eye(6))
    assert float(cycle_loss([C_12, C_23, C_31])) == pytest.approx(wanted)
    turn = torch.linalg.qr(random(4, 4))[0]
    assert float(cycle_loss([turn, turn, turn.T, turn.T])) == pytest.approx(0, abs=1e-20)


def test_cycles_that_are_none_are_refused():
    with pytest.raises(ValueError, match="at least 3"):
        cycle_loss([random(5, 5), random(5, 5)])
    with pytest.raises(ValueError, match="close"):
        cycle_loss([random(5, 6), random(4, 5), random(5, 4)])


@pytest.mark.parametrize("kind", ["commutator", "slanted", "resolvent"])
def test_the_closed_form_minimises_the_weighted_sum(kind):
    A_s, A_t, evals_s, evals_t = values = problem()
    weights = FmapWeights(laplacian=0.7)
    penalty = laplacian_penalty(kind, evals_s, evals_t, slope=0.8)
    C = solve_fmap(*values, lap_weight=0.7, penalty=penalty)
    best = weighted_sum(report_losses(C, A_s, A_t, penalty), weights)
    for seed in range(5):
        other = C + 1e-2 * random(5, 6, seed)
        assert best < weighted_sum(report_losses(other, A_s, A_t, penalty), weights)
    if kind == "commutator":
        assert best == pytest.approx(fmap_energy(C, *values, lap_weight=0.7))


def test_a_half_round_of_the_pair_solver_minimises_the_weighted_sum():
    # After the last half-round C_ts is the minimum for the C_st that came before it.
    A_s, A_t, evals_s, evals_t = values = problem(6, 6)
    weights = FmapWeights(laplacian=0.4, bijectivity=0.9, rounds=2)
    C_st, C_ts = solve_fmap_pair(*values, weights)
    penalty = commutator_penalty(evals_t, evals_s)

    def objective(C):
        return weighted_sum(report_losses(C, A_t, A_s, penalty, C_ts=C_st), weights)

    for seed in range(5):
        assert objective(C_ts) < objective(C_ts + 1e-2 * random(6, 6, seed))


def test_the_report_has_what_can_be_measured():
    A_s, A_t, evals_s, evals_t = problem()
    C, back, penalty = random(5, 6), random(6, 5), commutator_penalty(evals_s, evals_t)
    plain = report_losses(C, A_s, A_t, penalty)
    assert list(plain) == ["descriptors", "laplacian", "orthogonality"]
    full = report_losses(C, A_s, A_t, penalty, C_ts=back, cycle=[C, back, random(6, 6)])
    assert list(full) == [*plain, "bijectivity", "cycle"]
    assert full["bijectivity"] == float(bijectivity_loss(C, back))
    assert all(isinstance(value, float) for value in full.values())
    with pytest.raises(KeyError):
        weighted_sum(plain, FmapWeights(bijectivity=1.0))
