"""PF-WILLOW is read from its folder and its one list of pairs."""

import numpy as np
import pytest

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.pf_willow import read_pf_willow

A = np.stack([np.arange(10) * 4.0, np.arange(10) + 20.0], axis=1)
B = A + 0.5
C = A[::-1]


def test_each_class_is_a_set_with_its_pairs(willow):
    willow.pair("PF-dataset/duck(S)/d.png", "PF-dataset/duck(S)/c.png", B, A)
    willow.pair("PF-dataset/car(G)/b.png", "PF-dataset/car(G)/a.png", A, B)
    willow.pair("PF-dataset/car(G)/a.png", "PF-dataset/car(G)/b.png", B, A)
    willow.close()
    car, duck = read_pf_willow(willow.root, "test")
    assert (car.name, duck.name) == ("car(G)", "duck(S)")
    assert [image.path.name for image in car.images] == ["a.png", "b.png"]
    assert car.pairs == ((2, 1), (1, 2))
    assert duck.pairs == ((2, 1),)
    assert car.threshold == "box"


def test_points_are_columns_and_the_box_is_around_them(willow):
    willow.pair("PF-dataset/car(G)/a.png", "PF-dataset/car(G)/b.png", A, C)
    willow.close()
    (car,) = read_pf_willow(willow.root, "test")
    assert np.array_equal(car.images[0].keypoints.xy, A)
    assert np.array_equal(car.images[1].keypoints.xy, C)
    assert car.images[0].box == (0, 20, 36, 9)


def test_an_image_whose_points_differ_counts_once_for_each(willow):
    willow.pair("PF-dataset/car(G)/a.png", "PF-dataset/car(G)/b.png", A, B)
    willow.pair("PF-dataset/car(G)/a.png", "PF-dataset/car(G)/b.png", C, B)
    willow.close()
    (car,) = read_pf_willow(willow.root, "test")
    assert [image.path.name for image in car.images] == ["a.png", "a.png", "b.png"]
    sources = [car.images[s - 1].keypoints.xy for s, _ in car.pairs]
    assert np.array_equal(sources, [A, C])


def test_a_point_that_is_nan_or_empty_is_not_labelled(willow):
    willow.pair("PF-dataset/car(G)/a.png", "PF-dataset/car(G)/b.png", A, B)
    values = willow.rows[1].split(",")
    values[2], values[3] = "nan", ""
    willow.rows[1] = ",".join(values)
    willow.close()
    (car,) = read_pf_willow(willow.root, "test")
    assert car.images[0].keypoints.visibility.tolist() == [0, 0, *[2] * 8]
    assert car.images[0].box == (8, 22, 28, 7)


def test_the_lists_other_name_and_the_folder_itself_are_found(willow):
    willow.pair("PF-dataset/car(G)/a.png", "PF-dataset/car(G)/b.png", A, B)
    willow.close("test_pairs_pf.csv")
    assert len(read_pf_willow(willow.folder, "test")) == 1


def test_a_missing_photo_is_named(willow):
    willow.pair("PF-dataset/car(G)/a.png", "PF-dataset/car(G)/lost.png", A, B)
    willow.close()
    with pytest.raises(DatasetError, match=r"lost\.png: this file is missing"):
        read_pf_willow(willow.root, "test")


@pytest.mark.parametrize("name", ["PF-dataset/../../a.png", "/car(G)/a.png", "C:/car(G)/a.png"])
def test_no_path_leads_out_of_the_folder(willow, name):
    willow.pair(name, "PF-dataset/car(G)/b.png", A, B)
    willow.close()
    with pytest.raises(DatasetError, match=r"test_pairs\.csv: the path .* leads out"):
        read_pf_willow(willow.root, "test")


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("PF-dataset/car(G)/a.png,PF-dataset/car(G)/b.png,1,2", "a row has 4 values, not 42"),
        (",".join(["a.png", "b.png", *["1"] * 40]), "is not .PF-dataset/class/image"),
        (",".join(["a.png", "b.png", *["x"] * 40]), "could not convert"),
        (",".join(["car(G)/a.png", "duck(S)/c.png", *["1"] * 40]), "of two classes"),
    ],
)
def test_a_broken_row_is_named(willow, row, what):
    willow.rows.append(row)
    willow.close()
    with pytest.raises(DatasetError, match=rf"test_pairs\.csv: .*{what}"):
        read_pf_willow(willow.root, "test")


def test_a_missing_list_says_that_it_is_published_apart(willow):
    with pytest.raises(DatasetError, match=r"test_pairs\.csv: .* published apart from the photos"):
        read_pf_willow(willow.root, "test")


def test_a_list_without_pairs_is_named(willow):
    willow.close()
    with pytest.raises(DatasetError, match=r"test_pairs\.csv: no pair is in it"):
        read_pf_willow(willow.root, "test")
