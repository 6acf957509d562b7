import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt

from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import AddAnnotation
from fmstudio.project.model import Annotation, Propagated, Status


@pytest.fixture
def proposed(pair, controller):
    """Return a proposal on the target."""
    source = controller.project.annotations_of(pair.reference.image_id)[0]
    points = Keypoints(source.keypoints.xy * 0.6, source.keypoints.visibility, [0.4] * 6)
    new = Annotation(
        0, pair.target.image_id, source.category_id, points, None, Status.PROPOSED,
        Propagated((source.id,), "k"), confidence=0.4,
    )  # fmt: skip
    diff = controller.perform(AddAnnotation(new))
    return controller.project.annotations[diff.annotations.added[0]]


def pose(canvas):
    """Return the middle in shares of the image, and the scale over that of the whole image."""
    centre, whole = canvas.view_rect().center(), canvas.image_rect()
    return (
        centre.x() / whole.width(),
        centre.y() / whole.height(),
        canvas.scale / canvas.fit_scale(),
    )


def test_linked_canvases_move_together(pair):
    pair.set_linked(True)
    pair.target.zoom_by(3.0, QPointF(100, 100))
    pair.target.pan(QPointF(0, 0), QPointF(25, 10))
    assert pose(pair.reference) == pytest.approx(pose(pair.target), abs=0.01)
    pair.reference.zoom_by(0.5)
    assert pose(pair.reference) == pytest.approx(pose(pair.target), abs=0.01)
    pair.set_linked(False)
    before = pose(pair.reference)
    pair.target.fit()
    assert pose(pair.reference) == before


def test_a_focus_leaves_linked_canvases_each_on_its_object(pair, controller, proposed):
    pair.set_linked(True)
    controller.focusRequested.emit(proposed.id)
    source = controller.project.annotations_of(pair.reference.image_id)[0]
    for canvas, annotation in ((pair.target, proposed), (pair.reference, source)):
        x, y, width, height = annotation.keypoints.bbox()
        assert canvas.view_rect().contains(x + width / 2, y + height / 2)
        assert canvas.view_rect().width() < 3 * width + 200


def test_a_focus_waits_for_its_image(pair, controller, proposed, qtbot):
    other = next(
        i
        for i in controller.project.images
        if i not in (proposed.image_id, pair.reference.image_id)
    )
    with qtbot.waitSignal(pair.target.ready):
        controller.show_target(other)
    with qtbot.waitSignal(pair.target.viewChanged):
        controller.show_target(proposed.image_id)
        controller.focusRequested.emit(proposed.id)
    qtbot.waitUntil(lambda: pair.target.is_ready)
    x, y, width, height = proposed.keypoints.bbox()
    assert pair.target.view_rect().contains(x + width / 2, y + height / 2)
    assert pair.target.scale > pair.target.fit_scale() * 1.05


def test_a_point_under_the_pointer_is_shown_on_both(pair, controller, proposed, qtbot):
    x, y = proposed.keypoints.xy[0].tolist()
    place = pair.target.map_from_image(x, y).toPoint()
    qtbot.mouseMove(pair.target.viewport(), place)
    found = [look.hovered for canvas in pair.canvases for look in canvas.looks()]
    assert found == [0, 0]
    qtbot.mouseMove(pair.target.viewport(), QPoint(3, 3))
    assert {look.hovered for canvas in pair.canvases for look in canvas.looks()} == {None}


def test_the_canvas_under_the_hand_is_the_active_one(pair, qtbot):
    assert pair.active is pair.target
    with qtbot.waitSignal(pair.activeChanged):
        qtbot.mouseClick(pair.reference.viewport(), Qt.MouseButton.LeftButton)
    assert pair.active is pair.reference
    pair.set_reference_visible(False)
    assert pair.active is pair.target
    assert not pair.reference.isVisible()
    pair.set_reference_visible(True)
    assert pair.reference.isVisible()


def test_headers_follow_the_images(pair, controller, proposed, qtbot):
    reference, target = (pane.header for pane in pair._panes)
    image = controller.project.images[proposed.image_id]
    assert image.file_name in target.text
    assert "proposed" in target.text
    assert target.legend.isVisible()
    assert not reference.legend.isVisible()
    controller.accept([proposed.id])
    assert "accepted" in target.text
    assert not target.legend.isVisible()
    pair.target.zoom_to(1.0)
    assert "100\u202f%" in target.text


def test_hiding_overlays_hides_all_of_them(pair, proposed):
    pair.set_overlays_visible(False)
    assert [canvas.looks() for canvas in pair.canvases] == [[], []]
    pair.set_overlays_visible(True)
    assert all(canvas.looks() for canvas in pair.canvases)


def test_a_mask_is_drawn_over_the_image(pair, controller):
    size = controller.project.images[pair.target.image_id].size
    array = np.zeros((size.height, size.width), bool)
    array[size.height // 4 : size.height // 2, size.width // 4 : size.width // 2] = True
    inside = pair.target.map_from_image(size.width * 0.375, size.height * 0.375).toPoint()
    before = pair.target.grab().toImage().pixelColor(inside)
    category = next(iter(controller.project.categories))
    new = Annotation(0, pair.target.image_id, category, None, Mask.from_array(array))
    assert controller.perform(AddAnnotation(new))
    assert pair.target.grab().toImage().pixelColor(inside) != before
