import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask, Polygon
from fmstudio.ui.canvas.hits import gaps_to_lines
from fmstudio.ui.canvas.tool_corners import Corners

SIZE = ImageSize(40, 30)


def blob(seed):
    """Return a mask of rough blobs with holes, and parts that touch by a corner."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((10, 13)) > 0.5
    return Mask.from_array(np.kron(coarse, np.ones((3, 3), bool)))


def rings(mask):
    return [ring for polygon in mask.polygons() for ring in polygon.rings]


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 8))
@example(1653, 2.375)
def test_corners_hold_the_whole_ring_and_miss_none_of_it_by_more_than_said(seed, tolerance):
    for ring in rings(blob(seed)):
        corners = Corners.of(ring, tolerance)
        whole = corners.ring()
        assert len(corners.xy) >= 3
        # The same ring, from another vertex on.
        start = int(np.flatnonzero((ring == whole[0]).all(axis=1))[0])
        shifts = [np.roll(ring, -s, axis=0) for s in range(len(ring))]
        assert any(np.array_equal(whole, shift) for shift in [shifts[start], *shifts])
        ends = np.roll(corners.xy, -1, axis=0)
        for place in whole:
            assert gaps_to_lines(corners.xy, ends, tuple(place)).min() <= tolerance + 1e-9


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 6))
def test_a_mask_is_made_again_exactly_from_its_corners(seed, tolerance):
    mask = blob(seed)
    parts = []
    for polygon in mask.polygons():
        outer, *holes = (Corners.of(ring, tolerance).ring() for ring in polygon.rings)
        parts.append(Polygon(outer, tuple(holes)))
    assert Mask.from_polygons(mask.size, parts) == mask


@given(st.integers(0, 2**32 - 1), st.floats(-5, 45), st.floats(-5, 35))
def test_a_new_corner_changes_nothing_until_it_is_moved(seed, x, y):
    found = rings(blob(seed))
    assume(found)
    ring = found[0]
    corners = Corners.of(ring, 3.0)
    after = corners.nearest_way((x, y), 1000)
    more = corners.with_corner(after, (x, y))
    assert len(more.xy) == len(corners.xy) + 1
    area = Mask.from_polygons(SIZE, [Polygon(ring)])
    assert Mask.from_polygons(SIZE, [Polygon(more.ring())]) == area
    # It lies on the ring, as near to the place as the ring comes there.
    placed = tuple(more.xy[after + 1])
    assert gaps_to_lines(ring, np.roll(ring, -1, axis=0), placed).min() < 1e-6


def test_only_the_ways_to_its_neighbours_change_with_a_corner():
    stairs = np.array([[0.0, 0], [20, 0], [20, 8], [19, 8], [19, 9], [18, 9], [18, 20], [0, 20]])
    corners = Corners.of(stairs, 2.0)
    index = int(np.flatnonzero((corners.xy == [0, 0]).all(axis=1))[0])
    moved = corners.moved(index, (-5.0, -5.0))
    assert moved.xy[index].tolist() == [-5, -5]
    assert {(19.0, 8.0), (18.0, 9.0)} <= {tuple(p) for p in moved.ring().tolist()}
    without = corners.without(index)
    assert len(without.xy) == len(corners.xy) - 1
    assert [0, 0] not in without.ring().tolist()


def test_a_ring_keeps_three_corners():
    triangle = Corners.of(np.array([[0.0, 0], [9, 0], [0, 9]]), 100.0)
    assert len(triangle.xy) == 3
    with pytest.raises(ValueError, match="three"):
        triangle.without(0)


def test_the_way_beyond_reach_is_none():
    square = Corners.of(np.array([[0.0, 0], [9, 0], [9, 9], [0, 9]]), 0.5)
    assert square.nearest_way((4.5, 0.4), 1.0) is not None
    assert square.nearest_way((4.5, 4.5), 1.0) is None
