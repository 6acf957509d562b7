import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu

from fmstudio.geometry.grid import ImageSize
from fmstudio.project.edits import AddCategory, AddImages, RemoveImages, SetStatus
from fmstudio.project.model import Category, ImageItem, Status
from fmstudio.ui import theme
from fmstudio.ui.panels.images import ImagesPanel
from fmstudio.ui.panels.thumbnails import Thumbnails

SIZE = ImageSize(64, 48)


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


def test_thumbnails_come_for_the_rows_that_are_seen(panel, controller, thumbnails, qtbot, service):
    controller.perform(AddImages(tuple(ImageItem(0, f"{i}.jpg", SIZE, f"{i}") for i in range(50))))
    panel.view.scrollToTop()
    panel.view.viewport().repaint()
    seen = [controller.project.images[i] for i in panel.model.ids[:5]]
    qtbot.waitUntil(lambda: all(thumbnails.pixmap(image) for image in seen))
    last = controller.project.images[panel.model.ids[-1]]
    assert last.sha256 not in thumbnails._pixmaps


def test_removed_images_leave_the_list_and_come_back_by_undo(panel, controller):
    gone = panel.model.ids[2]
    controller.perform(RemoveImages((gone,)))
    assert gone not in panel.model.ids
    controller.undo()
    assert panel.model.ids[2] == gone


def test_several_images_can_be_selected_and_are_counted(panel, qtbot):
    for row, modifier in (
        (1, Qt.KeyboardModifier.NoModifier),
        (3, Qt.KeyboardModifier.ShiftModifier),
    ):
        place = panel.view.visualRect(panel.model.index(row)).center()
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, modifier, place)
    assert panel.selected_ids() == tuple(panel.model.ids[1:4])
    assert panel._count.text() == "3 of 5 selected"


def test_a_row_is_painted_anew_when_its_work_changes(panel, controller, qtbot):
    annotation = controller.project.annotations_of(controller.reference_id)[0]
    row = panel.model.row_of(annotation.image_id)
    with qtbot.waitSignal(panel.model.dataChanged) as changed:
        controller.perform(SetStatus((annotation.id,), Status.REJECTED))
    assert changed.args[0].row() == row


def test_a_search_without_hits_says_so_and_offers_a_way_out(panel, qtbot):
    with qtbot.waitSignal(panel.model.filtered):
        panel.search.set_text("name:*.tiff")
    assert panel._empty.isVisible()
    assert panel._empty.label.text() == "No image fits the search."
    assert panel._count.text() == "0 of 5 images"
    qtbot.mouseClick(panel._empty.button, Qt.MouseButton.LeftButton)
    assert panel.view.isVisible()
    assert panel._count.text() == "5 images"


def test_an_empty_project_says_what_to_do(panel, controller):
    controller.perform(RemoveImages(tuple(panel.model.ids)))
    assert panel._empty.label.text() == "Drop photos here."
    assert not panel._empty.button.isVisible()
    controller.undo()
    assert panel.view.isVisible()


def test_down_leads_from_the_search_into_the_list(panel, controller, qtbot):
    controller.show_target(controller.reference_id)
    with qtbot.waitSignal(panel.model.filtered):
        panel.search.set_text("-name:siamese*")
    with qtbot.waitActive(panel):
        panel.activateWindow()
    panel.search.leftDownwards.emit()
    assert panel.view.hasFocus()
    assert controller.target_id == panel.model.ids[0]


def test_another_project_empties_the_search(panel, controller, make_session, qtbot):
    with qtbot.waitSignal(panel.model.filtered):
        panel.search.set_text("nothing")
    controller.set_session(make_session("others"))
    assert panel.search.text == ""
    assert len(names(panel)) == 5


def test_the_search_offers_the_project_s_categories(panel, controller):
    controller.perform(AddCategory(Category(0, "hind wing")))
    offered = panel.search._words._model.stringList()
    assert 'category:"hind wing"' in offered


def test_the_menu_uses_an_image_as_reference_and_removes_several(panel, controller, qtbot):
    def menu_of(row):
        place = panel.view.visualRect(panel.model.index(row)).center()
        panel._show_menu(place)
        return panel.findChildren(QMenu)[-1]

    other = panel.model.ids[1]
    panel.view.setCurrentIndex(panel.model.index(1))
    menu = menu_of(1)
    menu.actions()[0].trigger()
    menu.close()
    assert controller.reference_id == other
    panel.view.selectAll()
    menu = menu_of(0)
    with qtbot.waitSignal(panel.propagateRequested):
        next(a for a in menu.actions() if "Propagate to 5 images" in a.text()).trigger()
    next(a for a in menu.actions() if "Remove 5 images" in a.text()).trigger()
    menu.close()
    assert not controller.project.images


def colors_of(panel, row):
    """Return the colours that a row is painted with."""
    picture = panel.view.viewport().grab(panel.view.visualRect(panel.model.index(row))).toImage()
    return {
        picture.pixelColor(x, y).name()
        for x in range(picture.width())
        for y in range(picture.height())
    }


def test_reference_and_target_are_marked(panel, controller, qapp):
    theme.apply(qapp, "light")
    accent = theme.tokens().accent.name()
    controller.show_reference(panel.model.ids[1])
    controller.show_target(panel.model.ids[2])
    panel.view.clearSelection()
    marked = [accent in colors_of(panel, row) for row in range(5)]
    assert marked == [False, True, True, False, False]
