"""Exceptions that nobody caught, what Qt says, and the start after a crash."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import qWarning
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from fmstudio.ui.controller import Controller, Level
from fmstudio.ui.crash import CrashDialog, CrashReporter
from fmstudio.ui.recovery import RunMarker

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reporter(qapp, tmp_path):
    reporter = CrashReporter(tmp_path / "logs")
    reporter.install()
    yield reporter
    reporter.uninstall()
    for dialog in dialogs():
        dialog.accept()


def dialogs() -> list[CrashDialog]:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, CrashDialog)]


def fail(text: str = "by nought") -> None:
    """Reach the hook as an uncaught exception does."""
    try:
        raise ZeroDivisionError(text)
    except ZeroDivisionError:
        sys.excepthook(*sys.exc_info())


def shown(qtbot) -> CrashDialog:
    qtbot.waitUntil(lambda: any(d.isVisible() for d in dialogs()))
    return next(d for d in dialogs() if d.isVisible())


def test_an_exception_is_one_sentence_and_its_trace_is_saved(reporter, qtbot, caplog):
    fail()
    dialog = shown(qtbot)
    (path,) = reporter.folder.glob("crash-*.txt")
    assert "nothing is lost" in dialog.sentence.text()
    assert str(path) in dialog.where.text()
    text = path.read_text(encoding="utf-8")
    assert "ZeroDivisionError: by nought" in text
    assert "test_crash.py" in text
    assert "ZeroDivisionError: by nought" in caplog.messages
    dialog.copy_button.click()
    assert QGuiApplication.clipboard().text().strip() == text.strip()
    dialog.go_on_button.click()
    qtbot.waitUntil(lambda: not dialogs())


def test_a_failing_slot_does_not_end_the_program(tmp_path):
    code = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from fmstudio.ui.crash import CrashDialog, CrashReporter
app = QApplication([])
reporter = CrashReporter(Path(sys.argv[1]))
reporter.install()
def slot(): raise KeyError("missing")
def look():
    dialog, = [w for w in app.topLevelWidgets() if isinstance(w, CrashDialog)]
    print("still here", dialog.isVisible(), "KeyError: 'missing'" in dialog.trace.toPlainText())
    app.quit()
QTimer.singleShot(0, slot)
QTimer.singleShot(200, look)
app.exec()
reporter.uninstall()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["still here True True"], done.stderr
    assert done.returncode == 0
    assert len(list(tmp_path.glob("crash-*.txt"))) == 1
    assert not list(tmp_path.glob("fault-*"))


def test_what_fails_again_and_again_is_one_dialog_and_one_report(reporter, qtbot):
    for _ in range(5):
        fail()
    dialog = shown(qtbot)
    qtbot.waitUntil(lambda: "5 times" in dialog.where.text())
    assert len(dialogs()) == 1
    (path,) = reporter.folder.glob("crash-*.txt")
    assert path.read_text(encoding="utf-8").count("Traceback") == 1


def test_an_exception_of_another_thread_is_shown_in_this_one(reporter, qtbot):
    def work() -> None:
        raise OSError("the disk is gone")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "OSError: the disk is gone" in shown(qtbot).trace.toPlainText()


def test_a_disk_that_takes_no_report_is_no_second_crash(qapp, qtbot, tmp_path):
    (tmp_path / "logs").write_text("a file where the folder should be", encoding="utf-8")
    reporter = CrashReporter(tmp_path / "logs")
    reporter.install()
    fail()
    dialog = shown(qtbot)
    reporter.uninstall()
    assert not dialog.where.isVisible()
    assert "by nought" in dialog.trace.toPlainText()
    dialog.accept()


def test_old_reports_go(reporter, qtbot):
    for day in range(10, 35):
        (reporter.folder / f"crash-202001{day}-000000-1.txt").write_text("old", encoding="utf-8")
    fail()
    shown(qtbot)
    assert len(list(reporter.folder.glob("crash-*.txt"))) == 20


def test_ctrl_c_is_a_wish_to_end(reporter, qapp, qtbot, monkeypatch):
    quits = []
    monkeypatch.setattr("PySide6.QtCore.QCoreApplication.quit", lambda: quits.append(1))
    reporter.catch(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert quits == [1]
    assert not dialogs()


def test_what_qt_says_goes_to_the_log(reporter, caplog):
    with caplog.at_level(logging.WARNING):
        qWarning("a widget is not well")
    assert [(r.name, r.getMessage()) for r in caplog.records] == [("qt", "a widget is not well")]


def test_uninstalling_puts_everything_back(qapp, tmp_path):
    before = (sys.excepthook, threading.excepthook)
    reporter = CrashReporter(tmp_path)
    reporter.install()
    assert sys.excepthook != before[0]
    assert list(tmp_path.glob("fault-*"))
    reporter.uninstall()
    assert (sys.excepthook, threading.excepthook) == before
    assert list(tmp_path.iterdir()) == []


# The start after a crash


def die(folder: Path, project: Path | None) -> None:
    """Run a program that marks itself, opens a project and is killed."""
    code = """
