import pytest
import torch

from fmstudio.spectral.convert import fmap_to_p2p, p2p_to_fmap
from fmstudio.spectral.eigenbasis import solve_eigenbasis, uniform_basis
from fmstudio.spectral.graph import affinity, grid_edges
from fmstudio.spectral.laplacian import build_laplacian
from fmstudio.spectral.refine import bijective_zoomout, refine_orthogonal, zoomout

ROWS, COLS = 12, 15
N = ROWS * COLS


def image(order=None, kind="symmetric"):
    """Return the basis of a textured image, its patches in another order."""
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(N, 4, generator=generator)
    edges = grid_edges(ROWS, COLS)
    W = affinity(features, edges, N)
    if order is not None:
        W = W[order.numpy()][:, order.numpy()]
    return solve_eigenbasis(build_laplacian(W.tocsr(), kind), 60).per_patch()


@pytest.fixture(params=["symmetric", "random-walk"])
def relabelled(request):
    """Return two images that are one but for the order of their patches, and p2p_ts."""
    p2p_ts = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    return image(kind=request.param), image(p2p_ts, request.param), p2p_ts


def disturbed(relabelled, k=12, noise=0.15):
    """Return a coarse and noisy map of the pair."""
    s, t, p2p_ts = relabelled
    C = p2p_to_fmap(p2p_ts, s.truncated(k), t.truncated(k))
    return C + noise * torch.randn(k, k, generator=torch.Generator().manual_seed(1))


def right(C, s, t, p2p_ts):
    found = fmap_to_p2p(C, s.truncated(C.shape[1]), t.truncated(C.shape[0]))
    return float((found == p2p_ts).float().mean())


def test_zoomout_recovers_the_points_from_a_coarse_map(relabelled):
    s, t, _ = relabelled
    start = disturbed(relabelled)
    grown = zoomout(start, s, t)
    assert grown.shape == (60, 60)
    assert right(start, *relabelled) < 0.7
    assert right(grown, *relabelled) > 0.95


def test_bijective_zoomout_recovers_both_directions(relabelled):
    s, t, p2p_ts = relabelled
    start = disturbed(relabelled)
    C_st, C_ts = bijective_zoomout(start, start.T, s, t)
    back = torch.empty_like(p2p_ts)
    back[p2p_ts] = torch.arange(N)
    assert right(C_st, s, t, p2p_ts) > 0.95
    assert right(C_ts, t, s, back) > 0.95
    assert float((C_st @ C_ts - torch.eye(60)).norm()) < 0.1 * 60**0.5


def test_a_good_map_back_repairs_a_bad_map_there(relabelled):
    s, t, _ = relabelled
    bad = disturbed(relabelled, noise=0.6)
    alone = zoomout(bad, s, t)
    together = bijective_zoomout(bad, disturbed(relabelled, noise=0.0).T, s, t)[0]
    assert right(together, *relabelled) > right(alone, *relabelled) + 0.2


def test_a_map_of_full_size_stays(relabelled):
    s, t, p2p_ts = relabelled
    C = p2p_to_fmap(p2p_ts, s, t)
    assert torch.equal(zoomout(C, s, t), C)
    assert torch.equal(bijective_zoomout(C, C.T, s, t)[1], C.T)


def test_grids_and_bases_of_different_sizes_grow_together():
    # The target shows the left half; both images have as many functions as they have patches.
    s, t = uniform_basis(6, 12, 40).per_patch(), uniform_basis(6, 6, 30).per_patch()
    p2p_ts = torch.arange(72).reshape(6, 12)[:, :6].reshape(-1)
    start = p2p_to_fmap(p2p_ts, s.truncated(20), t.truncated(15))
    grown = zoomout(start, s, t, step=7)
    assert grown.shape == (30, 40)
    found = fmap_to_p2p(grown, s, t)
    assert (found == p2p_ts).float().mean() > 0.9


def test_the_orthogonal_refinement_is_orthogonal_and_better(relabelled):
    s, t, _ = relabelled
    start = disturbed(relabelled, k=25, noise=0.3)
    refined = refine_orthogonal(start, s, t)
    assert torch.allclose(refined @ refined.T, torch.eye(25), atol=1e-4)
    assert right(refined, *relabelled) > right(start, *relabelled) + 0.3
    assert right(refined, *relabelled) > 0.95


def test_the_orthogonal_refinement_stops_where_the_points_stay(relabelled):
    s, t, _ = relabelled
    refined = refine_orthogonal(disturbed(relabelled, k=25, noise=0.3), s, t, rounds=50)
    assert torch.equal(refine_orthogonal(refined, s, t, rounds=1), refined)


def test_per_patch_bases_hold_functions_of_mean_square_one():
    basis = uniform_basis(6, 10, 8).per_patch()
    assert torch.allclose(basis.evecs.square().mean(dim=0), torch.ones(8), atol=1e-5)
    D = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    plain = uniform_basis(6, 10, 8)
    assert torch.allclose(basis.project(D), plain.project(D) / 60**0.5, atol=1e-5)
    assert torch.allclose(basis.low_pass(D), plain.low_pass(D), atol=1e-5)


def test_misfits_are_refused(relabelled):
    s, t, _ = relabelled
    with pytest.raises(ValueError, match="cannot grow"):
        zoomout(torch.eye(61), s, t)
    with pytest.raises(ValueError, match="at least 1"):
        zoomout(torch.eye(10), s, t, step=0)
    with pytest.raises(ValueError, match="two directions"):
        bijective_zoomout(torch.ones(5, 6), torch.ones(5, 6), s, t)
