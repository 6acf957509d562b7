from dataclasses import replace

import numpy as np
import pytest

from fmstudio.spectral.displacement import SmoothDisplacement
from fmstudio.spectral.reasons import coverage, occlusion, relative_stretch

PLACES = np.stack(np.meshgrid(np.arange(8, 100, 16.0), np.arange(8, 100, 16.0)), axis=2).reshape(
    -1, 2
)


def affine(matrix, shift=(0.0, 0.0)):
    """A displacement y = M x + shift over the places' box."""
    low, extent = PLACES.min(axis=0), np.ptp(PLACES, axis=0)
    matrix = np.array(matrix, dtype=float)
    middle = matrix @ (low + extent / 2) + shift
    theta = np.vstack([middle, (matrix * extent).T])
    return SmoothDisplacement(low, extent, theta, 0.5, np.full(len(PLACES), 0.5))


def bent(strength):
    """The identity with one cosine mode along x, which folds the map where it is strong."""
    plain = affine(np.eye(2))
    theta = np.vstack([plain.theta, np.zeros((2, 2))])
    theta[3:, 0] = strength
    return replace(plain, theta=theta)


@pytest.mark.parametrize("matrix", [np.eye(2), 3 * np.eye(2), [[0, -1], [1, 0]], [[-1, 0], [0, 1]]])
def test_an_object_s_own_scale_turn_or_mirror_is_no_stretch(matrix):
    assert np.allclose(relative_stretch(affine(matrix), PLACES[:5], PLACES), 1.0)


def test_a_bend_stretches_here_and_shrinks_there():
    found = relative_stretch(bent(10.0), PLACES, PLACES)
    assert found.min() < 0.9
    assert found.max() > 1.2
    assert (found > 0).all()


def test_a_fold_is_below_zero():
    assert relative_stretch(bent(80.0), PLACES, PLACES).min() < 0


def test_a_point_beyond_the_object_has_the_scale_of_its_border():
    field = bent(10.0)
    beyond = relative_stretch(field, np.array([[500.0, 8.0]]), PLACES)
    assert np.allclose(beyond, relative_stretch(field, np.array([[88.0, 8.0]]), PLACES))


def test_an_object_drawn_to_a_line_has_no_scale():
    flat = affine([[1, 0], [0, 0]])
    assert np.isnan(relative_stretch(flat, PLACES[:2], PLACES)).all()


def test_coverage_is_local():
    support = np.where(PLACES[:, 0] < 50, 0.6, 0.05)
    left, right = coverage(np.array([[8.0, 50.0], [88.0, 50.0]]), PLACES, support)
    assert left > 0.95
    assert right < 0.05
    assert coverage(PLACES, PLACES, np.ones(len(PLACES))) == pytest.approx(1.0)


def test_coverage_of_a_far_point_is_that_of_what_is_nearest():
    support = np.where(PLACES[:, 0] < 50, 0.6, 0.0)
    far = coverage(np.array([[-5000.0, 50.0], [5000.0, 50.0]]), PLACES, support)
    assert far[0] > 0.99
    assert far[1] < 0.01


def test_occlusion_is_a_low_peak_on_an_object_that_fits():
    peaks = np.array([0.6, 0.3, 0.0, 0.9])
    fits = occlusion(peaks, 0.6, 0.5)
    assert fits == pytest.approx([0.0, 0.5, 1.0, 0.0])
    assert (occlusion(peaks, 0.6, 0.03) < 0.2).all()
    assert not occlusion(peaks, 0.0, 0.5).any()
