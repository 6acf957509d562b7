import json
import time

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask, Polygon

shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)
arrays = hnp.arrays(bool, shapes)
pairs = shapes.flatmap(lambda shape: st.tuples(hnp.arrays(bool, shape), hnp.arrays(bool, shape)))


def disc(size: ImageSize, radius: float, inner: float = 0.0) -> np.ndarray:
    y, x = np.mgrid[: size.height, : size.width] + 0.5
    distance = np.hypot(x - size.width / 2, y - size.height / 2)
    return (distance < radius) & (distance >= inner)


@given(arrays)
def test_array_round_trip_and_equality(array: np.ndarray) -> None:
    mask = Mask.from_array(array)
    assert np.array_equal(mask.to_array(), array)
    assert mask == Mask.from_array(array.copy(order="F"))
    assert hash(mask) == hash(Mask.from_array(array.copy()))
    flipped = array.copy()
    flipped[0, 0] ^= True
    assert mask != Mask.from_array(flipped)


@given(arrays)
def test_area_bbox_and_code_are_those_of_pycocotools(array: np.ndarray) -> None:
    mask = Mask.from_array(array)
    rle = coco.encode(np.asfortranarray(array.astype(np.uint8)))
    assert mask.area == int(coco.area(rle)) == array.sum()
    rows, cols = np.nonzero(array)
    if rows.size:
        box = (cols.min(), rows.min(), np.ptp(cols) + 1, np.ptp(rows) + 1)
        assert mask.bbox == tuple(int(v) for v in box)
    else:
        assert mask.bbox is None
    assert mask.to_rle_bytes() == rle["counts"]
    assert Mask.from_rle_bytes(mask.size, rle["counts"]) == mask


def test_code_of_a_large_mask_round_trips() -> None:
    rng = np.random.default_rng(0)
    coarse = (rng.random((40, 30)) > 0.5).astype(np.uint8)
    mask = Mask.from_array(cv2.resize(coarse, (900, 1100)).astype(bool))
    assert Mask.from_rle_bytes(mask.size, mask.to_rle_bytes()) == mask
    json.dumps(mask.to_rle_bytes().decode("ascii"))


@given(arrays)
def test_polygons_come_back_as_the_same_mask(array: np.ndarray) -> None:
    mask = Mask.from_array(array)
    polygons = mask.polygons()
    assert Mask.from_polygons(mask.size, polygons) == mask
    # A single polygon of all rings says the same: even-odd.
    if polygons:
        rings = [ring for polygon in polygons for ring in polygon.rings]
        assert Mask.from_polygons(mask.size, [Polygon(rings[0], tuple(rings[1:]))]) == mask


@given(arrays)
def test_parts_and_holes_are_counted_as_by_connected_components(array: np.ndarray) -> None:
    mask = Mask.from_array(array)
    parts, _ = cv2.connectedComponents(array.astype(np.uint8), connectivity=4)
    around = np.pad(~array, 1, constant_values=True).astype(np.uint8)
    backgrounds, _ = cv2.connectedComponents(around, connectivity=8)
    assert mask.n_parts == parts - 1
    assert mask.n_holes == backgrounds - 2  # label 0, and what reaches the border


def signed_area(ring: np.ndarray) -> float:
    x, y = ring.T
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


@given(arrays)
def test_outlines_are_clockwise_and_holes_belong_to_the_part_around_them(
    array: np.ndarray,
) -> None:
    mask = Mask.from_array(array)
    total = 0.0
    for polygon in mask.polygons():
        assert signed_area(polygon.outer) > 0
        assert all(signed_area(hole) < 0 for hole in polygon.holes)
        part = sum(signed_area(ring) for ring in polygon.rings)
        assert part == Mask.from_polygons(mask.size, [polygon]).area > 0
        total += part
    assert total == mask.area


def test_a_ring_has_one_part_and_one_hole() -> None:
    mask = Mask.from_array(disc(ImageSize(60, 40), 15, 6))
    (polygon,) = mask.polygons()
    assert len(polygon.holes) == mask.n_holes == mask.n_parts == 1
    union = [Polygon(ring) for ring in polygon.rings]
    filled = Mask.from_polygons(mask.size, union)
    assert filled == Mask.from_array(disc(ImageSize(60, 40), 15)), "two outlines are a union"


