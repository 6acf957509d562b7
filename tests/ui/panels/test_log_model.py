import logging
import threading
import warnings

import pytest

from fmstudio.ui.controller import Level, Notice
from fmstudio.ui.panels.log_model import ENTRY_ROLE, LogEntry, LogFilter, LogModel


@pytest.fixture
def model(qapp):
    model = LogModel()
    model.attach()
    yield model
    model.detach()


def entries(model) -> list[LogEntry]:
    return [model.index(row, 0).data(ENTRY_ROLE) for row in range(model.rowCount())]


def test_warnings_and_errors_are_kept_and_news_are_not(model):
    log = logging.getLogger("fmstudio.session")
    log.info("opened")
    log.warning("slow disk")
    try:
        raise KeyError("missing")
    except KeyError:
        log.exception("It failed.")
    warning, error = entries(model)
    assert (warning.source, warning.text, warning.is_error) == ("session", "slow disk", False)
    assert error.is_error
    assert error.trace.endswith("KeyError: 'missing'\n")
    assert "ERROR session: It failed.\nTraceback" in error.as_text()
    assert model.errors == 1


def test_a_record_of_another_thread_arrives_in_this_one(model, qtbot):
    threads = []
    model.rowsInserted.connect(lambda: threads.append(threading.current_thread()))
    other = threading.Thread(target=lambda: logging.getLogger("far").error("away"))
    other.start()
    other.join()
    qtbot.waitUntil(lambda: model.rowCount() == 1)
    assert threads == [threading.current_thread()]


def test_what_is_said_again_is_one_row(model):
    for _ in range(3):
        logging.getLogger("qt").error("no such file")
    logging.getLogger("qt").error("another")
    assert [(e.text, e.count) for e in entries(model)] == [("no such file", 3), ("another", 1)]
    assert model.errors == 4
    assert "(x3)" in entries(model)[0].as_text()


def test_a_message_that_does_not_fit_its_arguments_is_kept(model):
    record = logging.LogRecord("far", logging.ERROR, "x.py", 1, "%d files", ("no",), None)
    model._handler.handle(record)
    assert "%d files" in entries(model)[0].text


def test_python_s_warnings_are_warnings(model):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old fashioned", DeprecationWarning, stacklevel=1)
    (entry,) = entries(model)
    assert entry.source == "py.warnings"
    assert "old fashioned" in entry.text


def test_notices_that_matter_are_kept(model):
    model.add_notice(Notice("37 proposals"))
    model.add_notice(Notice("Two files are missing.", Level.WARNING, details="a.jpg\nb.jpg"))
    model.add_notice(Notice("The disk is full.", Level.ERROR))
    assert [(e.text, e.is_error) for e in entries(model)] == [
        ("Two files are missing.", False),
        ("The disk is full.", True),
    ]
    assert entries(model)[0].trace == "a.jpg\nb.jpg"


def test_a_flood_is_bounded_and_clearing_counts_from_nought(model, qtbot):
    for number in range(2100):
        model.add(LogEntry(0.0, logging.ERROR, "far", f"number {number}"))
    assert model.rowCount() == 2000
    assert entries(model)[0].text == "number 100"
    assert model.errors == 2100
    with qtbot.waitSignal(model.errorsChanged) as changed:
        model.clear()
    assert changed.args == [0]
    assert model.rowCount() == 0


def test_after_detaching_nothing_comes(qapp):
    model = LogModel()
    model.attach()
    model.detach()
    logging.getLogger("far").error("away")
    assert model.rowCount() == 0


def test_the_filter_wants_level_and_text(model):
    shown = LogFilter(model)
    logging.getLogger("fmstudio.worker").error("The job failed.")
    logging.getLogger("qt").warning("Job of a widget.")
    logging.getLogger("qt").warning("Something else.")
    shown.set_text("JOB")
    assert [e.text for e in entries(shown)] == ["The job failed.", "Job of a widget."]
    shown.set_level(logging.ERROR)
    assert [e.text for e in entries(shown)] == ["The job failed."]
    shown.set_text("worker")
    assert shown.rowCount() == 1
    shown.set_text("nowhere")
    assert shown.rowCount() == 0
