import logging
from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt

from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.log_model import LogEntry, LogModel
from fmstudio.ui.status_bar import StatusBar
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
def log(qapp) -> LogModel:
    return LogModel()


@pytest.fixture
def controller(qapp) -> Controller:
    return Controller()


@pytest.fixture
def bar(controller, tasks, log, qtbot) -> StatusBar:
    bar = StatusBar(controller, tasks, log)
    qtbot.addWidget(bar)
    bar.resize(1280, 28)
    bar.show()
    return bar


def endless(token):
    for done in range(200, 215):
        yield Step(done, 300)
    while True:
        yield Step(214, 300)


def test_where_the_pointer_is(bar):
    bar.show_pixel((214.9, 96.2))
    bar.show_zoom(0.5)
    bar.show_device("CPU")
    assert (bar.pixel.text(), bar.zoom.text(), bar.device.text()) == ("214, 96 px", "50 %", "CPU")
    bar.show_pixel((-0.5, 3.0))
    assert bar.pixel.text() == "-1, 3 px"
    bar.show_pixel(None)
    bar.show_zoom(None)
    assert (bar.pixel.text(), bar.zoom.text()) == ("", "")


def test_the_figures_do_not_push_what_stands_beside_them(bar):
    bar.show_pixel((1.0, 1.0))
    before = bar.zoom.x()
    bar.show_pixel((19999.0, 19999.0))
    bar.grab()
    assert bar.zoom.x() == before


def test_saved_is_said_of_an_open_project(bar, controller, make_session):
    assert bar.saved.text() == ""
    controller.set_session(make_session())
    assert bar.saved.text() == "saved"
    assert "cats.fmstudio" in bar.saved.toolTip()
    controller.set_session(None)
    assert bar.saved.text() == ""


def test_errors_are_counted_and_a_click_leads_to_them(bar, log, qtbot):
    assert bar.errors.text() == "0 errors"
    assert bar.errors.icon().isNull()
    log.add(LogEntry(0.0, logging.WARNING, "qt", "odd"))
    assert bar.errors.text() == "0 errors"
    log.add(LogEntry(0.0, logging.ERROR, "qt", "bad"))
    assert bar.errors.text() == "1 error"
    assert not bar.errors.icon().isNull()
    log.add(LogEntry(0.0, logging.ERROR, "qt", "worse"))
    assert bar.errors.text() == "2 errors"
    with qtbot.waitSignal(bar.logWanted):
        qtbot.mouseClick(bar.errors, Qt.MouseButton.LeftButton)
    log.clear()
    assert bar.errors.text() == "0 errors"


def test_the_one_progress_comes_counts_and_cancels(bar, tasks, qtbot):
    strip = bar.progress
    assert not strip.isVisible()
    task = tasks.start("Propagating to 300 images", "propagate", endless, unit="img")
    assert not strip.isVisible()  # what is over at once is no news
    qtbot.waitUntil(strip.isVisible)
    qtbot.waitUntil(lambda: strip.words.text() == "features 214/300")
    assert (strip.bar.value(), strip.bar.maximum()) == (214, 300)
    assert "img/s" in strip.pace.text()
    assert not strip.others.isVisible()
    qtbot.mouseClick(strip.button, Qt.MouseButton.LeftButton)
    assert task.state is State.CANCELLED
    assert not strip.isVisible()


def test_other_tasks_are_counted_beside_it(bar, tasks, qtbot):
    strip = bar.progress
    first = tasks.start("Propagating", "propagate", endless)
    second = tasks.start("Exporting", "export", endless, cancellable=False)
    qtbot.waitUntil(strip.isVisible)
    assert strip.others.text() == "+1 more"
    with qtbot.waitSignal(bar.tasksWanted):
        qtbot.mouseClick(strip.others, Qt.MouseButton.LeftButton)
    tasks.cancel(first)
    qtbot.waitUntil(lambda: not strip.others.isVisible())
    assert strip.isVisible()
    assert not strip.button.isVisible()
    tasks.cancel(second)
    assert not strip.isVisible()


def test_the_cancel_button_does_not_move_when_words_grow_shorter(bar, tasks, qtbot):
    strip = bar.progress
    task = tasks.start("Propagating", "propagate", endless, unit="img")
    qtbot.waitUntil(lambda: strip.isVisible() and "img/s" in strip.pace.text())
    bar.grab()
    before = strip.button.x()
    task.phase = "map"
    task._marks.clear()
    tasks.taskChanged.emit(task)
    bar.grab()
    assert strip.pace.text() == ""
    assert strip.button.x() == before
    tasks.cancel(task)
