"""What went wrong, kept for reading: warnings and errors of the program and of its notices."""

import logging
import time
import traceback
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QSortFilterProxyModel,
    Qt,
    Signal,
)

from fmstudio.ui.controller import Level, Notice
from fmstudio.ui.panels.rows import Index
from fmstudio.ui.plain import plain_tip

ENTRY_ROLE = Qt.ItemDataRole.UserRole
"""The row's LogEntry."""

_KEPT = 2000
_ROOT = QModelIndex()
_NOTICE_LEVELS = {Level.WARNING: logging.WARNING, Level.ERROR: logging.ERROR}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One thing that went wrong.

    Attributes
    ----------
    when : float
        Seconds since the epoch, of the last time.
    level : int
        As in `logging`.
    source : str
        Which part of the program said it.
    text : str
    trace : str
        Where it happened, over several lines; empty when not known.
    count : int
        How often it happened in a row.
    """

    when: float
    level: int
    source: str
    text: str
    trace: str = ""
    count: int = 1

    @property
    def is_error(self) -> bool:
        """Return whether it is more than a warning."""
        return self.level >= logging.ERROR

    @property
    def summary(self) -> str:
        """Return its first line."""
        return next(iter(self.text.splitlines()), "")

    def is_repeated_by(self, other: "LogEntry") -> bool:
        """Return whether another says the same."""
        mine = (self.level, self.source, self.text, self.trace)
        return mine == (other.level, other.source, other.text, other.trace)

    def as_text(self) -> str:
        """Return it as it is copied."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.when))
        times = f" (x{self.count})" if self.count > 1 else ""
        head = f"{stamp} {logging.getLevelName(self.level)} {self.source}: {self.text}{times}"
        return f"{head}\n{self.trace.rstrip()}" if self.trace else head


class _Handler(logging.Handler):
    """Turns the records of any thread into entries."""

    def __init__(self, model: "LogModel") -> None:
        super().__init__(logging.WARNING)
        self._model = model

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record to the GUI thread."""
        trace = ""
        if record.exc_info and record.exc_info[0] is not None:
            trace = "".join(traceback.format_exception(*record.exc_info))
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # a message whose arguments do not fit it
            text = f"{record.msg} {record.args}"
        source = record.name.removeprefix("fmstudio.")
        self._model.came.emit(LogEntry(record.created, record.levelno, source, text, trace))


class LogModel(QAbstractListModel):
    """The log, oldest first; takes records of any thread once it is attached.

    What is said several times in a row is one row.
    """

    errorsChanged = Signal(int)
    """How many errors there are now."""
    came = Signal(object)
    """A LogEntry, from any thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[LogEntry] = []
        self._errors = 0
        self._handler = _Handler(self)
        self.came.connect(self.add)

    @property
    def errors(self) -> int:
        """Return how many errors there are, repeated ones too."""
        return self._errors

    def attach(self) -> None:
        """Listen to the program's log; Python's own warnings count as its warnings."""
        logging.captureWarnings(True)
        logging.getLogger().addHandler(self._handler)

    def detach(self) -> None:
        """Listen no longer."""
        logging.getLogger().removeHandler(self._handler)
        logging.captureWarnings(False)

    def add(self, entry: LogEntry) -> None:
        """Add an entry; the oldest goes when there are too many."""
        last = self._entries[-1] if self._entries else None
        if last is not None and last.is_repeated_by(entry):
            self._entries[-1] = replace(entry, count=last.count + 1)
            row = self.index(len(self._entries) - 1)
            self.dataChanged.emit(row, row)
        else:
            if len(self._entries) >= _KEPT:
                self.beginRemoveRows(_ROOT, 0, 0)
                del self._entries[0]
                self.endRemoveRows()
            self.beginInsertRows(_ROOT, len(self._entries), len(self._entries))
            self._entries.append(entry)
            self.endInsertRows()
        if entry.is_error:
            self._errors += 1
            self.errorsChanged.emit(self._errors)

    def add_notice(self, notice: Notice) -> None:
        """Keep a notice that was a warning or an error: on the screen it does not stay."""
        level = _NOTICE_LEVELS.get(notice.level)
        if level is not None:
            self.add(LogEntry(time.time(), level, "notice", notice.text, notice.details))

    def clear(self) -> None:
        """Forget everything."""
        self.beginResetModel()
        self._entries.clear()
        self.endResetModel()
        self._errors = 0
        self.errorsChanged.emit(0)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return how many entries there are."""
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return an entry, or its words."""
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        if role == ENTRY_ROLE:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.summary
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(entry.text)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            kind = self.tr("Error") if entry.is_error else self.tr("Warning")
            return f"{kind}: {entry.text}"
        return None


class LogFilter(QSortFilterProxyModel):
    """The entries of at least a level that hold a text."""

    def __init__(self, model: LogModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._level = logging.WARNING
        self._text = ""
        self.setSourceModel(model)

    def set_level(self, level: int) -> None:
        """Show entries of at least this level."""
        self._level = level
        self.invalidate()

    def set_text(self, text: str) -> None:
        """Show entries with this text in them, in whatever case."""
        self._text = text.casefold()
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:  # noqa: ARG002 (a list)
        """Return whether an entry is shown."""
        model = self.sourceModel()
        entry: LogEntry = model.index(row, 0).data(ENTRY_ROLE)
        if entry.level < self._level:
            return False
        return self._text in f"{entry.source}\n{entry.text}\n{entry.trace}".casefold()
