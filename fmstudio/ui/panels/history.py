"""The steps that can be undone and redone; a click goes to one of them."""

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStackedWidget,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.history import History
from fmstudio.ui.controller import Controller
from fmstudio.ui.icons import icon
from fmstudio.ui.panels.rows import MARGIN, Index, RowDelegate
from fmstudio.ui.plain import PlainLabel, plain_tip

STEP_ROLE = Qt.ItemDataRole.UserRole
"""The row's HistoryRow."""

_ROOT = QModelIndex()
# As `LandProposals.label` begins.
_RUN = "Propagate "


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One version of the project.

    Attributes
    ----------
    label : str
        The edit that led to it; empty for the oldest one kept.
    offset : int
        How many steps it lies from the present: below 0 in the past, above in the future.
    """

    label: str
    offset: int

    @property
    def is_run(self) -> bool:
        """Return whether a propagation led to it."""
        return self.label.startswith(_RUN)


class HistoryModel(QAbstractListModel):
    """The versions of a project, oldest first; tells its view only of the rows that differ."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[HistoryRow] = []

    def show(self, history: History | None) -> None:
        """Show the steps of a history."""
        rows = [] if history is None else _rows_of(history)
        self._fit_length(len(rows))
        first, last = len(rows), -1
        for i, row in enumerate(rows):
            if row != self._rows[i]:
                self._rows[i] = row
                first, last = min(first, i), i
        if first <= last:
            self.dataChanged.emit(self.index(first), self.index(last))

    @property
    def present(self) -> int:
        """Return the row of the present."""
        return next((i for i, row in enumerate(self._rows) if row.offset == 0), -1)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return how many versions there are."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a row's step, or its words."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == STEP_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.label or self.tr("Where this session began")
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self._tip(row))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.data(index)}, {self._tip(row)}"
        return None

    def _tip(self, row: HistoryRow) -> str:
        """Return what a click on a row does."""
        if row.offset == 0:
            return self.tr("the present")
        if row.offset < 0:
            return self.tr("undo {0} to come back here").format(-row.offset)
        return self.tr("redo {0} to come here").format(row.offset)

    def _fit_length(self, n: int) -> None:
        """Add or remove rows at the end; what they say comes after."""
        there = len(self._rows)
        if n > there:
            self.beginInsertRows(_ROOT, there, n - 1)
            self._rows += [HistoryRow("", 0)] * (n - there)
            self.endInsertRows()
        elif n < there:
            self.beginRemoveRows(_ROOT, n, there - 1)
            del self._rows[n:]
            self.endRemoveRows()


def _rows_of(history: History) -> list[HistoryRow]:
    """Return a row per version."""
    labels = ["", *(step.label for step in (*history.past, *history.future))]
    return [HistoryRow(label, i - len(history.past)) for i, label in enumerate(labels)]


class HistoryDelegate(RowDelegate):
    """A thread of dots, the present one filled; what was undone is faint."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        """Return the size of a row."""
        return QSize(120, 28)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        row: HistoryRow = index.data(STEP_ROLE)
        self.draw_background(painter, option, index)
        rect: QRect = option.rect
        text = self.color(option, QPalette.ColorRole.Text)
        muted = self.color(option, QPalette.ColorRole.PlaceholderText)
        color = muted if row.offset > 0 else text
        accent = text if self.is_selected(option) else option.palette.color(QPalette.ColorRole.Link)
        is_last = index.row() == index.model().rowCount() - 1
        self._draw_thread(painter, rect, row, is_last, muted, accent)
        left = rect.left() + MARGIN + 20
        if row.is_run:
            icon("propagate").paint(painter, QRect(left, rect.top() + 6, 16, 16))
            left += 20
        font = QFont(option.font)
        font.setBold(row.offset == 0)
        label = QRect(left, rect.top(), rect.right() - MARGIN - left, rect.height())
        self.draw_text(painter, label, index.data(), font, color)

    @staticmethod
    def _draw_thread(
        painter: QPainter,
        rect: QRect,
        row: HistoryRow,
        is_last: bool,
        muted: QColor,
        accent: QColor,
    ) -> None:
        """Draw the thread with the row's dot on it."""
        x, y = rect.left() + MARGIN + 6.0, rect.center().y() + 0.5
        top = y if not row.label else float(rect.top())
        bottom = y if is_last else float(rect.bottom() + 1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = QColor(muted)
        line.setAlphaF(0.5)
        painter.setPen(QPen(line, 1))
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        if row.offset == 0:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(accent)
            painter.drawEllipse(QPointF(x, y), 5, 5)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(muted)
            painter.drawEllipse(QPointF(x, y), 2.5, 2.5)
        painter.restore()


class HistoryPanel(QWidget):
    """The steps of this session; the present is marked."""

    def __init__(self, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._model = HistoryModel(self)
        self.setAccessibleName(self.tr("History"))
        self.list = QListView()
        self.list.setModel(self._model)
        self.list.setItemDelegate(HistoryDelegate(self.list))
        self.list.setAccessibleName(self.tr("Steps that can be undone and redone"))
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self._go_to)
        self.list.activated.connect(self._go_to)
        self.empty_label = PlainLabel()
        self.empty_label.setWordWrap(True)
        self.empty_label.setMargin(16)
        self.empty_label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.empty_label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.list)
        self._pages.addWidget(self.empty_label)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)
        self.setFocusProxy(self.list)
        controller.sessionChanged.connect(self._show_history)
        controller.projectChanged.connect(self._show_history)
        self._show_history()

    def jump(self, offset: int) -> None:
        """Undo or redo so many steps as one visible move; below 0 undoes."""
        session = self._controller.session
        if session is None or offset == 0:
            return
        before = session.project
        step = session.undo if offset < 0 else session.redo
        self._controller.attempt(lambda: [step() for _ in range(abs(offset))])
        self._controller.announce(ProjectDiff.between(before, session.project))

    def _go_to(self, index: QModelIndex) -> None:
        """Make a row the present."""
        self.jump(index.data(STEP_ROLE).offset)

    def _show_history(self) -> None:
        """Show the steps as they are now."""
        session = self._controller.session
        self._model.show(None if session is None else session.history)
        self._pages.setCurrentIndex(0 if self._model.rowCount() > 1 else 1)
        self.empty_label.setText(
            self.tr("No project is open.")
            if session is None
            else self.tr("Nothing has been changed yet. Every step you make is listed here.")
        )
        present = self._model.index(self._model.present)
        self.list.setCurrentIndex(present)
        self.list.scrollTo(present)
