from dataclasses import replace

import numpy as np
import pytest

from fmstudio.errors import ProjectError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.model import (
    Annotation,
    Category,
    ImageItem,
    ImageState,
    NextIds,
    Project,
    Status,
)

SIZE = ImageSize(8, 6)
POINTS = Keypoints.drawn([[1.0, 2.0]], [2])
PATHS = ("a/1.png", "b/1.png", "b/deep/2.png", "cat one.png")


def with_statuses(*statuses: Status) -> Project:
    found = [Annotation(i, 1, 1, POINTS, None, s) for i, s in enumerate(statuses, 1)]
    images = [ImageItem(1, "a.png", SIZE, "")]
    return Project.build("p", images, [Category(1, "cat", keypoints=("nose",))], found)


@pytest.fixture
def project() -> Project:
    images = [ImageItem(i, path, SIZE, "") for i, path in enumerate(PATHS, 1)]
    return Project.build("p", images, [Category(3, "dog"), Category(1, "cat")])


def test_build_numbers_on_from_what_is_there(project: Project) -> None:
    assert project.next_ids == NextIds(5, 4, 1)
    assert Project.build("empty").next_ids == NextIds(1, 1, 1)
    assert Project.build("p", next_ids=NextIds(9, 9, 9)).next_ids == NextIds(9, 9, 9)


def test_annotations_of_an_image_ascend() -> None:
    found = [Annotation(i, 1, 1, POINTS, None) for i in (5, 2, 9)]
    built = Project.build("p", [ImageItem(1, "a.png", SIZE, "")], [], found)
    assert [a.id for a in built.annotations_of(1)] == [2, 5, 9]
    assert built.annotations_of(2) == ()


P, A, R = Status.PROPOSED, Status.ACCEPTED, Status.REJECTED


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ((), ImageState.NONE),
        ((P, P), ImageState.PROPOSED),
        ((P, A), ImageState.PARTLY_REVIEWED),
        ((P, R), ImageState.PARTLY_REVIEWED),
        ((A, A), ImageState.ACCEPTED),
        ((A, R), ImageState.ACCEPTED),
        ((R,), ImageState.REJECTED),
    ],
)
def test_image_state(statuses: tuple[Status, ...], state: ImageState) -> None:
    assert with_statuses(*statuses).image_state(1) is state


def test_images_are_found_by_as_much_of_their_path_as_is_unique(project: Project) -> None:
    found = project.find_images(["b/1.png", "2.png", "deep/2.png", "./cat one.png", "a/1.png"])
    assert [image.id for image in found] == [2, 3, 4, 1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("1.png", r"any of 2 images \(a/1.png, b/1.png\): give more of its path"),
        ("cat_one.png", "no image 'cat_one.png' in the project; did you mean cat one.png"),
        ("zebra", "no image 'zebra' in the project; see"),
        (".png", "no image '.png'"),
    ],
)
def test_a_name_that_fits_none_or_several(project: Project, name: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        project.find_images([name])


def test_categories_by_name(project: Project) -> None:
    assert project.category_named("dog").id == 3
    with pytest.raises(ProjectError, match="no category 'cow'; the project has: cat, dog"):
        project.category_named("cow")
    with pytest.raises(ProjectError, match="none yet"):
        Project.build("p").category_named("cow")


def test_equal_projects_are_equal_however_they_came_about(project: Project) -> None:
    other = Project.build("p", project.images.values(), project.categories.values())
    assert other == project
    assert hash(other) == hash(project)
    assert other.stamp is not project.stamp


def test_content_key_is_of_what_a_map_carries() -> None:
    mask = Mask.from_array(np.eye(6, 8, dtype=bool))
    base = Annotation(1, 1, 1, POINTS, mask)
    moved = Keypoints.drawn([[1.0, 2.5]], [2])
    hidden = Keypoints.drawn([[1.0, 2.0]], [1])
    same = replace(base, id=7, image_id=9, status=Status.PROPOSED, confidence=0.3)
    assert same.content_key() == base.content_key()
    others = [
        replace(base, keypoints=moved),
        replace(base, keypoints=hidden),
        replace(base, keypoints=None),
        replace(base, mask=None),
        replace(base, mask=Mask.from_array(~np.eye(6, 8, dtype=bool))),
        replace(base, category_id=2),
    ]
    assert len({a.content_key() for a in [base, *others]}) == 7
