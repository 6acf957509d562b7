"""The categories panel and its boxes as a person uses them."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from fmstudio.project.edits import (
    AddAnnotation,
    AddCategory,
    ChangeCategory,
    RemoveAnnotations,
    RemoveImages,
)
from fmstudio.project.edits_category import SetCategory
from fmstudio.project.model import Category
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.category_editor import CategoryEditor
from fmstudio.ui.panels.categories import CategoriesPanel, CategoryCombo, category_at
from fmstudio.ui.panels.category_list import COUNT_ROLE

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def controller(qapp, make_session):
    controller = Controller()
    controller.set_session(make_session())
    controller.perform(AddCategory(Category(0, "dog", keypoints=("nose",))))
    return controller


@pytest.fixture
def panel(controller, qtbot):
    panel = CategoriesPanel(controller)
    qtbot.addWidget(panel)
    panel.resize(260, 300)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def click_row(qtbot, panel, row, *, double=False):
    rect = panel.list.visualRect(panel.list.model().index(row))
    qtbot.mouseClick(panel.list.viewport(), LEFT, NONE, rect.center())
    if double:
        qtbot.mouseDClick(panel.list.viewport(), LEFT, NONE, rect.center())


def counts(panel):
    model = panel.list.model()
    return [model.index(i).data(COUNT_ROLE) for i in range(model.rowCount())]


def editor_of(panel):
    return panel.window().findChild(CategoryEditor)


def test_a_click_chooses_what_new_annotations_are(panel, controller, qtbot):
    dog = controller.project.category_named("dog")
    click_row(qtbot, panel, 1)
    assert controller.category_id == dog.id
    controller.set_category(1)
    assert panel.current.id == 1


def test_number_keys_stand_for_rows(controller):
    assert category_at(controller.project, 1) == 1
    assert category_at(controller.project, 2) == controller.project.category_named("dog").id
    assert category_at(controller.project, 3) is None
    assert category_at(controller.project, 0) is None
    assert category_at(None, 1) is None


def test_rows_say_their_key_and_their_counts(panel):
    said = panel.list.model().index(0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "cat face, 6 keypoints, 1 annotation, key 1"


def test_counts_follow_every_kind_of_edit(panel, controller):
    source = controller.project.annotations_of(controller.reference_id)[0]
    assert counts(panel) == [1, 0]
    controller.perform(AddAnnotation(replace(source, image_id=controller.reference_id)))
    assert counts(panel) == [2, 0]
    controller.perform(SetCategory((source.id,), 2))
    assert counts(panel) == [1, 1]
    controller.undo()
    assert counts(panel) == [2, 0]
    controller.perform(RemoveAnnotations((source.id,)))
    assert counts(panel) == [1, 0]
    controller.perform(RemoveImages((source.image_id,)))
    assert counts(panel) == [0, 0]
    for _ in range(3):
        controller.undo()
    assert counts(panel) == [1, 0]


def test_a_count_draws_its_row_only(panel, controller):
    rows, resets = [], []
    model = panel.list.model()
    model.dataChanged.connect(lambda first, last, _: rows.append((first.row(), last.row())))
    model.modelReset.connect(lambda: resets.append(1))
    source = controller.project.annotations_of(controller.reference_id)[0]
    controller.perform(RemoveAnnotations((source.id,)))
    assert (rows, resets) == ([(0, 0)], [])


def test_an_empty_category_goes_at_once(panel, controller, qtbot):
    click_row(qtbot, panel, 1)
    qtbot.mouseClick(panel.remove_button, LEFT)
    assert len(controller.project.categories) == 1
    assert controller.category_id == panel.current.id == 1


def test_one_with_annotations_asks_first_in_the_panel(panel, controller, qtbot):
    click_row(qtbot, panel, 0)
    qtbot.mouseClick(panel.remove_button, LEFT)
    assert panel.question.label.text() == "'cat face' has 1 annotation: remove both?"
    qtbot.mouseClick(panel.question.no_button, LEFT)
    assert not panel.question.isVisible()
    assert 1 in controller.project.categories
    qtbot.mouseClick(panel.remove_button, LEFT)
    qtbot.mouseClick(panel.question.yes_button, LEFT)
    assert 1 not in controller.project.categories
    assert not controller.project.annotations
    controller.undo()
    assert len(controller.project.annotations) == 1


def test_the_question_goes_when_another_row_is_chosen(panel, controller, qtbot):
    click_row(qtbot, panel, 0)
    qtbot.mouseClick(panel.remove_button, LEFT)
    click_row(qtbot, panel, 1)
    assert not panel.question.isVisible()


def test_the_editor_opens_on_the_row(panel, controller, qtbot):
    click_row(qtbot, panel, 1, double=True)
    editor = editor_of(panel)
    assert editor.isVisible()
    assert editor.draft.name == "dog"
    qtbot.keyClicks(editor.head.name_field, "s")
    with qtbot.waitSignal(editor.destroyed):
        qtbot.mouseClick(editor.ok_button, LEFT)
    assert panel.list.model().index(1).data() == "dogs"


def test_the_buttons_open_the_editor(panel, qtbot):
    qtbot.mouseClick(panel.add_button, LEFT)
    editor = editor_of(panel)
    assert editor.draft.name == ""
    with qtbot.waitSignal(editor.destroyed):
        editor.reject()
    click_row(qtbot, panel, 0)
    qtbot.mouseClick(panel.edit_button, LEFT)
    assert editor_of(panel).draft.name == "cat face"


def test_without_categories_one_can_be_added(controller, make_session, qtbot):
    controller.set_session(make_session("bare", annotated=False))
    panel = CategoriesPanel(controller)
    qtbot.addWidget(panel)
    panel.show()
    assert panel.empty_label.text().startswith("A category names")
    assert not panel.edit_button.isEnabled()
    qtbot.mouseClick(panel.first_button, LEFT)
    editor = editor_of(panel)
    qtbot.keyClicks(editor.head.name_field, "bee")
    with qtbot.waitSignal(editor.destroyed):
        qtbot.mouseClick(editor.ok_button, LEFT)
    assert panel.current.name == "bee"
    assert controller.category_id == panel.current.id
    controller.set_session(None)
    assert panel.empty_label.text() == "No project is open."
    assert not panel.first_button.isVisible()
    assert not panel.add_button.isEnabled()


# The box of the tool bar


@pytest.fixture
def combo(controller, qtbot):
    combo = CategoryCombo(controller)
    qtbot.addWidget(combo)
    combo.show()
    qtbot.waitExposed(combo)
    return combo


def test_the_box_follows_and_chooses(combo, controller, qtbot):
    assert combo.currentText() == "cat face"
    controller.set_category(controller.project.category_named("dog").id)
    assert combo.currentText() == "dog"
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Up)
    assert controller.category_id == 1


def test_the_box_follows_edits_of_categories(combo, controller):
    cat = controller.project.categories[1]
    controller.perform(ChangeCategory(replace(cat, name="puss")))
    assert combo.currentText() == "puss"
    controller.perform(AddCategory(Category(0, "bee")))
    assert [combo.itemText(i) for i in range(combo.count())] == ["puss", "dog", "bee"]
    assert combo.currentText() == "puss"
    controller.set_session(None)
    assert combo.count() == 0
    assert not combo.isEnabled()


def test_the_wheel_scrolls_past_the_box(combo, controller):
    at = QPointF(combo.rect().center())
    wheel = QWheelEvent(
        at,
        QPointF(combo.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        NONE,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(combo, wheel)
    assert controller.category_id == 1
    assert not wheel.isAccepted()
