import dataclasses
from itertools import pairwise

import pytest
import torch
from torch.nn.functional import normalize

from fmstudio.errors import Cancelled
from fmstudio.spectral.convert import fmap_to_p2p
from fmstudio.spectral.eigenbasis import EigenBasis, solve_eigenbasis
from fmstudio.spectral.fmap import solve_fmap
from fmstudio.spectral.graph import affinity, grid_edges
from fmstudio.spectral.laplacian import build_laplacian
from fmstudio.spectral.message_passing import MessagePassing
from fmstudio.spectral.network import NetworkSettings, refine_descriptors

ROWS, COLS, K = 10, 12, 12
SMALL = NetworkSettings(width=16, channels=16, steps=6)


def smooth(rows, cols, channels, seed):
    """Smooth random functions on a grid."""
    field = torch.randn(1, channels, 4, 4, generator=torch.Generator().manual_seed(seed))
    fine = torch.nn.functional.interpolate(field, (rows, cols), mode="bicubic")
    return fine[0].flatten(1).T.contiguous()


def make_pair(noise=0.3, rows=ROWS, cols=COLS, k=K, seed=0):
    """An image, and the same one mirrored, with noise of its own on the descriptors."""
    base = smooth(rows, cols, 24, seed)
    mirror = torch.arange(rows * cols).reshape(rows, cols).flip(1).reshape(-1)
    sides = []
    for i, features in enumerate((base, base[mirror])):
        W = affinity(features, grid_edges(rows, cols), rows * cols)
        basis = solve_eigenbasis(build_laplacian(W), k)
        generator = torch.Generator().manual_seed(100 + i)
        noisy = features + noise * torch.randn(features.shape, generator=generator)
        sides.append((normalize(noisy, dim=1), basis))
    (d_s, b_s), (d_t, b_t) = sides
    return (d_s, d_t, b_s, b_t), mirror


def solved(d_s, d_t, b_s, b_t):
    A_s, A_t = b_s.project(d_s) / len(d_s) ** 0.5, b_t.project(d_t) / len(d_t) ** 0.5
    return solve_fmap(A_s, A_t, b_s.evals, b_t.evals, lap_weight=0.1)


