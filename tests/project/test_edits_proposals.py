"""A correction's word to an object's other points, as an edit."""

from dataclasses import replace

import numpy as np
import pytest

from fmstudio.errors import ProjectError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import ChangeAnnotation, SettlePoints, apply
from fmstudio.project.model import Annotation, Category, ImageItem, Project, Propagated, Status

PROPOSED = Keypoints([[10, 5], [20, 5], [30, 5]], [2, 2, 2], [0.4, 0.5, 0.6])
PLACED = Keypoints([[12, 8], [20, 5], [30, 5]], [2, 2, 2], [1.0, 0.5, 0.6])
SETTLED = Keypoints([[12, 8], [22, 8], [30, 5]], [2, 2, 2], [1.0, 0.5, 0.6])


@pytest.fixture
def project():
    images = [ImageItem(i, f"{i}.png", ImageSize(100, 50), f"{i:064x}") for i in (1, 2)]
    guess = Annotation(
        2, 2, 1, PROPOSED, None, Status.PROPOSED, Propagated((1,), "k"), confidence=0.5
    )
    category = Category(1, "c", keypoints=("a", "b", "c"))
    drawn = Annotation(1, 1, 1, Keypoints.drawn(PROPOSED.xy, [2, 2, 2]), None)
    return Project.build("p", images, [category], [drawn, guess])


@pytest.fixture
def corrected(project):
    return apply(project, ChangeAnnotation(2, PLACED, None))


def test_the_other_points_move_and_nothing_else_changes(corrected):
    before = corrected.annotations[2]
    after = apply(corrected, SettlePoints(2, PLACED, SETTLED)).annotations[2]
    assert after == replace(before, keypoints=SETTLED)


def test_where_nothing_moves_nothing_changes(corrected):
    assert apply(corrected, SettlePoints(2, PLACED, PLACED)) is corrected


def test_only_what_was_corrected_and_is_as_it_was_moves(project, corrected):
    with pytest.raises(ProjectError, match="changed meanwhile"):
        apply(project, SettlePoints(2, PROPOSED, SETTLED))
    with pytest.raises(ProjectError, match="changed meanwhile"):
        apply(corrected, SettlePoints(2, PROPOSED, SETTLED))


def test_a_placed_point_never_moves(corrected):
    elsewhere = Keypoints(SETTLED.xy + np.array([1, 0]), [2, 2, 2], PLACED.score)
    with pytest.raises(ProjectError, match="never moves"):
        apply(corrected, SettlePoints(2, PLACED, elsewhere))