def test_the_mask_of_a_ring_given_to_coco_as_polygons_is_filled() -> None:
    mask = Mask.from_array(disc(ImageSize(60, 40), 15, 6))
    rings = [ring for polygon in mask.polygons() for ring in polygon.rings]
    drawn = Mask.from_coco_polygons(mask.size, rings)
    assert drawn.n_holes == 0
    assert drawn.iou(Mask.from_array(disc(mask.size, 15))) == 1.0
    theirs = coco.merge(coco.frPyObjects([r.ravel().tolist() for r in rings], 40, 60))
    assert drawn.to_rle_bytes() == theirs["counts"]
    assert Mask.from_coco_polygons(mask.size, []) == Mask.empty(mask.size)


@given(arrays)
def test_outlines_without_holes_mean_the_same_to_pycocotools(array: np.ndarray) -> None:
    mask = Mask.from_array(array)
    if mask.n_holes == 0 and mask.n_parts:
        outers = [polygon.outer for polygon in mask.polygons()]
        assert Mask.from_coco_polygons(mask.size, outers) == mask


def test_a_polygon_covers_the_pixels_whose_centres_it_covers() -> None:
    size = ImageSize(4, 3)
    square = Polygon(np.array([[0.6, 0.4], [2.6, 0.4], [2.6, 2.4], [0.6, 2.4]]))
    expected = np.zeros((3, 4), dtype=bool)
    expected[0:2, 1:3] = True
    assert np.array_equal(Mask.from_polygons(size, [square]).to_array(), expected)


coordinates = st.floats(-15, 25, allow_nan=False)
rings = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=8)


def is_inside(ring: np.ndarray, x: float, y: float) -> bool:
    inside = False
    for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        if (x0 < x) != (x1 < x):
            inside ^= bool(y0 + (x - x0) * (y1 - y0) / (x1 - x0) < y)
    return inside


@given(rings)
def test_polygons_follow_the_even_odd_rule_even_outside_the_image(
    points: list[tuple[float, float]],
) -> None:
    ring = np.array(points)
    mask = Mask.from_polygons(ImageSize(9, 7), [Polygon(ring)]).to_array()
    for row in range(7):
        for col in range(9):
            x, y = col + 0.5, row + 0.5
            # Points within rounding of an edge may fall on either side of it.
            near = {is_inside(ring + d, x, y) for d in ([0, 0], [0, 1e-9], [0, -1e-9])}
            near |= {is_inside(ring + d, x, y) for d in ([1e-9, 0], [-1e-9, 0])}
            assert mask[row, col] in near


