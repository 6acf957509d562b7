"""The keypoints of a draft as a table: rename in place, reorder, colours, sigmas."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QByteArray,
    QItemSelection,
    QItemSelectionModel,
    QMimeData,
    QModelIndex,
    QObject,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QGuiApplication,
    QIcon,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
)
from PySide6.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableView, QWidget

from fmstudio.drawing.colors import Rgb
from fmstudio.ui.dialogs.category_draft import DEFAULT_SIGMA, CategoryDraft, KeypointRow
from fmstudio.ui.panels.glyphs import swatch_icon, tabular
from fmstudio.ui.panels.rows import Index

COLOR, NAME, SIGMA = range(3)

_ROOT = QModelIndex()
_MIME = "application/x-fmstudio-keypoints"


class KeypointTableModel(QAbstractTableModel):
    """Shows a draft; what is typed or dropped goes out as wishes."""

    rowEdited = Signal(object)
    """A KeypointRow with another name or sigma."""
    moveAsked = Signal(object, int)
    """Row keys, and the place before which they should stand."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._draft = CategoryDraft()
        self._colors: tuple[Rgb, ...] = ()
        self._swatches: dict[Rgb, QIcon] = {}

    def show(self, draft: CategoryDraft) -> None:
        """Show another version of the draft."""
        before, old_colors, colors = self._draft, self._colors, draft.colors
        if [row.key for row in before.rows] != [row.key for row in draft.rows]:
            self.beginResetModel()
            self._draft, self._colors = draft, colors
            self.endResetModel()
            return
        self._draft, self._colors = draft, colors
        for i, (old, new) in enumerate(zip(before.rows, draft.rows, strict=True)):
            if old != new or old_colors[i] != colors[i]:
                self.dataChanged.emit(self.index(i, COLOR), self.index(i, SIGMA))

    def key_at(self, row: int) -> int:
        """Return the key of a row."""
        return self._draft.rows[row].key

    def place_of(self, key: int) -> int | None:
        """Return where the row of a key stands, None if it is not here."""
        return self._draft.index.get(key)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return how many keypoints there are."""
        return 0 if parent.isValid() else len(self._draft.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Return how many columns there are."""
        return 0 if parent.isValid() else 3

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return a column's title or a row's number."""
        if orientation is Qt.Orientation.Vertical:
            return section + 1 if role == Qt.ItemDataRole.DisplayRole else None
        if role == Qt.ItemDataRole.DisplayRole:
            return ["", self.tr("Keypoint"), self.tr("Sigma")][section]
        if role == Qt.ItemDataRole.ToolTipRole and section == SIGMA:
            return self.tr("How far careful clicks on this point scatter, relative to the object")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        if not index.isValid():
            return None
        row, column = self._draft.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return ["", row.name, f"{row.sigma or DEFAULT_SIGMA:g}"][column]
        if role == Qt.ItemDataRole.EditRole:
            return ["", row.name, "" if row.sigma is None else f"{row.sigma:g}"][column]
        if role == Qt.ItemDataRole.DecorationRole and column == COLOR:
            rgb = self._colors[index.row()]
            if rgb not in self._swatches:
                self._swatches[rgb] = swatch_icon(rgb)
            return self._swatches[rgb]
        if role == Qt.ItemDataRole.FontRole and column == SIGMA:
            return tabular(QApplication.font())
        if role == Qt.ItemDataRole.ForegroundRole and column == SIGMA and row.sigma is None:
            return QApplication.palette().placeholderText()
        if role == Qt.ItemDataRole.AccessibleTextRole:
            color = self.tr("Colour of {0}").format(row.name)
            return [color, row.name, self._sigma_text(row)][column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return [self.tr("Change the colour"), row.name, self._sigma_text(row)][column]
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Ask for another name or sigma; what is no number is not taken."""
        if not index.isValid() or role != Qt.ItemDataRole.EditRole:
            return False
        old, text = self._draft.rows[index.row()], str(value).strip()
        name, sigma = old.name, old.sigma
        if index.column() == NAME:
            name = text
        else:
            try:
                sigma = float(text.replace(",", ".")) if text else None
            except ValueError:
                return False
        new = KeypointRow(old.key, name, old.origin, old.color, sigma)
        if new != old:
            self.rowEdited.emit(new)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return what can be done with a cell."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = (
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsDragEnabled
            | Qt.ItemFlag.ItemNeverHasChildren
        )
        return flags if index.column() == COLOR else flags | Qt.ItemFlag.ItemIsEditable

    # Drag and drop of rows

    def supportedDropActions(self) -> Qt.DropAction:
        """Return that rows can be moved."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        """Return the kind of what is dragged."""
        return [_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Return the dragged rows' keys."""
        keys = [self.key_at(row) for row in sorted({index.row() for index in indexes})]
        dragged = QMimeData()
        dragged.setData(_MIME, QByteArray(",".join(map(str, keys)).encode()))
        return dragged

    def dropMimeData(
        self,
        data: QMimeData,
        action: Qt.DropAction,
        row: int,
        column: int,  # noqa: ARG002
        parent: Index,
    ) -> bool:
        """Ask for rows to be moved; the view must not remove them, so nothing was taken."""
        if data.hasFormat(_MIME) and action == Qt.DropAction.MoveAction:
            keys = tuple(map(int, data.data(_MIME).toStdString().split(",")))
            to = row if row >= 0 else parent.row() if parent.isValid() else self.rowCount()
            self.moveAsked.emit(keys, to)
        return False

    def _sigma_text(self, row: KeypointRow) -> str:
        """Return a sigma in words."""
        if row.sigma is None:
            return self.tr("Sigma {0:g}, the default").format(DEFAULT_SIGMA)
        return self.tr("Sigma {0:g}").format(row.sigma)


