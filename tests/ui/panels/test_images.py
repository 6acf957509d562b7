import pytest
from PySide6.QtCore import Qt

from fmstudio.project.edits import RemoveImages, SetStatus
from fmstudio.project.model import Status
from fmstudio.ui.panels.images import ImagesPanel
from fmstudio.ui.panels.thumbnails import Thumbnails


@pytest.fixture
def thumbnails(controller, service):
    return Thumbnails(controller, service)


@pytest.fixture
def panel(qtbot, controller, thumbnails):
    panel = ImagesPanel(controller, thumbnails)
    qtbot.addWidget(panel)
    panel.resize(220, 500)
    panel.show()
    return panel


def names(panel):
    model = panel.model
    return [model.data(model.index(row)) for row in range(model.rowCount())]


def test_a_click_makes_an_image_the_target(panel, controller, qtbot):
    index = panel.model.index(3)
    place = panel.view.visualRect(index).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert controller.target_id == panel.model.ids[3]


def test_the_row_follows_the_target(panel, controller):
    controller.show_target(panel.model.ids[4])
    assert panel.view.currentIndex().row() == 4
    assert controller.target_id == panel.model.ids[4]


def test_a_search_keeps_what_fits_and_says_how_many(panel, qtbot):
    with qtbot.waitSignal(panel.model.filtered):
        panel.search.set_text("status:accepted")
    assert names(panel) == ["siamese.jpg"]
    with qtbot.waitSignal(panel.model.filtered):
        panel.search.set_text("")
    assert len(names(panel)) == 5


def test_a_wrong_search_is_said_and_changes_nothing(panel):
    panel.search.set_text("score:often")
    assert "score:<0.6" in panel.search.fault
    assert len(names(panel)) == 5


def test_thumbnails_come_for_the_rows_that_are_seen(panel, controller, thumbnails, qtbot):
    image = controller.project.images[panel.model.ids[0]]
    with qtbot.waitSignal(thumbnails.arrived):
        panel.view.viewport().repaint()
    qtbot.waitUntil(lambda: thumbnails.pixmap(image) is not None)
    assert max(thumbnails.pixmap(image).width(), thumbnails.pixmap(image).height()) == 96
    kept = list((controller.session.cache_dir / "thumbnails").rglob("*.jpg"))
    assert kept


def test_a_damaged_thumbnail_is_made_again(controller):
    from fmstudio.session_thumbnails import thumbnail_of

    session = controller.session
    image = controller.project.sorted_images()[0]
    first = thumbnail_of(image, session.path_of(image), session.cache_dir)
    (kept,) = (session.cache_dir / "thumbnails").rglob("*.jpg")
    kept.write_bytes(kept.read_bytes()[:40])
    assert thumbnail_of(image, session.path_of(image), session.cache_dir).shape == first.shape


def test_removed_images_leave_the_list_and_come_back_by_undo(panel, controller):
    gone = panel.model.ids[2]
    controller.perform(RemoveImages((gone,)))
    assert gone not in panel.model.ids
    controller.undo()
    assert panel.model.ids[2] == gone


def test_several_images_can_be_selected(panel, qtbot):
    for row, modifier in (
        (1, Qt.KeyboardModifier.NoModifier),
        (3, Qt.KeyboardModifier.ShiftModifier),
    ):
        place = panel.view.visualRect(panel.model.index(row)).center()
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, modifier, place)
    assert panel.selected_ids() == tuple(panel.model.ids[1:4])


def test_a_row_is_painted_anew_when_its_work_changes(panel, controller, qtbot):
    annotation = controller.project.annotations_of(controller.reference_id)[0]
    row = panel.model.row_of(annotation.image_id)
    with qtbot.waitSignal(panel.model.dataChanged) as changed:
        controller.perform(SetStatus((annotation.id,), Status.REJECTED))
    assert changed.args[0].row() == row
