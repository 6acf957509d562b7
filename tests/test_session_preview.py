"""Imports and exports as they are seen before they happen."""

import json

import numpy as np
import pytest
from PIL import Image

from fmstudio.engine.cancel import CancelToken
from fmstudio.errors import Cancelled
from fmstudio.geometry.masks import Mask
from fmstudio.project.edits import AddAnnotation, AddCategory
from fmstudio.project.model import Annotation, Category, Status
from fmstudio.session import CocoOptions, Session
from fmstudio.session_preview import import_steps, preview_export, preview_import


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        Image.new("RGB", (40, 30), (number, 0, 0)).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture
def session(folder):
    with Session.create(folder / "work") as session:
        yield session


def document(**more):
    return {
        "images": [
            {"id": n + 1, "file_name": f"{n}.png", "width": 40, "height": 30} for n in range(3)
        ],
        "categories": [{"id": 1, "name": "cat", "keypoints": ["nose"], "skeleton": []}],
        "annotations": [
            {
                "id": 1,
                "image_id": 1,
                "category_id": 1,
                "keypoints": [10, 10, 2],
                "num_keypoints": 1,
                "bbox": [5, 5, 10, 10],
                "area": 100,
                "iscrowd": 0,
            }
        ],
        **more,
    }


def write(folder, content):
    path = folder / "labels.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


# Import


def test_the_preview_of_an_import_is_what_the_import_brings(folder, session):
    path = write(folder, document())
    before = session.project
    preview = preview_import(session, path)
    assert session.project is before is preview.project
    assert (preview.n_images, preview.n_categories, preview.n_annotations) == (3, 1, 1)
    assert preview.faults == ()
    session.perform(preview.edit)
    by_preview = session.project
    with Session.create(folder / "other") as other:
        report = other.import_coco(path)
        assert other.project.images == by_preview.images
        assert other.project.annotations == by_preview.annotations
        assert preview.notes == report.notes
    again = preview_import(session, path)
    assert (again.n_images, again.n_annotations, again.n_known) == (0, 0, 1)


def test_images_that_are_not_there_are_counted_and_named(folder, session):
    (folder / "1.png").unlink()
    preview = preview_import(session, write(folder, document()))
    assert preview.n_missing == 1
    assert any("1.png" in note for note in preview.notes)
    assert preview.faults == ()


def test_every_fault_of_a_file_is_named_with_its_place(folder, session):
    images = [{"id": n + 1} for n in range(30)]
    preview = preview_import(session, write(folder, document(images=images)))
    assert preview.edit is None
    places = {fault.split(" ")[0] for fault in preview.faults}
    assert {f"images[{n}]" for n in range(30)} <= places


def test_every_image_of_another_size_is_named(folder, session):
    faulty = document()
    for n in (0, 2):
        faulty["images"][n]["width"] = 50
    preview = preview_import(session, write(folder, faulty))
    assert preview.edit is None
    assert [fault.split(" ")[0] for fault in preview.faults] == ["images[0]", "images[2]"]
    assert "should be 50 x 30 pixels" in preview.faults[0]


def test_every_category_that_the_project_refuses_is_named(folder, session):
    for name in ("cat", "dog"):
        session.perform(AddCategory(Category(0, name, "animal", ("tail",))))
    categories = [{"id": n, "name": name, "keypoints": ["nose"]}
                  for n, name in enumerate(("cat", "dog", "cow"), 1)]  # fmt: skip
    preview = preview_import(session, write(folder, document(categories=categories)))
    assert [fault.partition(":")[0] for fault in preview.faults] == [
        "categories[0]",
        "categories[1]",
    ]
    assert "'dog'" in preview.faults[1]
    assert not session.project.images


@pytest.mark.parametrize(("content", "said"), [("{", "is not JSON"), ("[]", "is not a COCO")])
def test_what_is_no_coco_is_one_fault(folder, session, content, said):
    (fault,) = preview_import(session, write(folder, content)).faults
    assert said in fault


def test_folders_and_files_that_are_not_there_are_faults(folder, session):
    (fault,) = preview_import(session, folder / "none.json").faults
    assert "There is no file" in fault
    (fault,) = preview_import(session, write(folder, document()), folder / "none").faults
    assert "There is no folder" in fault


def test_a_look_can_be_stopped(folder, session):
    token = CancelToken()
    steps = import_steps(session.project, folder, write(folder, document()), None, token)
    assert next(steps).phase == "reading"
    token.cancel()
    with pytest.raises(Cancelled):
        list(steps)


# Export


def add_mask(session, mask, status=Status.ACCEPTED):
    session.perform(AddAnnotation(Annotation(0, 1, 1, None, mask, status)))


@pytest.fixture
def labelled(folder, session):
    session.import_coco(write(folder, document()))
    pixels = np.zeros((30, 40), dtype=bool)
    pixels[4:20, 4:20] = True
    add_mask(session, Mask.from_array(pixels))
    pixels[8:16, 8:16] = False
    add_mask(session, Mask.from_array(pixels), Status.PROPOSED)
    return session


def test_the_preview_of_an_export_counts_what_is_in_it(labelled):
    accepted = preview_export(labelled, CocoOptions())
    assert (accepted.n_images, accepted.n_annotations, accepted.n_left_out) == (3, 2, 1)
    assert (accepted.n_negatives, accepted.n_keypoints, accepted.n_masks) == (2, 1, 1)
    assert (accepted.n_proposals, accepted.faults) == (0, ())
    both = CocoOptions(statuses=(Status.ACCEPTED, Status.PROPOSED))
    assert preview_export(labelled, both).n_proposals == 1


def test_masks_with_holes_that_stay_run_lengths_are_counted(labelled):
    statuses = (Status.ACCEPTED, Status.PROPOSED)
    assert preview_export(labelled, CocoOptions(statuses=statuses)).n_run_lengths == 0
    options = CocoOptions(statuses=statuses, polygons=True)
    assert preview_export(labelled, options).n_run_lengths == 1
