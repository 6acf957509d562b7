import pytest
import torch

from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.spectral.eigenbasis import uniform_basis
from fmstudio.spectral.fmap import solve_fmap
from fmstudio.spectral.partial import foreground, overlap, patch_weights, slant
from fmstudio.spectral.penalty import laplacian_penalty

GRID = PatchGrid(ImageSize(160, 128), 8, 10)


def test_images_that_are_one_overlap_wholly():
    own = torch.arange(80)
    assert overlap(own, own, GRID, GRID) == (1.0, 1.0)


def test_a_crop_is_all_of_itself_and_a_part_of_the_whole():
    half = PatchGrid(ImageSize(80, 128), 8, 5)
    index = torch.arange(80).reshape(8, 10)
    p2p_ts = index[:, :5].reshape(-1)  # the crop's patches in the whole
    # What lies outside the crop finds its last column, whence it does not return.
    p2p_st = (torch.arange(8)[:, None] * 5 + torch.arange(10).clamp_max(4)[None]).reshape(-1)
    shares = overlap(p2p_st, p2p_ts, GRID, half)
    # Up to two patches beyond the crop's edge count as found.
    assert shares == (pytest.approx(0.7), 1.0)
    assert slant(*shares) == pytest.approx(0.7)


def test_constant_maps_share_next_to_nothing():
    none = torch.zeros(80, dtype=torch.int64)
    shares = overlap(none, none, GRID, GRID)
    assert max(shares) < 0.1
    assert slant(0.01, 0.9) == 1.0


def test_the_slope_is_held_within_bounds():
    assert slant(0.06, 1.0) == 0.25
    assert slant(1.0, 0.06) == 4.0


def test_the_true_map_of_a_crop_lies_on_the_slanted_diagonal():
    # One row of patches, and its first half: cosines of half the length have twice the pitch.
    whole, half = uniform_basis(1, 64, 16), uniform_basis(1, 32, 16)
    C = half.project(whole.evecs[:32])
    energies = [
        float((laplacian_penalty("slanted", whole.evals, half.evals, slope=s) * C**2).sum())
        for s in (0.5, 1.0, 2.0)
    ]
    assert slant(0.5, 1.0) == 0.5
    assert energies[0] < 0.5 * min(energies[1:])


def test_the_slanted_penalty_helps_where_descriptors_say_little():
    whole, half = uniform_basis(1, 64, 12), uniform_basis(1, 32, 12)
    truth = half.project(whole.evecs[:32])
    D = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
    A_s, A_t = whole.project(whole.low_pass(D)), half.project(whole.low_pass(D)[:32])
    errors = {}
    for kind in ("commutator", "slanted"):
        penalty = laplacian_penalty(kind, whole.evals, half.evals, slope=0.5)
        C = solve_fmap(A_s, A_t, whole.evals, half.evals, lap_weight=1.0, penalty=penalty)
        errors[kind] = float((C - truth).norm())
    assert errors["slanted"] < errors["commutator"]


def test_what_is_unlike_the_border_is_foreground():
    kinds = torch.zeros(8, 10, dtype=torch.int64)
    kinds[3:6, 4:7] = 1
    descriptors = torch.eye(3)[kinds.reshape(-1)]
    assert torch.equal(foreground(descriptors, GRID).reshape(8, 10), (kinds == 1).float())


def test_a_lone_patch_on_the_border_may_be_foreground_and_a_blank_image_is():
    kinds = torch.zeros(8, 10, dtype=torch.int64)
    kinds[0, 4] = 1
    fore = foreground(torch.eye(3)[kinds.reshape(-1)], GRID).reshape(8, 10)
    assert fore[0, 4] == 1
    assert fore.sum() == 1
    blank = torch.eye(3)[torch.zeros(80, dtype=torch.int64)]
    assert foreground(blank, GRID).tolist() == [1.0] * 80
    assert foreground(torch.eye(3)[:1], PatchGrid(ImageSize(9, 9), 1, 1)).tolist() == [1.0]


def test_patch_weights_have_mean_square_one():
    fore = torch.rand(80, generator=torch.Generator().manual_seed(0))
    weights = patch_weights(fore, 0.8)
    assert float(weights.square().mean()) == pytest.approx(1, rel=1e-5)
    assert torch.allclose(weights / weights[0], (0.2 + 0.8 * fore) / (0.2 + 0.8 * fore[0]))
    assert torch.allclose(patch_weights(fore, 0.0), torch.ones(80))
