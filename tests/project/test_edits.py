import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from immutables import Map

from fmstudio.errors import ProjectError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.diff import IdChange, ProjectDiff
from fmstudio.project.edits import (
    AddAnnotation,
    AddCategory,
    AddImages,
    ChangeAnnotation,
    ChangeCategory,
    Edit,
    ImportAnnotations,
    LandProposals,
    RelocateImage,
    RelocateImages,
    RemoveAnnotations,
    RemoveCategory,
    RemoveImages,
    RenameProject,
    SetStatus,
    apply,
)
from fmstudio.project.history import History
from fmstudio.project.model import (
    Annotation,
    Category,
    Corrected,
    Drawn,
    ImageItem,
    Project,
    Propagated,
    Status,
)
from fmstudio.project.validate import check

SIZE = ImageSize(8, 6)
CAT = Category(1, "cat", keypoints=("nose", "left ear", "right ear"), flip_pairs=((1, 2),))
BOX = Category(2, "box")


def image(id_: int, path: str | None = None) -> ImageItem:
    return ImageItem(id_, path or f"photos/{id_}.png", SIZE, f"{id_:064x}")


def points(x: float = 1.5, m: int = 3) -> Keypoints:
    return Keypoints.drawn([[x, 2.5]] * m, [2] * m)


def square(left: int = 1, size: ImageSize = SIZE) -> Mask:
    array = np.zeros((size.height, size.width), dtype=bool)
    array[1:4, left : left + 3] = True
    return Mask.from_array(array)


def drawn(image_id: int, x: float = 1.5, id_: int = 0) -> Annotation:
    return Annotation(id_, image_id, 1, points(x), square())


def guess(image_id: int, x: float = 3.5, key: str = "k") -> Annotation:
    return Annotation(
        0, image_id, 1, points(x), None, Status.PROPOSED, Propagated((1,), key), confidence=0.5
    )


@pytest.fixture
def project() -> Project:
    made = Project.build("cats", [image(i) for i in range(1, 5)], [CAT, BOX], [drawn(1, id_=1)])
    check(made)
    return made


# Any sequence of edits


def some_ids(draw: st.DataObject, ids: Map) -> tuple[int, ...]:
    chosen = st.lists(st.sampled_from(sorted(ids)), min_size=1, max_size=3, unique=True)
    return tuple(draw.draw(chosen))


def add_images(draw: st.DataObject, p: Project) -> Edit:
    n = draw.draw(st.integers(1, 3))
    first = p.next_ids.image
    return AddImages(tuple(image(0, f"photos/new{first + i}.png") for i in range(n)))


def remove_images(draw: st.DataObject, p: Project) -> Edit:
    return RemoveImages(some_ids(draw, p.images))


def relocate(draw: st.DataObject, p: Project) -> Edit:
    (id_, *_) = some_ids(draw, p.images)
    return RelocateImage(id_, f"moved/{id_}-{draw.draw(st.integers(0, 3))}.png", "f" * 64)


def add_category(draw: st.DataObject, p: Project) -> Edit:
    return AddCategory(Category(0, f"new {p.next_ids.category}", keypoints=("a", "b")))


def change_category(draw: st.DataObject, p: Project) -> Edit:
    (id_, *_) = some_ids(draw, p.categories)
    old = p.categories[id_]
    order = draw.draw(st.permutations(range(len(old.keypoints))))
    kept = tuple(order[: draw.draw(st.integers(0, len(order)))])
    fresh = next(name for name in map(str, range(99)) if name not in old.keypoints)
    names = (*(old.keypoints[i] for i in kept), fresh)
    new = Category(id_, old.name, keypoints=names)
    return ChangeCategory(new, (*kept, None))


def remove_category(draw: st.DataObject, p: Project) -> Edit:
    return RemoveCategory(some_ids(draw, p.categories)[0], with_annotations=True)


def annotation_for(draw: st.DataObject, p: Project) -> Annotation:
    (image_id, *_), (category_id, *_) = some_ids(draw, p.images), some_ids(draw, p.categories)
    m = len(p.categories[category_id].keypoints)
    x = draw.draw(st.floats(0, 8))
    mask = draw.draw(st.sampled_from([square(1), square(3)] if not m else [None, square(2)]))
    return Annotation(0, image_id, category_id, points(x, m) if m else None, mask)


def add_annotation(draw: st.DataObject, p: Project) -> Edit:
    return AddAnnotation(annotation_for(draw, p))


def change_annotation(draw: st.DataObject, p: Project) -> Edit:
    (id_, *_) = some_ids(draw, p.annotations)
    m = len(p.categories[p.annotations[id_].category_id].keypoints)
    return ChangeAnnotation(id_, points(draw.draw(st.floats(0, 8)), m) if m else None, square(4))


