import numpy as np
import pytest

from fmstudio.geometry.boundary import boundary_f, outline


def square(low, high, side=250):
    mask = np.zeros((side, side), dtype=bool)
    mask[low:high, low:high] = True
    return mask


def test_equal_masks_agree_and_far_ones_do_not():
    assert boundary_f(square(50, 150), square(50, 150)) == 1
    assert boundary_f(square(20, 60), square(150, 220)) == 0


def test_an_outline_may_be_off_by_the_tolerance_and_no_more():
    # 0.008 of a diagonal of 354 pixels: 3 whole ones.
    assert boundary_f(square(50, 150), square(53, 153)) > 0.95
    assert boundary_f(square(50, 150), square(55, 155)) < 0.1


def test_half_an_outline_has_full_precision_and_half_recall():
    both = square(20, 60) | square(150, 190)
    # One of two squares: all of its outline is right, half of the true one is found.
    assert boundary_f(square(20, 60), both) == pytest.approx(2 * 1 * 0.5 / 1.5)
    assert boundary_f(both, square(20, 60)) == pytest.approx(2 * 1 * 0.5 / 1.5)


def test_masks_without_an_outline():
    empty = np.zeros((40, 40), dtype=bool)
    assert boundary_f(empty, empty) == 1
    assert boundary_f(empty, square(10, 30, 40)) == 0
    assert boundary_f(square(10, 30, 40), empty) == 0


def test_an_outline_is_one_pixel_wide_and_the_same_for_the_complement():
    mask = square(10, 30, 60)
    assert np.array_equal(outline(mask), outline(~mask))
    assert outline(mask)[20].sum() == 2


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="cannot be compared"):
        boundary_f(square(1, 5, 10), square(1, 5, 12))
