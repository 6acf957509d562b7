import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fmstudio.engine.carry import carry, vote
from fmstudio.engine.focus import map_object
from fmstudio.engine.requests import Mark
from fmstudio.engine.views import View
from fmstudio.evaluation.methods import (
    DEFAULT_METHODS,
    METHODS,
    CopyTransfer,
    LowPassNearestNeighbour,
    NearestNeighbour,
    ProductMap,
    PublishedMap,
    SmoothedNearestNeighbour,
    bilateral,
    filter_displacements,
)
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.spectral.convert import hub_corrected, map_similarity
from fmstudio.spectral.reference import solve_fmap_iterative

CELL = 16


@pytest.fixture
def pair(matcher, mosaic):
    """Return two analyses: the target shows the source's cells one down, two to the right."""
    return matcher.analyse(mosaic(), "s"), matcher.analyse(mosaic(1, 2), "t")


def test_the_registry_has_every_mandatory_method():
    assert list(METHODS) == [
        "identity",
        "nn",
        "smoothed-nn",
        "filtered-nn",
        "hub-nn",
        "lowpass-nn",
        "map",
        "published",
    ]
    assert [name for name in METHODS if name not in DEFAULT_METHODS] == ["published"]
    assert all(spec.description and "\n" not in spec.description for spec in METHODS.values())


