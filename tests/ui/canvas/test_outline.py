import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PySide6.QtCore import QPointF, QRect, QRectF

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask, Polygon
from fmstudio.ui.canvas.outline import Outlines, make_path, sampled

masks = arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def covered(path, width, height):
    """Return which pixels' centres a path covers, (height, width)."""
    return np.array(
        [[path.contains(QPointF(x + 0.5, y + 0.5)) for x in range(width)] for y in range(height)]
    )


@given(masks, st.data())
def test_a_sample_is_every_nth_pixel_of_a_part(array, data):
    height, width = array.shape
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    w, h = data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y))
    step = data.draw(st.integers(1, 4))
    found = sampled(Mask.from_array(array), QRect(x, y, w, h), step)
    assert np.array_equal(found.T, array[y : y + h : step, x : x + w : step])


@given(masks)
def test_a_magnified_outline_runs_along_the_pixels_edges(array):
    height, width = array.shape
    path = make_path(Mask.from_array(array), 4, QRect(0, 0, width, height))
    assert np.array_equal(covered(path, width, height), array)
    corners = [path.elementAt(i) for i in range(path.elementCount())]
    assert all(c.x == round(c.x) and c.y == round(c.y) for c in corners)


def test_a_part_is_outlined_where_it_lies():
    array = np.zeros((40, 50), bool)
    array[10:30, 20:40] = True
    path = make_path(Mask.from_array(array), 3, QRect(30, 20, 20, 20))
    assert path.boundingRect() == QRectF(30, 20, 10, 10)


@pytest.fixture(scope="module")
def ring():
    """Return a mask of a disc with a hole, on an image of 800 x 600."""
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    polygon = Polygon(circle * 250 + [400, 300], (circle * 100 + [400, 300],))
    return Mask.from_polygons(ImageSize(800, 600), [polygon])


@pytest.mark.parametrize("scale", [0.06, 0.1, 0.3, 0.7, 1.0, 2.5, 5.0])
def test_an_outline_leaves_the_mask_by_no_more_than_the_screen_shows(ring, scale):
    path = Outlines().path(ring, scale, QRectF(0, 0, 800, 600))
    reach = max(2.0 / scale, 1.0)
    for angle in np.linspace(0, 2 * np.pi, 24):
        for radius, is_inside in ((250, True), (100, False)):
            for side in (-1, 1):
                away = radius + side * reach
                place = QPointF(400 + away * np.cos(angle), 300 + away * np.sin(angle))
                assert path.contains(place) == (is_inside == (side < 0))


def test_a_smaller_scale_needs_fewer_corners(ring):
    everything = QRectF(0, 0, 800, 600)
    counts = [Outlines().path(ring, s, everything).elementCount() for s in (0.1, 1.0, 5.0)]
    assert counts == sorted(counts)
    assert counts[0] < 60


def test_a_path_is_kept_while_scale_and_place_hardly_change(ring):
    outlines = Outlines()
    first = outlines.path(ring, 1.1, QRectF(200, 100, 300, 200))
    assert outlines.path(ring, 1.3, QRectF(203, 101, 290, 198)) is first
    assert outlines.path(ring, 2.1, QRectF(203, 101, 150, 100)) is not first


def test_no_more_is_outlined_than_is_near_what_is_seen(ring):
    path = Outlines().path(ring, 8.0, QRectF(400, 40, 40, 30))
    assert path.boundingRect().width() <= 64 + 40 + 2 * 64


def test_an_empty_mask_has_no_outline():
    empty = Mask.from_array(np.zeros((5, 5), bool))
    assert Outlines().path(empty, 1.0, QRectF(0, 0, 5, 5)).isEmpty()
    assert make_path(empty, 0, QRect()).isEmpty()
