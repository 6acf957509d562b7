"""PF-PASCAL is read as its archive unpacks, with the lists of pairs of either name."""

import numpy as np
import pytest

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.pf_pascal import read_pf_pascal

CATS = "x/JPEGImages/2008_2.jpg,x/JPEGImages/2008_1.jpg,8"
TURNED = "x/JPEGImages/2008_1.jpg,x/JPEGImages/2008_2.jpg,8"


def test_each_class_is_a_set_with_its_pairs_judged_by_the_image(pascal):
    cat, dog = read_pf_pascal(pascal.root, "test")
    assert (cat.name, dog.name) == ("cat", "dog")
    assert [image.path.name for image in cat.images] == ["2008_1.jpg", "2008_2.jpg"]
    assert cat.pairs == ((2, 1),)
    assert dog.pairs == ((1, 2),)
    assert cat.threshold == "image"


def test_points_that_are_nan_are_not_labelled(pascal):
    cat, _ = read_pf_pascal(pascal.root, "test")
    keypoints = cat.images[1].keypoints
    assert keypoints.visibility.tolist() == [2, 0, 2]
    assert keypoints.xy.tolist() == [[10, 12], [0, 0], [40, 20]]


def test_shorter_lists_are_filled_up_with_points_that_are_not_labelled(pascal):
    _, dog = read_pf_pascal(pascal.root, "test")
    assert [image.keypoints.visibility.tolist() for image in dog.images] == [[2, 0], [2, 2]]


def test_the_box_is_from_corner_to_corner_and_the_size_the_photos(pascal):
    cat, _ = read_pf_pascal(pascal.root, "test")
    assert cat.images[0].box == (5, 4, 40, 20)
    assert (cat.images[0].size.width, cat.images[0].size.height) == (60, 40)


def test_a_box_without_extent_gives_way_to_the_points(pascal):
    pascal.image("2008_1", "cat", [[10, 10], [30, 20], [np.nan, 5]], bbox=(0, 0, 0, 0))
    cat, _ = read_pf_pascal(pascal.root, "test")
    assert cat.images[0].box == (10, 10, 20, 10)


def test_the_lists_other_name_and_its_coordinates_are_read_too(pascal):
    (pascal.folder / "test_pairs.csv").unlink()
    row = f"{CATS},10;40,12;20,11;41,13;20"
    pascal.pairs(row, name="test_pairs_pf_pascal.csv", header="a,b,class,XA,YA,XB,YB")
    (cat,) = read_pf_pascal(pascal.root, "test")
    assert cat.pairs == ((2, 1),)


def test_the_list_may_lie_beside_the_folder(pascal):
    (pascal.folder / "test_pairs.csv").rename(pascal.root / "test_pairs.csv")
    assert len(read_pf_pascal(pascal.root, "test")) == 2


def test_mirrored_training_pairs_are_passed_over_and_repeated_ones_count_once(pascal):
    rows = [f"{CATS},0", f"{CATS},1", f"{TURNED},0", f"{CATS},0"]
    pascal.pairs(*rows, name="trn_pairs.csv", header="source_image,target_image,class,flip")
    (cat,) = read_pf_pascal(pascal.root, "trn")
    assert cat.pairs == ((2, 1), (1, 2))


def test_a_missing_list_says_that_it_is_published_apart(pascal):
    with pytest.raises(DatasetError, match=r"val_pairs\.csv: .* published apart from the photos"):
        read_pf_pascal(pascal.root, "val")


def test_a_missing_photo_is_named(pascal):
    (pascal.folder / "JPEGImages" / "2009_1.jpg").unlink()
    with pytest.raises(DatasetError, match=r"2009_1\.jpg: this file is missing"):
        read_pf_pascal(pascal.root, "test")


def test_a_photo_that_is_none_is_named(pascal):
    (pascal.folder / "JPEGImages" / "2009_1.jpg").write_bytes(b"no photo")
    with pytest.raises(DatasetError, match=r"2009_1\.jpg"):
        read_pf_pascal(pascal.root, "test")


def test_a_missing_annotation_is_named(pascal):
    (pascal.folder / "Annotations" / "cat" / "2008_1.mat").unlink()
    with pytest.raises(DatasetError, match=r"cat/2008_1\.mat: this file is missing"):
        read_pf_pascal(pascal.root, "test")


@pytest.mark.parametrize("cut", [0, 3, 140, 200])
def test_a_matlab_file_that_was_cut_short_is_named(pascal, cut):
    path = pascal.folder / "Annotations" / "cat" / "2008_1.mat"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DatasetError, match=r"2008_1\.mat: this file"):
        read_pf_pascal(pascal.root, "test")


def test_points_of_another_shape_are_named(pascal):
    pascal.image("2008_1", "cat", [[1, 2, 3]])
    with pytest.raises(DatasetError, match=r"2008_1\.mat: .*m x 2 numbers"):
        read_pf_pascal(pascal.root, "test")


@pytest.mark.parametrize("name", ["../../secret.jpg", "/etc/photo.jpg", "C:\\photo.jpg", ""])
def test_no_path_leads_out_of_the_folder(pascal, name):
    pascal.pairs(f"{name},x/2008_1.jpg,8")
    with pytest.raises(DatasetError, match=r"test_pairs\.csv: the path .* leads out"):
        read_pf_pascal(pascal.root, "test")


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        (["a.jpg,b.jpg"], "not as its set describes"),
        (["a.jpg,b.jpg,21"], "class 21 is not between 1 and 20"),
        (["a.jpg,b.jpg,cat"], "not as its set describes"),
        ([], "no pair is in it"),
    ],
)
def test_a_broken_list_is_named(pascal, rows, what):
    pascal.pairs(*rows)
    with pytest.raises(DatasetError, match=rf"test_pairs\.csv: .*{what}"):
        read_pf_pascal(pascal.root, "test")
