"""The mapping as the window keeps it: stages, what makes it outdated, what a project's end ends."""

from fmstudio.errors import MatchError
from fmstudio.project.edits import RemoveImages, SetStatus
from fmstudio.project.model import Status
from fmstudio.ui.collection import Stage
from tests.ui.conftest import mapped


def test_it_is_mapped_until_images_or_references_change(qtbot, mapping, controller):
    assert mapping.stage is Stage.UNMAPPED
    mapped(qtbot, mapping)
    assert mapping.stage is Stage.MAPPED
    assert not mapping.is_outdated
    (annotation,) = controller.project.annotations
    controller.perform(SetStatus((annotation,), Status.REJECTED))
    assert mapping.is_outdated
    controller.undo()
    assert not mapping.is_outdated
    controller.perform(RemoveImages((max(controller.project.images),)))
    assert mapping.is_outdated
    mapped(qtbot, mapping)
    assert not mapping.is_outdated


def test_what_fails_is_said_and_can_be_tried_again(qtbot, mapping, answer):
    answer.append(MatchError("No such device."))
    mapped(qtbot, mapping)
    assert mapping.stage is Stage.FAILED
    assert mapping.error == "No such device."
    answer.clear()
    mapped(qtbot, mapping)
    assert mapping.stage is Stage.MAPPED


def test_cancelled_it_is_as_before(qtbot, mapping):
    mapping.start()
    mapping.cancel()
    assert mapping.stage is Stage.UNMAPPED


def test_another_project_has_no_map(qtbot, mapping, controller):
    mapped(qtbot, mapping)
    controller.set_session(None)
    assert mapping.overview is None
    assert mapping.stage is Stage.NO_IMAGES
