"""The view of a long list: rows of one height, painted only where they are seen."""

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

_Action = QAbstractItemView.CursorAction


class RowView(QTableView):
    """A table of one column, without all that makes it look like a table.

    A QListView lays every row out anew whenever one comes or goes, asking the model twice for
    each: half a second at 100,000 rows, also with uniform sizes. The header of a table keeps the
    rows' places itself: one millisecond.

    Parameters
    ----------
    row_height : int
        In pixels.
    """

    def __init__(self, row_height: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_entered = False
        self.horizontalHeader().hide()
        self.horizontalHeader().setMinimumSectionSize(0)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        rows = self.verticalHeader()
        rows.hide()
        rows.setMinimumSectionSize(row_height)
        rows.setDefaultSectionSize(row_height)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalScrollBar().setSingleStep(row_height)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        # Tab goes to the next control, as in a list.
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_Hover)

    def selected_rows(self) -> list[int]:
        """Return the selected rows, ascending; fast also when all are."""
        selection = self.selectionModel().selection()
        ranges = sorted((part.top(), part.bottom()) for part in selection.toList())
        return [row for top, bottom in ranges for row in range(top, bottom + 1)]

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Take the focus without going to a row: that would show its image unasked."""
        self._is_entered = True
        super().focusInEvent(event)
        self._is_entered = False

    def keyboardSearch(self, _search: str) -> None:
        """Do nothing: it would ask for the text of every row, and there is a field to search in."""

    def moveCursor(self, action: _Action, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Return where a key leads: Home and End go to the first and last row."""
        if self._is_entered:
            return QModelIndex()
        rows = self.model().rowCount()
        if rows and action in (_Action.MoveHome, _Action.MoveEnd):
            return self.model().index(0 if action is _Action.MoveHome else rows - 1, 0)
        return super().moveCursor(action, modifiers)
