from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.ui.canvas.draft import Stroke
from fmstudio.ui.canvas.strokes import stroke_mask
from fmstudio.ui.canvas.tool_masks import cut, joined, moved, pasted, swept

SEEDS = st.integers(0, 2**32 - 1)
SIDES = st.integers(1, 24)


def gaps(size, a, b):
    """Return how far each pixel's centre is from the way from a to b, (H, W)."""
    rows, cols = np.mgrid[: size.height, : size.width] + 0.5
    way = np.subtract(b, a)
    share = (cols - a[0]) * way[0] + (rows - a[1]) * way[1]
    share = np.clip(share / max(float(way @ way), 1e-12), 0, 1)
    return np.hypot(cols - a[0] - share * way[0], rows - a[1] - share * way[1])


@given(SEEDS, SIDES, SIDES, st.sampled_from(["any", "point", "upright", "level"]))
def test_a_brush_covers_the_centres_within_its_radius_of_its_way(seed, width, height, way):
    rng = np.random.default_rng(seed)
    size, radius = ImageSize(width, height), float(rng.uniform(0.2, 12))
    a, b = rng.uniform(-10, 34, (2, 2))
    if way in ("point", "upright"):
        b[0] = a[0]
    if way in ("point", "level"):
        b[1] = a[1]
    away = gaps(size, a, b)
    is_sure = np.abs(away - radius) > 1e-6
    drawn = swept(tuple(a), tuple(b), radius, size).to_array()
    assert (drawn == (away <= radius))[is_sure].all()


@given(SEEDS, SIDES, SIDES)
def test_masks_are_joined_and_cut_as_their_pixels_are(seed, width, height):
    rng = np.random.default_rng(seed)
    a, b = rng.random((2, height, width)) > rng.random()
    first, second = Mask.from_array(a), Mask.from_array(b)
    assert joined(first, second) == Mask.from_array(a | b)
    assert joined(None, second) == second
    assert cut(first, second) == Mask.from_array(a & ~b)


@given(SEEDS, SIDES, SIDES, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
def test_pixels_are_pasted_and_moved_where_they_are_wanted(seed, width, height, x, y, room):
    pixels = np.random.default_rng(seed).random((height, width)) > 0.4
    size = ImageSize(x + width + room, y + height + room)
    whole = np.zeros((size.height, size.width), bool)
    whole[y : y + height, x : x + width] = pixels
    mask = pasted(pixels, (x, y), size)
    assert mask == Mask.from_array(whole)
    corner = moved(mask, -x, -y)
    assert np.array_equal(corner.to_array()[:height, :width], pixels)
    assert moved(corner, x, y) == mask


def test_a_mask_does_not_move_off_the_image():
    mask = pasted(np.ones((2, 3), bool), (1, 1), ImageSize(6, 5))
    for step in ((-2, 0), (3, 0), (0, -2), (0, 3)):
        with pytest.raises(ValueError, match="cannot move"):
            moved(mask, *step)
    empty = Mask.empty(ImageSize(6, 5))
    assert moved(empty, 3, 3) == empty


def test_a_stroke_is_its_steps_and_one_place_is_a_disc():
    size = ImageSize(60, 40)
    places = np.array([[10.0, 10], [40, 12], [30, 30]])
    steps = [swept(tuple(a), tuple(b), 4.0, size) for a, b in pairwise(places)]
    assert stroke_mask(Stroke(places, 4.0), size) == Mask.union(size, steps)
    disc = stroke_mask(Stroke(places[:1], 4.0), size)
    assert disc.area == pytest.approx(np.pi * 16, rel=0.1)


def test_a_long_stroke_on_a_large_photo_costs_no_more_than_its_outline():
    size = ImageSize(8000, 6000)
    stroke = None
    for x in range(500, 7500, 100):
        stroke = joined(stroke, swept((x, 3000.0), (x + 100.0, 3010.0), 60.0, size))
    assert stroke.area > 7000 * 100
    # One run a column: nothing as large as the photo was made.
    assert len(stroke.counts) < 2.2 * 7120
