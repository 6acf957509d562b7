import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.ui.canvas.hits import (
    box_between,
    clamped,
    gaps_to_lines,
    hit_keypoint,
    hits_box,
    hits_limb,
    hits_mask,
    nearest_point,
    step_within,
)


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


def test_the_gap_to_a_line_is_measured_between_its_ends_only():
    starts, ends = np.array([[0.0, 0], [3, 3]]), np.array([[10.0, 0], [3, 3]])
    assert gaps_to_lines(starts, ends, (5, 2)) == pytest.approx([2, np.sqrt(5)])
    assert gaps_to_lines(starts, ends, (13, 4)) == pytest.approx([5, np.hypot(10, 1)])


def test_places_are_brought_onto_the_image():
    assert clamped((-3, 700), 640, 480) == (0, 480)
    assert clamped((3.5, 7), 640, 480) == pytest.approx((3.5, 7))


def test_a_limb_is_hit_between_labelled_points_only():
    points = Keypoints.drawn([[0, 0], [10, 0], [10, 10]], [2, 1, 0])
    skeleton = ((0, 1), (1, 2))
    assert hits_limb(points, skeleton, (5, 1), 2)
    assert not hits_limb(points, skeleton, (10, 5), 2)
    assert not hits_limb(points, (), (5, 1), 2)
    assert not hits_limb(None, skeleton, (5, 1), 2)


def test_a_box_is_hit_inside():
    assert hits_box((2, 3, 4, 5), (2, 3))
    assert not hits_box((2, 3, 4, 5), (6, 4))
    assert not hits_box(None, (0, 0))


@given(
    st.floats(-20, 120), st.floats(0, 60), st.floats(1, 100), st.floats(-200, 200), st.booleans()
)
def test_a_step_never_takes_a_span_out_nor_goes_the_other_way(low, length, limit, by, is_whole):
    high = low + length
    step = step_within(low, high, limit, by, is_whole=is_whole)
    assert abs(step) <= abs(by) + 0.5 * is_whole
    assert step * by >= 0
    if low >= 0 and high <= limit:
        assert low + step >= -1e-9
        assert high + step <= limit + 1e-9
    assert not is_whole or step == round(step)


@given(st.tuples(st.floats(0, 9), st.floats(0, 9)), st.tuples(st.floats(0, 9), st.floats(0, 9)))
def test_a_box_is_the_same_from_either_corner(a, b):
    x, y, width, height = box_between(a, b)
    assert box_between(b, a) == (x, y, width, height)
    assert (x + width, y + height) == pytest.approx((max(a[0], b[0]), max(a[1], b[1])))
