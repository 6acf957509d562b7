import numpy as np
import pytest

from fmstudio.geometry.outlines import trace


def traced(rows):
    array = np.array([[c == "#" for c in row] for row in rows])
    return [ring.tolist() for ring in trace(np.pad(array, 1))]


def test_a_pixel_has_four_corners_from_its_upper_left_to_the_right():
    assert traced([".#"]) == [[[1, 0], [2, 0], [2, 1], [1, 1]]]


@pytest.mark.parametrize(
    ("rows", "corners"),
    [
        (["##", "##"], [4]),
        (["#.", ".#"], [4, 4]),
        (["###", "#.#", "###"], [4, 4]),
        (["#.", "##"], [6]),
    ],
)
def test_parts_and_holes_have_a_ring_each(rows, corners):
    assert sorted(len(ring) for ring in traced(rows)) == corners


def test_nothing_has_none():
    assert traced(["..", ".."]) == []