def remove_annotations(draw: st.DataObject, p: Project) -> Edit:
    return RemoveAnnotations(some_ids(draw, p.annotations))


def set_status(draw: st.DataObject, p: Project) -> Edit:
    return SetStatus(some_ids(draw, p.annotations), draw.draw(st.sampled_from(list(Status))))


def land(draw: st.DataObject, p: Project) -> Edit:
    found = [annotation_for(draw, p) for _ in range(draw.draw(st.integers(1, 4)))]
    where = Propagated((1, 2), "key")
    return LandProposals(tuple(replace(a, status=Status.PROPOSED, provenance=where) for a in found))


def import_file(draw: st.DataObject, p: Project) -> Edit:
    known = p.sorted_images()[:1]
    images = (*(replace(i, id=50) for i in known), image(51, f"file/{p.next_ids.image}.png"))
    shift = draw.draw(st.sampled_from([0, 1000]))
    images = tuple(replace(i, id=i.id + shift) for i in images)
    name = f"from file {draw.draw(st.integers(0, 1))}"
    if any(c.name == name and c.keypoints != ("a",) for c in p.categories.values()):
        name = f"from another file {p.next_ids.category}"
    category = Category(7, name, keypoints=("a",))
    found = [Annotation(9 + i, im.id, 7, points(2.5, 1), None) for i, im in enumerate(images)]
    return ImportAnnotations(images, (category,), tuple(found))


def rename(draw: st.DataObject, p: Project) -> Edit:
    return RenameProject(draw.draw(st.sampled_from(["cats", "dogs", "maps"])))


Maker = Callable[[st.DataObject, Project], Edit]
ALWAYS: list[Maker] = [add_images, add_category, import_file, rename]
NEED_IMAGES: list[Maker] = [remove_images, relocate]
NEED_CATEGORIES: list[Maker] = [change_category, remove_category]
NEED_BOTH: list[Maker] = [add_annotation, land] * 2
NEED_ANNOTATIONS: list[Maker] = [change_annotation, remove_annotations, set_status, set_status]


def draw_edit(draw: st.DataObject, p: Project) -> Edit:
    makers = list(ALWAYS)
    makers += NEED_IMAGES if p.images else []
    makers += NEED_CATEGORIES if p.categories else []
    makers += NEED_BOTH if p.images and p.categories else []
    makers += NEED_ANNOTATIONS if p.annotations else []
    return draw.draw(st.sampled_from(makers))(draw, p)


def start() -> Project:
    return Project.build("cats", [image(1), image(2)], [CAT], [drawn(1, id_=1)])


def expected_diff(before: Project, after: Project) -> ProjectDiff:
    changes = []
    for kind in ("images", "categories", "annotations"):
        a, b = getattr(before, kind), getattr(after, kind)
        both = set(a) & set(b)
        changes.append(
            IdChange(
                tuple(sorted(set(b) - set(a))),
                tuple(sorted(i for i in both if a[i] is not b[i])),
                tuple(sorted(set(a) - set(b))),
            )
        )
    return ProjectDiff(*changes, before.name != after.name, before.next_ids != after.next_ids)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_edits_keep_the_rules_and_can_all_be_undone(draw: st.DataObject) -> None:
    first = start()
    history = History(first)
    versions = [first]
    for _ in range(draw.draw(st.integers(1, 10))):
        before = history.present
        edit = draw_edit(draw, before)
        after = apply(before, edit)
        check(after)
        assert edit.label
        # The indexes are those of a project built from the parts alone.
        parts = (after.images.values(), after.categories.values(), after.annotations.values())
        assert after == Project.build(after.name, *parts, after.next_ids)
        assert ProjectDiff.between(before, after) == expected_diff(before, after)
        assert ProjectDiff.between(after, before) == expected_diff(after, before)
        for kind in ("image", "category", "annotation"):
            assert getattr(after.next_ids, kind) >= getattr(before.next_ids, kind)
        history = history.push(after, edit.label)
        versions.append(after)
    for version in reversed(versions[:-1]):
        history = history.undo()
        assert history.present is version
    for version in versions[1:]:
        history = history.redo()
        assert history.present is version


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_landing_never_touches_reviewed_work(draw: st.DataObject) -> None:
    project = start()
    for _ in range(draw.draw(st.integers(0, 6))):
        project = apply(project, draw_edit(draw, project))
    if not project.images or not project.categories:
        return
    after = apply(project, land(draw, project))
    for annotation in project.annotations.values():
        if annotation.is_reviewed or not isinstance(annotation.provenance, Propagated):
            assert after.annotations[annotation.id] is annotation
    accepted = {
        (a.image_id, a.category_id)
        for a in project.annotations.values()
        if a.status is Status.ACCEPTED
    }
    for id_ in ProjectDiff.between(project, after).annotations.added:
        added = after.annotations[id_]
        assert (added.image_id, added.category_id) not in accepted
        assert added.status is Status.PROPOSED