class KeypointTable(QTableView):
    """The table with its keys: Alt+Up and Alt+Down move rows, Del removes, Ctrl+V pastes names."""

    rowEdited = Signal(object)
    moveAsked = Signal(object, int)
    removeAsked = Signal(object)
    """Row keys."""
    pasteAsked = Signal(str)
    colorAsked = Signal(int)
    """The colour of the row of this key was clicked."""
    currentKeyChanged = Signal(object)
    """Another row is the current one: its key, or None."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = KeypointTableModel(self)
        self._model.rowEdited.connect(self.rowEdited)
        self._model.moveAsked.connect(self.moveAsked)
        self.setModel(self._model)
        self.setAccessibleName(self.tr("Keypoints in order"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDragDropOverwriteMode(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setTabKeyNavigation(False)
        across, down = self.horizontalHeader(), self.verticalHeader()
        across.setHighlightSections(False)
        across.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        across.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        across.setMinimumSectionSize(28)
        self.setColumnWidth(COLOR, 32)
        self.setColumnWidth(SIGMA, 64)
        across.setFixedHeight(28)
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(28)
        down.setHighlightSections(False)
        self.clicked.connect(self._ask_color)
        self.selectionModel().currentRowChanged.connect(self._tell_current)

    @property
    def chosen_keys(self) -> tuple[int, ...]:
        """Return the keys of the selected rows, from top to bottom."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return tuple(self._model.key_at(row) for row in rows)

    @property
    def current_key(self) -> int | None:
        """Return the key of the current row, or None."""
        index = self.currentIndex()
        return self._model.key_at(index.row()) if index.isValid() else None

    def show_draft(self, draft: CategoryDraft) -> None:
        """Show another version of the draft; what is selected stays so."""
        chosen, current, column = self.chosen_keys, self.current_key, self.currentIndex().column()
        self._model.show(draft)
        if self.chosen_keys == chosen and self.current_key == current:
            return
        self.choose(chosen, current, max(column, NAME))

    def choose(self, keys: Sequence[int], current: int | None = None, column: int = NAME) -> None:
        """Select rows, and make one of them the current one."""
        rows = QItemSelection()
        for place in map(self._model.place_of, keys):
            if place is not None:
                rows.select(self._model.index(place, COLOR), self._model.index(place, SIGMA))
        at = self._model.place_of(current) if current is not None else None
        if at is not None:
            index = self._model.index(at, column)
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
            self.scrollTo(index)
        self.selectionModel().select(rows, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def edit_name(self, key: int) -> None:
        """Let a person type the name of a row."""
        place = self._model.place_of(key)
        if place is not None:
            self.choose((key,), key)
            self.edit(self._model.index(place, NAME))

    def move_chosen(self, by: int) -> None:
        """Ask for the selected rows to move up (-1) or down (1) by one."""
        places = sorted(index.row() for index in self.selectionModel().selectedRows())
        if not places:
            return
        to = places[0] - 1 if by < 0 else places[-1] + 2
        if 0 <= to <= self._model.rowCount():
            self.moveAsked.emit(self.chosen_keys, to)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows; without any, what to do."""
        super().paintEvent(event)
        if self._model.rowCount() == 0:
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            text = self.tr("No keypoints yet: add one with +, paste names, or start from a schema.")
            room = self.viewport().rect().adjusted(16, 16, -16, -16)
            painter.drawText(room, Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap, text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, remove, paste, choose a colour; all other keys are the table's own."""
        if self.state() == QAbstractItemView.State.EditingState:
            # What a name's field leaves over, such as Return, must not reach the dialog's OK.
            event.accept()
            return
        is_alt = event.modifiers() == Qt.KeyboardModifier.AltModifier
        if is_alt and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_chosen(-1 if event.key() == Qt.Key.Key_Up else 1)
        elif event.key() == Qt.Key.Key_Delete and self.chosen_keys:
            self.removeAsked.emit(self.chosen_keys)
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.pasteAsked.emit(QGuiApplication.clipboard().text())
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2):
            if self.currentIndex().column() == COLOR:
                self._ask_color(self.currentIndex())
            elif self.currentIndex().isValid():
                self.edit(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _ask_color(self, index: QModelIndex) -> None:
        """Ask for a colour where one was clicked."""
        if index.isValid() and index.column() == COLOR:
            self.colorAsked.emit(self._model.key_at(index.row()))

    def _tell_current(self, current: QModelIndex) -> None:
        """Say which row is the current one."""
        self.currentKeyChanged.emit(
            self._model.key_at(current.row()) if current.isValid() else None
        )
