from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import connected_components
from scipy.sparse.csgraph import minimum_spanning_tree as scipy_tree

from fmstudio.errors import Cancelled
from fmstudio.spectral.collection import (
    CollectionSettings,
    cycle_losses,
    edge_errors,
    image_errors,
    image_graph,
    outlier_images,
    solve_collection,
    triangles,
)
from fmstudio.spectral.fmap import solve_fmap
from fmstudio.spectral.latent import consistency_matrix, latent_basis, synchronised_map


def ring(count, reach=2):
    """Edges between images that are at most ``reach`` apart on a circle, both directions."""
    steps = [d for r in range(1, reach + 1) for d in (r, -r)]
    return sorted({(i, (i + d) % count) for i in range(count) for d in steps})


def truth(count, k=6, seed=0, edges=None):
    """Consistent maps C_ij = Y_j Y_i^-1, from rotations Y_i."""
    generator = torch.Generator().manual_seed(seed)
    Y = [
        torch.linalg.qr(torch.randn(k, k, generator=generator, dtype=torch.float64))[0]
        for _ in range(count)
    ]
    edges = edges or ring(count)
    return {(i, j): Y[j] @ Y[i].T for i, j in edges}, Y


def noisy(maps, amount, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return {
        e: C + amount * torch.randn(C.shape, generator=generator, dtype=C.dtype)
        for e, C in maps.items()
    }


def with_outlier(maps, image, seed=2):
    """The maps from and to one image replaced by unrelated rotations."""
    generator = torch.Generator().manual_seed(seed)
    return {
        e: torch.linalg.qr(torch.randn(C.shape, generator=generator, dtype=C.dtype))[0]
        if image in e
        else C
        for e, C in maps.items()
    }


def test_the_matrix_is_the_sum_that_is_minimised():
    maps = {
        (0, 1): torch.randn(3, 4),
        (1, 2): torch.randn(5, 3),
        (2, 0): torch.randn(4, 5),
        (1, 0): torch.randn(4, 3),
    }
    Y = [torch.randn(k, 2) for k in (4, 3, 5)]
    stacked = torch.cat(Y).double().numpy()
    W = consistency_matrix(maps)
    asked = sum(float((C @ Y[i] - Y[j]).square().sum()) for (i, j), C in maps.items())
    assert np.trace(stacked.T @ (W @ stacked)) == pytest.approx(asked, rel=1e-5)
    assert abs(W - W.T).max() < 1e-12


def test_the_latent_basis_is_the_minimum_under_its_constraint():
    maps = noisy(truth(5)[0], 0.3)
    latent = latent_basis(maps, 3)
    stacked = torch.cat(latent)
    assert torch.allclose(stacked.T @ stacked, torch.eye(3, dtype=stacked.dtype), atol=1e-9)

    def energy(Y):
        parts = Y.split([6] * 5)
        return sum(float((C @ parts[i] - parts[j]).square().sum()) for (i, j), C in maps.items())

    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        step = 0.1 * torch.randn(stacked.shape, generator=generator, dtype=stacked.dtype)
        assert energy(stacked) <= energy(torch.linalg.qr(stacked + step)[0])


def test_consistent_maps_are_recovered_exactly_between_any_two_images():
    maps, Y = truth(7)
    latent = latent_basis(maps)
    for i in range(7):
        for j in range(7):
            assert torch.allclose(synchronised_map(latent, i, j), Y[j] @ Y[i].T, atol=1e-8)
    assert max(edge_errors(maps, latent).values()) < 1e-12


def test_images_may_have_bases_of_different_sizes():
    generator = torch.Generator().manual_seed(3)
    sizes = (5, 6, 4, 7)
    Y = [torch.randn(k, 4, generator=generator, dtype=torch.float64) for k in sizes]
    edges = [(i, j) for i in range(4) for j in range(4) if i != j]
    maps = {(i, j): Y[j] @ torch.linalg.pinv(Y[i]) for i, j in edges}
    latent = latent_basis(maps)
    assert [tuple(y.shape) for y in latent] == [(k, 4) for k in sizes]
    for i, j in edges:
        assert torch.allclose(synchronised_map(latent, i, j) @ Y[i], Y[j], atol=1e-6)


def test_synchronisation_betters_noisy_maps():
    exact, _ = truth(10, edges=ring(10, reach=3))
    maps = noisy(exact, 0.2)
    latent = latent_basis(maps)

    def error(found):
        return sum(float((found(e) - C).square().sum()) for e, C in exact.items()) ** 0.5

    assert error(lambda e: synchronised_map(latent, *e)) < 0.7 * error(lambda e: maps[e])


def test_many_rows_are_solved_iteratively_to_the_same_maps(monkeypatch):
    exact, _ = truth(12, k=8)
    maps = noisy(exact, 0.1)
    dense = latent_basis(maps, 5)
    calls = []
    monkeypatch.setattr("fmstudio.spectral.latent._DENSE_ROWS", 10)
    iterated = latent_basis(maps, 5, check=lambda: calls.append(1))
    assert len(calls) > 2
    assert torch.allclose(
        torch.cat(iterated) @ torch.cat(iterated).T,
        torch.cat(dense) @ torch.cat(dense).T,
        atol=1e-4,
    )
    consistent = latent_basis(exact)  # an eigenvalue of multiplicity 8
    for i, j in exact:
        assert torch.allclose(synchronised_map(consistent, i, j), exact[i, j], atol=1e-4)


def test_an_iteration_that_does_not_converge_is_not_returned(monkeypatch):
    monkeypatch.setattr("fmstudio.spectral.latent._DENSE_ROWS", 10)
    monkeypatch.setattr("fmstudio.spectral.latent._ITERATIONS", 1)
    with pytest.raises(ArithmeticError, match="residual"):
        latent_basis(noisy(truth(12, k=8)[0], 0.1), 5)


def test_cycles_of_consistent_maps_lead_back_and_others_do_not():
    maps, _ = truth(6)
    cycles = [*triangles(maps), (0, 1, 2, 4), (2, 3)]
    assert len(triangles(maps)) == 16  # six of neighbours and two of every second, both ways
    assert np.allclose(cycle_losses(maps, cycles), 0, atol=1e-12)
    broken = {**maps, (0, 1): -maps[0, 1]}
    losses = cycle_losses(broken, [(0, 1, 2), (3, 4, 5)])
    assert losses[0] == pytest.approx(4.0)  # |-I - I|^2 / k
    assert losses[1] == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ValueError, match=r"\(0, 3\)"):
        cycle_losses(maps, [(0, 3)])
    with pytest.raises(ValueError, match="at least two"):
        cycle_losses(maps, [(0,)])


