from dataclasses import replace

import pytest

from fmstudio.errors import ProjectError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import apply
from fmstudio.project.edits_category import SetCategory, dropped_names
from fmstudio.project.model import (
    Annotation,
    Category,
    Corrected,
    ImageItem,
    Project,
    Propagated,
    Status,
)

SIZE = ImageSize(40, 30)
CAT = Category(1, "cat", keypoints=("nose", "left eye", "tail"))
DOG = Category(2, "dog", keypoints=("left eye", "nose", "collar"))
ROCK = Category(3, "rock")
POINTS = Keypoints([[1, 2], [3, 4], [5, 6]], [2, 1, 2], [0.3, 0.4, 0.5])


def project_with(annotation):
    images = [ImageItem(1, "a.jpg", SIZE, "")]
    return Project.build("p", images, [CAT, DOG, ROCK], [annotation])


def test_keypoints_go_by_their_names():
    carried = Propagated((9,), "k")
    old = Annotation(1, 1, 1, POINTS, None, Status.PROPOSED, carried, 0.4)
    new = apply(project_with(old), SetCategory((1,), 2)).annotations[1]
    assert new.category_id == 2
    assert new.keypoints == Keypoints([[3, 4], [1, 2], [0, 0]], [1, 2, 0], [0.4, 0.3, 1])
    assert new.status is Status.ACCEPTED
    assert new.provenance == Corrected(carried)


def test_what_is_dropped_is_named():
    old = Annotation(1, 1, 1, POINTS, None)
    assert dropped_names(old, CAT, DOG) == ("tail",)
    assert dropped_names(old, CAT, ROCK) == CAT.keypoints
    unlabelled = replace(old, keypoints=Keypoints(POINTS.xy, [2, 1, 0], POINTS.score))
    assert dropped_names(unlabelled, CAT, DOG) == ()


def test_a_mask_goes_along_where_no_keypoint_does():
    mask = Mask(SIZE, [0, 30 * 40])
    old = Annotation(1, 1, 1, POINTS, mask)
    new = apply(project_with(old), SetCategory((1,), 3)).annotations[1]
    assert (new.keypoints, new.mask) == (None, mask)


def test_nothing_is_left_empty():
    with pytest.raises(ProjectError, match="Annotation 1 would be empty"):
        apply(project_with(Annotation(1, 1, 1, POINTS, None)), SetCategory((1,), 3))


def test_the_same_category_is_no_change():
    project = project_with(Annotation(1, 1, 1, POINTS, None))
    assert apply(project, SetCategory((1,), 1)) is project
