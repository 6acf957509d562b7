from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmstudio.io.coco_write import DEFAULT_SIGMA as WRITTEN_SIGMA
from fmstudio.project.model import Category
from fmstudio.ui.dialogs.category_draft import (
    DEFAULT_SIGMA,
    CategoryDraft,
    mirrored_names,
)

CAT = Category(
    4,
    "cat",
    "animal",
    ("left eye", "right eye", "nose", "tail"),
    ((0, 1), (0, 2), (2, 3)),
    ((0, 1),),
    (0.1, 0.2, 0.3, 0.4),
    ("#111111", "#222222", "#333333", "#444444"),
)


def test_the_default_sigma_is_what_an_export_writes():
    assert DEFAULT_SIGMA == WRITTEN_SIGMA


@pytest.mark.parametrize(
    "category",
    [
        CAT,
        Category(1, "bare"),
        Category(1, "one colour", keypoints=("a", "b"), colors=("#abcdef",)),
        Category(1, "one point", keypoints=("a",), colors=("#abcdef",), sigmas=(0.2,)),
        replace(CAT, sigmas=(), colors=()),
    ],
    ids=lambda category: category.name,
)
def test_an_untouched_draft_is_the_category(category):
    draft = CategoryDraft.of(category)
    assert draft.category() == category
    assert draft.mapping() == tuple(range(len(category.keypoints)))


def test_pairs_colours_and_sigmas_follow_their_keypoints():
    draft = CategoryDraft.of(CAT).moved((3,), 0)
    category = draft.category()
    assert category.keypoints == ("tail", "left eye", "right eye", "nose")
    assert category.skeleton == ((1, 2), (1, 3), (3, 0))
    assert category.flip_pairs == ((1, 2),)
    assert category.sigmas == (0.4, 0.1, 0.2, 0.3)
    assert category.colors[0] == "#444444"
    assert draft.mapping() == (3, 0, 1, 2)


def test_a_removed_keypoint_takes_its_pairs_along():
    draft = CategoryDraft.of(CAT).without((0,))
    assert draft.category().skeleton == ((1, 2),)
    assert draft.category().flip_pairs == ()
    assert draft.mapping() == (1, 2, 3)


def test_a_name_that_comes_back_continues_what_it_was():
    draft = CategoryDraft.of(CAT).without((3,)).with_added(["whisker", "tail"], 0)
    assert draft.mapping() == (None, 3, 0, 1, 2)


def test_a_renamed_keypoint_keeps_its_origin_though_its_old_name_is_given_anew():
    draft = CategoryDraft.of(CAT)
    draft = draft.with_row(replace(draft.rows[3], name="tail tip")).with_added(["tail"])
    assert draft.mapping() == (0, 1, 2, 3, None)


def test_another_schema_continues_equal_names():
    other = Category(0, "dog", "animal", ("nose", "collar"), ((0, 1),))
    draft = CategoryDraft.of(CAT).with_schema(other)
    assert draft.mapping() == (2, None)
    assert draft.category().skeleton == ((0, 1),)
    assert (draft.name, draft.category().id) == ("cat", 4)
    assert CategoryDraft().with_schema(other).name == "dog"


def test_limbs_and_flips_are_toggled():
    draft = CategoryDraft.of(CAT)
    assert draft.with_limb_toggled(1, 0).limbs == ((0, 2), (2, 3))
    assert draft.with_limb_toggled(1, 3).limbs[-1] == (1, 3)
    assert draft.with_flip_toggled(1, 0).flips == ()
    # A keypoint has one counterpart: the earlier pair gives way.
    assert draft.with_flip_toggled(1, 2).flips == ((1, 2),)


def test_one_own_colour_or_sigma_fixes_those_of_all():
    draft = CategoryDraft(name="x").with_added(["a", "b"])
    assert (draft.category().colors, draft.category().sigmas) == ((), ())
    draft = draft.with_row(replace(draft.rows[1], color="#123456", sigma=0.3))
    assert draft.category().colors[1] == "#123456"
    assert draft.category().sigmas == (DEFAULT_SIGMA, 0.3)
    assert len(draft.colors) == 2


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (("left eye", "nose", "right eye"), ((0, 2),)),
        (("R_Eye", "L_Eye"), ((1, 0),)),
        (("LeftEar", "RightEar", "leftover"), ((0, 1),)),
        (("eye l", "eye r", "ear.L", "ear.R"), ((0, 1), (2, 3))),
        (("left_front_paw", "right_hind_paw"), ()),
        (("all", "arr", "level"), ()),
        (("left eye", "left_eye", "right eye"), ((0, 2),)),
    ],
)
def test_sides_are_read_from_names(names, pairs):
    assert mirrored_names(names) == pairs


def test_suggested_pairs_leave_made_ones_alone():
    draft = CategoryDraft(name="x").with_added(["left a", "right a", "left b", "right b"])
    draft = draft.with_flip_toggled(0, 3)
    assert draft.with_suggested_flips().flips == ((0, 3),)
    assert CategoryDraft.of(CAT).with_suggested_flips().flips == ((0, 1),)


@given(st.data())
def test_no_change_loses_track_of_who_is_who(data):
    """Whatever is done, a row that stays is mapped to the keypoint it was."""
    draft = CategoryDraft.of(CAT)
    for _ in range(data.draw(st.integers(0, 8))):
        keys = [row.key for row in draft.rows]
        chosen = data.draw(st.lists(st.sampled_from(keys), unique=True)) if keys else []
        match data.draw(st.sampled_from(["move", "remove", "add", "join"])):
            case "move":
                draft = draft.moved(chosen, data.draw(st.integers(0, len(keys))))
            case "remove":
                draft = draft.without(chosen[:1])
            case "add":
                draft = draft.with_added([f"new {draft.next_key}"])
            case "join" if len(chosen) > 1:
                draft = draft.with_limb_toggled(chosen[0], chosen[1])
    category = draft.category()
    for i, origin in enumerate(draft.mapping()):
        if origin is not None:
            assert category.keypoints[i] == CAT.keypoints[origin]
    index = draft.index
    for (a, b), (i, j) in zip(draft.limbs, category.skeleton, strict=True):
        assert (index[a], index[b]) == (i, j)