def test_cycle_losses_can_be_stopped_between_cycles():
    maps, asked = truth(3)[0], []

    def check():
        asked.append(None)
        if len(asked) == 2:
            raise KeyError("stopped")

    with pytest.raises(KeyError, match="stopped"):
        cycle_losses(maps, [(0, 1), (1, 2), (0, 2)], check=check)
    assert len(asked) == 2


def test_an_image_that_does_not_belong_is_found():
    maps = with_outlier(noisy(truth(12, k=8)[0], 0.05), 7)
    latent = latent_basis(maps)
    errors = image_errors(edge_errors(maps, latent))
    assert errors.argmax() == 7
    assert outlier_images(errors).tolist() == [7]


def test_a_set_without_outliers_has_none():
    maps = noisy(truth(12, k=8)[0], 0.05)
    assert outlier_images(image_errors(edge_errors(maps, latent_basis(maps)))).size == 0


def test_a_graph_in_parts_is_refused():
    maps, _ = truth(6, edges=[(0, 1), (1, 0), (1, 2), (3, 4), (4, 5), (5, 3)])
    with pytest.raises(ValueError, match=r"2 parts: nothing leads from image 0 to image 3"):
        latent_basis(maps)
    gap, _ = truth(4, edges=[(0, 1), (1, 3)])
    with pytest.raises(ValueError, match="image 2"):
        latent_basis(gap)
    A, evals = [torch.ones(2, 3)] * 3, [torch.ones(2)] * 3
    with pytest.raises(ValueError, match="image 2"):
        solve_collection(A, evals, np.array([[0, 1]]))
    with pytest.raises(ValueError, match="from 0 to 2"):
        solve_collection(A, evals, np.array([[0, 3]]))


def test_misfits_are_refused():
    with pytest.raises(ValueError, match="another map 3"):
        latent_basis({(0, 1): torch.ones(3, 3), (1, 2): torch.ones(3, 4)})
    with pytest.raises(ValueError, match="from 1 to 6"):
        latent_basis(truth(4)[0], 7)


