from dataclasses import replace

import numpy as np
import pytest

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import ChangeCategory, apply
from fmstudio.project.model import Annotation, Category, ImageItem, Project
from fmstudio.ui.dialogs.category_checks import Effects, Usage, effects_text, fault_of
from fmstudio.ui.dialogs.category_draft import CategoryDraft

SIZE = ImageSize(8, 8)
CAT = Category(1, "cat", keypoints=("a", "b", "c"))


def points(*visibility):
    return Keypoints.drawn(np.full((3, 2), 2.0), visibility)


@pytest.fixture
def project():
    marks = [
        (points(2, 2, 2), None),
        (points(0, 1, 0), None),
        (points(0, 1, 0), Mask(SIZE, [0, 64])),
        (None, Mask(SIZE, [0, 64])),
    ]
    annotations = [Annotation(i, 1, 1, k, m) for i, (k, m) in enumerate(marks, 1)]
    return Project.build("p", [ImageItem(1, "a.jpg", SIZE, "")], [CAT], annotations)


def effects(draft, project):
    return Effects.of(draft, Usage.of(project, 1))


def test_an_untouched_draft_has_no_effect(project):
    found = effects(CategoryDraft.of(CAT), project)
    assert effects_text(found) == ""
    assert found.n_annotations == 3


def test_removals_are_counted_as_the_edit_makes_them(project):
    draft = CategoryDraft.of(CAT).without((1,))
    found = effects(draft, project)
    assert found.lost == (("b", 3),)
    assert found.n_emptied == 1
    after = apply(project, ChangeCategory(draft.category(), draft.mapping()))
    assert len(project.annotations) - len(after.annotations) == found.n_emptied
    assert effects_text(found) == (
        "In 3 annotations, saving removes 'b' with 3 placed points and drops 1 annotation, left"
        " without any mark."
    )


def test_renames_reorders_and_additions_are_said(project):
    draft = CategoryDraft.of(CAT)
    draft = draft.with_row(replace(draft.rows[0], name="z")).moved((2,), 0).with_added(["d"])
    found = effects(draft, project)
    assert (found.n_renamed, found.is_reordered, found.n_added) == (1, True, 1)
    assert effects_text(found) == (
        "In 3 annotations, saving renames 1 keypoint, puts keypoints in another order and adds"
        " 1 keypoint, not labelled yet."
    )


def test_removing_all_keypoints_is_counted(project):
    found = effects(CategoryDraft.of(CAT).without((0, 1, 2)), project)
    assert (found.n_lost_points, found.n_emptied) == (5, 2)


def test_a_new_category_affects_nothing():
    assert Effects.of(CategoryDraft(name="x").with_added(["a"]), Usage.none()) == Effects()


@pytest.mark.parametrize(
    ("draft", "fault"),
    [
        (CategoryDraft(), "Give the category a name."),
        (CategoryDraft(name="dog "), "There is a category 'dog' already"),
        (CategoryDraft(name="x").with_added(["a", " "]), "Keypoint 2 has no name"),
        (CategoryDraft(name="x").with_added(["a", "b", "a "]), "Two keypoints are called 'a'"),
        (CategoryDraft(name="x").with_added(["a"]), ""),
    ],
)
def test_one_sentence_says_what_is_wrong(draft, fault):
    assert fault_of(draft, frozenset({"dog"})).startswith(fault)
    assert bool(fault_of(draft, frozenset({"dog"}))) == bool(fault)


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan"), float("inf")])
def test_a_sigma_must_be_above_zero(sigma):
    draft = CategoryDraft(name="x").with_added(["a"])
    draft = draft.with_row(replace(draft.rows[0], sigma=sigma))
    assert fault_of(draft, frozenset()) == "The sigma of 'a' must be above 0."