def test_copying_scales_points_by_the_sizes():
    copy = CopyTransfer(PatchGrid(ImageSize(100, 50), 4, 8), PatchGrid(ImageSize(200, 150), 6, 8))
    xy = np.array([[10.0, 20.0], [99.5, 0.0]])
    assert copy.keypoints(xy).tolist() == [[20, 60], [199, 0]]
    assert copy.keypoints_back(copy.keypoints(xy)) == pytest.approx(xy)
    assert copy.field() == pytest.approx(copy.grid_t.centers() * [0.5, 1 / 3])


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=30)
def test_copying_a_mask_samples_it_at_pixel_centres(w_s, h_s, w_t, h_t):
    array = np.random.default_rng(w_s + 41 * h_s).random((h_s, w_s)) > 0.5
    copy = CopyTransfer(PatchGrid(ImageSize(w_s, h_s), 1, 1), PatchGrid(ImageSize(w_t, h_t), 1, 1))
    carried = copy.mask(Mask.from_array(array)).to_array()
    assert carried.shape == (h_t, w_t)
    for y, x in ((0, 0), (h_t - 1, w_t - 1), (h_t // 2, w_t // 2)):
        assert carried[y, x] == array[int((y + 0.5) * h_s / h_t), int((x + 0.5) * w_s / w_t)]


def test_nearest_neighbours_find_cells_that_moved(pair):
    s, t = pair
    inside = np.array([[r, c] for r in range(1, 6) for c in range(1, 7)], dtype=float)
    xy = s.grid.rc_to_xy(inside)
    found = NearestNeighbour().pair(s, t).keypoints(xy)
    assert np.abs(found - xy - (2 * CELL, CELL)).max() < CELL / 4


def test_points_go_back_and_the_field_agrees(pair):
    s, t = pair
    matched = NearestNeighbour().pair(s, t)
    field = matched.field()
    assert field == pytest.approx(matched.keypoints_back(t.grid.centers()), abs=1e-4)


def test_a_mask_is_carried_softly(pair):
    s, t = pair
    array = np.zeros((s.grid.size.height, s.grid.size.width), dtype=bool)
    array[2 * CELL : 5 * CELL, 2 * CELL : 6 * CELL] = True
    carried = NearestNeighbour().pair(s, t).mask(Mask.from_array(array)).to_array()
    wanted = np.roll(array, (CELL, 2 * CELL), axis=(0, 1))
    assert (carried & wanted).sum() / (carried | wanted).sum() > 0.7


def test_the_map_carries_what_the_product_carries(matcher, pair):
    s, t = pair
    array = np.zeros((8 * CELL, 10 * CELL), dtype=bool)
    array[2 * CELL : 5 * CELL, 2 * CELL : 6 * CELL] = True
    mark = Mark(1, 1, Keypoints.drawn([[50.0, 40.0], [90.5, 71.0]], [2, 1]), Mask.from_array(array))
    views = [View(a, key, lambda: None) for a, key in ((s, "s"), (t, "t"))]
    product = carry(map_object(matcher, *views, mark), mark)
    (proposed,) = vote([[product]], t.grid)
    method = ProductMap(matcher).pair(*views, mark)
    assert np.array_equal(method.keypoints(mark.keypoints.xy), product.xy)
    assert method.mask(mark.mask) == proposed.mask


def test_the_published_map_differs_from_the_products_by_its_solver_only(matcher, pair):
    s, t = pair
    A_s, A_t = s.basis.project(s.descriptors), t.basis.project(t.descriptors)
    C_st = solve_fmap_iterative(A_s, A_t, s.basis.evals, t.basis.evals, steps=2000)
    mapped = map_similarity(C_st, s.basis, t.basis, A_s)
    expected = hub_corrected(torch.lerp(s.descriptors @ t.descriptors.T, mapped, 0.3))
    found = PublishedMap(matcher).pair(s, t).score
    assert torch.allclose(found, expected, atol=1e-6)
    assert not torch.allclose(found, matcher.pair(s, t).score, atol=1e-3)


def test_low_pass_differs_from_nn_only_by_the_band(matcher, pair):
    s, t = pair
    full = matcher.analyse(np.zeros((128, 160, 3), dtype=np.uint8), "blank")
    score = LowPassNearestNeighbour().pair(s, t).score
    assert not torch.allclose(score, s.descriptors @ t.descriptors.T, atol=0.05)
    # With nothing above the band (a constant image) the filter changes nothing.
    same = LowPassNearestNeighbour().pair(full, full).score
    assert torch.allclose(same, full.descriptors @ full.descriptors.T, atol=1e-4)


def test_smoothing_the_descriptors_smooths_the_similarity_volume(pair):
    s, t = pair
    volume = (s.descriptors @ t.descriptors.T).T  # (n_t, n_s): functions on the target
    expected = bilateral(volume, t.descriptors, t.grid).T
    score = SmoothedNearestNeighbour().pair(s, t).score
    # Each column is brought back to the scale of a cosine, and is otherwise the smoothed volume.
    length = bilateral(t.descriptors, t.descriptors, t.grid).norm(dim=1)
    assert torch.allclose(score * length, expected, atol=1e-5)


def test_filtering_displacements_keeps_a_translation_and_corrects_an_outlier(pair):
    s, t = pair
    # Every source patch says "one down, two right" but one, which says the opposite.
    moved = torch.zeros(8, 10, 8, 10)
    for row in range(7):
        for col in range(8):
            moved[row, col, row + 1, col + 2] = 1
    moved[3, 3] = 0
    moved[3, 3, 0, 0] = 0.9
    blank = torch.ones(80, 1)
    found = filter_displacements(moved.reshape(80, 80), blank, s.grid, t.grid).argmax(dim=1)
    assert found[3 * 10 + 3] == 4 * 10 + 5
    assert found[4 * 10 + 4] == 5 * 10 + 6


def test_filtering_displacements_equals_its_formula():
    grid_s, grid_t = PatchGrid(ImageSize(9, 9), 3, 4), PatchGrid(ImageSize(9, 9), 4, 3)
    generator = torch.Generator().manual_seed(1)
    guide = torch.nn.functional.normalize(torch.randn(12, 3, generator=generator), dim=1)
    volume = torch.randn(12, 12, generator=generator)
    expected = torch.zeros(12, 12)
    for i, j in np.ndindex(12, 12):
        (r, c), (u, v) = divmod(i, 4), divmod(j, 3)
        total = weights = 0.0
        for a, b in np.ndindex(5, 5):
            down, right = a - 2, b - 2
            if not (0 <= r + down < 3 and 0 <= c + right < 4):
                continue
            if not (0 <= u + down < 4 and 0 <= v + right < 3):
                continue
            other = (r + down) * 4 + c + right
            unlike = 1 - float(guide[i] @ guide[other])
            weight = np.exp(-(down**2 + right**2) / 2 - unlike**2 / (2 * 0.2**2))
            total += weight * float(volume[other, (u + down) * 3 + v + right])
            weights += weight
        expected[i, j] = total / weights
    found = filter_displacements(volume, guide, grid_s, grid_t)
    assert torch.allclose(found, expected, atol=1e-5)


def test_the_filter_keeps_constants_and_stops_at_edges():
    grid = PatchGrid(ImageSize(80, 60), 6, 8)
    halves = torch.zeros(6, 8, 2)
    halves[:, :4, 0] = 1
    halves[:, 4:, 1] = 1
    guide = halves.reshape(48, 2)
    constant = torch.full((48, 1), 3.0)
    assert torch.allclose(bilateral(constant, guide, grid), constant)
    # Unlike sides (cosine 0, five sigmas away) hardly mix ...
    assert torch.allclose(bilateral(guide, guide, grid), guide, atol=1e-4)
    # ... and like ones do: a spike spreads, and keeps the most for itself.
    spike = torch.zeros(6, 8, 1)
    spike[3, 1] = 1
    spread = bilateral(spike.reshape(48, 1), guide, grid).reshape(6, 8)
    assert spread[3, 1] == spread.max()
    assert spread[3, 2] > 0.05
    assert spread[3, 4] < 1e-4
    assert spread[0, 1] == 0


@given(st.integers(1, 6), st.integers(1, 6))
@settings(max_examples=20)
def test_the_filter_equals_its_formula(rows, cols):
    grid = PatchGrid(ImageSize(100, 100), rows, cols)
    generator = torch.Generator().manual_seed(rows * 7 + cols)
    guide = torch.randn(grid.n, 5, generator=generator)
    guide = torch.nn.functional.normalize(guide, dim=1)
    values = torch.randn(grid.n, 3, generator=generator)
    rc = torch.cartesian_prod(torch.arange(rows), torch.arange(cols)).reshape(-1, 2).float()
    step = rc[:, None] - rc[None]
    weight = torch.exp(-step.square().sum(2) / 2 - (1 - guide @ guide.T).square() / (2 * 0.2**2))
    weight[(step.abs() > 2).any(dim=2)] = 0
    expected = weight @ values / weight.sum(dim=1, keepdim=True)
    assert torch.allclose(bilateral(values, guide, grid), expected, atol=1e-5)
