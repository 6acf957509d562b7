"""The editor as a person uses it: real clicks and keys on the open dialog."""

import json

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QInputDialog, QLineEdit, QWidget

from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import AddAnnotation, AddCategory
from fmstudio.project.model import Annotation, Category
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.category_editor import CategoryEditor
from fmstudio.ui.dialogs.color_popup import ColorPopup
from fmstudio.ui.dialogs.keypoint_table import COLOR, NAME, SIGMA

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def controller(qapp, make_session):
    controller = Controller()
    controller.set_session(make_session())
    return controller


@pytest.fixture
def open_editor(controller, qtbot):
    def opened(category_id=None):
        editor = CategoryEditor(controller, category_id)
        editor.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        qtbot.addWidget(editor)
        editor.open()
        qtbot.waitExposed(editor)
        return editor

    return opened


@pytest.fixture
def cat(controller):
    return controller.project.sorted_categories()[0]


def table_of(editor):
    return editor.keypoints.table


def click_cell(qtbot, editor, row, column, modifier=NONE):
    table = table_of(editor)
    rect = table.visualRect(table.model().index(row, column))
    qtbot.mouseClick(table.viewport(), LEFT, modifier, rect.center())


def click_dot(qtbot, editor, row):
    canvas = editor.skeleton.canvas
    key = editor.draft.rows[row].key
    qtbot.mouseClick(canvas, LEFT, NONE, canvas.position_of(key).toPoint())


def field_of(editor):
    """Return the field that is typed into; one that was left is hidden and goes a little later."""
    return next(field for field in table_of(editor).findChildren(QLineEdit) if field.isVisible())


def type_into_cell(qtbot, editor, text):
    field = field_of(editor)
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    # The delegate takes the text over in the next turn of the event loop.
    qtbot.waitUntil(lambda: table_of(editor).state() == QAbstractItemView.State.NoState)
    assert editor.isVisible()


def choose_template(editor, start):
    action = next(
        a for a in editor.head.source_button.menu().actions() if a.text().startswith(start)
    )
    action.trigger()


# A new category


def test_a_category_is_made_by_hand(open_editor, controller, qtbot):
    editor = open_editor()
    assert not editor.ok_button.isEnabled()
    assert editor.status.text == "Give the category a name."
    qtbot.keyClicks(editor.head.name_field, "fish")
    for name in ("left fin", "right fin", "tail"):
        qtbot.mouseClick(editor.keypoints.add_button, LEFT)
        type_into_cell(qtbot, editor, name)
    click_dot(qtbot, editor, 0)
    click_dot(qtbot, editor, 2)
    click_dot(qtbot, editor, 2)
    click_dot(qtbot, editor, 1)
    qtbot.mouseClick(editor.skeleton.switch.buttons["flips"], LEFT)
    qtbot.mouseClick(editor.skeleton.suggest_button, LEFT)
    before = controller.session.history
    qtbot.mouseClick(editor.ok_button, LEFT)
    assert not editor.isVisible()
    fish = controller.project.category_named("fish")
    assert fish.keypoints == ("left fin", "right fin", "tail")
    assert fish.skeleton == ((0, 2), (2, 1))
    assert fish.flip_pairs == ((0, 1),)
    assert controller.category_id == fish.id
    assert len(controller.session.history.past) == len(before.past) + 1


def test_templates_are_offered_and_taken_over_with_sigmas(open_editor, controller, qtbot):
    editor = open_editor()
    titles = [a.text() for a in editor.head.source_button.menu().actions() if a.text()]
    assert [title.split(",")[0] for title in titles[:4]] == [
        "Quadruped",
        "Human",
        "Insect wing",
        "Face",
    ]
    choose_template(editor, "Human")
    assert editor.head.name_field.text() == "person"
    # The head is drawn above the feet.
    places, draft = editor.skeleton.canvas.places, editor.draft
    assert places[draft.rows[0].key][1] < places[draft.rows[-1].key][1]
    qtbot.mouseClick(editor.ok_button, LEFT)
    person = controller.project.category_named("person")
    assert len(person.keypoints) == len(person.sigmas) == 17
    assert len(person.skeleton) == 19


def test_a_name_that_is_taken_is_said_at_once(open_editor, qtbot, cat):
    editor = open_editor()
    qtbot.keyClicks(editor.head.name_field, cat.name)
    assert cat.name in editor.status.text
    assert not editor.ok_button.isEnabled()
    qtbot.keyClicks(editor.head.name_field, "s")
    assert editor.status.text == ""
    assert editor.ok_button.isEnabled()


