"""The panel, offscreen: pages, colours, list, and what hands do on the map."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest

from fmstudio.project.edits import RemoveImages
from fmstudio.ui.collection import Stage
from fmstudio.ui.panels.collection import CollectionPanel
from fmstudio.ui.panels.collection_looks import Coloring, legend_of
from fmstudio.ui.panels.thumbnails import Thumbnails
from tests.ui.conftest import mapped


@pytest.fixture
def panel(qtbot, controller, mapping, service):
    panel = CollectionPanel(controller, mapping, Thumbnails(controller, service))
    qtbot.addWidget(panel)
    panel.resize(900, 320)
    panel.show()
    return panel


@pytest.fixture
def full(qtbot, panel, mapping):
    mapped(qtbot, mapping)
    return panel


def at(panel, index):
    return QPointF(*panel.map.places()[index]).toPoint()


def test_until_there_is_a_map_it_says_what_to_do(qtbot, panel, mapping, controller):
    assert panel.empty.button.text() == "Map the collection"
    panel.empty.button.click()
    assert panel.empty.button.text() == "Cancel"
    qtbot.waitUntil(lambda: mapping.stage is Stage.MAPPED)
    assert panel.map.isVisible()
    controller.set_session(None)
    assert "No images" in panel.empty.label.text()
    assert panel.empty.button.isHidden()


def test_two_images_are_too_few(panel, controller):
    controller.perform(RemoveImages(tuple(sorted(controller.project.images)[2:])))
    assert "at least 3" in panel.empty.label.text()


def test_outliers_are_listed_with_their_reason_and_open(full, controller):
    assert full.outliers.count() == 1
    item = full.outliers.item(0)
    assert "unlike the rest" in item.text()
    full.outliers.setCurrentItem(item)
    assert full.map.current == len(controller.project.images) - 1
    full.outliers.itemClicked.emit(item)
    assert controller.target_id == sorted(controller.project.images)[-1]


@pytest.mark.parametrize("coloring", Coloring)
def test_every_colouring_has_a_legend(full, mapping, coloring):
    full.coloring.setCurrentIndex(list(Coloring).index(coloring))
    full.refresh()
    legend = legend_of(mapping.overview, coloring)
    assert legend.words or (legend.low and legend.high)
    assert full.legend.accessibleName()
    assert not full.grab().isNull()


def test_edges_are_coloured_only_while_the_legend_explains_their_colours(full):
    def middle():
        x, y = full.map.places()[:2].mean(axis=0)
        return full.map.grab().toImage().pixelColor(round(x), round(y))

    shown = {}
    for coloring in Coloring:
        full.coloring.setCurrentIndex(full.coloring.findData(coloring))
        full.refresh()
        shown[coloring] = middle().name()
    assert len({shown[c] for c in Coloring if c is not Coloring.QUALITY}) == 1
    assert shown[Coloring.QUALITY] != shown[Coloring.CLUSTER]


def test_a_click_shows_the_target_and_shift_the_reference(full, controller):
    ids = sorted(controller.project.images)
    QTest.mouseClick(full.map, Qt.MouseButton.LeftButton, pos=at(full, 2))
    assert controller.target_id == ids[2]
    shift = Qt.KeyboardModifier.ShiftModifier
    QTest.mouseClick(full.map, Qt.MouseButton.LeftButton, shift, at(full, 3))
    assert (controller.reference_id, controller.target_id) == (ids[3], ids[2])


def test_a_double_click_shows_the_reference_and_leaves_the_target(full, controller):
    ids = sorted(controller.project.images)
    controller.show_target(ids[1])
    QTest.mouseClick(full.map, Qt.MouseButton.LeftButton, pos=at(full, 3))
    QTest.mouseDClick(full.map, Qt.MouseButton.LeftButton, pos=at(full, 3))
    assert (controller.reference_id, controller.target_id) == (ids[3], ids[1])


def test_keys_go_from_image_to_image_and_open_it(full, controller):
    ids = sorted(controller.project.images)
    full.map.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return):
        QTest.keyClick(full.map, key)
    assert full.map.current == 1
    assert controller.target_id == ids[1]
    claimed = QKeyEvent(
        QKeyEvent.Type.ShortcutOverride, Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier
    )
    claimed.ignore()
    full.map.event(claimed)
    assert claimed.isAccepted()


def test_the_card_names_the_image_under_the_pointer(full, controller):
    QTest.mouseMove(full.map, at(full, 2))
    full.map.point_at(full.map.index_at(QPointF(at(full, 2))))
    name = controller.project.images[sorted(controller.project.images)[2]].file_name
    lines = full.map.card(full.map.current)
    assert lines[0] == name
    assert any(line.startswith("map quality") for line in lines)
    assert full.map.index_at(QPointF(QPoint(-50, -50))) is None


def test_zooming_keeps_what_is_under_the_pointer(full):
    before = full.map.places()[2]
    full.map.zoom_by(2.0, QPointF(*before))
    assert full.map.places()[2] == pytest.approx(before)
    full.map.zoom_by(0.1, QPointF(0, 0))
    assert full.map.places()[2] == pytest.approx(before)


def test_what_is_outdated_says_so(full, controller):
    controller.perform(RemoveImages((max(controller.project.images),)))
    assert full.state.text().startswith("Outdated")
    assert full.again.isEnabled()
