"""What happens when the program itself is wrong: one sentence, a saved trace, and on it goes.

An exception that nobody caught ends no work: every edit is in the project's file already.
"""

import faulthandler
import logging
import os
import platform
import secrets
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO

import platformdirs
from PySide6.QtCore import (
    QCoreApplication,
    QMessageLogContext,
    QObject,
    Qt,
    QtMsgType,
    Signal,
    qInstallMessageHandler,
    qVersion,
)
from PySide6.QtGui import QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio import __version__
from fmstudio.ui.icons import icon, icon_pixmap
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.theme import tokens

_LOG = logging.getLogger(__name__)

RUN_ID = f"{os.getpid()}-{secrets.token_hex(4)}"
"""What this run of the program is called in the names of files."""

# Reports of crashes that are kept.
_KEPT = 20
_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


@dataclass(frozen=True, slots=True)
class Crash:
    """An exception that nobody caught.

    Attributes
    ----------
    trace : str
    report : str
        The trace, and what it happened on.
    path : Path or None
        Where the report is; None if it could not be written.
    """

    trace: str
    report: str
    path: Path | None


def log_folder() -> Path:
    """Return the person's folder for logs."""
    return platformdirs.user_log_path("fmstudio", appauthor=False)


class CrashDialog(QDialog):
    """Says that something went wrong, once; what goes wrong meanwhile is counted."""

    def __init__(self, crash: Crash, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._crash = crash
        self._times = 1
        self.setWindowTitle(self.tr("Something went wrong"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sign = PlainLabel()
        sign.setPixmap(icon_pixmap("error", 32, tokens().error, self.devicePixelRatioF()))
        sign.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.sentence = PlainLabel(
            self.tr("Something in fmstudio went wrong, but nothing is lost: every edit is saved.")
        )
        self.where = PlainLabel()
        self.where.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        for label in (self.sentence, self.where):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._build_trace(crash)
        self._build_buttons()
        head = QGridLayout()
        head.setHorizontalSpacing(12)
        head.setVerticalSpacing(4)
        head.setColumnStretch(1, 1)
        head.addWidget(sign, 0, 0, 2, 1)
        head.addWidget(self.sentence, 0, 1)
        head.addWidget(self.where, 1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self.trace, 1)
        column.addLayout(self._buttons)
        self.resize(600, 320)
        self._count()
        self.go_on_button.setFocus()

    def add(self) -> None:
        """Count what goes wrong while the dialog is open."""
        self._times += 1
        self._count()

    def _build_trace(self, crash: Crash) -> None:
        """Make the field with the first report: the others may come of it."""
        self.trace = QPlainTextEdit(crash.report)
        self.trace.setReadOnly(True)
        self.trace.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.trace.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.trace.setAccessibleName(self.tr("What went wrong, for a report"))
        self.trace.setTabChangesFocus(True)

    def _build_buttons(self) -> None:
        """Make the buttons: Copy, and apart from it, Go on."""
        self.copy_button = QPushButton(icon("copy"), self.tr("Copy"))
        self.copy_button.clicked.connect(self._copy)
        self.go_on_button = QPushButton(self.tr("Go on"))
        self.go_on_button.clicked.connect(self.accept)
        self.go_on_button.setDefault(True)
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self.copy_button)
        self._buttons.addStretch(1)
        self._buttons.addWidget(self.go_on_button)

    def _count(self) -> None:
        """Say where the report is, and how often it has happened."""
        words = []
        if self._crash.path is not None:
            words.append(self.tr("The details are in {0}.").format(self._crash.path))
        if self._times > 1:
            words.append(self.tr("It has happened {0} times.").format(self._times))
        self.where.setText(" ".join(words))
        self.where.setVisible(bool(words))

    def _copy(self) -> None:
        """Copy the first report."""
        QGuiApplication.clipboard().setText(self._crash.report)
        self.copy_button.setText(self.tr("Copied"))


class CrashReporter(QObject):
    """Catches what nobody else has: exceptions of any thread, and what Qt complains of.

    Parameters
    ----------
    folder : Path or None
        Where reports go; None takes the person's folder for logs.
    parent : QObject or None
    """

    _caught = Signal(object)

    def __init__(self, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = log_folder() if folder is None else folder
        self._dialog: CrashDialog | None = None
        self._fault_file: TextIO | None = None
        self._last = Crash("", "", None)
        self._old_hooks = (sys.excepthook, threading.excepthook)
        # Queued: what is being painted or handled ends first, and a thread's news come to this one.
        self._caught.connect(self._show, Qt.ConnectionType.QueuedConnection)

    @property
    def folder(self) -> Path:
        """Return where reports go."""
        return self._folder

    def install(self) -> None:
        """Begin to catch."""
        self._old_hooks = (sys.excepthook, threading.excepthook)
        sys.excepthook = self.catch
        threading.excepthook = self._catch_in_thread
        qInstallMessageHandler(_pass_to_log)
        with suppress(OSError):  # a read-only home: there is no trace of a fault then
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"fault-{RUN_ID}.txt"
            self._fault_file = path.open("w", encoding="utf-8")
            faulthandler.enable(self._fault_file)

    def uninstall(self) -> None:
        """Catch no longer, and leave no empty file behind."""
        sys.excepthook, threading.excepthook = self._old_hooks
        qInstallMessageHandler(None)
        if self._fault_file is not None:
            faulthandler.disable()
            self._fault_file.close()
            Path(self._fault_file.name).unlink(missing_ok=True)
            self._fault_file = None

    def catch(
        self,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        """Report an exception; on whatever thread it came."""
        if issubclass(kind, KeyboardInterrupt):
            QCoreApplication.quit()
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        _LOG.critical("%s", _last_line(text), exc_info=(kind, error, trace))
        # What fails to be painted fails again with every frame: one report of it will do.
        if text != self._last.trace:
            self._last = Crash(text, report := _report(text), self._save(report))
        self._caught.emit(self._last)

    # Private

    def _catch_in_thread(self, args: threading.ExceptHookArgs) -> None:
        """Report an exception that ended a thread of Python's own."""
        if args.exc_value is not None:
            self.catch(args.exc_type, args.exc_value, args.exc_traceback)

    def _save(self, report: str) -> Path | None:
        """Write a report and return where; None if the disk does not take it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            stamp = time.strftime("%Y%m%d-%H%M%S")
            path = self._folder / f"crash-{stamp}-{os.getpid()}.txt"
            with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(report + "\n")
            for old in sorted(self._folder.glob("crash-*.txt"))[:-_KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            _LOG.warning("The report cannot be written to %s: %s", self._folder, error)
            return None
        return path

    def _show(self, crash: Crash) -> None:
        """Open the dialog, or tell the open one."""
        if self._dialog is not None:
            self._dialog.add()
            return
        self._dialog = CrashDialog(crash, _main_window())
        self._dialog.finished.connect(self._forget)
        self._dialog.open()

    def _forget(self) -> None:
        """Let go of the dialog that was closed."""
        self._dialog = None


def _main_window() -> QWidget | None:
    """Return the window that the person looks at."""
    there = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w.isWindow()]
    active = QApplication.activeWindow()
    return active if active is not None else next(iter(there), None)


def _last_line(trace: str) -> str:
    """Return the exception at the end of a trace."""
    return trace.strip().splitlines()[-1]


def _report(trace: str) -> str:
    """Return a trace with what it happened on."""
    return (
        f"{time.strftime('%Y-%m-%d %H:%M:%S')}  fmstudio {__version__}, Python "
        f"{platform.python_version()}, Qt {qVersion()}, {platform.platform()}\n\n{trace}"
    )


def _pass_to_log(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """Pass what Qt says to the log, under its category."""
    category = context.category if isinstance(context.category, str) else ""
    name = "qt" if category in ("", "default") else category
    logging.getLogger(name).log(_QT_LEVELS.get(kind, logging.WARNING), "%s", message)
