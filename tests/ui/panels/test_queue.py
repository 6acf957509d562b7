import random
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import AddAnnotation, ChangeAnnotation, LandProposals, RemoveImages
from fmstudio.project.model import Annotation, Propagated, Status
from fmstudio.project.review import review_queue
from fmstudio.ui import theme
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
    return [item.confidence for item in panel.model.queue]


def test_the_most_doubtful_comes_first(panel):
    assert confidences(panel) == [0.2, 0.6, 0.9]


def test_next_shows_and_centres_a_proposal(panel, controller, qtbot):
    with qtbot.waitSignal(controller.focusRequested) as asked:
        panel.show_next()
    item = panel.model.queue[0]
    assert asked.args == [item.annotation_id]
    assert (controller.target_id, controller.selection.annotation_id) == (
        item.image_id,
        item.annotation_id,
    )
    panel.show_next()
    assert controller.selection.annotation_id == panel.model.queue[1].annotation_id


def test_accepting_goes_on_and_the_last_offers_the_images_with_nothing(panel, controller, qtbot):
    panel.show_next()
    for left in (2, 1, 0):
        panel.accept_current()
        assert len(panel.model.queue) == left
    assert "on 1 image yet" in panel._empty.label.text()
    with qtbot.waitSignal(panel.propagateRequested):
        qtbot.mouseClick(panel._empty.button, Qt.MouseButton.LeftButton)
    controller.undo()
    assert confidences(panel) == [0.9]


def test_when_nothing_is_left_it_offers_the_export(panel, controller, qtbot):
    project = controller.project
    bare = [image for image in project.images if image not in project.of_image]
    controller.perform(RemoveImages(tuple(bare)))
    panel.show_next()
    for _ in range(3):
        panel.accept_current()
    assert panel._empty.button.isVisible()
    with qtbot.waitSignal(panel.exportRequested):
        qtbot.mouseClick(panel._empty.button, Qt.MouseButton.LeftButton)


def test_rejecting_takes_a_proposal_out(panel, controller):
    panel.show_next()
    doubtful = panel.model.queue[0].annotation_id
    panel.reject_current()
    assert controller.project.annotations[doubtful].status is Status.REJECTED
    assert confidences(panel) == [0.6, 0.9]


def test_without_a_selection_the_target_s_proposal_is_meant(panel, controller):
    controller.select(None)
    controller.show_target(panel.model.queue[1].image_id)
    panel.accept_current()
    assert confidences(panel) == [0.2, 0.9]


def test_what_is_reviewed_already_can_be_rejected_and_nothing_else_is_shown(panel, controller):
    (done,) = controller.project.annotations_of(controller.reference_id)
    controller.show_target(done.image_id)
    controller.select(done.id)
    panel.reject_current()
    assert controller.project.annotations[done.id].status is Status.REJECTED
    assert (controller.target_id, controller.selection.annotation_id) == (done.image_id, done.id)
    assert confidences(panel) == [0.2, 0.6, 0.9]


def test_accepting_above_a_limit_is_one_edit_whose_cost_is_said(panel, controller, qtbot):
    panel.limit.setValue(0.5)
    assert panel._sure._accept.accessibleName() == "Accept 2 proposals"
    m = panel.model.queue[0].points
    assert panel._sure._cost.text() == f"2: ~{m * 0.5:.0f} points wrong"
    assert f"2 annotations with {2 * m} points" in panel._sure._cost.toolTip()
    panel.limit.setValue(0.1)
    assert panel._sure._cost.text() == f"3: ~{m * 1.3:.0f} points wrong"
    panel.limit.setValue(0.95)
    assert not panel._sure._accept.isEnabled()
    panel.limit.setValue(0.5)
    steps = len(controller.session.history.past)
    with qtbot.waitSignal(controller.noticeRaised) as raised:
        qtbot.mouseClick(panel._sure._accept, Qt.MouseButton.LeftButton)
    assert confidences(panel) == [0.2]
    assert len(controller.session.history.past) == steps + 1
    assert raised.args[0].text == "2 proposals accepted."
    raised.args[0].run()
    assert confidences(panel) == [0.2, 0.6, 0.9]


