import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.geometry.masks import Mask
from fmstudio.spectral.convert import soft_argmax
from fmstudio.spectral.displacement import (
    fit_displacement,
    object_box,
    object_weights,
    prior_rows,
)

SIZE = ImageSize(480, 360)
GRID = PatchGrid(SIZE, 18, 24)
SIDE = 480


def score_of(truth, *, wrong=0.0, seed=0):
    """Return a score that peaks where ``truth`` says; a share of the rows peaks anywhere else."""
    rng = np.random.default_rng(seed)
    centers = GRID.centers()
    places = truth(centers)
    astray = rng.random(len(places)) < wrong
    places[astray] = rng.random((int(astray.sum()), 2)) * [SIZE.width, SIZE.height]
    d = np.linalg.norm(places[:, None] - centers[None], axis=2)
    score = 0.4 * np.exp(-((d / 25) ** 2)) + rng.normal(0, 0.03, d.shape)
    return torch.from_numpy(score).float()


def affine(xy):
    return (xy - [240, 180]) @ np.array([[0.8, 0.2], [-0.15, 0.7]]) + [260, 190]


def bent(xy):
    u, v = (xy / [SIZE.width, SIZE.height]).T
    wave = np.stack([18 * np.cos(np.pi * v), 14 * np.cos(np.pi * u) * np.cos(np.pi * v)], axis=1)
    return affine(xy) + wave


def inner(margin=60):
    """Return weights of the patches that lie well inside the image."""
    c = GRID.centers()
    return ((c > margin) & (c < [SIZE.width - margin, SIZE.height - margin])).all(axis=1) * 1.0


@pytest.mark.parametrize("truth", [affine, bent])
def test_a_known_displacement_is_found_among_outliers(truth):
    weights = inner()
    score = score_of(truth, wrong=0.4)
    fit = fit_displacement(score, GRID, GRID, weights)
    at = GRID.centers()[weights > 0]
    error = np.linalg.norm(fit(at) - truth(at), axis=1)
    alone = np.linalg.norm(soft_argmax(score[weights > 0], GRID) - truth(at), axis=1)
    assert error.mean() < 8
    assert error.mean() < alone.mean() / 5
    assert error.max() < 40


def test_support_tells_a_displacement_from_noise():
    weights = inner()
    supports = [
        fit_displacement(score_of(bent, wrong=wrong), GRID, GRID, weights).support
        for wrong in (0.0, 0.4, 0.9)
    ]
    assert supports[0] > 0.8
    assert supports[0] > supports[1] > supports[2]
    noise = 0.05 * torch.randn(GRID.n, GRID.n, generator=torch.Generator().manual_seed(1))
    assert fit_displacement(noise, GRID, GRID, weights).support < 0.2


def test_a_mirror_is_a_displacement_too():
    fit = fit_displacement(score_of(lambda xy: [480, 0] + xy * [-1, 1]), GRID, GRID, inner())
    jacobian = fit.jacobian(np.array([[240.0, 180.0]]))[0]
    assert jacobian == pytest.approx(np.diag([-1.0, 1.0]), abs=0.1)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_the_jacobian_is_the_derivative(seed):
    fit = fit_displacement(score_of(bent, seed=seed), GRID, GRID, inner())
    rng = np.random.default_rng(seed)
    at = 100 + rng.random((1, 2)) * 150
    step = rng.normal(size=2)
    along = (fit(at + 0.5 * step) - fit(at - 0.5 * step))[0]
    assert along == pytest.approx(fit.jacobian(at)[0] @ step, abs=0.05)


@pytest.mark.parametrize("chosen", [[100], [100, 101], [100, 124, 148], [5, 400]])
def test_few_patches_or_thin_ones_still_have_a_displacement(chosen):
    weights = np.zeros(GRID.n)
    weights[chosen] = 1
    fit = fit_displacement(score_of(affine), GRID, GRID, weights)
    at = GRID.centers()[chosen]
    assert np.linalg.norm(fit(at) - affine(at), axis=1).max() < 25
    assert np.isfinite(fit(GRID.centers())).all()


def test_without_a_patch_there_is_none():
    with pytest.raises(ValueError, match="at least one source patch"):
        fit_displacement(score_of(affine), GRID, GRID, np.zeros(GRID.n))


def test_the_prior_is_the_formula_and_pulls_towards_the_displacement():
    displaced = np.array([[100.0, 100.0]])
    prior = prior_rows(displaced, GRID.centers(), SIDE, 0.02)[0].numpy()
    d = np.linalg.norm(GRID.centers() - displaced, axis=1) / SIDE
    assert prior == pytest.approx(-0.02 * d**2 / (2 * 0.08**2), rel=1e-4, abs=1e-6)
    # Two places score alike: the nearer one wins.
    rows = torch.zeros(1, GRID.n)
    near, far = (GRID.xy_to_index(np.array([[x, 100.0]]))[0] for x in (130.0, 400.0))
    rows[0, near] = rows[0, far] = 0.3
    at = soft_argmax(rows + torch.from_numpy(prior), GRID)[0]
    assert abs(at[0] - 130) < 20


def test_an_objects_patches_are_those_of_its_mask_or_around_its_points():
    array = np.zeros((360, 480), dtype=bool)
    array[100:200, 150:300] = True
    by_mask = object_weights(GRID, Mask.from_array(array), np.array([[0.0, 0.0]]))
    c = GRID.centers()
    inside = array[c[:, 1].astype(int), c[:, 0].astype(int)]
    assert by_mask[inside].all()
    assert by_mask.sum() < 1.5 * inside.sum()
    by_points = object_weights(GRID, None, np.array([[150.0, 100.0], [300.0, 200.0]]))
    assert by_points[inside].all()
    assert by_points.sum() < 2.5 * inside.sum()
    everything = object_weights(GRID, None, None)
    assert everything.sum() == GRID.n
    # A point or a speck says too little: the whole image counts.
    array[:] = False
    array[5:8, 5:8] = True
    assert object_weights(GRID, Mask.from_array(array), None).sum() == GRID.n
    assert object_weights(GRID, Mask.empty(SIZE), None).sum() == GRID.n


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 900),
    st.integers(1, 900),
    st.lists(st.tuples(st.floats(-500, 1500), st.floats(-500, 1500)), min_size=1, max_size=6),
    st.lists(st.tuples(st.floats(-500, 1500), st.floats(-500, 1500)), max_size=3),
)
def test_a_box_lies_within_its_image_and_is_never_empty(width, height, places, points):
    x0, y0, x1, y1 = object_box(
        np.array(places), np.array(points).reshape(-1, 2), ImageSize(width, height)
    )
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    assert x1 - x0 >= min(64, width)
    assert y1 - y0 >= min(64, height)


def test_a_box_holds_its_object_and_its_points_with_room():
    rng = np.random.default_rng(0)
    places = rng.uniform([100, 100], [200, 180], (200, 2))
    x0, y0, x1, y1 = object_box(places, np.array([[220.0, 150.0]]), SIZE)
    assert x0 <= 80
    assert y0 <= 80
    assert x1 >= 240
    assert y1 >= 200
    assert x1 - x0 < 300
    # A patch far astray does not stretch it.
    astray = object_box(np.vstack([places, [[470.0, 350.0]]]), np.zeros((0, 2)), SIZE)
    assert astray[2] < 300
