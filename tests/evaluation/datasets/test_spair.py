"""SPair-71k is read as its archive unpacks; every fault names its file."""

import numpy as np
import pytest

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.spair import read_spair


def test_each_category_is_a_set_with_the_pairs_of_the_split(spair):
    cat, dog = read_spair(spair.root, "test")
    assert (cat.name, dog.name) == ("cat", "dog")
    assert [image.path.name for image in cat.images] == ["2008_000001.jpg", "2008_000002.jpg"]
    assert [image.id for image in cat.images] == [1, 2]
    assert cat.pairs == ((2, 1), (1, 2))
    assert dog.pairs == ((1, 2),)
    assert cat.threshold == "box"


def test_another_split_has_other_images(spair):
    (cat,) = read_spair(spair.root, "trn")
    assert [image.path.stem for image in cat.images] == ["2008_000001", "2008_000003"]
    assert cat.pairs == ((2, 1),)


def test_points_that_are_null_are_not_labelled(spair):
    cat, _ = read_spair(spair.root, "test")
    keypoints = cat.images[1].keypoints
    assert len(keypoints) == 30
    assert np.flatnonzero(keypoints.labelled).tolist() == [0, 3]
    assert keypoints.xy[[0, 3]].tolist() == [[10, 12], [40, 20]]


def test_the_box_is_from_corner_to_corner_and_the_size_the_files(spair):
    cat, dog = read_spair(spair.root, "test")
    assert cat.images[0].box == (5, 4, 40, 20)
    assert dog.images[0].box == (0, 0, 10, 30)
    assert (cat.images[0].size.width, cat.images[0].size.height) == (60, 40)


def test_the_set_is_also_found_where_the_root_is_its_own_folder(spair):
    assert len(read_spair(spair.folder, "test")) == 2


def test_a_mask_is_the_categorys_pixels_within_the_box(spair):
    values = np.zeros((40, 60), dtype=np.uint8)
    values[10:20, 10:20] = 8
    values[10:20, 30:35] = 15
    values[30:35, 50:55] = 8
    spair.image("cat", "2008_000001", {0: (11, 13)}, values=values)
    cat, _ = read_spair(spair.root, "test")
    expected = np.zeros((40, 60), dtype=bool)
    expected[10:20, 10:20] = True
    assert np.array_equal(cat.images[0].mask.to_array(), expected)
    assert cat.images[1].mask is None


def test_a_segmentation_without_the_category_is_no_mask(spair):
    spair.image("cat", "2008_000001", {0: (1, 2)}, values=np.full((40, 60), 3, dtype=np.uint8))
    cat, _ = read_spair(spair.root, "test")
    assert cat.images[0].mask is None


@pytest.mark.parametrize("shape", [(40, 61), (40, 60, 3)])
def test_a_segmentation_of_another_kind_is_named(spair, shape):
    spair.image("cat", "2008_000001", {0: (1, 2)}, values=np.ones(shape, dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"cat/2008_000001\.png: this mask has no class numbers"):
        read_spair(spair.root, "test")


def test_a_missing_split(spair):
    with pytest.raises(DatasetError, match=r"large/val\.txt: this file cannot be read"):
        read_spair(spair.root, "val")


def test_a_missing_photo_is_named(spair):
    (spair.folder / "JPEGImages" / "dog" / "2009_000002.jpg").unlink()
    with pytest.raises(DatasetError, match=r"dog/2009_000002\.jpg: this file is missing"):
        read_spair(spair.root, "test")


def test_a_missing_annotation_is_named(spair):
    (spair.folder / "ImageAnnotation" / "cat" / "2008_000001.json").unlink()
    with pytest.raises(DatasetError, match=r"cat/2008_000001\.json: this file is missing"):
        read_spair(spair.root, "test")


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ("{ no json", "is not JSON"),
        ({"image_width": 60, "image_height": 40, "bndbox": [1, 2, 3, 4]}, "'kps' is missing"),
        ({"image_width": 60, "image_height": 40, "kps": {}, "bndbox": []}, "'0' is missing"),
        ([1, 2], "not as its set describes"),
    ],
)
def test_a_broken_annotation_is_named(spair, record, what):
    spair.annotation("cat", "2008_000001", record)
    with pytest.raises(DatasetError, match=rf"2008_000001\.json: .*{what}"):
        read_spair(spair.root, "test")


@pytest.mark.parametrize(
    "line",
    [
        "000001-../../../secret-2008_000001:cat",
        "000001-2008_000001-2008_000002:../cat",
        "000001-/etc/photo-2008_000002:..",
    ],
)
def test_no_name_leads_out_of_the_folder(spair, line):
    spair.layout("test", line)
    with pytest.raises(DatasetError, match=r"test\.txt: the path .* leads out of the set's folder"):
        read_spair(spair.root, "test")


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["2008_000001,2008_000002"], "line 1 is not"),
        ([], "no pair is in it"),
        (["1-2008_000001-2008_000001:cat"], "no pair of two different images"),
    ],
)
def test_a_broken_list_is_named(spair, lines, what):
    spair.layout("test", *lines)
    with pytest.raises(DatasetError, match=rf"test\.txt: .*{what}"):
        read_spair(spair.root, "test")
