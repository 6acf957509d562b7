"""AP-10K is read as its archive unpacks: one set a species, one animal a photo."""

import json

import numpy as np
import pytest

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.ap10k import read_ap10k


def test_each_species_is_a_set_and_the_benchmark_draws_its_pairs(animals):
    animals.close()
    horse, zebra = read_ap10k(animals.root, "test")
    assert (horse.name, zebra.name) == ("horse", "zebra")
    assert [image.id for image in zebra.images] == [3, 7]
    assert zebra.images[0].path.name == "000000000003.jpg"
    assert zebra.pairs is None
    assert zebra.threshold == "box"


def test_points_box_and_size_are_the_files(animals):
    animals.close()
    _, zebra = read_ap10k(animals.root, "test")
    image = zebra.images[0]
    assert len(image.keypoints) == 17
    assert np.flatnonzero(image.keypoints.labelled).tolist() == [0, 1, 2]
    assert image.keypoints.xy[2].tolist() == [12, 7]
    assert image.box == (5, 4, 40, 20)
    assert (image.size.width, image.size.height) == (60, 40)


def test_photos_of_several_animals_are_left_out_whatever_the_species(animals):
    animals.image(11)
    animals.animal(4, 11, 17)
    animals.animal(5, 11, 0, category_id=5)
    animals.close()
    _, zebra = read_ap10k(animals.root, "test")
    assert [image.id for image in zebra.images] == [3, 7]


def test_photos_with_fewer_than_three_points_are_left_out(animals):
    animals.image(11)
    animals.animal(4, 11, 2)
    animals.close()
    _, zebra = read_ap10k(animals.root, "test")
    assert [image.id for image in zebra.images] == [3, 7]


def test_every_part_of_every_split_can_be_asked_for(animals):
    animals.close("val", 1)
    animals.coco["annotations"].pop()
    animals.close("val", 3)
    assert len(read_ap10k(animals.root, "val")) == 2
    assert len(read_ap10k(animals.root, "val-split1")) == 2
    assert len(read_ap10k(animals.folder, "val-split3")) == 1


def test_a_missing_split_is_named(animals):
    animals.close("train")
    with pytest.raises(DatasetError, match=r"ap10k-test-split1\.json: this file cannot be read"):
        read_ap10k(animals.root, "test")


def test_a_missing_photo_is_named(animals):
    animals.close()
    (animals.folder / "data" / "000000000009.jpg").unlink()
    with pytest.raises(DatasetError, match=r"000000000009\.jpg: this file is missing"):
        read_ap10k(animals.root, "test")


@pytest.mark.parametrize("name", ["../../secret.jpg", "/etc/photo.jpg", "..\\..\\secret.jpg"])
def test_no_path_leads_out_of_the_folder(animals, name):
    animals.coco["images"][0]["file_name"] = name
    animals.close()
    with pytest.raises(DatasetError, match=r"test-split1\.json: the path .* leads out"):
        read_ap10k(animals.root, "test")


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [
        ("keypoints", [1, 2, 2], "cannot reshape"),
        ("keypoints", [0, 0, 7] * 17, "visibility is 0, 1 or 2"),
        ("keypoints", [float("nan"), 0, 2] * 17, "finite"),
        ("category_id", 99, "99 is missing"),
        ("image_id", 99, "99 is missing"),
        ("bbox", [1, 2], "not enough values"),
        ("bbox", [1, 2, float("nan"), 4], "four finite numbers"),
    ],
)
def test_a_broken_annotation_is_named(animals, field, value, what):
    animals.coco["annotations"][0][field] = value
    animals.close()
    with pytest.raises(DatasetError, match=rf"test-split1\.json: .*{what}"):
        read_ap10k(animals.root, "test")


def test_a_file_of_something_else_is_named(animals):
    animals.close()
    (animals.folder / "annotations" / "ap10k-test-split1.json").write_text(json.dumps([1]))
    with pytest.raises(DatasetError, match=r"test-split1\.json: .*not as its set describes"):
        read_ap10k(animals.root, "test")


def test_a_file_without_a_single_animal_is_named(animals):
    animals.coco["annotations"] = []
    animals.close()
    with pytest.raises(DatasetError, match=r"test-split1\.json: no photo of one animal"):
        read_ap10k(animals.root, "test")