def test_names_are_pasted_one_per_line(open_editor, qtbot):
    editor = open_editor()
    QGuiApplication.clipboard().setText("nose\n left eye\n\nright eye\n")
    table_of(editor).setFocus()
    qtbot.keyClick(table_of(editor), Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert editor.draft.names == ("nose", "left eye", "right eye")
    QGuiApplication.clipboard().setText("tail\nnose")
    click_cell(qtbot, editor, 0, NAME)
    qtbot.mouseClick(editor.keypoints.paste_button, LEFT)
    assert editor.draft.names == ("nose", "tail", "left eye", "right eye")
    assert editor.status.text == "Already there, and left out: 1 name."


# Changing one that is used


def test_a_name_is_changed_in_place_and_no_point_is_lost(open_editor, controller, qtbot, cat):
    old = controller.project.annotations_of(controller.reference_id)[0]
    editor = open_editor(cat.id)
    click_cell(qtbot, editor, 2, NAME)
    qtbot.keyClick(table_of(editor), Qt.Key.Key_F2)
    type_into_cell(qtbot, editor, "nose tip")
    assert editor.status.text == "In 1 annotation, saving renames 1 keypoint."
    qtbot.mouseClick(editor.ok_button, LEFT)
    assert controller.project.categories[cat.id].keypoints[2] == "nose tip"
    assert controller.project.annotations[old.id].keypoints == old.keypoints


def test_alt_arrows_reorder_and_annotations_follow(open_editor, controller, qtbot, cat):
    old = controller.project.annotations_of(controller.reference_id)[0]
    editor = open_editor(cat.id)
    click_cell(qtbot, editor, 0, NAME)
    qtbot.keyClick(table_of(editor), Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.keyClick(table_of(editor), Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert editor.draft.names[:3] == (cat.keypoints[1], cat.keypoints[2], cat.keypoints[0])
    assert table_of(editor).current_key == 0
    qtbot.mouseClick(editor.ok_button, LEFT)
    new = controller.project.annotations[old.id].keypoints
    np.testing.assert_array_equal(new.xy[2], old.keypoints.xy[0])
    np.testing.assert_array_equal(new.xy[0], old.keypoints.xy[1])


def test_alt_arrows_stop_at_both_ends(open_editor, qtbot, cat):
    editor = open_editor(cat.id)
    last = len(cat.keypoints) - 1
    for row, key in ((0, Qt.Key.Key_Up), (last, Qt.Key.Key_Down)):
        click_cell(qtbot, editor, row, NAME)
        qtbot.keyClick(table_of(editor), key, Qt.KeyboardModifier.AltModifier)
    assert editor.draft.names == cat.keypoints


def test_rows_are_dropped_where_they_are_wanted(open_editor, qtbot, cat):
    editor = open_editor(cat.id)
    table = table_of(editor)
    click_cell(qtbot, editor, 3, NAME)
    click_cell(qtbot, editor, 4, NAME, Qt.KeyboardModifier.ControlModifier)
    dragged = table.model().mimeData(table.selectionModel().selectedIndexes())
    # A drag runs a loop of its own that no test can feed, so the drop is made by hand.
    table.model().dropMimeData(dragged, Qt.DropAction.MoveAction, 1, 0, table.rootIndex())
    names = cat.keypoints
    assert editor.draft.names == (names[0], names[3], names[4], names[1], names[2], names[5])
    assert table.chosen_keys == (3, 4)


def test_losses_stand_on_the_button_and_undo_brings_all_back(open_editor, controller, qtbot, cat):
    before = controller.project
    editor = open_editor(cat.id)
    click_cell(qtbot, editor, 3, NAME)
    qtbot.keyClick(table_of(editor), Qt.Key.Key_Delete)
    assert editor.status.text == (
        f"In 1 annotation, saving removes '{cat.keypoints[3]}' with 1 placed point."
    )
    assert editor.ok_button.text() == "Save and lose 1 point"
    qtbot.mouseClick(editor.ok_button, LEFT)
    assert len(controller.project.categories[cat.id].keypoints) == len(cat.keypoints) - 1
    controller.undo()
    assert controller.project.categories == before.categories
    assert controller.project.annotations == before.annotations


def test_removed_and_added_again_continues(open_editor, controller, qtbot, cat):
    old = controller.project.annotations_of(controller.reference_id)[0]
    editor = open_editor(cat.id)
    click_cell(qtbot, editor, 3, NAME)
    qtbot.mouseClick(editor.keypoints.remove_button, LEFT)
    qtbot.mouseClick(editor.keypoints.add_button, LEFT)
    type_into_cell(qtbot, editor, cat.keypoints[3])
    assert editor.ok_button.text() == "Save"
    qtbot.mouseClick(editor.ok_button, LEFT)
    project = controller.project
    at = project.categories[cat.id].keypoints.index(cat.keypoints[3])
    new = project.annotations[old.id].keypoints
    np.testing.assert_array_equal(new.xy[at], old.keypoints.xy[3])


def test_steps_are_undone_in_the_dialog(open_editor, qtbot, cat):
    editor = open_editor(cat.id)
    click_cell(qtbot, editor, 3, NAME)
    qtbot.keyClick(table_of(editor), Qt.Key.Key_Delete)
    qtbot.keyClick(table_of(editor), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert editor.draft.names == cat.keypoints
    qtbot.mouseClick(editor.redo_button, LEFT)
    assert len(editor.draft.names) == len(cat.keypoints) - 1
    qtbot.mouseClick(editor.undo_button, LEFT)
    assert not editor.undo_button.isEnabled()


def test_an_unchanged_category_makes_no_step(open_editor, controller, qtbot, cat):
    before = controller.session.history
    editor = open_editor(cat.id)
    qtbot.mouseClick(editor.ok_button, LEFT)
    assert controller.session.history is before
    assert not editor.isVisible()


def test_sigmas_are_typed_and_emptied(open_editor, controller, qtbot, cat):
    editor = open_editor(cat.id)
    click_cell(qtbot, editor, 1, SIGMA)
    qtbot.keyClick(table_of(editor), Qt.Key.Key_Return)
    type_into_cell(qtbot, editor, "0,08")
    click_cell(qtbot, editor, 2, SIGMA)
    qtbot.keyClick(table_of(editor), Qt.Key.Key_Return)
    field_of(editor).clear()
    type_into_cell(qtbot, editor, "")
    assert editor.draft.rows[1].sigma == 0.08
    assert editor.draft.rows[2].sigma is None
    click_cell(qtbot, editor, 0, SIGMA)
    qtbot.keyClick(table_of(editor), Qt.Key.Key_Return)
    type_into_cell(qtbot, editor, "0")
    assert editor.status.text == f"The sigma of '{cat.keypoints[0]}' must be above 0."
    assert not editor.ok_button.isEnabled()


def test_a_colour_is_chosen_below_its_swatch(open_editor, qtbot, cat):
    editor = open_editor(cat.id)
    click_cell(qtbot, editor, 2, COLOR)
    popup = editor.findChild(ColorPopup)
    assert popup.isVisible()
    button = next(
        b for b in popup.findChildren(type(editor.undo_button)) if b.toolTip() == "#d55e00"
    )
    qtbot.mouseClick(button, LEFT)
    assert editor.draft.category().colors[2] == "#d55e00"
    # A category whose keypoints have colours of their own has none besides.
    assert not editor.head.color_button.isEnabled()


# The drawing


def test_clicking_a_pair_again_parts_it(open_editor, qtbot, cat):
    editor = open_editor(cat.id)
    click_dot(qtbot, editor, 0)
    click_dot(qtbot, editor, 1)
    assert (0, 1) not in editor.draft.limbs
    click_dot(qtbot, editor, 1)
    click_dot(qtbot, editor, 0)
    assert (1, 0) in editor.draft.limbs


def test_a_dot_is_the_current_row_and_the_other_way_round(open_editor, qtbot, cat):
    editor = open_editor(cat.id)
    click_dot(qtbot, editor, 4)
    assert table_of(editor).current_key == 4
    click_cell(qtbot, editor, 2, NAME)
    description = editor.skeleton.canvas.accessibleDescription()
    assert description.startswith(cat.keypoints[2])


def test_dots_stand_as_they_are_annotated(open_editor, controller, cat):
    points = controller.project.annotations_of(controller.reference_id)[0].keypoints
    editor = open_editor(cat.id)
    drawn = np.array([editor.skeleton.canvas.places[i] for i in range(len(points))])
    a, b = drawn - drawn.mean(axis=0), points.xy - points.xy.mean(axis=0)
    np.testing.assert_allclose(a / np.abs(a).max(), b / np.abs(b).max(), atol=1e-9)


def test_a_dot_is_dragged_and_changes_no_schema(open_editor, qtbot, cat):
    editor = open_editor(cat.id)
    canvas = editor.skeleton.canvas
    start = canvas.position_of(0).toPoint()
    end = start + QPoint(30, 40)
    qtbot.mousePress(canvas, LEFT, NONE, start)
    qtbot.mouseMove(canvas, start + QPoint(15, 20))
    qtbot.mouseMove(canvas, end)
    qtbot.mouseRelease(canvas, LEFT, NONE, end)
    assert (canvas.position_of(0).toPoint() - end).manhattanLength() <= 1
    assert canvas.picked is None
    assert editor.draft.category() == cat
    qtbot.mouseClick(editor.skeleton.arrange_button, LEFT)
    assert (canvas.position_of(0).toPoint() - start).manhattanLength() <= 1


def test_pairs_are_made_with_the_keyboard(open_editor, qtbot, cat):
    editor = open_editor(cat.id)
    canvas = editor.skeleton.canvas
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    for _ in range(3):
        qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert editor.draft.limbs[-1] == (0, 3)
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert canvas.picked == 3
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.picked is None
    assert editor.isVisible()


def test_a_click_beside_the_dots_drops_the_pick(open_editor, qtbot, cat):
    editor = open_editor(cat.id)
    click_dot(qtbot, editor, 0)
    assert editor.skeleton.canvas.picked == 0
    qtbot.mouseClick(editor.skeleton.canvas, LEFT, NONE, QPoint(3, 3))
    assert editor.skeleton.canvas.picked is None


# Files, and leaving


@pytest.mark.parametrize("leave", ["accept", "reject"])
def test_it_is_gone_when_it_is_closed(controller, qtbot, cat, leave):
    parent = QWidget()
    qtbot.addWidget(parent)
    editor = CategoryEditor(controller, cat.id, parent)
    editor.open()
    with qtbot.waitSignal(editor.destroyed):
        getattr(editor, leave)()
    # What the controller says afterwards meets nobody.
    controller.notify("still here")
    controller.perform(AddCategory(Category(0, "dog")))
    assert controller.project.category_named("dog")


def test_the_only_schema_of_a_file_is_taken_over(open_editor, tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"categories": [{"id": 3, "name": "bee", "keypoints": ["a", "b"]}]}))
    editor = open_editor()
    editor.import_file(str(path))
    assert (editor.draft.name, editor.draft.names) == ("bee", ("a", "b"))


def test_of_several_schemas_one_is_chosen(open_editor, tmp_path):
    path = tmp_path / "labels.json"
    schemas = [{"id": 1, "name": "rock"}, {"id": 3, "name": "bee", "keypoints": ["a", "b"]}]
    path.write_text(json.dumps({"categories": schemas}))
    editor = open_editor()
    editor.import_file(str(path))
    asked = editor.findChild(QInputDialog)
    assert asked.comboBoxItems() == ["bee (2 keypoints)", "rock (0 keypoints)"]
    asked.accept()
    assert editor.draft.names == ("a", "b")


def test_a_file_without_schemas_says_so_in_one_sentence(open_editor, tmp_path):
    path = tmp_path / "labels.json"
    path.write_text("{}")
    editor = open_editor()
    editor.import_file(str(path))
    assert "has no categories" in editor.status.text
    assert editor.draft.names == ()


def test_changes_are_thrown_away_on_the_second_escape_only(open_editor, controller, qtbot, cat):
    before = controller.session.history
    editor = open_editor(cat.id)
    click_cell(qtbot, editor, 3, NAME)
    qtbot.keyClick(table_of(editor), Qt.Key.Key_Delete)
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert editor.isVisible()
    assert "once more" in editor.status.text
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert not editor.isVisible()
    assert controller.session.history is before


def test_nothing_changed_closes_at_once(open_editor, qtbot, cat):
    editor = open_editor(cat.id)
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert not editor.isVisible()


def test_a_refusal_is_said_in_the_dialog(open_editor, controller, qtbot):
    editor = open_editor()
    qtbot.keyClicks(editor.head.name_field, "dog")
    # Meanwhile a run of somebody else's brings a category of this name.
    controller.perform(AddCategory(Category(0, "dog")))
    qtbot.mouseClick(editor.ok_button, LEFT)
    assert editor.isVisible()
    assert "'dog'" in editor.status.text


def test_it_leaves_with_its_project(open_editor, controller):
    editor = open_editor()
    controller.set_session(None)
    assert not editor.isVisible()


@pytest.mark.parametrize("m", [0, 1, 17, 500])
def test_it_opens_and_draws_at_any_size(open_editor, controller, qtbot, m):
    names = tuple(f"keypoint with a name that is long enough to be cut {i}" for i in range(m))
    limbs = tuple((i, i + 1) for i in range(m - 1))
    controller.perform(AddCategory(Category(0, "mesh", "x", names, limbs)))
    number = max(controller.project.categories)
    if m:
        xy = np.random.default_rng(0).uniform(10, 100, (m, 2))
        points = Keypoints.drawn(xy, np.full(m, 2))
        controller.perform(AddAnnotation(Annotation(0, 1, number, points, None)))
    editor = open_editor(number)
    for width, height in ((640, 420), (1400, 1000)):
        editor.resize(width, height)
        picture = editor.grab().toImage()
        assert picture.width() >= width
    assert table_of(editor).model().rowCount() == m