def patch_error(problem, truth):
    """Mean distance in patches between where the map says a patch comes from, and the truth."""
    _, _, b_s, b_t = problem
    found = fmap_to_p2p(solved(*problem), b_s, b_t)
    rows = (found // COLS - truth // COLS).float()
    cols = (found % COLS - truth % COLS).float()
    return float(torch.hypot(rows, cols).mean())


def test_the_network_starts_as_the_identity():
    problem, _ = make_pair()
    refined = refine_descriptors(*problem, dataclasses.replace(SMALL, steps=0))
    assert torch.equal(refined.descriptors_s, problem[0])
    assert torch.equal(refined.descriptors_t, problem[1])
    assert len(refined.losses["total"]) == 1


def test_the_losses_of_step_0_are_those_of_the_map_that_is_solved():
    problem, _ = make_pair()
    wide = dataclasses.replace(SMALL, steps=0, channels=2 * K)
    losses = refine_descriptors(*problem, wide).losses
    d_s, d_t, b_s, b_t = problem
    both = []
    for a, b, basis_a, basis_b in ((d_s, d_t, b_s, b_t), (d_t, d_s, b_t, b_s)):
        C = solved(a, b, basis_a, basis_b)
        A_b = basis_b.project(b)
        both.append(float((C @ basis_a.project(a) - A_b).square().sum() / A_b.square().sum()))
    assert losses["descriptor"][0] == pytest.approx(sum(both) / 2, rel=1e-3)
    assert losses["spread"][0] == 0


def test_training_lowers_the_loss_and_returns_the_best_step():
    problem, _ = make_pair()
    refined = refine_descriptors(*problem, dataclasses.replace(SMALL, steps=25))
    total = refined.losses["total"]
    assert min(total) < 0.8 * total[0]
    assert total[refined.best_step] == min(total)
    # The best step's descriptors, judged anew, have the loss that is stated for it.
    plain = dataclasses.replace(SMALL, steps=0, channels=2 * K)
    again = refine_descriptors(refined.descriptors_s, refined.descriptors_t, *problem[2:], plain)
    assert again.losses["bijectivity"][0] < refined.losses["bijectivity"][0]


@pytest.mark.parametrize("seed", [0, 1])
def test_training_betters_the_map_of_a_noisy_mirrored_copy(seed):
    # Here the bases' spectra agree, so that what the losses ask for is true of the right map.
    problem, truth = make_pair(noise=0.8, seed=seed)
    refined = refine_descriptors(*problem, dataclasses.replace(SMALL, steps=25))
    after = (refined.descriptors_s, refined.descriptors_t, *problem[2:])
    assert patch_error(after, truth) < 0.8 * patch_error(problem, truth)


def test_descriptors_keep_their_length_and_turn_no_further_than_their_reach():
    problem, _ = make_pair()
    settings = dataclasses.replace(SMALL, steps=20, learning_rate=0.01, reach=0.2)
    refined = refine_descriptors(*problem, settings)
    for before, after in zip(
        problem[:2], (refined.descriptors_s, refined.descriptors_t), strict=True
    ):
        assert torch.allclose(after.norm(dim=1), before.norm(dim=1), atol=1e-5)
        cosine = (after * before).sum(dim=1)
        assert not torch.equal(after, before)
        assert (cosine >= (1 - 0.2**2) ** 0.5 - 1e-5).all()


def test_the_spread_term_holds_the_channels_variance():
    problem, _ = make_pair()

    def change(spread):
        settings = dataclasses.replace(
            SMALL, steps=25, learning_rate=0.01, reach=0.9, spread=spread, patience=25
        )
        d = refine_descriptors(*problem, settings).descriptors_s
        return float((torch.cov(d.T) - torch.cov(problem[0].T)).norm())

    assert change(10.0) < 0.7 * change(0.0)


def test_the_same_seed_gives_the_same_descriptors_and_leaves_torch_s_generator_alone():
    problem, _ = make_pair()
    state = torch.get_rng_state()
    first, second = (refine_descriptors(*problem, SMALL) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.descriptors_s, second.descriptors_s)
    assert first.losses == second.losses
    other = refine_descriptors(*problem, dataclasses.replace(SMALL, seed=1))
    assert not torch.equal(other.descriptors_s, first.descriptors_s)


def test_training_stops_when_the_loss_no_longer_falls():
    problem, _ = make_pair()
    # Steps this long overshoot: some loss is followed by three that are higher.
    settings = dataclasses.replace(SMALL, steps=50, learning_rate=1.0, patience=3, spread=100.0)
    refined = refine_descriptors(*problem, settings)
    evaluated = len(refined.losses["total"])
    assert evaluated == refined.best_step + 1 + 3
    assert evaluated < 51


def test_a_training_that_diverges_says_so():
    problem, _ = make_pair()
    with pytest.raises(ArithmeticError, match="lower the learning rate"):
        refine_descriptors(*problem, dataclasses.replace(SMALL, learning_rate=1e12))


def test_progress_tells_every_step_and_its_losses():
    problem, _ = make_pair()
    told = []
    refined = refine_descriptors(
        *problem, SMALL, progress=lambda step, steps, losses: told.append((step, steps, losses))
    )
    assert [t[:2] for t in told] == [(i, 6) for i in range(7)]
    assert tuple(t[2]["total"] for t in told) == refined.losses["total"]


def test_a_check_that_raises_ends_the_training():
    problem, _ = make_pair()
    seen = []

    def check():
        if len(seen) == 2:
            raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled):
        refine_descriptors(*problem, SMALL, progress=lambda *step: seen.append(step), check=check)
    assert len(seen) == 2