def test_a_click_shows_what_was_clicked(panel, controller, qtbot):
    view = panel.view
    place = view.visualRect(panel.model.index(2)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert controller.selection.annotation_id == panel.model.queue[2].annotation_id


def test_the_counters_say_how_much_is_done_and_left(panel, controller):
    assert panel._reviewed.text() == "1 of 4 done"
    found = panel.meter.waiting
    assert panel._left.text().startswith(f"~{found.wrong:.0f} wrong (")
    assert f"Of {found.points} points in the queue" in panel._left.toolTip()
    assert (panel._bar.value(), panel._bar.maximum()) == (1, 4)
    panel.show_next()
    panel.accept_current()
    assert panel._reviewed.text() == "2 of 4 done"
    assert panel.meter.waiting.points < found.points
    assert panel._left.text().startswith(f"~{panel.meter.waiting.wrong:.0f} wrong (")


def test_a_decision_shows_each_image_once_and_makes_no_row_anew(panel, controller, qtbot):
    panel.show_next()
    shown = []
    controller.shownChanged.connect(lambda: shown.append(controller.target_id))
    follower = panel.model.queue[1].image_id
    with qtbot.assertNotEmitted(panel.model.modelReset):
        panel.accept_current()
    assert shown == [follower]
    assert panel.view.selected_rows() == [0]


def test_the_arrow_keys_go_through_the_queue(panel, controller, qtbot):
    panel.show_next()
    with qtbot.waitSignal(controller.focusRequested) as asked:
        qtbot.keyClick(panel.view, Qt.Key.Key_Down)
    assert asked.args == [panel.model.queue[1].annotation_id]
    assert controller.target_id == panel.model.queue[1].image_id


def test_a_click_on_the_current_row_comes_back_to_it_once(panel, controller, qtbot):
    panel.show_next()
    item = panel.model.queue[0]
    controller.show_target(panel.model.queue[2].image_id)
    asked = []
    controller.focusRequested.connect(asked.append)
    place = panel.view.visualRect(panel.model.index(0)).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert controller.target_id == item.image_id
    assert asked == [item.annotation_id]


def test_a_correction_by_hand_leaves_the_queue_and_comes_back_by_undo(panel, controller):
    panel.show_next()
    doubtful = controller.selected
    moved = replace(doubtful.keypoints, xy=doubtful.keypoints.xy + 1)
    controller.perform(ChangeAnnotation(doubtful.id, moved, None))
    assert list(panel.model.queue) == list(review_queue(controller.project))
    controller.undo()
    assert confidences(panel) == [0.2, 0.6, 0.9]


def test_many_changes_at_once_sort_the_queue_anew(panel, controller):
    source = controller.project.annotations_of(controller.reference_id)[0]
    proposals = tuple(
        replace(
            source, id=0, image_id=5, status=Status.PROPOSED, confidence=i / 100,
            provenance=Propagated((source.id,), "k"),
        )
        for i in range(100)
    )  # fmt: skip
    controller.perform(LandProposals(proposals))
    assert list(panel.model.queue) == list(review_queue(controller.project))
    controller.undo()
    assert list(panel.model.queue) == list(review_queue(controller.project))


def test_a_project_without_annotations_says_how_to_begin(panel, controller, make_session):
    controller.set_session(make_session("bare", annotated=False))
    assert "Ctrl+B" in panel._empty.label.text()
    assert not panel._empty.button.isVisible()
    assert not panel._sure.isVisible()
    controller.set_session(None)
    assert not panel.isEnabled()


def test_the_wheel_changes_no_limit(panel, qtbot):
    panel.limit.setFocus()
    before = panel.limit.value()
    at = QPointF(panel.limit.rect().center())
    wheel = QWheelEvent(
        at, panel.limit.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(panel.limit, wheel)
    assert panel.limit.value() == before


def test_limit_and_button_have_room_in_a_narrow_panel(panel, qapp, qtbot):
    theme.apply(qapp, "light")
    panel.setFixedWidth(152)
    button, limit = panel._sure._accept, panel.limit

    def has_room():
        assert button.x() > limit.geometry().right()
        assert button.width() >= button.minimumSizeHint().width()
        line = limit.lineEdit()
        assert line.width() >= line.fontMetrics().horizontalAdvance(limit.text())

    qtbot.waitUntil(has_room)


def test_a_row_is_told_in_words(panel, controller):
    index = panel.model.index(0)
    image = controller.project.images[panel.model.queue[0].image_id]
    said = panel.model.data(index, Qt.ItemDataRole.AccessibleTextRole)
    assert said == f"{image.file_name}, {controller.project.categories[1].name}, confidence 0.20"
    assert panel.model.data(index, Qt.ItemDataRole.ToolTipRole).startswith(image.path)


@pytest.fixture
def model_checks(panel, qtmodeltester):
    qtmodeltester.check(panel.model)


@pytest.mark.usefixtures("model_checks")
def test_random_decisions_and_undos_keep_the_order(panel, controller):
    chance = random.Random(2)
    for _ in range(40):
        choice = chance.choice(["accept", "reject", "next", "undo", "redo"])
        if choice == "undo" and controller.session.history.past:
            controller.undo()
        elif choice == "redo" and controller.session.history.future:
            controller.redo()
        elif choice == "next":
            panel.show_next()
        elif choice in ("accept", "reject"):
            getattr(panel, f"{choice}_current")()
        assert list(panel.model.queue) == list(review_queue(controller.project))
