from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt

from fmstudio.errors import WeightsError
from fmstudio.ui.panels.tasks import TasksPanel
from fmstudio.ui.tasks import State
from fmstudio.worker.service import EngineService


@dataclass(frozen=True)
class Step:
    done: int
    total: int
    phase: str = "features"


@pytest.fixture
def service(qapp):
    service = EngineService()
    yield service
    assert service.shutdown(5000)


@pytest.fixture
def panel(tasks, qtbot) -> TasksPanel:
    panel = TasksPanel(tasks)
    qtbot.addWidget(panel)
    panel.resize(400, 200)
    panel.show()
    return panel


def endless(token):
    while True:
        yield Step(214, 300)


def test_nothing_runs_at_first(panel):
    assert panel.empty_label.isVisible()


def test_a_run_shows_how_far_it_is_and_its_button_cancels(panel, tasks, qtbot):
    task = tasks.start("Propagating to 300 images", "propagate", endless, unit="img")
    row = panel.row(task)
    assert row.words.accessibleName() == "waiting"
    assert not row.bar.isVisible()
    qtbot.waitUntil(lambda: row.bar.isVisible() and row.bar.value() == 214)
    assert row.bar.maximum() == 300
    assert row.words.accessibleName().startswith("features 214/300")
    assert row.button.accessibleName() == "Cancel 'Propagating to 300 images'"
    qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)
    assert task.state is State.CANCELLED
    assert row.words.accessibleName() == "cancelled after 214 of 300"
    assert not row.bar.isVisible()


def test_an_ended_task_is_dismissed_by_its_button(panel, tasks, qtbot):
    task = tasks.start("Exporting", "export", lambda token: iter([1]))
    qtbot.waitUntil(lambda: task.state is State.DONE)
    row = panel.row(task)
    assert row.words.accessibleName() == "done"
    assert row.button.accessibleName() == "Take 'Exporting' off the list"
    qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)
    assert tasks.tasks == ()
    assert panel.empty_label.isVisible()


def test_a_failed_task_says_why(panel, tasks, qtbot):
    def refuses(token):
        raise WeightsError("The weights of dinov2-s are not on this disk.")

    task = tasks.start("Downloading", "models", refuses, on_error=lambda error: None)
    qtbot.waitUntil(lambda: task.state is State.FAILED)
    words = panel.row(task).words
    assert words.accessibleName() == "The weights of dinov2-s are not on this disk."
    panel.resize(160, 200)
    qtbot.waitUntil(lambda: "\u2026" in words.text())
    assert words.toolTip() == words.accessibleName()


def test_what_must_not_be_cancelled_has_no_button(panel, tasks, qtbot):
    task = tasks.start("Moving", "import", endless, cancellable=False)
    assert not panel.row(task).button.isVisible()
    tasks.cancel(task)
    assert panel.row(task).button.isVisible()


def test_the_newest_is_on_top_and_earlier_tasks_are_shown_by_a_late_panel(tasks, qtbot):
    first = tasks.start("First", "export", endless)
    second = tasks.start("Second", "import", endless)
    panel = TasksPanel(tasks)
    qtbot.addWidget(panel)
    panel.resize(400, 200)
    panel.show()
    assert panel.row(second).y() < panel.row(first).y()
    for task in (first, second):
        tasks.cancel(task)
