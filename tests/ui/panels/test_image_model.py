import random

import numpy as np
import pytest
from PySide6.QtCore import Qt

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import (
    AddAnnotation,
    AddImages,
    RemoveAnnotations,
    RemoveImages,
    RenameProject,
    SetStatus,
)
from fmstudio.project.model import Annotation, ImageItem, Propagated, Status
from fmstudio.project.search import parse_query
from fmstudio.ui.panels import image_model
from fmstudio.ui.panels.image_model import ImageModel

SIZE = ImageSize(64, 48)


def images(count, name="x"):
    return AddImages(tuple(ImageItem(0, f"{name}/{i}.jpg", SIZE, "") for i in range(count)))


@pytest.fixture
def model(controller, qtbot, qtmodeltester):
    model = ImageModel(controller)
    qtmodeltester.check(model)
    return model


def search(qtbot, model, text):
    with qtbot.waitSignal(model.filtered):
        model.set_query(parse_query(text))


def proposal(controller, image_id, confidence=0.5):
    category = controller.project.sorted_categories()[0]
    m = len(category.keypoints)
    points = Keypoints(np.full((m, 2), 20.0), np.full(m, 2), np.full(m, confidence))
    origin = Propagated((1,), "k")
    return AddAnnotation(
        Annotation(0, image_id, category.id, points, None, Status.PROPOSED, origin, confidence)
    )


def test_new_images_come_at_the_end_in_one_step(model, controller, qtbot):
    with qtbot.waitSignal(model.rowsInserted) as inserted:
        controller.perform(images(1000))
    assert inserted.args[1:] == [5, 1004]
    assert list(model.ids) == sorted(controller.project.images)
    with qtbot.waitSignal(model.modelReset):
        controller.undo()
    assert list(model.ids) == sorted(controller.project.images)


def test_removing_many_and_bringing_them_back_makes_the_list_anew(model, controller, qtbot):
    controller.perform(images(500))
    gone = tuple(model.ids[10:400])
    for change in (lambda: controller.perform(RemoveImages(gone)), controller.undo):
        with qtbot.waitSignal(model.modelReset), qtbot.assertNotEmitted(model.rowsInserted):
            change()
        assert list(model.ids) == sorted(controller.project.images)


def test_every_row_is_found_and_no_other(model, controller):
    controller.perform(images(20))
    controller.perform(RemoveImages((7, 9)))
    assert [model.row_of(id_) for id_ in model.ids] == list(range(23))
    assert [model.row_of(id_) for id_ in (None, 0, 7, 9, 999)] == [None] * 5


def test_random_edits_leave_the_rows_that_a_new_list_would_have(model, controller):
    chance = random.Random(4)
    for step in range(60):
        project = controller.project
        kind = chance.choice(["add", "remove", "annotate", "undo", "redo"])
        some = chance.sample(sorted(project.images), min(3, len(project.images)))
        if kind == "add":
            controller.perform(images(chance.choice([1, 3, 100]), f"{step}"))
        elif kind == "remove" and some:
            controller.perform(RemoveImages(tuple(some)))
        elif kind == "annotate" and some:
            controller.perform(proposal(controller, some[0]))
        elif kind == "undo" and controller.session.history.past:
            controller.undo()
        elif kind == "redo" and controller.session.history.future:
            controller.redo()
        assert list(model.ids) == sorted(controller.project.images), kind


def test_under_a_search_a_row_comes_that_fits_now_and_none_goes(model, controller, qtbot):
    search(qtbot, model, "status:proposed")
    assert list(model.ids) == []
    for image_id in (4, 2):
        controller.perform(proposal(controller, image_id))
    assert list(model.ids) == [2, 4]
    waiting = [a.id for a in controller.project.annotations.values() if not a.is_reviewed]
    controller.accept(waiting)
    assert list(model.ids) == [2, 4]
    search(qtbot, model, "status:proposed")
    assert list(model.ids) == []


def test_an_edit_during_a_search_is_not_missed(model, controller, qtbot, monkeypatch):
    monkeypatch.setattr(image_model, "_TURN_S", 0.0)
    controller.perform(images(3000))
    model.set_query(parse_query("status:proposed"))
    model._go_on()
    controller.perform(proposal(controller, 2))
    controller.perform(RemoveImages((3000,)))
    assert model.is_searching
    with qtbot.waitSignal(model.filtered):
        pass
    assert list(model.ids) == [2]


def test_the_list_stays_while_a_search_goes_on(model, controller, qtbot):
    controller.perform(images(5000))
    before = list(model.ids)
    model.set_query(parse_query("name:x/4??.jpg"))
    assert model.is_searching
    assert list(model.ids) == before
    with qtbot.waitSignal(model.filtered):
        pass
    assert [controller.project.images[i].file_name for i in model.ids] == [
        f"{i}.jpg" for i in range(400, 500)
    ]
    assert model.is_filtered


def test_another_project_is_shown_whole(model, controller, make_session, qtbot):
    search(qtbot, model, "nowhere")
    controller.set_session(make_session("others"))
    assert not model.is_filtered
    assert len(model.ids) == 5
    controller.set_session(None)
    assert model.rowCount() == 0
    assert model.image_at(model.index(0)) is None


def test_what_has_nothing_to_do_with_rows_paints_none(model, controller, qtbot):
    with qtbot.assertNotEmitted(model.dataChanged):
        controller.perform(RenameProject("lions"))


def test_only_the_rows_of_touched_images_are_painted_anew(model, controller, qtbot):
    (annotation,) = controller.project.annotations.values()
    row = model.row_of(annotation.image_id)
    with qtbot.waitSignal(model.dataChanged) as changed:
        controller.perform(SetStatus((annotation.id,), Status.REJECTED))
    assert (changed.args[0].row(), changed.args[1].row()) == (row, row)
    with qtbot.waitSignal(model.dataChanged):
        controller.perform(RemoveAnnotations((annotation.id,)))


def test_a_row_is_told_in_words(model, controller):
    row = model.row_of(controller.reference_id)
    said = model.data(model.index(row), Qt.ItemDataRole.AccessibleTextRole)
    assert said == "siamese.jpg, accepted"
