import logging

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from fmstudio.ui.panels.log import LogPanel
from fmstudio.ui.panels.log_model import LogEntry, LogModel


@pytest.fixture
def model(qapp) -> LogModel:
    return LogModel()


@pytest.fixture
def panel(model, qtbot) -> LogPanel:
    panel = LogPanel(model)
    qtbot.addWidget(panel)
    panel.resize(700, 160)
    panel.show()
    return panel


def fill(model: LogModel) -> None:
    model.add(LogEntry(0.0, logging.WARNING, "qt", "A file is missing."))
    trace = "Traceback\n  File x.py\nKeyError: 3"
    model.add(LogEntry(1.0, logging.ERROR, "worker", "The job failed.", trace))


def test_an_empty_log_says_that_all_is_well(panel):
    assert panel.empty_label.isVisible()
    assert panel.empty_label.text() == "Nothing has gone wrong."
    assert not panel.copy_button.isEnabled()
    assert not panel.clear_button.isEnabled()


def test_what_comes_is_listed_and_a_click_shows_its_trace(panel, model, qtbot):
    fill(model)
    assert panel.list.isVisible()
    rect = panel.list.visualRect(panel.list.model().index(1, 0))
    where = rect.center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert panel.details.isVisible()
    assert "KeyError: 3" in panel.details.toPlainText()
    panel.list.setCurrentIndex(panel.list.model().index(0, 0))
    assert not panel.details.isVisible()


def test_the_list_is_filtered_by_typing_and_by_level(panel, model, qtbot):
    fill(model)
    qtbot.keyClicks(panel.search, "missing")
    assert panel.list.model().rowCount() == 1
    panel.level.setCurrentIndex(1)
    assert panel.empty_label.text() == "Nothing in the log fits the search."
    assert not panel.copy_button.isEnabled()
    panel.search.clear()
    assert panel.list.model().index(0, 0).data() == "The job failed."


def test_copying_takes_the_selection_or_everything(panel, model, qtbot):
    fill(model)
    panel.copy_button.click()
    assert "A file is missing." in QGuiApplication.clipboard().text()
    assert "KeyError: 3" in QGuiApplication.clipboard().text()
    panel.list.setCurrentIndex(panel.list.model().index(0, 0))
    qtbot.keyClick(panel.list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().endswith("WARNING qt: A file is missing.")


def test_clearing_empties_the_list_and_the_details(panel, model):
    fill(model)
    panel.show_errors()
    assert panel.details.isVisible()
    panel.clear_button.click()
    assert panel.empty_label.isVisible()
    assert not panel.details.isVisible()
    assert model.errors == 0


def test_showing_the_errors_puts_the_last_one_in_full(panel, model):
    fill(model)
    model.add(LogEntry(2.0, logging.WARNING, "qt", "Another warning."))
    panel.search.setText("nothing like it")
    panel.show_errors()
    assert panel.list.currentIndex().data() == "The job failed."
    assert "KeyError: 3" in panel.details.toPlainText()


def test_the_newest_stays_in_sight(panel, model, qtbot):
    for number in range(60):
        model.add(LogEntry(float(number), logging.ERROR, "far", f"number {number}"))
    last = panel.list.model().index(59, 0)
    qtbot.waitUntil(lambda: panel.list.viewport().rect().contains(panel.list.visualRect(last)))
    panel.list.scrollToTop()
    model.add(LogEntry(99.0, logging.ERROR, "far", "one more"))
    assert panel.list.verticalScrollBar().value() == 0


def test_a_narrow_panel_has_its_details_below(panel, model):
    fill(model)
    panel.show_errors()
    assert panel.details.x() > 0
    panel.resize(260, 400)
    assert panel.details.x() == 0
    assert panel.details.y() > 0
