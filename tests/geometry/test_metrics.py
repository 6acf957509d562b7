import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fmstudio.geometry.metrics import (
    counted_points,
    cycle_error,
    epe,
    iou,
    pck,
    relative_smoothness,
    smoothness,
)

coordinates = st.floats(-1000, 1000, allow_subnormal=False)


def point_sets(count=5):
    return arrays(np.float64, (count, 2), elements=coordinates)


masks = arrays(np.bool_, (5, 7))
fields = arrays(np.float64, (4, 5, 2), elements=st.floats(-20, 20, allow_subnormal=False))
ALL = [True] * 5


def test_counted_points_are_labelled_in_both():
    counted = counted_points([0, 1, 2, 2, 0], [2, 2, 1, 0, 0])
    assert counted.tolist() == [False, True, True, False, False]


def test_counted_points_refuse_different_schemas():
    with pytest.raises(ValueError, match="3 keypoints on the source, 2 on the target"):
        counted_points([1, 1, 1], [1, 1])


def test_pck_counts_by_hand():
    true = [[0, 0], [10, 0], [20, 0], [30, 0]]
    found = [[3, 4], [10, 5.1], [20, 0], [99, 0]]
    # Threshold 5: the first lies exactly on it and counts, the second misses, the last is not
    # judged: two of three.
    assert pck(found, true, [1, 1, 1, 0], alpha=0.1, length=50) == pytest.approx(2 / 3)


def test_pck_takes_an_unusable_prediction_as_wrong():
    assert pck([[math.nan, 0], [0, 0]], [[0, 0], [0, 0]], [1, 1], alpha=0.1, length=9) == 0.5


def test_pck_of_no_point_is_none():
    assert pck([[0, 0]], [[0, 0]], [False], alpha=0.1, length=10) is None
    assert pck(np.zeros((0, 2)), np.zeros((0, 2)), [], alpha=0.1, length=10) is None


@pytest.mark.parametrize(("alpha", "length"), [(0, 10), (0.1, 0), (-0.1, 10), (0.1, math.nan)])
def test_pck_refuses_a_threshold_that_is_none(alpha, length):
    with pytest.raises(ValueError, match="above 0"):
        pck([[0, 0]], [[0, 0]], [True], alpha=alpha, length=length)


def test_pck_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="two \\(m, 2\\) arrays"):
        pck([[0, 0]], [[0, 0], [1, 1]], [True], alpha=0.1, length=1)
    with pytest.raises(ValueError, match="which are counted"):
        pck([[0, 0]], [[0, 0]], [True, True], alpha=0.1, length=1)


@given(point_sets(), point_sets(), st.floats(1, 500))
def test_pck_grows_with_alpha_and_ends_at_one(found, true, length):
    shares = [pck(found, true, ALL, alpha=a, length=length) for a in (0.01, 0.1, 1, 1e6)]
    assert shares == sorted(shares)
    assert shares[-1] == 1


@given(point_sets(), point_sets(), st.sampled_from([0.25, 0.5, 2.0, 8.0]))
def test_pck_does_not_depend_on_the_images_scale(found, true, scale):
    # Powers of two keep the arithmetic exact.
    whole = pck(found, true, ALL, alpha=0.125, length=64)
    assert pck(found * scale, true * scale, ALL, alpha=0.125, length=64 * scale) == whole


def test_epe_by_hand():
    assert epe([[3, 4], [0, 1]], [[0, 0], [0, 0]]) == 3
    assert epe([[3, 4], [0, 1]], [[0, 0], [0, 0]], [True, False]) == 5
    assert epe([[3, 4]], [[0, 0]], [False]) is None


@given(point_sets(), point_sets())
def test_epe_is_symmetric_and_zero_only_for_equals(a, b):
    assert epe(a, b) == epe(b, a)
    assert epe(a, a) == 0


def test_iou_by_hand():
    a = np.zeros((4, 4), dtype=bool)
    b = a.copy()
    a[:2] = True  # 8 pixels
    b[1:3] = True  # 8 pixels, 4 shared
    assert iou(a, b) == pytest.approx(4 / 12)


def test_iou_of_two_empty_masks_is_none_and_of_one_is_zero():
    empty, full = np.zeros((2, 2), dtype=bool), np.ones((2, 2), dtype=bool)
    assert iou(empty, empty) is None
    assert iou(empty, full) == 0


def test_iou_refuses_masks_of_different_images():
    with pytest.raises(ValueError, match="cannot be compared"):
        iou(np.ones((2, 3)), np.ones((3, 2)))


@given(masks, masks)
def test_iou_is_symmetric_and_bounded(a, b):
    value = iou(a, b)
    assert value == iou(b, a)
    if value is None:
        assert not a.any()
        assert not b.any()
    else:
        assert 0 <= value <= 1
        assert (value == 1) == np.array_equal(a, b)


def grid_points(rows=4, cols=6):
    r, c = np.mgrid[:rows, :cols].astype(float)
    return np.stack([r, c], axis=2)


@given(st.floats(-50, 50), st.floats(-50, 50))
def test_a_translation_is_perfectly_smooth(down, right):
    assert smoothness(np.broadcast_to([down, right], (3, 4, 2))) == 0


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 3.25])
def test_smoothness_of_a_scaling(scale):
    assert smoothness((scale - 1) * grid_points()) == pytest.approx(abs(scale - 1))


@pytest.mark.parametrize("angle", [0.1, math.pi / 2, math.pi])
def test_smoothness_of_a_rotation(angle):
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved = grid_points() @ turn.T - grid_points()
    assert smoothness(moved) == pytest.approx(2 * math.sin(angle / 2))


def test_smoothness_counts_neighbours_by_hand():
    field = np.zeros((2, 2, 2))
    field[0, 0] = [3, 4]
    # Four neighbour pairs; the two at the moved patch differ by 5.
    assert smoothness(field) == pytest.approx(10 / 4)
    assert relative_smoothness(field) == pytest.approx(10 / 4 / 2)
    inside = [[True, True], [False, True]]
    assert smoothness(field, inside) == pytest.approx(5 / 2)


def test_smoothness_without_neighbours_is_none():
    assert smoothness(np.zeros((1, 1, 2))) is None
    assert smoothness(np.zeros((2, 2, 2)), np.eye(2)) is None
    assert relative_smoothness(np.zeros((2, 2, 2)), np.zeros((2, 2))) is None


def test_smoothness_refuses_other_shapes():
    with pytest.raises(ValueError, match="rows, cols, 2"):
        smoothness(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="patches are marked"):
        smoothness(np.zeros((2, 3, 2)), np.ones((3, 2)))


@given(fields, st.sampled_from([0.5, 2.0, 4.0]))
def test_smoothness_scales_with_the_displacement_and_ignores_the_axes(field, scale):
    value = smoothness(field)
    assert smoothness(field * scale) == pytest.approx(value * scale)
    assert smoothness(field.transpose(1, 0, 2)) == pytest.approx(value)
    assert smoothness(field[::-1, ::-1]) == pytest.approx(value)


def test_cycle_error_in_pixels_and_relative():
    start, back = [[0, 0], [10, 10]], [[3, 4], [10, 10]]
    assert cycle_error(start, back) == 2.5
    assert cycle_error(start, back, long_side=50) == 0.05
    assert cycle_error(np.zeros((0, 2)), np.zeros((0, 2)), long_side=50) is None


@pytest.mark.parametrize("long_side", [0.0, -1.0, math.inf])
def test_cycle_error_refuses_an_image_without_a_side(long_side):
    with pytest.raises(ValueError, match="above 0"):
        cycle_error([[0, 0]], [[0, 0]], long_side=long_side)
