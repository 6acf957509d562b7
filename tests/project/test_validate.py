from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from immutables import Map

from fmstudio.errors import ProjectError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.model import Annotation, Category, ImageItem, NextIds, Project
from fmstudio.project.validate import check, faults

SIZE = ImageSize(8, 6)
IMAGE = ImageItem(1, "a.png", SIZE, "")
CAT = Category(
    1,
    "cat",
    keypoints=("nose", "left", "right"),
    skeleton=((0, 1), (0, 2)),
    flip_pairs=((1, 2),),
    sigmas=(0.1, 0.2, 0.2),
    colors=("#ff0000", "#00FF00", "#0000ff"),
)
POINTS = Keypoints.drawn([[1.0, 2.0]] * 3, [2, 1, 0])
FOUND = Annotation(1, 1, 1, POINTS, Mask.from_array(np.eye(6, 8, dtype=bool)), confidence=0.5)


def built(**changes: Any) -> Project:
    parts = {"images": [IMAGE], "categories": [CAT], "annotations": [FOUND]} | changes
    return Project.build("p", **parts)


def test_a_good_project_has_no_faults() -> None:
    assert list(faults(built())) == []
    check(Project.build("empty"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "needs a name"),
        ({"keypoints": ("nose", "nose", "x")}, "names that are all different"),
        ({"keypoints": ("nose", " ", "x")}, "names that are all different"),
        ({"skeleton": ((0, 3),)}, "has 3 keypoints"),
        ({"skeleton": ((1, 1),)}, "has 3 keypoints"),
        ({"flip_pairs": ((-1, 1),)}, "has 3 keypoints"),
        ({"flip_pairs": ((0, 1), (1, 2))}, "two flip pairs"),
        ({"sigmas": (0.1,)}, "1 sigmas for 3"),
        ({"sigmas": (0.1, 0.0, 0.2)}, "above 0"),
        ({"sigmas": (0.1, float("nan"), 0.2)}, "above 0"),
        ({"colors": ("#ff0000", "#ff0000")}, "2 colours for 3"),
        ({"colors": ("red",)}, "#rrggbb"),
        ({"id": 2}, "calls itself 2"),
    ],
)
def test_category_rules(change: dict[str, Any], message: str) -> None:
    bad = replace(CAT, **change)
    project = replace(built(), categories=Map({1: bad}))
    with pytest.raises(ProjectError, match=message):
        check(project)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keypoints": Keypoints.drawn([[1.0, 1.0]], [2])}, "1 keypoints; category 'cat' names 3"),
        ({"mask": Mask.empty(ImageSize(3, 3))}, "mask of 3 x 3 pixels; the image has 8 x 6"),
        ({"keypoints": None, "mask": None}, "is empty"),
        ({"keypoints": None, "mask": Mask.empty(SIZE)}, "is empty"),
        ({"bbox": (0.0, 0.0, 0.0, 5.0)}, "no area"),
        ({"bbox": (0.0, 0.0, float("inf"), 5.0)}, "no area"),
        ({"confidence": 1.5}, "between 0 and 1"),
        ({"confidence": float("nan")}, "between 0 and 1"),
        ({"category_id": 4}, "category 4, which is not in the project"),
        ({"image_id": 4}, "image 4, which is not in the project"),
        ({"id": 3}, "calls itself 3"),
    ],
)
def test_annotation_rules(change: dict[str, Any], message: str) -> None:
    before = built()
    project = replace(before, annotations=Map({1: replace(FOUND, **change)}))
    with pytest.raises(ProjectError, match=message):
        check(project)
    with pytest.raises(ProjectError, match=message):
        check(project, ProjectDiff.between(before, project))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": ""}, "no usable path"),
        ({"path": "a\x00b"}, "no usable path"),
        ({"orientation": 9}, "orientation 9"),
        ({"size": ImageSize(9, 9)}, "mask of 8 x 6 pixels; the image has 9 x 9"),
        ({"id": 2}, "calls itself 2"),
    ],
)
def test_image_rules(change: dict[str, Any], message: str) -> None:
    before = built()
    project = replace(before, images=Map({1: replace(IMAGE, **change)}))
    for diff in (None, ProjectDiff.between(before, project)):
        assert any(message in fault for fault in faults(project, diff))


def test_counters_stay_above_the_ids() -> None:
    with pytest.raises(ProjectError, match="image id 1 is not below the counter"):
        check(replace(built(), next_ids=NextIds(1, 9, 9)))
    zero = replace(IMAGE, id=0)
    assert any("ids count from 1" in f for f in faults(Project.build("p", [zero])))


def test_indexes_fit_their_parts() -> None:
    good = built()
    for bad in (
        replace(good, of_image=Map()),
        replace(good, of_image=Map({1: (1, 2)})),
        replace(good, of_image=Map({1: (1,), 2: ()})),
        replace(good, of_path=Map({"b.png": 1})),
        replace(good, of_path=Map({"a.png": 1, "b.png": 2})),
    ):
        with pytest.raises(ProjectError, match="index"):
            check(bad)


def test_what_a_removed_category_or_image_leaves_behind_is_found() -> None:
    before = built()
    for after in (replace(before, categories=Map()), replace(before, images=Map())):
        with pytest.raises(ProjectError, match="not in the project"):
            check(after, ProjectDiff.between(before, after))


def test_two_images_with_one_path() -> None:
    two = Project.build("p", [IMAGE, replace(IMAGE, id=2)])
    with pytest.raises(ProjectError, match="in the project twice"):
        check(two)