# Each edit


def test_images_get_ids_in_order_that_are_never_used_again(project: Project) -> None:
    more = apply(project, AddImages((image(99, "b.png"), image(99, "a.png"))))
    assert [more.images[i].path for i in (5, 6)] == ["b.png", "a.png"]
    fewer = apply(more, RemoveImages((5, 6)))
    assert apply(fewer, AddImages((image(0, "c.png"),))).of_path["c.png"] == 7


def test_a_path_is_in_the_project_once_but_a_file_name_in_many_folders(project: Project) -> None:
    with pytest.raises(ProjectError, match=r"'photos/1\.png' is in the project already"):
        apply(project, AddImages((image(0, "photos/1.png"),)))
    both = apply(project, AddImages((image(0, "a/1.png"), image(0, "b/1.png"))))
    assert [i.path for i in both.find_images(["a/1.png", "b/1.png"])] == ["a/1.png", "b/1.png"]


def test_removing_an_image_removes_what_is_on_it(project: Project) -> None:
    after = apply(project, RemoveImages((1,)))
    assert not after.annotations
    assert not after.of_image
    assert "photos/1.png" not in after.of_path


def test_a_relocated_image_keeps_its_annotations(project: Project) -> None:
    after = apply(project, RelocateImage(1, "else/where.png", "a" * 64))
    assert after.images[1].path == "else/where.png"
    assert after.annotations_of(1) == project.annotations_of(1)
    assert after.find_images(["where.png"]) == (after.images[1],)
    with pytest.raises(ProjectError, match="already"):
        apply(project, RelocateImage(1, "photos/2.png", "a" * 64))
    with pytest.raises(ProjectError, match="mask of 8 x 6 pixels"):
        apply(project, RelocateImage(1, "x.png", "a" * 64, size=ImageSize(9, 9)))
    same = project.images[1]
    assert apply(project, RelocateImage(1, same.path, same.sha256)) is project


def test_images_can_change_places_in_one_step(project: Project) -> None:
    one, two = project.images[1], project.images[2]
    swap = (RelocateImage(1, two.path, one.sha256), RelocateImage(2, one.path, two.sha256))
    after = apply(project, RelocateImages(swap))
    check(after)
    assert (after.of_path[one.path], after.of_path[two.path]) == (2, 1)
    with pytest.raises(ProjectError, match="one place only"):
        apply(project, RelocateImages((swap[0], swap[0])))


def test_changing_a_guess_makes_it_corrected_and_accepted(project: Project) -> None:
    landed = apply(project, LandProposals((guess(2),)))
    (proposal,) = landed.annotations_of(2)
    after = apply(landed, ChangeAnnotation(proposal.id, points(4.0), None))
    changed = after.annotations[proposal.id]
    assert changed.provenance == Corrected(Propagated((1,), "k"))
    assert changed.status is Status.ACCEPTED
    assert changed.confidence == 0.5
    again = apply(after, ChangeAnnotation(proposal.id, points(5.0), None))
    assert again.annotations[proposal.id].provenance == Corrected(Propagated((1,), "k"))
    assert apply(again, ChangeAnnotation(proposal.id, points(5.0), None)) is again


def test_changing_what_was_drawn_leaves_it_drawn(project: Project) -> None:
    after = apply(project, ChangeAnnotation(1, points(7.0), square(2)))
    assert after.annotations[1].provenance == Drawn()
    assert after.annotations[1].mask == square(2)


def test_a_box_goes_when_a_mask_comes(project: Project) -> None:
    boxed = Annotation(0, 2, 2, None, None, bbox=(1.0, 1.0, 3.0, 2.0))
    before = apply(project, AddAnnotation(boxed))
    assert apply(before, ChangeAnnotation(2, None, square())).annotations[2].bbox is None


def test_status_of_what_is_not_there(project: Project) -> None:
    with pytest.raises(ProjectError, match="no annotation 77"):
        apply(project, SetStatus((77,), Status.ACCEPTED))
    assert apply(project, SetStatus((1,), Status.ACCEPTED)) is project


