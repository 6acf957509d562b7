"""The history panel as a person uses it."""

import pytest
from PySide6.QtCore import Qt

from fmstudio.project.edits import AddCategory, LandProposals, RenameProject
from fmstudio.project.history import History
from fmstudio.project.model import Category, Project
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.history import STEP_ROLE, HistoryModel, HistoryPanel

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def controller(qapp, make_session):
    controller = Controller()
    controller.set_session(make_session())
    return controller


@pytest.fixture
def panel(controller, qtbot):
    panel = HistoryPanel(controller)
    qtbot.addWidget(panel)
    panel.resize(260, 400)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def labels(panel):
    model = panel.list.model()
    return [model.index(i).data() for i in range(model.rowCount())]


def present(panel):
    return panel.list.model().present


def click_row(qtbot, panel, row):
    rect = panel.list.visualRect(panel.list.model().index(row))
    qtbot.mouseClick(panel.list.viewport(), LEFT, NONE, rect.center())


def test_steps_are_listed_and_the_present_is_marked(panel, controller):
    for name in ("lions", "tigers"):
        controller.perform(RenameProject(name))
    assert labels(panel) == [
        "Where this session began",
        "Add 5 images",
        "Import 1 annotation on 1 image",
        "Rename the project to 'lions'",
        "Rename the project to 'tigers'",
    ]
    assert present(panel) == 4
    controller.undo()
    assert len(labels(panel)) == 5
    assert present(panel) == panel.list.currentIndex().row() == 3
    tip = panel.list.model().index(4).data(Qt.ItemDataRole.ToolTipRole)
    assert tip == "redo 1 to come here"


def test_a_click_goes_there_in_one_visible_move(panel, controller, qtbot):
    for name in ("lions", "tigers", "bears"):
        controller.perform(RenameProject(name))
    before = controller.project
    seen = []
    controller.projectChanged.connect(seen.append)
    click_row(qtbot, panel, 1)
    assert len(seen) == 1
    assert seen[0].name_changed
    assert seen[0].annotations.removed
    assert present(panel) == 1
    assert controller.project.name == "cats"
    click_row(qtbot, panel, 5)
    assert len(seen) == 2
    assert controller.project is before
    assert seen[1].annotations.added


def test_a_click_on_the_present_does_nothing(panel, controller, qtbot):
    seen = []
    controller.projectChanged.connect(seen.append)
    click_row(qtbot, panel, present(panel))
    assert seen == []


def test_return_goes_to_the_row_of_the_arrow_keys(panel, controller, qtbot):
    controller.perform(RenameProject("lions"))
    panel.list.setFocus()
    qtbot.keyClick(panel.list, Qt.Key.Key_Up)
    assert controller.project.name == "lions"
    qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    assert controller.project.name == "cats"


def test_a_new_edit_drops_what_was_undone(panel, controller, qtbot):
    controller.perform(RenameProject("lions"))
    controller.perform(RenameProject("tigers"))
    click_row(qtbot, panel, 2)
    controller.perform(AddCategory(Category(0, "dog")))
    assert labels(panel)[3:] == ["Add category 'dog'"]


def test_a_propagation_is_recognisable(panel, controller):
    model = HistoryModel()
    project = Project.build("p")
    model.show(History(project).push(Project.build("q"), LandProposals(()).label))
    assert [model.index(i).data(STEP_ROLE).is_run for i in range(2)] == [False, True]
    assert panel.list.model().index(1).data(STEP_ROLE).is_run is False


def test_only_what_differs_is_drawn_anew(panel, controller):
    resets, inserted = [], []
    panel.list.model().modelReset.connect(lambda: resets.append(1))
    panel.list.model().rowsInserted.connect(lambda _, a, b: inserted.append((a, b)))
    controller.perform(RenameProject("lions"))
    assert (resets, inserted) == ([], [(3, 3)])


def test_empty_and_closed(panel, controller, make_session):
    controller.set_session(None)
    assert panel.empty_label.isVisible()
    assert panel.empty_label.text() == "No project is open."


def test_a_long_history_keeps_the_present_in_view(panel, controller):
    for i in range(60):
        controller.perform(RenameProject(f"a project with quite a long name, number {i}"))
    rect = panel.list.visualRect(panel.list.currentIndex())
    assert panel.list.viewport().rect().contains(rect.center())
    assert not panel.grab().isNull()
