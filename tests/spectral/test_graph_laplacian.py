import numpy as np
import pytest
import torch
from scipy import sparse

from fmstudio.spectral.graph import affinity, grid_edges, knn_edges
from fmstudio.spectral.laplacian import build_laplacian


@pytest.mark.parametrize(("neighbours", "count"), [(4, 3 * 4 + 2 * 5), (8, 3 * 4 + 2 * 5 + 2 * 8)])
def test_grid_edges_join_each_neighbour_pair_once(neighbours, count):
    edges = grid_edges(3, 5, neighbours)
    assert len(edges) == count
    assert len(np.unique(np.sort(edges, axis=1), axis=0)) == count
    gap = np.abs(np.array(np.divmod(edges[:, 0], 5)) - np.array(np.divmod(edges[:, 1], 5)))
    assert gap.max() == 1
    assert (gap.sum(axis=0) <= (1 if neighbours == 4 else 2)).all()


def test_grid_edges_refuse_other_neighbourhoods():
    with pytest.raises(ValueError, match="4 or 8"):
        grid_edges(3, 3, 6)


def test_knn_edges_join_the_most_similar():
    angle = torch.tensor([0.0, 0.1, 3.0, 3.1])
    edges = knn_edges(torch.stack([angle.cos(), angle.sin()], dim=1), 1)
    assert edges.tolist() == [[0, 1], [2, 3]]


def test_knn_edges_refuse_more_neighbours_than_patches():
    with pytest.raises(ValueError, match="from 1 to 3"):
        knn_edges(torch.randn(4, 2), 4)


def test_affinity_is_symmetric_and_falls_with_feature_distance():
    features = torch.tensor([[0.0], [0.1], [2.0]])
    edges = np.array([[0, 1], [1, 2]])
    W = affinity(features, edges, 3).toarray()
    assert np.array_equal(W, W.T)
    assert np.diag(W).tolist() == [0, 0, 0]
    assert W[0, 1] > W[1, 2] > 0
    median = (0.1 + 1.9) / 2
    assert W[0, 1] == pytest.approx(np.exp(-(0.1**2) / (2 * median**2)), rel=1e-5)


def test_affinity_of_a_blank_image_is_uniform():
    W = affinity(torch.ones(6, 4), grid_edges(2, 3), 6)
    assert set(W.data.tolist()) == {1.0}


def test_affinity_without_features_is_uniform():
    assert set(affinity(None, grid_edges(2, 3), 6).data.tolist()) == {1.0}


@pytest.mark.parametrize("kind", ["symmetric", "random-walk"])
def test_laplacian_is_positive_with_spectrum_below_two(kind):
    W = affinity(torch.randn(30, 8), grid_edges(5, 6, 8), 30)
    laplacian = build_laplacian(W, kind)
    root = np.sqrt(laplacian.mass)
    evals = np.linalg.eigvalsh(laplacian.L.toarray() / np.outer(root, root))
    assert evals[0] == pytest.approx(0, abs=1e-10)
    assert evals[1] > 1e-6
    assert evals[-1] <= 2 + 1e-10
    assert laplacian.mass.sum() == pytest.approx(30)


def test_both_laplacians_share_one_spectrum():
    W = affinity(torch.randn(20, 3), grid_edges(4, 5), 20)
    spectra = []
    for kind in ("symmetric", "random-walk"):
        laplacian = build_laplacian(W, kind)
        root = np.sqrt(laplacian.mass)
        spectra.append(np.linalg.eigvalsh(laplacian.L.toarray() / np.outer(root, root)))
    assert np.allclose(*spectra)


def test_laplacian_refuses_isolated_patches_and_unknown_kinds():
    with pytest.raises(ValueError, match="at least one neighbour"):
        build_laplacian(sparse.csr_array((3, 3)))
    with pytest.raises(ValueError, match='not "cotangent"'):
        build_laplacian(affinity(None, grid_edges(2, 2), 4), "cotangent")
