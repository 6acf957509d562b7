import numpy as np
import pytest
from PySide6.QtCore import Qt

from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import AddAnnotation
from fmstudio.project.model import Annotation, Propagated, Status
from fmstudio.ui.panels.queue import QueuePanel
from fmstudio.ui.panels.thumbnails import Thumbnails


@pytest.fixture
def controller(controller):
    """A project with three proposals, of confidence 0.9, 0.2 and 0.6."""
    project = controller.project
    source = project.annotations_of(controller.reference_id)[0]
    others = [i for i in sorted(project.images) if i != controller.reference_id]
    for image_id, confidence in zip(others, (0.9, 0.2, 0.6), strict=False):
        m = len(source.keypoints.visibility)
        points = Keypoints(np.full((m, 2), 20.0), np.full(m, 2), np.full(m, confidence))
        carried = Propagated((source.id,), "k")
        proposal = Annotation(
            0, image_id, source.category_id, points, None, Status.PROPOSED, carried, confidence
        )
        controller.perform(AddAnnotation(proposal))
    return controller


@pytest.fixture
def panel(qtbot, controller, service):
    panel = QueuePanel(controller, Thumbnails(controller, service))
    qtbot.addWidget(panel)
    panel.resize(240, 500)
    panel.show()
    return panel


def confidences(panel):
    return [item.confidence for item in panel.model.items]


def test_the_most_doubtful_comes_first(panel):
    assert confidences(panel) == [0.2, 0.6, 0.9]


def test_next_shows_and_centres_a_proposal(panel, controller, qtbot):
    with qtbot.waitSignal(controller.focusRequested) as asked:
        panel.show_next()
    item = panel.model.items[0]
    assert asked.args == [item.annotation_id]
    assert (controller.target_id, controller.selection.annotation_id) == (
        item.image_id,
        item.annotation_id,
    )
    panel.show_next()
    assert controller.selection.annotation_id == panel.model.items[1].annotation_id


def test_accepting_goes_on_and_the_last_leaves_the_export(panel, controller, qtbot):
    panel.show_next()
    for left in (2, 1, 0):
        panel.accept_current()
        assert len(panel.model.items) == left
    assert panel._export.isVisible()
    with qtbot.waitSignal(panel.exportRequested):
        qtbot.mouseClick(panel._export, Qt.MouseButton.LeftButton)
    controller.undo()
    assert confidences(panel) == [0.9]


def test_rejecting_takes_a_proposal_out(panel, controller):
    panel.show_next()
    doubtful = panel.model.items[0].annotation_id
    panel.reject_current()
    assert controller.project.annotations[doubtful].status is Status.REJECTED
    assert confidences(panel) == [0.6, 0.9]


def test_without_a_selection_the_target_s_proposal_is_meant(panel, controller):
    controller.select(None)
    controller.show_target(panel.model.items[1].image_id)
    panel.accept_current()
    assert confidences(panel) == [0.2, 0.9]


def test_accepting_above_a_limit_is_one_edit_whose_cost_is_said(panel, controller):
    panel.limit.setValue(0.5)
    assert panel._accept.text() == "Accept 2"
    assert "About 0 of them wrong" in panel._cost.text()
    steps = len(controller.session.history.past)
    panel.accept_above()
    assert confidences(panel) == [0.2]
    assert len(controller.session.history.past) == steps + 1


def test_a_click_shows_what_was_clicked(panel, controller, qtbot):
    view = panel._view
    place = view.visualRect(panel.model.index(2)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert controller.selection.annotation_id == panel.model.items[2].annotation_id
