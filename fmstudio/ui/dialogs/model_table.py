"""The table of networks: what each is called, its licence, its size, and whether it is here."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from fmstudio.session_models import ModelItem
from fmstudio.ui.dialogs.fields import TABLE_SHEET
from fmstudio.ui.panels.glyphs import tabular

_MB = 1_000_000
_SIZE = 2


class ModelTable(QTableWidget):
    """A row per network; one of them is chosen."""

    chosenChanged = Signal()
    """Another network is chosen, or more is known of the one that is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 4, parent)
        self._models: tuple[ModelItem, ...] = ()
        titles = [self.tr("Model"), self.tr("Licence"), self.tr("Size"), self.tr("Here")]
        self.setHorizontalHeaderLabels(titles)
        self.setAccessibleName(self.tr("Models"))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(28)
        self.setShowGrid(False)
        self.setStyleSheet(TABLE_SHEET)
        self.setFont(tabular(self.font()))
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.itemSelectionChanged.connect(self.chosenChanged)

    @property
    def models(self) -> tuple[ModelItem, ...]:
        """Return the networks that are listed."""
        return self._models

    @property
    def chosen(self) -> ModelItem | None:
        """Return the chosen network, or None."""
        row = self.currentRow()
        return self._models[row] if 0 <= row < len(self._models) else None

    def choose(self, name: str) -> None:
        """Choose a network by its name; one that is not listed changes nothing."""
        names = [model.name for model in self._models]
        if name in names:
            self.selectRow(names.index(name))

    def show_models(self, models: Sequence[ModelItem], choose: str = "") -> None:
        """List networks; the chosen one stays chosen, unless another is named."""
        before = self.chosen
        wanted = choose or (before.name if before is not None else "")
        with QSignalBlocker(self):
            self._models = tuple(models)
            self.setRowCount(len(self._models))
            for row, model in enumerate(self._models):
                for column, text in enumerate(self._cells(model)):
                    self.setItem(row, column, _cell(text, column))
            self.selectRow(0)
            self.choose(wanted)
        self.chosenChanged.emit()

    def _cells(self, model: ModelItem) -> tuple[str, str, str, str]:
        """Return a network's row."""
        size = f"{model.size / _MB:,.0f} MB" if model.size else ""
        if model.path is not None:
            state = self.tr("on disk") if model.page else self.tr("built in")
        elif model.partial and model.size:
            state = self.tr("{0} %").format(100 * model.partial // model.size)
        else:
            state = self.tr("partly") if model.partial else self.tr("no")
        return model.name, model.licence, size, state


def _cell(text: str, column: int) -> QTableWidgetItem:
    """Return a cell of the table."""
    item = QTableWidgetItem(text)
    item.setToolTip(text)
    if column == _SIZE:
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item
