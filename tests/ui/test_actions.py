"""The table of commands: whole, without a clash, in step with the project; typing comes first."""

from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLineEdit, QMainWindow, QPushButton, QSpinBox, QVBoxLayout, QWidget

from fmstudio.project.edits import RenameProject
from fmstudio.resources import resource
from fmstudio.ui.actions import ACTIONS, CONDITIONS, SPECS, ActionTable, When
from fmstudio.ui.controller import Controller
from fmstudio.ui.keys import KeyGuard

PROMISED = """
new-project open-project open-folder add-images import-coco export close quit undo redo delete
select-tool keypoint-tool polygon-tool brush-tool eraser-tool box-tool assist-tool brush-smaller
brush-larger next-image previous-image next-review accept reject accept-above propagate cancel-run
fit zoom-100 zoom-in zoom-out link-views hide-overlays show-reference workspace-annotate
workspace-review workspace-inspect categories models settings shortcuts palette about
use-as-reference review-summary next-coloring
"""

# Of shared/design/product.md, "Keys and mouse".
FIELD = {
    "previous-image": "A",
    "next-image": "D",
    "next-review": "Space",
    "fit": "F",
    "hide-overlays": "H",
    "select-tool": "V",
    "keypoint-tool": "K",
    "polygon-tool": "P",
    "brush-tool": "B",
    "eraser-tool": "E",
    "box-tool": "R",
    "category-9": "9",
    "delete": "Del",
    "undo": "Ctrl+Z",
    "save": "Ctrl+S",
    "propagate": "Ctrl+B",
    "accept": "Y",
    "reject": "X",
    "shortcuts": "F1",
    "palette": "Ctrl+Shift+P",
    "workspace-inspect": "Ctrl+3",
}


@pytest.fixture
def controller(qapp):
    return Controller()


@pytest.fixture
def table(controller):
    return ActionTable(controller)


@pytest.fixture
def window(qtbot, table):
    """A window with the table's actions, a plain widget, a text field, a spin box and a button."""
    window = QMainWindow()
    qtbot.addWidget(window)
    window.addActions(list(table.actions()))
    middle = QWidget()
    column = QVBoxLayout(middle)
    window.plain, window.field = QWidget(), QLineEdit()
    window.spin, window.button = QSpinBox(), QPushButton("press")
    window.plain.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    for widget in (window.plain, window.field, window.spin, window.button):
        column.addWidget(widget)
    window.setCentralWidget(middle)
    window.show()
    qtbot.waitActive(window)
    return window


def test_every_promised_command_is_there_once():
    ids = [spec.id for spec in ACTIONS]
    assert len(set(ids)) == len(ids)
    assert set(PROMISED.split()) | {f"category-{n}" for n in range(1, 10)} <= set(ids)


@pytest.mark.parametrize(("id_", "key"), FIELD.items())
def test_the_keys_are_those_of_the_field(id_, key):
    assert SPECS[id_].keys[0] == key


def test_no_key_is_given_twice():
    keys = [QKeySequence(key).toString() for spec in ACTIONS for key in spec.keys]
    assert all(keys)
    assert [key for key, n in Counter(keys).items() if n > 1] == []


def test_every_icon_and_condition_exists():
    assert all(resource(f"icons/{spec.icon}.svg").exists() for spec in ACTIONS if spec.icon)
    assert {spec.enabled_when for spec in ACTIONS} <= {*CONDITIONS, When.RUNNING}


def test_without_a_project_only_a_beginning_is_possible(table):
    enabled = {id_ for id_ in table if table[id_].isEnabled()}
    assert {"open-folder", "open-project", "new-project", "quit", "palette"} <= enabled
    assert not enabled & {"accept", "propagate", "undo", "export", "fit", "close", "brush-tool"}


def test_conditions_follow_the_project(controller, table, make_session):
    controller.set_session(make_session())
    assert table["propagate"].isEnabled()
    assert not table["accept"].isEnabled()
    assert table["undo"].isEnabled()  # of the import
    assert not table["redo"].isEnabled()
    assert not table["delete"].isEnabled()
    controller.select(controller.project.annotations_of(controller.reference_id)[0].id)
    assert table["delete"].isEnabled()
    controller.perform(RenameProject("lions"))
    assert table["undo"].text().endswith(controller.session.history.past[-1].label)
    controller.undo()
    assert table["redo"].isEnabled()


def test_running_is_said_from_outside(table):
    assert not table["cancel-run"].isEnabled()
    table.set_running(True)
    assert table["cancel-run"].isEnabled()


def test_categories_are_called_by_their_names(controller, table, make_session):
    assert not table["category-1"].isVisible()
    controller.set_session(make_session())
    assert "cat face" in table["category-1"].text()
    assert table["category-1"].isChecked()
    assert not table["category-2"].isVisible()


def test_a_tool_is_taken_by_its_action_and_ticked_by_the_controller(controller, table):
    table["brush-tool"].setEnabled(True)
    table["brush-tool"].trigger()
    assert controller.tool == "brush"
    controller.set_tool("keypoint")
    assert table["keypoint-tool"].isChecked()
    assert not table["brush-tool"].isChecked()


def test_keys_can_be_overridden_and_come_back(table):
    table.set_keys({"accept": "J", "redo": "Ctrl+Y", "no-such-command": "Q", "quit": ""})
    assert table.keys("accept") == ("J",)
    assert table.keys("redo") == ("Ctrl+Y",)
    assert table.keys("quit") == ()
    assert "(J)" in table["accept"].toolTip()
    table.set_keys({})
    assert table.keys("accept") == ("Y",)
    assert table.keys("quit") == ("Ctrl+Q",)


def test_a_bare_letter_works_outside_text_and_is_typed_inside(qtbot, window, table):
    told = []
    for id_ in ("accept", "category-1", "next-review"):
        table[id_].setEnabled(True)
        table[id_].setVisible(True)
        table[id_].triggered.connect(lambda _, id_=id_: told.append(id_))
    window.plain.setFocus()
    qtbot.keyClick(window.plain, Qt.Key.Key_Y)
    qtbot.keyClick(window.plain, Qt.Key.Key_1)
    qtbot.keyClick(window.plain, Qt.Key.Key_Space)
    assert told == ["accept", "category-1", "next-review"]
    window.field.setFocus()
    qtbot.keyClicks(window.field, "y 1")
    window.spin.setFocus()
    window.spin.selectAll()
    qtbot.keyClick(window.spin, Qt.Key.Key_1)
    assert window.field.text() == "y 1"
    assert window.spin.value() == 1
    assert len(told) == 3


def test_space_presses_the_button_that_has_the_focus(qtbot, qapp, window, table):
    guard = KeyGuard(qapp)
    told = []
    table["next-review"].setEnabled(True)
    table["next-review"].triggered.connect(lambda: told.append("next"))
    window.button.clicked.connect(lambda: told.append("button"))
    window.button.setFocus()
    qtbot.keyClick(window.button, Qt.Key.Key_Space)
    assert told == ["button"]
    window.plain.setFocus()
    qtbot.keyClick(window.plain, Qt.Key.Key_Space)
    assert told == ["button", "next"]
    qapp.focusChanged.disconnect(guard.follow)
