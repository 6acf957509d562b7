import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.ui.canvas.hits import clamped, hit_keypoint, hits_mask, nearest_edge, nearest_point


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 9))
def test_a_place_is_on_a_mask_where_its_pixel_is(seed, width, height):
    array = np.random.default_rng(seed).random((height, width)) > 0.5
    mask = Mask.from_array(array)
    for row in range(height):
        for col in range(width):
            assert hits_mask(mask, (col + 0.5, row + 0.5)) == array[row, col]


def test_outside_and_without_a_mask_nothing_is_hit():
    mask = Mask.from_array(np.ones((4, 5), bool))
    assert not hits_mask(mask, (-0.1, 2))
    assert not hits_mask(mask, (5.0, 2))
    assert not hits_mask(None, (1, 1))
    assert not hits_mask(Mask.from_array(np.zeros((4, 5), bool)), (1, 1))


@given(st.lists(st.tuples(st.floats(0, 99), st.floats(0, 99)), min_size=1), st.floats(0, 50))
def test_the_nearest_point_is_within_reach_and_no_other_is_nearer(points, reach):
    xy = np.array(points)
    gaps = np.hypot(*(xy - [50, 50]).T)
    found = nearest_point(xy, (50, 50), reach)
    assert (found is None) == (gaps.min() > reach)
    if found is not None:
        assert gaps[found] == gaps.min()


def test_only_labelled_keypoints_are_hit():
    points = Keypoints.drawn([[0, 0], [10, 10]], [0, 2])
    assert hit_keypoint(points, (1, 1), 3) is None
    assert hit_keypoint(points, (11, 9), 3) == 1
    assert hit_keypoint(None, (0, 0), 3) is None


def test_the_nearest_edge_is_named_by_the_corner_before_it():
    ring = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])
    assert nearest_edge(ring, (5, 0.5), 1) == 0
    assert nearest_edge(ring, (0.2, 5), 1) == 3
    assert nearest_edge(ring, (5, 5), 1) is None


def test_places_are_brought_onto_the_image():
    assert clamped((-3, 700), 640, 480) == (0, 480)
    assert clamped((3.5, 7), 640, 480) == pytest.approx((3.5, 7))
