import pytest

from fmstudio.project.edits import RenameProject
from fmstudio.project.model import Status
from fmstudio.ui.controller import Controller, Level


@pytest.fixture
def controller(qapp, make_session):
    controller = Controller()
    controller.set_session(make_session())
    return controller


def test_a_project_opens_on_its_annotated_image(controller):
    project = controller.project
    assert project.images[controller.reference_id].file_name == "siamese.jpg"
    assert controller.target_id not in (None, controller.reference_id)
    assert project.categories[controller.category_id].keypoints


def test_an_edit_is_announced_once_and_undone(controller, qtbot):
    name = controller.project.name
    seen = []
    controller.projectChanged.connect(seen.append)
    controller.perform(RenameProject("lions"))
    assert [diff.name_changed for diff in seen] == [True]
    controller.undo()
    assert controller.project.name == name
    controller.redo()
    assert controller.project.name == "lions"


def test_a_refusal_becomes_a_notice(controller, qtbot):
    with qtbot.waitSignal(controller.noticeRaised) as raised:
        assert controller.perform(RenameProject("")) is None
    assert raised.args[0].level is Level.ERROR
    assert raised.args[0].text


def test_what_is_removed_is_no_longer_selected(controller):
    annotation = controller.project.annotations_of(controller.reference_id)[0]
    controller.select(annotation.id, 2)
    assert controller.selected is annotation
    controller.remove_selected()
    assert controller.selected is None
    controller.undo()
    assert controller.project.annotations[annotation.id].status is Status.ACCEPTED


def test_stepping_stops_at_both_ends(controller):
    images = [image.id for image in controller.project.sorted_images()]
    controller.show_target(images[0])
    controller.step(-1)
    assert controller.target_id == images[0]
    controller.step(100)
    assert controller.target_id == images[-1]
