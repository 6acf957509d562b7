import numpy as np
import pytest

from fmstudio.spectral.shape import expected_points, fit_similarity

SHAPE = np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 40.0], [0.0, 40.0], [50.0, 70.0]])
ALL = np.ones(5, dtype=bool)
NONE = np.zeros(5, dtype=bool)


def turned(xy, angle, scale, shift):
    c, s = np.cos(angle), np.sin(angle)
    return scale * xy @ np.array([[c, s], [-s, c]]) + np.array(shift)


@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_a_similarity_is_found_mirrored_or_not(mirror):
    onto = turned(SHAPE * [mirror, 1.0], 0.7, 1.6, [30.0, -20.0])
    placed, error = fit_similarity(SHAPE, onto, np.ones(5))
    assert np.abs(placed - onto).max() < 1e-9
    assert error < 1e-15


def test_points_of_no_weight_do_not_count():
    onto = turned(SHAPE, 0.3, 2.0, [5.0, 5.0])
    astray = onto.copy()
    astray[4] += 500.0
    placed, _ = fit_similarity(SHAPE, astray, np.array([1.0, 1.0, 1.0, 1.0, 0.0]))
    assert np.abs(placed - onto).max() < 1e-9


def test_the_shape_says_where_an_unknown_point_is():
    onto = turned(SHAPE, -0.4, 0.8, [10.0, 90.0])
    guess = onto.copy()
    guess[4] += [60.0, 10.0]
    found = expected_points([(SHAPE, ALL)], guess, np.array([1, 1, 1, 1, 1e-6]), NONE, 100.0)
    assert np.linalg.norm(found.xy[4] - onto[4]) < 1.0


def test_a_known_point_pulls_its_neighbours_and_narrows_them():
    moved = SHAPE + np.array([[0.0, 0.0]] * 4 + [[0.0, 30.0]])
    known = np.array([False, False, False, False, True])
    # The similarity is fitted to the other four: what is left is the known point's own deviation.
    trust = np.array([1.0, 1.0, 1.0, 1.0, 1e-6])
    free = expected_points([(SHAPE, ALL)], moved, trust, NONE, 100.0)
    held = expected_points([(SHAPE, ALL)], moved, trust, known, 100.0)
    assert np.linalg.norm(held.xy[4] - moved[4]) < 1.0
    pulled = held.xy[:, 1] - free.xy[:, 1]
    # The nearer two of the four, then the farther two.
    assert pulled[2] > pulled[1] > 0
    assert (held.sigma < free.sigma + 1e-9).all()
    assert held.sigma[4] < 0.2 * free.sigma[4]
    assert held.sigma[2] < held.sigma[1]


def test_of_two_shapes_the_one_that_fits_counts_more():
    other = SHAPE + np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 60.0], [0.0, 60.0], [0.0, 90.0]])
    found = expected_points([(SHAPE, ALL), (other, ALL)], SHAPE, np.ones(5), NONE, 100.0)
    assert np.abs(found.xy - SHAPE).max() < 2.0


def test_what_no_shape_labels_may_lie_anywhere():
    some = np.array([True, True, True, True, False])
    found = expected_points([(SHAPE, some)], SHAPE, np.ones(5), NONE, 100.0)
    assert np.isinf(found.sigma[4])
    assert np.isfinite(found.sigma[:4]).all()
    places = np.array([[0.0, 0.0], [500.0, 500.0]])
    assert found.log_density(places)[4].tolist() == [0.0, 0.0]
    assert found.log_density(places)[0, 0] > found.log_density(places)[0, 1]


def test_two_points_are_no_shape():
    two = np.array([True, True, False, False, False])
    assert np.isinf(expected_points([(SHAPE, two)], SHAPE, np.ones(5), NONE, 100.0).sigma).all()
