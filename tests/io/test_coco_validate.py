"""Each rule of the validator: a sound document passes, one change breaks exactly that rule."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.io.coco import Fault, validate_coco

SQUARE = [10.0, 5.0, 20.0, 5.0, 20.0, 15.0, 10.0, 15.0]
INSIDE = [12.0, 7.0, 18.0, 7.0, 18.0, 13.0, 12.0, 13.0]
APART = [25.0, 5.0, 30.0, 5.0, 30.0, 10.0, 25.0, 10.0]
RUNS = Mask.from_coco_polygons(ImageSize(40, 30), [SQUARE]).to_rle_bytes().decode()
NOTHING = Mask.empty(ImageSize(40, 30)).to_rle_bytes().decode()


@pytest.fixture
def sound() -> dict[str, Any]:
    return {
        "images": [
            {"id": 1, "file_name": "a/b.jpg", "width": 40, "height": 30},
            {"id": 2, "file_name": "b.jpg", "width": 40, "height": 30},
        ],
        "categories": [
            {"id": 1, "name": "cat", "supercategory": "animal", "keypoints": ["a", "b"],
             "skeleton": [[1, 2]], "flip_pairs": [], "sigmas": [0.1, 0.2]},
            {"id": 2, "name": "stone", "supercategory": "object"},
        ],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 100,
             "bbox": [10, 5, 10, 10], "keypoints": [11.5, 7, 2, 0, 0, 0], "num_keypoints": 1,
             "segmentation": {"size": [30, 40], "counts": RUNS}, "attributes": {}},
            {"id": 2, "image_id": 2, "category_id": 2, "iscrowd": 0, "area": 125,
             "bbox": [10, 5, 20, 10], "segmentation": [SQUARE, APART]},
            {"id": 3, "image_id": 2, "category_id": 2, "iscrowd": 0, "area": 12.5,
             "bbox": [0, 0, 5, 2.5]},
        ],
    }  # fmt: skip


def test_a_sound_document_has_no_fault(sound: dict[str, Any]) -> None:
    assert validate_coco(sound) == []


def test_a_fault_says_where() -> None:
    assert str(Fault("annotations", 17, "has no id")) == "annotations[17] has no id"
    assert str(Fault("", None, "has no list 'images'")) == "the file has no list 'images'"


Change = Callable[[dict[str, Any]], object]


def put(name: str, index: int, **changes: Any) -> Change:
    return lambda document: document[name][index].update(changes)


def drop(name: str, index: int, key: str) -> Change:
    return lambda document: document[name][index].pop(key)


@pytest.mark.parametrize(
    ("change", "where", "fault"),
    [
        # 1, 9: ids
        (put("annotations", 0, id=0), "annotations[0]", "id 0"),
        (put("annotations", 0, id="1"), "annotations[0]", "id '1'"),
        (put("annotations", 1, id=1), "annotations[1]", "id 1 of the one at 0"),
        (put("annotations", 0, image_id=9), "annotations[0]", "image 9"),
        (put("annotations", 0, category_id=True), "annotations[0]", "category True"),
        (put("annotations", 0, id=2**53), "annotations[0]", "id 9007199254740992"),
        # 2: crowds
        (put("annotations", 0, iscrowd=False), "annotations[0]", "iscrowd False"),
        (put("annotations", 0, iscrowd=2), "annotations[0]", "iscrowd 2"),
        (drop("annotations", 0, "iscrowd"), "annotations[0]", "iscrowd None"),
        (put("annotations", 1, iscrowd=1), "annotations[1]", "not run-length encoded"),
        # 3: run lengths
        (put("annotations", 0, segmentation={"size": [40, 30], "counts": RUNS}),
         "annotations[0]", "not [height, width]"),
        (put("annotations", 0, segmentation={"size": [30, 40], "counts": [1200]}),
         "annotations[0]", "not a compressed string"),
        (put("annotations", 0, segmentation={"size": [30, 40], "counts": "zzz"}),
         "annotations[0]", "cannot be decoded"),
        (put("annotations", 0, segmentation={"size": [30, 40], "counts": RUNS[:-1]}),
         "annotations[0]", "cannot be decoded"),
        (put("annotations", 0, segmentation={"size": [30, 40], "counts": NOTHING}),
         "annotations[0]", "empty mask"),
        # 4: holes
        (put("annotations", 1, segmentation=[SQUARE, APART, INSIDE]),
         "annotations[1]", "inside another"),
        (put("annotations", 1, segmentation=[]), "annotations[1]", "cannot be decoded"),
        (put("annotations", 1, segmentation=[[1, 2, 3, 4]]), "annotations[1]", "three x, y"),
        (put("annotations", 1, segmentation=[[1, 2, 3, 4, 5, 6, 7]]),
         "annotations[1]", "three x, y"),
        # 5: area
        (put("annotations", 0, area=99), "annotations[0]", "area 99, its mask 100"),
        (put("annotations", 2, area=0), "annotations[2]", "area 0"),
        (put("annotations", 2, area=float("nan")), "annotations[2]", "area nan"),
        # 6: box
        (put("annotations", 0, bbox=[10, 5, 10, 9]), "annotations[0]", "its mask [10, 5, 10, 10]"),
        (put("annotations", 2, bbox=[0, 0, 5, 0]), "annotations[2]", "empty bbox"),
        (put("annotations", 2, bbox=[0, 0, 5, -1]), "annotations[2]", "empty bbox"),
        (put("annotations", 2, bbox=[36, 0, 5, 2]), "annotations[2]", "outside its image"),
        (put("annotations", 2, bbox=[-1, 0, 5, 2]), "annotations[2]", "outside its image"),
        (put("annotations", 2, bbox=[0, 0, 5]), "annotations[2]", "four numbers"),
        (drop("annotations", 2, "bbox"), "annotations[2]", "four numbers"),
        # 7: visibility
        (put("annotations", 0, keypoints=[1, 2, 3, 0, 0, 0]), "annotations[0]", "visibility"),
        (put("annotations", 0, keypoints=[1, 2, 1.0, 0, 0, 0]), "annotations[0]", "visibility"),
        (put("annotations", 0, keypoints=[1, 2, 2, 5, 0, 0]), "annotations[0]", "yet placed"),
        (put("annotations", 0, num_keypoints=2), "annotations[0]", "num_keypoints 2, but 1"),
        (drop("annotations", 0, "num_keypoints"), "annotations[0]", "num_keypoints None"),
        # 8, 10: the schema
        (put("annotations", 0, keypoints=[1, 2, 2]), "annotations[0]", "3 keypoint numbers"),
        (drop("annotations", 0, "keypoints"), "annotations[0]", "should be 6"),
        (put("annotations", 2, keypoints=[1, 2, 2]), "annotations[2]", "should be 0"),
        (put("categories", 0, skeleton=[[0, 1]]), "categories[0]", "skeleton"),
        (put("categories", 0, skeleton=[[1, 1]]), "categories[0]", "skeleton"),
        (put("categories", 0, flip_pairs=[[1, 3]]), "categories[0]", "flip_pairs"),
        (put("categories", 0, keypoints=["a", "a"]), "categories[0]", "twice"),
        (put("categories", 0, sigmas=[0.1]), "categories[0]", "sigmas"),
        (put("categories", 0, sigmas=[0.1, 0]), "categories[0]", "sigmas"),
        (drop("categories", 0, "sigmas"), "categories[0]", "without sigmas"),
        (drop("categories", 1, "supercategory"), "categories[1]", "supercategory"),
        # 13: names
        (put("images", 0, file_name="/a/b.jpg"), "images[0]", "relative path"),
        (put("images", 0, file_name="C:/b.jpg"), "images[0]", "relative path"),
        (put("images", 0, file_name="a\\b.jpg"), "images[0]", "relative path"),
        (put("images", 0, file_name="a/../b.jpg"), "images[0]", "shortest"),
        (put("images", 1, file_name="a/b.jpg"), "images[1]", "of another image"),
        (drop("images", 0, "file_name"), "images[0]", "no file_name"),
        (put("images", 0, height=30.0), "images[0]", "width and height"),
        # 14: attributes
        (put("annotations", 0, attributes=["accepted"]), "annotations[0]", "not an object"),
        # the document
        (lambda document: document.pop("categories"), "the file", "no list 'categories'"),
        (lambda document: document["images"].append(None), "images[2]", "not an object"),
    ],
)  # fmt: skip
def test_one_change_breaks_one_rule(
    sound: dict[str, Any], change: Change, where: str, fault: str
) -> None:
    change(sound)
    broken = [str(found) for found in validate_coco(sound)]
    assert any(text.startswith(where + " ") and fault in text for text in broken), broken


def test_the_document_is_not_changed(sound: dict[str, Any]) -> None:
    before = copy.deepcopy(sound)
    validate_coco(sound)
    assert sound == before
