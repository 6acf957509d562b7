import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from fmstudio.project.edits import AddAnnotation
from fmstudio.project.model import Annotation, Propagated, Status


def turn(canvas, at, steps):
    event = QWheelEvent(
        at, canvas.mapToGlobal(at), QPoint(), QPoint(0, 120 * steps), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    canvas.wheelEvent(event)


def colors_near(canvas, x, y, reach=12):
    at = canvas.map_from_image(x, y).toPoint()
    image = canvas.grab().toImage()
    return {
        image.pixelColor(at.x() + dx, at.y() + dy).name()
        for dx in range(-reach, reach + 1)
        for dy in range(-reach, reach + 1)
    }


def test_the_whole_image_is_shown_first(pair, controller):
    canvas = pair.reference
    size = controller.project.images[canvas.image_id].size
    top_left, bottom_right = (
        canvas.map_from_image(0, 0),
        canvas.map_from_image(size.width, size.height),
    )
    area = canvas.viewport().rect()
    assert area.contains(top_left.toPoint())
    assert area.contains(bottom_right.toPoint())
    assert canvas.scale == pytest.approx(canvas.fit_scale(), rel=1e-3)


def test_the_wheel_zooms_at_the_cursor(pair):
    canvas = pair.target
    at = QPointF(150, 200)
    before, scale = canvas.map_to_image(at), canvas.scale
    turn(canvas, at, 3)
    assert canvas.scale == pytest.approx(scale * 1.25**3, rel=1e-3)
    assert canvas.map_to_image(at) == pytest.approx(before, abs=0.5)


def test_one_hundred_percent_is_one_pixel_a_pixel(pair):
    pair.target.zoom_to(1.0)
    assert pair.target.scale == pytest.approx(1.0, rel=1e-3)
    pair.target.zoom_to(1e9)
    assert pair.target.scale == pytest.approx(64, rel=1e-3)


def test_the_middle_button_pans(pair, qtbot):
    canvas = pair.target
    canvas.zoom_to(2.0)
    before = canvas.map_to_image(QPointF(300, 300))
    qtbot.mousePress(canvas.viewport(), Qt.MouseButton.MiddleButton, pos=QPoint(300, 300))
    qtbot.mouseMove(canvas.viewport(), QPoint(340, 310))
    qtbot.mouseRelease(canvas.viewport(), Qt.MouseButton.MiddleButton, pos=QPoint(340, 310))
    assert canvas.map_to_image(QPointF(340, 310)) == pytest.approx(before, abs=1)


def test_a_tap_on_space_is_told_and_a_drag_is_not(pair, qtbot):
    canvas = pair.target
    canvas.setFocus()
    with qtbot.waitSignal(canvas.spaceTapped):
        qtbot.keyClick(canvas, Qt.Key.Key_Space)
    taps = []
    canvas.spaceTapped.connect(lambda: taps.append(1))
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    qtbot.mousePress(canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    qtbot.mouseMove(canvas.viewport(), QPoint(220, 200))
    qtbot.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(220, 200))
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    assert not taps


def test_linked_canvases_show_the_same_part(pair):
    pair.set_linked(True)
    turn(pair.target, QPointF(100, 100), 5)
    shares = []
    for canvas in pair.canvases:
        centre, whole = canvas.view_rect().center(), canvas.image_rect()
        shares.append((centre.x() / whole.width(), centre.y() / whole.height()))
    assert shares[0] == pytest.approx(shares[1], abs=0.02)
    pair.set_linked(False)
    before = pair.reference.scale
    turn(pair.target, QPointF(100, 100), 5)
    assert pair.reference.scale == before


def test_accepted_keypoints_are_drawn_and_can_be_hidden(pair, controller):
    canvas = pair.reference
    keypoints = controller.project.annotations_of(canvas.image_id)[0].keypoints
    x, y = keypoints.xy[0]
    drawn = colors_near(canvas, x, y)
    canvas.set_overlays_visible(False)
    assert drawn != colors_near(canvas, x, y)


def test_a_proposal_looks_other_than_what_is_accepted(pair, controller):
    source = controller.project.annotations_of(pair.reference.image_id)[0]
    x, y = source.keypoints.xy[0]
    target = pair.target.image_id
    points = source.keypoints
    pictures = []
    for status in (Status.PROPOSED, Status.ACCEPTED):
        proposal = Annotation(
            0, target, source.category_id, points, None, status,
            Propagated((source.id,), "k"), confidence=0.4,
        )  # fmt: skip
        controller.perform(AddAnnotation(proposal))
        pictures.append(colors_near(pair.target, x, y))
        controller.undo()
    assert pictures[0] != pictures[1]


def test_an_image_that_cannot_be_read_is_named(pair, controller, qtbot):
    session = controller.session
    other = next(i for i in controller.project.images if i not in (pair.target.image_id,))
    lost = session.path_of(controller.project.images[other])
    lost.unlink()
    controller.show_target(other)
    qtbot.waitUntil(lambda: lost.name in pair.target.message.text)
    assert not pair.target.is_ready


def test_without_a_project_the_canvas_says_what_to_do(pair, controller):
    controller.set_session(None)
    assert "Drop photos" in pair.target.message.text
    assert pair.target.pixels() is None


def test_focus_zooms_to_the_same_part_on_both(pair, controller, qtbot):
    source = controller.project.annotations_of(pair.reference.image_id)[0]
    controller.focusRequested.emit(source.id)
    x, y, width, height = source.mask.bbox
    seen = pair.reference.view_rect()
    assert seen.contains(x + width / 2, y + height / 2)
    assert pair.reference.scale > pair.reference.fit_scale()


def test_pixels_are_those_of_the_file(pair, controller):
    assert pair.target.pixels().dtype == np.uint8
    size = controller.project.images[pair.target.image_id].size
    assert pair.target.pixels().shape == (size.height, size.width, 3)


def test_an_image_whose_file_has_come_back_can_be_read_again(pair, controller, qtbot):
    session = controller.session
    shown = (pair.reference.image_id, pair.target.image_id)
    other = next(i for i in controller.project.images if i not in shown)
    path = session.path_of(controller.project.images[other])
    aside = path.rename(path.with_suffix(".aside"))
    controller.show_target(other)
    qtbot.waitUntil(lambda: path.name in pair.target.message.text)
    aside.rename(path)
    # The person has put it back by another program, and comes back to the window.
    pair.activateWindow()
    qtbot.waitUntil(pair.isActiveWindow)
    with qtbot.waitSignal(pair.target.ready):
        QApplication.sendEvent(pair.target, QEvent(QEvent.Type.ActivationChange))
    assert pair.target.message.text == ""


def test_an_image_that_was_shown_before_is_there_at_once(pair, controller, qtbot):
    first = pair.target.image_id
    other = next(i for i in controller.project.images if i not in (first, pair.reference.image_id))
    with qtbot.waitSignal(pair.target.ready):
        controller.show_target(other)
    controller.show_target(first)
    assert pair.target.is_ready
    # The canvases share what they have shown.
    controller.show_reference(other)
    assert pair.reference.is_ready


def test_an_image_on_which_nothing_is_marked_says_what_to_do(pair, controller):
    def foot():
        area = pair.target.viewport().rect()
        image = pair.target.grab().toImage()
        return {image.pixelColor(x, area.bottom() - 24).name() for x in range(area.width())}

    invited = foot()
    pair.target.set_overlays_visible(False)
    bare = foot()
    assert len(invited) > len(bare)


def test_an_edit_elsewhere_draws_nothing_here(pair, controller, monkeypatch):
    source = controller.project.annotations_of(pair.reference.image_id)[0]
    drawn = []
    for canvas in pair.canvases:
        monkeypatch.setattr(canvas, "refresh", lambda role=canvas.role: drawn.append(role))
    new = Annotation(0, pair.target.image_id, source.category_id, source.keypoints, None)
    controller.perform(AddAnnotation(new))
    assert drawn == ["target"]


def test_ghosts_that_arrive_for_another_image_draw_nothing_here(pair, controller, monkeypatch):
    source = controller.project.annotations_of(pair.reference.image_id)[0]
    ghosts = {}
    monkeypatch.setattr(controller, "ghosts", lambda image_id: ghosts.get(image_id, ()))
    drawn = []
    for canvas in pair.canvases:
        monkeypatch.setattr(canvas, "refresh", lambda role=canvas.role: drawn.append(role))
    ghosts[max(controller.project.images)] = (source,)
    controller.inboxChanged.emit()
    assert drawn == []
    ghosts[pair.target.image_id] = (source,)
    controller.inboxChanged.emit()
    controller.inboxChanged.emit()
    assert drawn == ["target"]


def test_both_canvases_have_names_for_those_who_hear_them(pair, controller):
    names = [canvas.accessibleName() for canvas in pair.canvases]
    assert names == ["Reference image", "Target image"]
    file_name = controller.project.images[pair.target.image_id].file_name
    assert pair.target.accessibleDescription() == file_name