def images(count=6, k=10, p=14, noise=0.4, seed=0):
    """Coefficients of noisy descriptors of one scene in rotated bases, and the true maps."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    scene = normal(k, p)
    # Rotations within pairs of equal eigenvalues: what commutes with the Laplacian.
    evals = torch.arange(k // 2, dtype=torch.float64).repeat_interleave(2) / k
    Y = [torch.block_diag(*(torch.linalg.qr(normal(2, 2))[0] for _ in range(k // 2)))]
    Y += [
        torch.block_diag(*(torch.linalg.qr(normal(2, 2))[0] for _ in range(k // 2)))
        for _ in range(count - 1)
    ]
    A = [y @ scene + noise * normal(k, p) for y in Y]
    return A, [evals] * count, Y


def undirected(count, reach=2):
    return np.array([e for e in ring(count, reach) if e[0] < e[1]])


def test_rounds_never_raise_the_energy_and_better_the_consistency():
    A, evals, _ = images()
    settings = CollectionSettings(consistency=1.0, rounds=4)
    told = []
    found = solve_collection(
        A, evals, undirected(6), settings, progress=lambda *done: told.append(done)
    )
    assert all(late <= early * (1 + 1e-6) for early, late in pairwise(found.energies))
    assert found.energies[-1] < found.energies[0]
    assert told == [(i, 4) for i in range(5)]
    plain = solve_collection(A, evals, undirected(6), CollectionSettings(rounds=0))
    cycles = triangles(found.maps)
    before, after = (cycle_losses(c.maps, cycles).mean() for c in (plain, found))
    assert after < 0.8 * before


def test_maps_solved_together_are_nearer_to_the_truth():
    A, evals, Y = images(noise=0.6)

    def error(maps):
        return sum(float((C - Y[j] @ Y[i].T).square().sum()) for (i, j), C in maps.items())

    alone = solve_collection(A, evals, undirected(6), CollectionSettings(rounds=0))
    together = solve_collection(A, evals, undirected(6), CollectionSettings(consistency=3.0))
    assert error(together.maps) < error(alone.maps)


def test_without_rounds_each_map_is_the_closed_form():
    A, evals, _ = images()
    found = solve_collection(A, evals, undirected(6), CollectionSettings(laplacian=0.3, rounds=0))
    C = solve_fmap(A[1], A[2], evals[1], evals[2], lap_weight=0.3)
    assert torch.equal(found.maps[1, 2], C)
    assert set(found.maps) == set(ring(6))
    assert found.latent[0].shape == (10, 10)


def test_a_check_that_raises_ends_the_work():
    A, evals, _ = images()
    left = [5]

    def check():
        left[0] -= 1
        if left[0] == 0:
            raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled):
        solve_collection(A, evals, undirected(6), check=check)
    assert left == [0]


def test_the_graph_of_images_is_connected_and_sparse():
    generator = torch.Generator().manual_seed(0)
    # Two groups far apart: nearest neighbours alone never lead from one to the other.
    groups = torch.cat([torch.eye(8)[:1].repeat(15, 1), torch.eye(8)[1:2].repeat(15, 1)])
    features = groups + 0.05 * torch.randn(30, 8, generator=generator)
    edges = image_graph(features, 3)
    W = np.zeros((30, 30))
    W[edges[:, 0], edges[:, 1]] = 1
    assert connected_components(W, directed=False)[0] == 1
    assert (edges[:, 0] < edges[:, 1]).all()
    assert len(np.unique(edges, axis=0)) == len(edges) < 30 * 4
    between = (edges[:, 0] < 15) & (edges[:, 1] >= 15)
    assert between.sum() == 1


def test_the_graph_holds_the_minimum_spanning_tree():
    features = torch.randn(20, 5, generator=torch.Generator().manual_seed(4))
    unit = torch.nn.functional.normalize(features, dim=1).double().numpy()
    tree = scipy_tree(1 - unit @ unit.T).tocoo()
    wanted = {tuple(sorted(e)) for e in zip(tree.row.tolist(), tree.col.tolist(), strict=True)}
    assert wanted <= {tuple(e) for e in image_graph(features, 1).tolist()}


def test_equal_images_and_few_images_have_a_graph():
    assert image_graph(torch.ones(4, 3), 10).tolist() == [
        [0, 1],
        [0, 2],
        [0, 3],
        [1, 2],
        [1, 3],
        [2, 3],
    ]
    assert image_graph(torch.eye(2), 5).tolist() == [[0, 1]]
    with pytest.raises(ValueError, match="at least 2"):
        image_graph(torch.ones(1, 3), 1)