@given(pairs)
def test_union_intersection_and_iou(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = (Mask.from_array(array) for array in pair)
    assert np.array_equal(Mask.union(a.size, [a, b]).to_array(), pair[0] | pair[1])
    assert a.intersection_area(b) == (pair[0] & pair[1]).sum()
    if (pair[0] | pair[1]).any():
        assert a.iou(b) == (pair[0] & pair[1]).sum() / (pair[0] | pair[1]).sum()
    else:
        assert a.iou(b) is None


@given(shapes.flatmap(lambda s: st.lists(hnp.arrays(bool, s), min_size=1, max_size=5)))
def test_union_of_many(stack: list[np.ndarray]) -> None:
    height, width = stack[0].shape
    union = Mask.union(ImageSize(width, height), [Mask.from_array(array) for array in stack])
    assert np.array_equal(union.to_array(), np.any(stack, axis=0))


def test_union_of_none_is_empty() -> None:
    assert Mask.union(ImageSize(3, 2), []) == Mask.empty(ImageSize(3, 2))
    assert Mask.from_polygons(ImageSize(3, 2), []).area == 0


def test_masks_of_different_sizes_do_not_compare() -> None:
    with pytest.raises(ValueError, match="different sizes"):
        Mask.empty(ImageSize(3, 2)).iou(Mask.empty(ImageSize(2, 3)))


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([3, 2], "add up to 5 pixels"),
        ([-1, 7], "negative"),
        ([2.0, 4.0], "whole numbers"),
        ([], "whole numbers"),
        ([[6]], "list"),
        ([6, 0, 2**31], "longer than the image"),
    ],
)
def test_impossible_counts_are_refused(counts: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mask(ImageSize(3, 2), np.array(counts))


def test_empty_runs_are_merged_away() -> None:
    size = ImageSize(3, 2)
    odd = Mask(size, np.array([0, 0, 1, 2, 0, 1, 2, 0, 0]))
    assert odd.counts.tolist() == [1, 3, 2]
    assert odd == Mask(size, np.array([1, 3, 2]))
    assert Mask(size, np.array([0, 6, 0])).counts.tolist() == [0, 6]


def test_counts_are_read_only_and_a_copy() -> None:
    counts = np.array([2, 4], dtype=np.uint32)
    mask = Mask(ImageSize(3, 2), counts)
    counts[0] = 3
    assert mask.area == 4
    with pytest.raises(ValueError, match="read-only"):
        mask.counts[0] = 3


@pytest.mark.parametrize("data", [b"", b"p", b"\x00", b"oooooooo0", b"O", b"7", "é".encode()])
def test_broken_codes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"run length|add up"):
        Mask.from_rle_bytes(ImageSize(3, 2), data)


@given(st.binary(max_size=12))
def test_any_bytes_are_a_mask_or_refused(data: bytes) -> None:
    size = ImageSize(3, 2)
    try:
        mask = Mask.from_rle_bytes(size, data)
    except ValueError:
        return
    assert mask.to_array().shape == (2, 3)


@pytest.mark.parametrize(
    "ring", [[[0, 0], [1, 1]], [[0, 0, 1]] * 3, [[0, 0], [1, float("nan")], [2, 2]]]
)
def test_broken_rings_are_refused(ring: list) -> None:
    with pytest.raises(ValueError, match=r"ring|finite"):
        Polygon(np.array(ring))


def test_a_polygon_far_away_is_refused_before_pycocotools_draws_it() -> None:
    with pytest.raises(ValueError, match="far outside"):
        Mask.from_coco_polygons(ImageSize(9, 9), [[0, 0, 1e12, 0, 1e12, 5]])


def test_a_mask_of_twelve_megapixels_is_outlined_quickly() -> None:
    rng = np.random.default_rng(1)
    noise = cv2.GaussianBlur(rng.standard_normal((3000, 4000)).astype(np.float32), (0, 0), 15)
    mask = Mask.from_array(noise > 0)
    start = time.perf_counter()
    polygons = mask.polygons()
    again = Mask.from_polygons(mask.size, polygons)
    assert again == mask
    assert time.perf_counter() - start < 30  # 0.5 s alone; the machine may be busy


@given(st.lists(arrays, max_size=5))
def test_many_masks_at_once_are_those_one_by_one(several: list[np.ndarray]) -> None:
    masks = [Mask.from_array(array) for array in several]
    runs = np.concatenate([np.zeros(0, np.uint32), *(mask.counts for mask in masks)])
    lengths = np.array([len(mask.counts) for mask in masks], dtype=np.int64)
    many = Mask.many([mask.size for mask in masks], runs, lengths)
    assert many == masks
    for mask in many:
        assert not mask.counts.flags.writeable


def test_among_many_masks_empty_runs_are_merged_and_wrong_ones_refused() -> None:
    size = ImageSize(2, 3)
    runs = np.array([0, 6, 1, 2, 0, 1, 2, 6], dtype=np.uint32)
    many = Mask.many([size] * 3, runs, np.array([2, 5, 1]))
    assert [mask.counts.tolist() for mask in many] == [[0, 6], [1, 3, 2], [6]]
    with pytest.raises(ValueError, match="add up"):
        Mask.many([size] * 2, np.array([6, 1, 4], dtype=np.uint32), np.array([1, 2]))