def test_gradients_reach_every_weight_and_are_finite():
    problem, _ = make_pair()
    d_s, d_t, b_s, b_t = problem
    network = MessagePassing(24, 2, 4, 16, torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.leave.weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(1))
    change_s, change_t = network(d_s, d_t, b_s, b_t)
    solved(d_s + change_s, d_t + change_t, b_s, b_t).square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        # A key's offset shifts all of a patch's attention alike and changes nothing.
        if not name.endswith("key.bias"):
            assert weight.grad.abs().max() > 0, name


def test_exchanging_the_images_exchanges_the_changes():
    (d_s, d_t, b_s, b_t), _ = make_pair()
    network = MessagePassing(24, 1, 2, 8, torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.leave.weight.fill_(0.1)
        there = network(d_s, d_t, b_s, b_t)
        back = network(d_t, d_s, b_t, b_s)
    assert torch.allclose(there[0], back[1], atol=1e-5)
    assert torch.allclose(there[1], back[0], atol=1e-5)
    assert there[0].abs().max() > 0


def test_grids_and_bases_may_differ():
    (d_s, _, b_s, _), _ = make_pair()
    (_, d_t, _, b_t), _ = make_pair(rows=8, cols=9, k=9)
    refined = refine_descriptors(d_s, d_t, b_s, b_t, SMALL)
    assert refined.descriptors_s.shape == (120, 24)
    assert refined.descriptors_t.shape == (72, 24)
    totals = refined.losses["total"]
    assert all(late < early for early, late in pairwise(totals[:3]))


def test_training_works_in_inference_mode():
    problem, _ = make_pair()
    with torch.inference_mode():
        d_s, d_t, b_s, b_t = problem
        bases = [EigenBasis(b.evals.clone(), b.evecs.clone(), b.mass.clone()) for b in (b_s, b_t)]
        refined = refine_descriptors(d_s.clone(), d_t.clone(), *bases, SMALL)
    assert torch.equal(refined.descriptors_s, refine_descriptors(*problem, SMALL).descriptors_s)


def test_descriptors_that_know_nothing_of_the_images_satisfy_the_map_s_losses():
    # Why the reach and the spread term are there: this is where the other terms lead.
    problem, _ = make_pair(noise=0.8)
    _, _, b_s, b_t = problem
    # One function of the basis per channel: A_s and A_t are the same multiple of I.
    still = dataclasses.replace(SMALL, steps=0, channels=2 * K)
    honest = refine_descriptors(*problem, still).losses
    empty = refine_descriptors(b_s.evecs, b_t.evecs, b_s, b_t, still).losses
    for name in ("descriptor", "laplacian", "orthogonality", "bijectivity"):
        assert empty[name][0] < 0.5 * honest[name][0]


def test_constant_descriptors_have_nothing_to_refine_and_do_no_harm():
    (_, _, b_s, b_t), _ = make_pair()
    constant = torch.full((120, 5), 5**-0.5)
    refined = refine_descriptors(constant, constant, b_s, b_t, SMALL)
    assert refined.descriptors_s.isfinite().all()


def test_misfits_and_impossible_settings_are_refused():
    (d_s, d_t, b_s, b_t), _ = make_pair()
    with pytest.raises(ValueError, match="one d"):
        refine_descriptors(d_s, d_t[:, :3], b_s, b_t, SMALL)
    with pytest.raises(ValueError, match="120 patches"):
        refine_descriptors(d_s[:5], d_t, b_s, b_t, SMALL)
    for factor in (torch.nan, 0.0):
        with pytest.raises(ValueError, match="must be finite, and not all"):
            refine_descriptors(d_s, d_t * factor, b_s, b_t, SMALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 10}, "divisible"),
        ({"reach": 1.0}, "reach"),
        ({"patience": 0}, "patience"),
        ({"spread": -1.0}, "spread"),
        ({"learning_rate": 0.0}, "learning_rate"),
    ],
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        NetworkSettings(**change)