import os, sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from fmstudio.ui.controller import Controller
from fmstudio.ui.recovery import RunMarker
app = QCoreApplication([])
controller = Controller()
marker = RunMarker(controller, Path(sys.argv[1]))
marker.begin()
if len(sys.argv) > 2:
    assert controller.open_project(Path(sys.argv[2]))
os._exit(9)
"""
    args = [sys.executable, "-c", code, str(folder), *([str(project)] if project else [])]
    done = subprocess.run(args, cwd=ROOT, check=False, timeout=60, capture_output=True, text=True)
    assert done.returncode == 9, done.stderr


def begin(folder: Path) -> tuple[RunMarker, Controller, list]:
    controller, notices = Controller(), []
    controller.noticeRaised.connect(notices.append)
    marker = RunMarker(controller, folder)
    marker.begin()
    return marker, controller, notices


def test_the_start_after_a_crash_says_so_once_and_opens_the_project(qapp, tmp_path, make_session):
    session = make_session()
    session.close()
    die(tmp_path / "logs", session.path)
    marker, controller, notices = begin(tmp_path / "logs")
    (notice,) = notices
    assert notice.text == "fmstudio was cut off last time. Nothing is lost: every edit was saved."
    assert (notice.level, notice.action) == (Level.WARNING, "Open 'cats'")
    notice.run()
    assert controller.session.path == session.path
    controller.set_session(None)
    marker.end()
    assert list((tmp_path / "logs").iterdir()) == []
    again, _, notices = begin(tmp_path / "logs")
    assert notices == []
    again.end()


def test_a_crash_without_a_project_offers_nothing_to_open(qapp, tmp_path):
    die(tmp_path, None)
    marker, _, notices = begin(tmp_path)
    assert [notice.action for notice in notices] == [""]
    marker.end()


def test_a_window_beside_this_one_is_no_crash(qapp, tmp_path):
    code = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from fmstudio.ui.controller import Controller
from fmstudio.ui.recovery import RunMarker
app = QCoreApplication([])
marker = RunMarker(Controller(), Path(sys.argv[1]))
marker.begin()
print("begun", flush=True)
sys.stdin.readline()
marker.end()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as other:  # fmt: skip
        assert other.stdout.readline() == "begun\n"
        marker, _, notices = begin(tmp_path)
        assert notices == []
        marker.end()
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.wait(30) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_mark_that_was_cut_off_is_a_crash_without_a_project(qapp, tmp_path):
    (tmp_path / "run-1-ab.json").write_text('{"proj', encoding="utf-8")
    (tmp_path / "fault-1-ab.txt").write_text("Segmentation fault", encoding="utf-8")
    marker, _, notices = begin(tmp_path)
    assert [notice.details for notice in notices] == ["Segmentation fault"]
    marker.end()
    assert list(tmp_path.iterdir()) == []
