import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.spectral.convert import (
    fmap_to_p2p,
    hub_corrected,
    map_similarity,
    p2p_to_fmap,
    row_at,
    soft_argmax,
)
from fmstudio.spectral.eigenbasis import solve_eigenbasis, uniform_basis
from fmstudio.spectral.graph import affinity, grid_edges
from fmstudio.spectral.laplacian import build_laplacian

GRID = PatchGrid(ImageSize(160, 96), 6, 10)


def full_basis(kind, seed):
    torch.manual_seed(seed)
    W = affinity(torch.randn(60, 5), grid_edges(6, 10), 60)
    return solve_eigenbasis(build_laplacian(W, kind), 60)


@pytest.mark.parametrize("kind", ["symmetric", "random-walk"])
def test_a_point_map_returns_through_a_full_basis(kind):
    basis_s, basis_t = full_basis(kind, 0), full_basis(kind, 1)
    p2p_ts = torch.randperm(60)
    C_st = p2p_to_fmap(p2p_ts, basis_s, basis_t)
    assert torch.equal(fmap_to_p2p(C_st, basis_s, basis_t), p2p_ts)


def test_the_map_of_a_point_map_carries_functions_as_the_point_map_does():
    basis_s, basis_t = full_basis("random-walk", 0), full_basis("random-walk", 1)
    p2p_ts = torch.randint(0, 60, (60,))
    function = torch.randn(60, 2)
    carried = basis_t.lift(p2p_to_fmap(p2p_ts, basis_s, basis_t) @ basis_s.project(function))
    assert torch.allclose(carried, function[p2p_ts], atol=1e-3)


def test_similarity_of_an_image_with_itself_peaks_on_the_diagonal():
    basis = uniform_basis(6, 10, 60)
    similarity = map_similarity(torch.eye(60), basis, basis, basis.project(torch.randn(60, 16)))
    assert torch.equal(similarity.argmax(dim=1), torch.arange(60))
    assert torch.allclose(similarity.diagonal(), torch.ones(60), atol=1e-4)


def test_similarity_follows_a_mirror():
    # Mirrored, a cosine of odd horizontal order changes its sign.
    basis = uniform_basis(6, 10, 60)
    mirror = torch.arange(60).reshape(6, 10).flip(1).reshape(-1)
    C = p2p_to_fmap(mirror, basis, basis)
    similarity = map_similarity(C, basis, basis, basis.project(torch.randn(60, 16)))
    assert torch.equal(similarity.argmax(dim=1), mirror)


def test_similarity_is_the_cosine_of_band_limited_and_carried_descriptors():
    # In all channels, whose products the Gram matrix of the coefficients stands for.
    basis_s, basis_t = uniform_basis(6, 10, 20), uniform_basis(7, 8, 15)
    C, A_s = torch.randn(15, 20), torch.randn(20, 16)
    smooth = torch.nn.functional.normalize(basis_s.lift(A_s), dim=1)
    carried = torch.nn.functional.normalize(basis_t.lift(C @ A_s), dim=1)
    assert torch.allclose(map_similarity(C, basis_s, basis_t, A_s), smooth @ carried.T, atol=1e-5)


def test_hubs_lose_their_advantage():
    similarity = torch.full((4, 4), 0.1)
    similarity.fill_diagonal_(0.8)
    similarity[:, 0] = 0.85  # patch 0 of the target resembles everything
    assert similarity.argmax(dim=1).tolist() == [0, 0, 0, 0]
    assert hub_corrected(similarity, 4).argmax(dim=1).tolist() == [0, 1, 2, 3]


def test_hub_correction_of_few_patches_uses_what_there_is():
    assert hub_corrected(torch.randn(3, 2), 10).shape == (3, 2)


@given(st.floats(-20, 180), st.floats(-20, 120))
def test_row_at_interpolates_linear_functions_exactly(x, y):
    centers = torch.from_numpy(GRID.centers())
    low, high = GRID.centers().min(axis=0), GRID.centers().max(axis=0)
    expected = np.clip([[x, y]], low, high)
    assert np.allclose(row_at(centers, GRID, np.array([[x, y]])).numpy(), expected, atol=1e-9)


def test_row_at_works_on_a_single_patch():
    grid = PatchGrid(ImageSize(10, 10), 1, 1)
    assert row_at(torch.tensor([[7.0]]), grid, np.array([[3.0, 9.0]])).tolist() == [[7.0]]


@given(st.floats(1.2, 7.8), st.floats(1.2, 3.8))
def test_soft_argmax_finds_a_smooth_peak_between_centres(col, row):
    rows, cols = np.divmod(np.arange(60), 10)
    score = torch.from_numpy(-0.02 * ((rows - row) ** 2 + (cols - col) ** 2))[None]
    found = GRID.xy_to_rc(soft_argmax(score, GRID, temperature=0.02))[0]
    assert np.abs(found - [row, col]).max() < 0.12


def test_soft_argmax_stays_inside_at_a_corner():
    score = torch.zeros(1, 60)
    score[0, 0] = 1.0
    xy = soft_argmax(score, GRID)
    assert np.abs(xy - GRID.centers()[:1]).max() < 1e-3