def test_an_empty_annotation_is_refused(project: Project) -> None:
    unlabelled = Keypoints.drawn(np.zeros((3, 2)), [0, 0, 0])
    for keypoints, mask in ((None, None), (unlabelled, None), (unlabelled, Mask.empty(SIZE))):
        with pytest.raises(ProjectError, match="is empty"):
            apply(project, AddAnnotation(Annotation(0, 1, 1, keypoints, mask)))


# Landing


def test_new_proposals_replace_old_ones(project: Project) -> None:
    once = apply(project, LandProposals((guess(2, 3.0), guess(3, 3.0))))
    twice = apply(once, LandProposals((guess(2, 4.0, "other"),)))
    assert [a.keypoints for a in twice.annotations_of(2)] == [points(4.0)]
    assert twice.annotations_of(3) == once.annotations_of(3)


def test_an_accepted_annotation_gets_no_proposal_beside_it(project: Project) -> None:
    assert apply(project, LandProposals((guess(1),))) is project


def test_a_rejected_proposal_does_not_come_back_but_another_may(project: Project) -> None:
    once = apply(project, LandProposals((guess(2, 3.0),)))
    (id_,) = once.of_image[2]
    rejected = apply(once, SetStatus((id_,), Status.REJECTED))
    assert apply(rejected, LandProposals((guess(2, 3.0, "later"),))) is rejected
    other = apply(rejected, LandProposals((guess(2, 4.0),)))
    assert [a.status for a in other.annotations_of(2)] == [Status.REJECTED, Status.PROPOSED]


def test_what_a_person_drew_is_not_replaced_while_it_waits_for_review(project: Project) -> None:
    waiting = apply(project, SetStatus((1,), Status.PROPOSED))
    after = apply(waiting, LandProposals((guess(1),)))
    assert after.annotations[1] is waiting.annotations[1]
    assert len(after.annotations_of(1)) == 2


def test_only_unreviewed_propagations_can_be_landed(project: Project) -> None:
    for wrong in (drawn(2), replace(guess(2), status=Status.ACCEPTED)):
        with pytest.raises(ProjectError, match="propagated and not reviewed"):
            apply(project, LandProposals((wrong,)))


# Categories


def test_keypoints_can_be_renamed_in_place_and_added_at_the_end(project: Project) -> None:
    names = ("snout", "left ear", "right ear", "tail")
    after = apply(project, ChangeCategory(replace(CAT, keypoints=names)))
    keypoints = after.annotations[1].keypoints
    assert keypoints is not None
    assert keypoints.visibility.tolist() == [2, 2, 2, 0]
    check(after)


def test_keypoints_in_use_are_not_reordered_or_dropped_without_a_mapping(project: Project) -> None:
    for names in (("left ear", "nose", "right ear"), ("nose",), ("x", "nose", "left ear", "y")):
        with pytest.raises(ProjectError, match="which old keypoint each new one continues"):
            apply(project, ChangeCategory(Category(1, "cat", keypoints=names)))
    free = apply(project, RemoveAnnotations((1,)))
    reordered = Category(1, "cat", keypoints=("left ear", "nose"))
    assert apply(free, ChangeCategory(reordered)).categories[1] == reordered


def test_a_mapping_carries_the_points_along(project: Project) -> None:
    placed = Keypoints(np.array([[1.0, 1], [2, 2], [3, 3]]), np.array([1, 2, 2]), np.full(3, 0.5))
    before = apply(project, ChangeAnnotation(1, placed, None))
    new = Category(1, "cat", keypoints=("right ear", "tail", "nose"))
    after = apply(before, ChangeCategory(new, (2, None, 0)))
    keypoints = after.annotations[1].keypoints
    assert keypoints is not None
    assert keypoints.xy.tolist() == [[3, 3], [0, 0], [1, 1]]
    assert keypoints.visibility.tolist() == [2, 0, 1]
    assert keypoints.score.tolist() == [0.5, 1.0, 0.5]


@pytest.mark.parametrize("mapping", [(0,), (0, 0), (0, 9), (0, -1)])
def test_a_wrong_mapping_is_refused(project: Project, mapping: tuple[int, ...]) -> None:
    with pytest.raises(ProjectError, match="does not fit category 'cat'"):
        apply(project, ChangeCategory(Category(1, "cat", keypoints=("a", "b")), mapping))


def test_an_annotation_goes_when_its_last_keypoint_goes(project: Project) -> None:
    only_points = apply(project, ChangeAnnotation(1, points(), None))
    bare = Category(1, "cat", keypoints=("tail",))
    assert not apply(only_points, ChangeCategory(bare, (None,))).annotations
    kept = apply(project, ChangeCategory(Category(1, "cat"), ()))
    assert kept.annotations[1].keypoints is None
    assert kept.annotations[1].mask == square()


