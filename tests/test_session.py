import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import (
    Event,
    Failure,
    ImageRef,
    MatchSettings,
    Phase,
    Progress,
    PropagationRequest,
    Proposal,
    ProposedMark,
)
from fmstudio.errors import FormatError, ImageError, ProjectError, StoreError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.io.coco import CocoOptions
from fmstudio.project.edits import (
    AddAnnotation,
    AddCategory,
    ChangeAnnotation,
    ChangeCategory,
    RemoveAnnotations,
    RemoveCategory,
    RemoveImages,
    RenameProject,
    SetStatus,
)
from fmstudio.project.model import (
    Annotation,
    Category,
    Corrected,
    ImageState,
    Propagated,
    Status,
)
from fmstudio.session import Session

SIZE = ImageSize(32, 24)
CAT = Category(0, "cat", keypoints=("nose", "tail"))
BOX = (2.0, 2.0, 5.0, 5.0)


def write_image(path: Path, seed: int, size: ImageSize = SIZE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    Image.fromarray(rng.integers(0, 255, (size.height, size.width, 3), dtype=np.uint8)).save(path)
    return path


def points(x: float = 4.5) -> Keypoints:
    return Keypoints.drawn([[x, 5.5], [x, 9.5]], [2, 1])


def square(left: int = 3) -> Mask:
    array = np.zeros((SIZE.height, SIZE.width), dtype=bool)
    array[4:9, left : left + 6] = True
    return Mask.from_array(array)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder with four photos."""
    for i in range(1, 5):
        write_image(tmp_path / "work" / "photos" / f"{i}.png", i)
    return tmp_path / "work"


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    """Four images, of which the first is annotated."""
    with Session.create(folder / "cats.fmstudio") as session:
        assert session.add_images([folder / "photos"]).added == (1, 2, 3, 4)
        session.perform(AddCategory(CAT))
        session.perform(AddAnnotation(Annotation(0, 1, 1, points(), square())))
        yield session


def job(request: PropagationRequest, x: float = 7.5, quality: float = 0.6) -> Iterator[Event]:
    """What the engine does, without an engine."""
    marks = [mark for reference in request.references for mark in reference.marks]
    for done, target in enumerate(request.targets):
        yield Progress(Phase.FEATURES, done, len(request.targets))
        found = ProposedMark(
            marks[0].category,
            tuple(mark.id for mark in marks),
            replace(points(x), score=np.array([0.7, 0.5])),
            square(8),
            quality,
        )
        yield Proposal(target, (found,), "key", ("a note",))


def propagate(session: Session, sources: tuple[int, ...] = (1,), x: float = 7.5) -> None:
    for event in job(session.request(sources, session.targets("all")), x):
        if isinstance(event, Proposal):
            assert session.receive(event) is not None


# Opening and closing


def test_torch_and_qt_stay_out() -> None:
    code = (
        "import sys, fmstudio.session;"
        "print([m for m in ('torch', 'PySide6', 'timm') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_what_was_done_is_there_after_reopening(folder: Path) -> None:
    with Session.create(folder / "cats", "My cats") as session:
        session.add_images([folder / "photos"])
        session.perform(AddCategory(CAT))
        session.perform(AddAnnotation(Annotation(0, 2, 1, points(), square())))
        session.undo()
        session.redo()
        session.perform(RenameProject("Their cats"))
        session.undo()
        before = session.project
        assert session.path.name == "cats.fmstudio"
    for path in (folder / "cats", folder / "cats.fmstudio"):
        with Session.open(path) as session:
            assert session.project == before
            assert session.project.name == "My cats"
            assert session.inbox == ()
            with pytest.raises(ProjectError, match="nothing to undo"):
                session.undo()


def test_a_name_comes_from_the_file(tmp_path: Path) -> None:
    with Session.create(tmp_path / "wild cats.v2") as session:
        assert session.project.name == "wild cats.v2"
        assert session.cache_dir == tmp_path / "wild cats.v2.cache"


def test_the_second_process_gets_a_sentence(session: Session) -> None:
    with pytest.raises(StoreError, match=r"is open in .*: close it there first"):
        Session.open(session.path)
    code = (
        "import sys, pathlib, fmstudio.session as s, fmstudio.errors as e\n"
        "try: s.Session.open(pathlib.Path(sys.argv[1]))\n"
        "except e.StoreError as error: print(error)"
    )
    args = [sys.executable, "-c", code, str(session.path)]
    result = subprocess.run(args, capture_output=True, text=True, check=True)
    assert f"is open in process {os.getpid()}" in result.stdout


def test_a_project_is_not_made_over_another(session: Session) -> None:
    session.close()
    with pytest.raises(StoreError, match="already"):
        Session.create(session.path)


def test_a_file_that_is_no_project_can_be_opened_afterwards_by_others(tmp_path: Path) -> None:
    (tmp_path / "x.fmstudio").write_bytes(b"not a project")
    for _ in range(2):
        with pytest.raises(StoreError, match="not a project file"):
            Session.open(tmp_path / "x.fmstudio")


def test_an_edit_that_does_not_fit_changes_nothing(session: Session) -> None:
    before, history = session.project, session.history
    with pytest.raises(ProjectError, match="is empty"):
        session.perform(AddAnnotation(Annotation(0, 1, 1, None, None)))
    assert session.project is before
    assert session.history is history


def test_an_edit_that_cannot_be_written_changes_nothing(session: Session) -> None:
    before = session.project
    session.close()
    with pytest.raises(StoreError):
        session.perform(RenameProject("x"))
    assert session.project is before
    with Session.open(session.path) as again:
        assert again.project == before


def test_an_edit_without_effect_is_no_step(session: Session) -> None:
    history = session.history
    assert not session.perform(SetStatus((1,), Status.ACCEPTED))
    assert session.history is history


# Images


def test_same_file_names_in_sub_folders(folder: Path) -> None:
    write_image(folder / "a" / "cat.png", 11)
    write_image(folder / "a" / "deep" / "cat.png", 12)
    write_image(folder / "b" / "cat.png", 13)
    with Session.create(folder / "p") as session:
        report = session.add_images([folder / "b", folder / "a"])
        assert report.skipped == ()
        paths = [session.project.images[id_].path for id_ in report.added]
        assert paths == ["b/cat.png", "a/cat.png", "a/deep/cat.png"]
        assert session.targets(["deep/cat.png", "b/cat.png"]) == (3, 1)
        with pytest.raises(ProjectError, match="any of 3 images"):
            session.targets("cat.png")


def test_what_cannot_be_added_is_named_and_the_rest_goes_on(session: Session, folder: Path) -> None:
    shutil.copy(folder / "photos" / "1.png", folder / "photos" / "copy.png")
    (folder / "photos" / "empty.png").touch()
    (folder / "photos" / "notes.txt").write_text("no image, and not meant as one")
    (folder / "photos" / ".hidden.png").write_bytes(b"?")
    write_image(folder / "photos" / "new.png", 9)
    seen = []
    report = session.add_images(
        [folder / "photos", folder / "nowhere.png", folder / "photos" / "notes.txt"],
        progress=lambda done, total: seen.append((done, total)),
    )
    assert [session.project.images[id_].path for id_ in report.added] == ["photos/new.png"]
    assert seen == [(i, 9) for i in range(1, 10)]
    text = "\n".join(report.skipped)
    assert "'photos/copy.png' is the same image as 'photos/1.png', byte for byte." in text
    assert "'photos/1.png' is in the project already." in text
    for name in ("empty.png", "nowhere.png", "notes.txt"):
        assert text.count(name) == 1
    assert len(report.skipped) == 8
    assert session.history.undo_label == "Add 1 image"


def test_the_cache_of_a_project_holds_no_images_to_add(session: Session, folder: Path) -> None:
    thumbnails = session.cache_dir / "thumbnails"
    thumbnails.mkdir(parents=True)
    write_image(thumbnails / "small.png", 7)
    write_image(folder / "no project.cache" / "photo.png", 8)
    session.add_images([folder])
    names = {image.file_name for image in session.project.images.values()}
    assert "photo.png" in names
    assert "small.png" not in names


def test_adding_nothing_is_no_step(session: Session, folder: Path) -> None:
    history = session.history
    assert session.add_images([folder / "photos"]).added == ()
    assert session.history is history


def test_images_outside_the_folder_have_whole_paths(session: Session, tmp_path: Path) -> None:
    outside = write_image(tmp_path / "elsewhere" / "ü b.png", 20)
    (id_,) = session.add_images([outside]).added
    image = session.project.images[id_]
    assert image.path == outside.as_posix()
    assert session.path_of(image) == outside


def test_paths_through_links_are_those_of_the_folder(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder, target_is_directory=True)
    with Session.create(link / "p") as session:
        session.add_images(
            [link / "photos" / "1.png", folder / "photos" / ".." / "photos" / "2.png"]
        )
        assert sorted(session.project.of_path) == ["photos/1.png", "photos/2.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text on this system")
def test_a_name_that_is_not_text_is_refused(session: Session, folder: Path) -> None:
    bad = os.fsencode(folder / "photos") + b"/\xff.png"
    with open(bad, "wb") as file, (folder / "photos" / "1.png").open("rb") as other:  # noqa: PTH123
        shutil.copyfileobj(other, file)
    report = session.add_images([Path(os.fsdecode(bad))])
    assert report.added == ()
    assert "not valid text" in report.skipped[0]


def ref(session: Session, id_: int) -> ImageRef:
    image = session.project.images[id_]
    return ImageRef(id_, image.sha256, image.path, image.size)


def test_an_image_is_loaded_only_if_it_is_the_one_that_was_added(
    session: Session, folder: Path
) -> None:
    assert session.load(ref(session, 2)).shape == (24, 32, 3)
    write_image(folder / "photos" / "2.png", 99)
    with pytest.raises(ImageError, match=r"'photos/2\.png' has changed since"):
        session.load(ref(session, 2))
    (folder / "photos" / "3.png").unlink()
    with pytest.raises(ImageError, match=r"'photos/3\.png' is missing"):
        session.load(ref(session, 3))
    gone = ref(session, 4)
    session.perform(RemoveImages((4,)))
    with pytest.raises(ImageError, match="was removed"):
        session.load(gone)
    faults = [(image.id, what) for image, what in session.missing_or_changed()]
    assert faults == [(2, "changed"), (3, "missing")]


def test_moved_images_are_found_by_their_content(session: Session, folder: Path) -> None:
    moved = folder.parent / "archive"
    moved.mkdir()
    (folder / "photos").rename(moved / "old")
    (moved / "old" / "1.png").rename(moved / "renamed.png")
    shutil.copy(moved / "old" / "2.png", moved / "a copy.png")
    (moved / "old" / "4.png").unlink()
    (moved / "broken.png").write_bytes(b"?")
    annotations = session.project.annotations_of(1)
    report = session.relocate(moved)
    assert report.found == (1, 2, 3)
    assert [image.id for image in report.still_lost] == [4]
    assert session.project.images[1].path == (moved / "renamed.png").as_posix()
    assert session.project.images[2].path == (moved / "old" / "2.png").as_posix()
    assert session.project.annotations_of(1) == annotations
    assert [image.id for image, _ in session.missing_or_changed()] == [4]
    assert session.history.undo_label == "Relocate 3 images"
    assert session.relocate(moved).found == ()


def test_images_that_changed_places_are_found(session: Session, folder: Path) -> None:
    photos = folder / "photos"
    (photos / "1.png").rename(photos / "x.png")
    (photos / "2.png").rename(photos / "1.png")
    (photos / "x.png").rename(photos / "2.png")
    assert session.relocate(photos).found == (1, 2)
    assert session.project.images[1].path == "photos/2.png"
    assert session.missing_or_changed() == []


# Requests


def test_only_what_is_accepted_is_carried(session: Session) -> None:
    for status in (Status.REJECTED, Status.PROPOSED):
        session.perform(AddAnnotation(Annotation(0, 1, 1, points(20.0), None, status)))
    session.perform(AddAnnotation(Annotation(0, 1, 1, None, None, bbox=BOX)))
    session.perform(AddAnnotation(Annotation(0, 1, 1, None, square(), is_crowd=True)))
    request = session.request([1], [2])
    (reference,) = request.references
    assert [mark.id for mark in reference.marks] == [1]
    assert reference.marks[0].keypoints == points()
    assert reference.image == ref(session, 1)
    assert request.settings == MatchSettings()


def test_a_guess_never_becomes_a_reference(session: Session) -> None:
    propagate(session)
    session.land()
    with pytest.raises(ProjectError, match=r"'photos/2\.png' has no accepted keypoints or mask"):
        session.request([2], [3])
    session.perform(SetStatus((session.project.of_image[2][0],), Status.ACCEPTED))
    assert session.request([2], [3]).references[0].image.id == 2


def test_targets_never_include_a_reference(session: Session) -> None:
    request = session.request([1, 1], session.targets("all"))
    assert [target.id for target in request.targets] == [2, 3, 4]
    with pytest.raises(ProjectError, match="no image to propagate to"):
        session.request([1], [1])
    with pytest.raises(ProjectError, match="at least one annotated image"):
        session.request([], [2])
    with pytest.raises(ProjectError, match="no image 77"):
        session.request([1], [77])


def test_unlabelled_targets_have_nothing_accepted_and_nothing_to_review(session: Session) -> None:
    assert session.targets("unlabelled") == (2, 3, 4)
    for event in job(session.request([1], [2, 3])):
        if isinstance(event, Proposal):
            session.receive(event)
    session.land()
    assert session.targets("unlabelled") == (4,)
    session.perform(SetStatus(session.project.of_image[2], Status.REJECTED))
    assert session.targets("unlabelled") == (2, 4)


# The inbox


def test_proposals_land_as_one_step_with_where_they_came_from(session: Session) -> None:
    before = session.project
    propagate(session)
    assert [entry.image_id for entry in session.inbox] == [2, 3, 4]
    assert session.project is before
    report = session.land()
    assert report.left_out == ()
    assert session.inbox == ()
    for id_ in report.landed:
        landed = session.project.annotations[id_]
        assert landed.status is Status.PROPOSED
        assert landed.provenance == Propagated((1,), "key")
        assert landed.confidence == 0.6
        assert landed.keypoints is not None
        assert landed.keypoints.score.tolist() == [0.7, 0.5]
        assert landed.mask == square(8)
    assert session.history.undo_label == "Propagate to 3 images"
    session.undo()
    assert session.project is before
    session.redo()
    assert len(session.project.annotations) == 4


def test_the_inbox_outlives_the_session(session: Session) -> None:
    propagate(session)
    session.close()
    with Session.open(session.path) as again:
        assert again.inbox == session.inbox
        assert again.inbox[0].notes == ("a note",)
        assert len(again.land("Recovered proposals").landed) == 3
        assert again.history.undo_label == "Recovered proposals"
    with Session.open(session.path) as last:
        assert last.inbox == ()
        assert last.project == again.project


def test_proposals_of_a_changed_source_are_outdated(session: Session) -> None:
    request = session.request([1], [2, 3, 4])
    events = [event for event in job(request) if isinstance(event, Proposal)]
    session.receive(events[0])
    assert session.outdated_reason(session.inbox[0]) is None
    session.perform(ChangeAnnotation(1, points(6.0), square()))
    session.receive(events[1])
    for entry in session.inbox:
        assert session.outdated_reason(entry) == "its source, annotation 1, has changed since"
    for event in job(session.request([1], [4])):
        if isinstance(event, Proposal):
            session.receive(event)
    report = session.land()
    assert [session.project.annotations[id_].image_id for id_ in report.landed] == [4]
    assert report.left_out[0] == (
        "The proposal for 'photos/2.png' was left out: its source, annotation 1, has changed since."
    )
    assert session.inbox == ()


def test_a_source_that_changed_back_is_as_good_as_ever(session: Session) -> None:
    propagate(session)
    session.perform(ChangeAnnotation(1, points(6.0), None))
    session.undo()
    assert len(session.land().landed) == 3


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (RemoveAnnotations((1,)), "has been removed"),
        (SetStatus((1,), Status.REJECTED), "is no longer accepted"),
    ],
)
def test_proposals_of_a_withdrawn_source_are_outdated(
    session: Session, edit: RemoveAnnotations | SetStatus, reason: str
) -> None:
    propagate(session)
    session.perform(edit)
    report = session.land()
    assert report.edit is None
    assert len(report.left_out) == 3
    assert all(reason in sentence for sentence in report.left_out)
    assert session.inbox == ()


def test_of_two_proposals_for_an_image_the_later_lands(session: Session) -> None:
    propagate(session, x=7.5)
    propagate(session, x=8.5)
    assert len(session.inbox) == 6
    session.land()
    (found,) = session.project.annotations_of(2)
    assert found.keypoints is not None
    assert found.keypoints.xy[0, 0] == 8.5


def test_reviewed_work_is_left_alone(session: Session) -> None:
    propagate(session)
    session.land()
    (id_,) = session.project.of_image[2]
    session.perform(ChangeAnnotation(id_, points(1.5), None))
    corrected = session.project.annotations[id_]
    assert corrected.provenance == Corrected(Propagated((1,), "key"))
    (rejected,) = session.project.of_image[3]
    session.perform(SetStatus((rejected,), Status.REJECTED))
    propagate(session, x=7.5)
    report = session.land()
    assert session.project.annotations_of(2) == (corrected,)
    assert session.project.image_state(3) is ImageState.REJECTED
    assert [session.project.annotations[i].image_id for i in report.landed] == [4]
    assert len(report.left_out) == 2
    assert "its 'cat' has been reviewed already" in report.left_out[0]


def test_what_left_the_project_leaves_the_inbox(session: Session) -> None:
    propagate(session)
    session.perform(RemoveImages((2,)))
    assert [entry.image_id for entry in session.inbox] == [3, 4]
    other = replace(CAT, id=1, keypoints=("nose",))
    session.perform(ChangeCategory(other, (0,)))
    report = session.land()
    assert report.edit is None
    # The keypoints of the source changed with the schema.
    assert all("has changed since" in sentence for sentence in report.left_out)
    propagate_events = list(job(session.request([1], [3])))
    session.perform(RemoveCategory(1, with_annotations=True))
    assert [session.receive(e) for e in propagate_events if isinstance(e, Proposal)] == [None]


def test_a_proposal_for_a_removed_image_or_of_nothing_is_dropped(session: Session) -> None:
    request = session.request([1], [2, 3])
    first, second = (event for event in job(request) if isinstance(event, Proposal))
    session.perform(RemoveImages((2,)))
    assert session.receive(first) is None
    nothing = Keypoints.drawn(np.zeros((2, 2)), [0, 0])
    bare = replace(second.marks[0], keypoints=nothing, mask=Mask.empty(SIZE))
    assert session.receive(replace(second, marks=(bare,))) is None
    assert session.receive(replace(second, marks=())) is None
    assert session.inbox == ()
    kept = session.receive(replace(second, marks=(replace(bare, mask=square()),)))
    assert kept is not None


def test_a_proposal_without_a_request_is_refused(session: Session) -> None:
    request = session.request([1], [2])
    (proposal,) = (event for event in job(request) if isinstance(event, Proposal))
    session.close()
    with Session.open(session.path) as again:
        with pytest.raises(ProjectError, match="answers no known request"):
            again.receive(proposal)
        assert again.receive(proposal, request) is not None


def test_a_job_is_the_engine_with_the_session_s_images(
    session: Session, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    seen = {}

    def fake(request, *, load, token, cache_dir, device):
        seen.update(cache_dir=cache_dir, device=device, token=token)
        for target in request.targets:
            try:
                load(target)
            except ImageError as error:
                yield Failure(target, str(error))
                continue
            yield from (e for e in job(replace(request, targets=(target,))))

    # In place of the engine's module, so that torch stays out of this test.
    engine = SimpleNamespace(propagate=fake)
    monkeypatch.setitem(sys.modules, "fmstudio.engine.propagate", engine)
    (folder / "photos" / "3.png").unlink()
    token = CancelToken()
    events = list(session.job(session.request([1], [2, 3]), token, device="cpu"))
    assert [type(event) for event in events] == [Progress, Proposal, Failure]
    assert seen == {"cache_dir": folder / "cats.cache", "device": "cpu", "token": token}


# Accepting


def test_accepting_above_a_confidence(session: Session) -> None:
    events = [
        event
        for quality, id_ in ((0.9, 2), (0.8, 3), (0.3, 4))
        for event in job(session.request([1], [id_]), quality=quality)
    ]
    for event in events:
        if isinstance(event, Proposal):
            session.receive(event)
    landed = session.land().landed
    assert session.accept_above(0.95) == ()
    assert session.accept_above(0.5, ids=landed[1:]) == (landed[1],)
    assert session.history.undo_label == "Accept 1 annotation"
    assert session.accept_above(0.8) == (landed[0],)
    assert session.project.annotations[landed[2]].status is Status.PROPOSED
    with pytest.raises(ProjectError, match="between 0 and 1"):
        session.accept_above(80)


def test_the_cache_folder_is_beside_the_project_and_not_made(session: Session) -> None:
    assert session.cache_dir == session.path.parent / "cats.cache"
    assert not session.cache_dir.exists()


# COCO


def coco_file(path: Path, names: list[str], size: ImageSize = SIZE) -> Path:
    """Write a COCO file with one annotation of keypoints per image."""
    images = [
        {"id": i, "file_name": name, "width": size.width, "height": size.height}
        for i, name in enumerate(names, 1)
    ]
    placed = [4.5, 5.5, 2, 4.5, 9.5, 1]
    annotations = [
        {"id": i + 10, "image_id": i, "category_id": 7, "iscrowd": 0, "keypoints": placed}
        | {"num_keypoints": 2, "bbox": [4, 5, 1, 5], "area": 5}
        for i in range(1, len(names) + 1)
    ]
    categories = [{"id": 7, "name": "cat", "keypoints": ["nose", "tail"], "skeleton": [[1, 2]]}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("place", ["photos", "."])
def test_an_import_finds_the_images_beside_the_file(folder: Path, place: str) -> None:
    (folder / "photos").rename(folder / "images")
    names = ["1.png", "2.png"] if place == "." else ["images/1.png", "images/2.png"]
    file = coco_file(folder / "coco.json", names)
    with Session.create(folder / "new") as session:
        report = session.import_coco(file)
        assert report == type(report)((1, 2), (7,), (11, 12), ())
        assert session.project.images[1].path == "images/1.png"
        assert session.load(ref(session, 1)).shape == (24, 32, 3)
        annotation = session.project.annotations[11]
        assert annotation.keypoints == points()
        assert annotation.status is Status.ACCEPTED
        assert session.history.undo_label == "Import 2 annotations on 2 images"
        again = session.import_coco(file)
        assert again == type(report)((), (), (), ())
        assert len(session.history.past) == 1


def test_an_import_finds_images_where_it_is_told(folder: Path, tmp_path: Path) -> None:
    file = coco_file(tmp_path / "labels.json", ["1.png"])
    seen = []
    with Session.create(folder / "new") as session:
        session.import_coco(file, folder / "photos", lambda *counts: seen.append(counts))
        assert session.project.images[1].path == "photos/1.png"
    assert seen == [(1, 1)]


def test_an_import_joins_the_images_of_the_project(
    session: Session, folder: Path, tmp_path: Path
) -> None:
    # By content under another name; by name where the file is not beside the labels.
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(folder / "photos" / "2.png", other / "two.png")
    report = session.import_coco(coco_file(other / "coco.json", ["two.png", "3.png"]))
    assert report.images == ()
    assert report.categories == ()
    assert [session.project.annotations[id_].image_id for id_ in report.annotations] == [2, 3]


def test_labels_of_images_that_are_not_there_wait_for_them(folder: Path, tmp_path: Path) -> None:
    file = coco_file(tmp_path / "coco.json", [f"lost/{i}.png" for i in range(1, 9)])
    with Session.create(folder / "new") as session:
        report = session.import_coco(file)
        assert len(report.images) == 8
        assert len(report.notes) == 6
        assert f"There is no image {tmp_path / 'lost' / '1.png'}" in report.notes[0]
        assert report.notes[-1] == "3 more images were not found."
        with pytest.raises(ImageError, match="is missing"):
            session.load(ref(session, 1))
        write_image(tmp_path / "lost" / "8.png", 77)
        with pytest.raises(ImageError, match="was not there when it was imported"):
            session.load(ref(session, 8))
        assert session.relocate(folder).found == (1, 2, 3, 4)
        assert session.load(ref(session, 1)).shape == (24, 32, 3)
        assert session.relocate(tmp_path / "lost").found == (8,)


def test_an_import_of_another_size_imports_nothing(folder: Path) -> None:
    file = coco_file(folder / "coco.json", ["photos/1.png", "photos/2.png"], ImageSize(33, 24))
    with Session.create(folder / "new") as session:
        with pytest.raises(FormatError, match=r"images\[0\] 'photos/1\.png' should be 33 x 24"):
            session.import_coco(file)
        assert not session.project.images
        assert not session.project.categories


def test_labels_of_an_image_that_was_not_turned_are_refused(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(folder / "photos" / "1.png") as image:
        image.save(folder / "turned.jpg", exif=exif)
    file = coco_file(folder / "coco.json", ["turned.jpg"])
    with Session.create(folder / "new") as session:
        with pytest.raises(FormatError, match="without the orientation in its EXIF data"):
            session.import_coco(file)
        right = coco_file(folder / "right.json", ["turned.jpg"], ImageSize(24, 32))
        session.import_coco(right)
        assert session.project.images[1].orientation == 6


def test_a_broken_file_imports_nothing(session: Session, folder: Path) -> None:
    before = session.project
    file = coco_file(folder / "coco.json", ["photos/1.png"])
    document = json.loads(file.read_text())
    document["annotations"][0]["image_id"] = 5
    file.write_text(json.dumps(document))
    with pytest.raises(FormatError, match=r"annotations\[0\]"):
        session.import_coco(file)
    assert session.project is before


def test_an_export_comes_back_the_same(session: Session, folder: Path) -> None:
    propagate(session)
    session.land()
    session.accept_above(0.0)
    report = session.export_coco(folder / "labels.coco.json")
    assert (report.n_images, report.n_annotations) == (4, 4)
    first = (folder / "labels.coco.json").read_bytes()
    with Session.create(folder / "copy") as copy:
        copy.import_coco(folder / "labels.coco.json")
        for id_, annotation in session.project.annotations.items():
            assert copy.project.annotations[id_].keypoints == annotation.keypoints
            assert copy.project.annotations[id_].mask == annotation.mask
            assert copy.project.annotations[id_].provenance == annotation.provenance
        assert copy.project.images == session.project.images
        copy.perform(RenameProject(session.project.name))
        copy.export_coco(folder / "again.coco.json")
    assert (folder / "again.coco.json").read_bytes() == first


def test_only_what_is_accepted_is_exported(session: Session, folder: Path) -> None:
    propagate(session)
    session.land()
    assert session.export_coco(folder / "labels.json").n_annotations == 1
    everything = CocoOptions(statuses=tuple(Status))
    assert session.export_coco(folder / "all.json", everything).n_annotations == 4


def test_files_of_one_name_in_two_folders_are_two_images(tmp_path, sample):
    pictures = {"a": "chelsea.jpg", "b": "tabby.jpg"}
    for folder, name in pictures.items():
        (tmp_path / folder).mkdir()
        shutil.copy(sample / "cats" / "images" / name, tmp_path / folder / "IMG_0001.jpg")
    with Session.create(tmp_path / "p") as session:
        report = session.add_images([tmp_path / "a", tmp_path / "b"])
        assert not report.skipped
        images = session.project.sorted_images()
        assert [image.path for image in images] == ["a/IMG_0001.jpg", "b/IMG_0001.jpg"]
        assert images[0].sha256 != images[1].sha256
        session.export_coco(tmp_path / "all.json")
        # Both come back as what they are, though a name alone would not tell them apart.
        again = session.import_coco(tmp_path / "all.json")
        assert not again.images
    with Session.create(tmp_path / "q") as other:
        other.import_coco(tmp_path / "all.json")
        found = {image.path: image.sha256 for image in other.project.images.values()}
        assert found == {image.path: image.sha256 for image in images}