def test_a_category_in_use_is_removed_only_on_purpose(project: Project) -> None:
    with pytest.raises(ProjectError, match="'cat' has 1 annotation: remove"):
        apply(project, RemoveCategory(1))
    after = apply(project, RemoveCategory(1, with_annotations=True))
    assert not after.annotations
    assert list(after.categories) == [2]


def test_two_categories_do_not_share_a_name(project: Project) -> None:
    with pytest.raises(ProjectError, match="category 'cat' already"):
        apply(project, AddCategory(Category(0, "cat")))


# Importing


def test_an_import_into_an_empty_project_keeps_the_ids_of_the_file() -> None:
    category = Category(17, "cat", keypoints=CAT.keypoints)
    found = replace(drawn(900), id=4242, category_id=17)
    after = apply(Project.build("new"), ImportAnnotations((image(900),), (category,), (found,)))
    assert (list(after.images), list(after.categories), list(after.annotations)) == (
        [900],
        [17],
        [4242],
    )
    assert apply(after, AddImages((image(0, "x.png"),))).of_path["x.png"] == 901


def test_ids_that_begin_at_0_or_are_huge_are_given_anew() -> None:
    found = replace(drawn(2**60), id=0)
    edit = ImportAnnotations((image(2**60, "a.png"),), (CAT,), (found,))
    after = apply(Project.build("new"), edit)
    assert (list(after.images), list(after.annotations)) == ([1], [1])


def test_an_import_joins_the_images_and_categories_that_are_there(project: Project) -> None:
    file_images = (image(1, "photos/2.png"), image(2, "photos/new.png"))
    file_category = replace(CAT, id=5)
    found = tuple(replace(drawn(i, id_=i), category_id=5) for i in (1, 2))
    edit = ImportAnnotations(file_images, (file_category,), found)
    after = apply(project, edit)
    assert [(a.image_id, a.category_id) for a in after.annotations.values()] == [
        (1, 1),
        (2, 1),
        (5, 1),
    ]
    assert apply(after, edit) is after, "the same file again adds nothing"


def test_an_import_follows_the_sources_of_what_was_propagated(project: Project) -> None:
    file_image = image(1, "photos/new.png")
    came = Propagated((41, 40, 99), "k")
    found = (
        replace(drawn(1, 3.0), id=40),
        replace(drawn(1, 4.0), id=41),
        replace(drawn(1, 5.0), id=42, provenance=came),
        replace(drawn(1, 6.0), id=1, provenance=Corrected(came)),
    )
    after = apply(project, ImportAnnotations((file_image,), (CAT,), found))
    ids = after.of_image[5]
    assert ids == (2, 3, 4, 5)
    assert after.annotations[4].provenance == Propagated((3, 2), "k")
    assert after.annotations[5].provenance == Corrected(Propagated((3, 2), "k"))


def test_an_import_that_contradicts_the_project_changes_nothing(project: Project) -> None:
    other = Category(1, "cat", keypoints=("nose",))
    with pytest.raises(ProjectError, match="names other keypoints"):
        apply(project, ImportAnnotations((), (other,), ()))
    resized = replace(image(1, "photos/2.png"), size=ImageSize(99, 99))
    with pytest.raises(ProjectError, match="99 x 99 pixels in the file"):
        apply(project, ImportAnnotations((resized,), (), ()))
    with pytest.raises(ProjectError, match="not in the file"):
        apply(project, ImportAnnotations((image(1),), (), (drawn(1),)))


def test_renaming(project: Project) -> None:
    assert apply(project, RenameProject("dogs")).name == "dogs"
    with pytest.raises(ProjectError, match="needs a name"):
        apply(project, RenameProject(" "))


def test_an_edit_of_a_large_project_does_not_walk_it() -> None:
    n = 200_000
    box = (1.0, 1.0, 2.0, 2.0)
    images = [image(i) for i in range(1, n // 10 + 1)]
    found = [Annotation(i + 1, 1 + i % len(images), 2, None, None, bbox=box) for i in range(n)]
    project = Project.build("large", images, [BOX], found)
    edit = ChangeAnnotation(n // 2, None, square())
    times = []
    for _ in range(20):
        start_time = time.perf_counter()
        after = apply(project, edit)
        diff = ProjectDiff.between(project, after)
        times.append(time.perf_counter() - start_time)
    assert diff.annotations == IdChange(changed=(n // 2,))
    # A walk over 200,000 annotations takes some 50 ms; this takes 0.1 ms.
    assert min(times) < 0.01
