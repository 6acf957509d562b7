"""A project's backups: choose one, and it takes the project's place."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from fmstudio.errors import FmstudioError
from fmstudio.session_backups import BackupItem, backups_of
from fmstudio.ui.dialogs.fields import GAP, MARGIN, TABLE_SHEET, Caption, heading
from fmstudio.ui.panels.glyphs import tabular
from fmstudio.ui.plain import plain_tip


class BackupsDialog(QDialog):
    """Lists the backups of a project, open or not, the latest first.

    Parameters
    ----------
    project : Path
    parent : QWidget or None
    """

    restoreWanted = Signal(object, object)
    """Path of the project, path of the backup that is to take its place."""

    def __init__(self, project: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._items: list[BackupItem] = []
        self.setWindowTitle(self.tr("Restore a backup"))
        self.setMinimumSize(560, 360)
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels([self.tr("Made"), self.tr("Holds")])
        self.table.setStyleSheet(TABLE_SHEET)
        self.table.setAccessibleName(self.tr("Backups"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.said = Caption("")
        self.take = QPushButton(self.tr("Restore"))
        self.take.clicked.connect(self._on_take)
        self.table.itemSelectionChanged.connect(self._follow)
        self.table.itemDoubleClicked.connect(lambda _item: self.take.click())
        self._lay_out()
        self._list()

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self.take, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        layout.addWidget(heading(self._project.stem))
        layout.addWidget(self.said)
        layout.addWidget(self.table, 1)
        layout.addWidget(buttons)

    def _list(self) -> None:
        """Show what there is."""
        fault = ""
        try:
            self._items = backups_of(self._project)
        except FmstudioError as error:
            fault = str(error)
        self.table.setRowCount(len(self._items))
        for row, item in enumerate(self._items):
            cells = (item.when, item.words)
            for column, text in enumerate(cells):
                cell = QTableWidgetItem(text)
                cell.setToolTip(plain_tip(str(item.path)))
                if column == 0:
                    cell.setFont(tabular(self.font()))
                if not item.is_whole:
                    cell.setFlags(Qt.ItemFlag.NoItemFlags)
                self.table.setItem(row, column, cell)
        whole = [row for row, item in enumerate(self._items) if item.is_whole]
        if whole:
            self.table.selectRow(whole[0])
        self.said.setText(fault or self._sentence(is_any=bool(whole)))
        self._follow()

    def _sentence(self, *, is_any: bool) -> str:
        """Return what restoring does, or what there is to do without backups."""
        if is_any:
            return self.tr(
                "The project becomes what it was then. What it is now is kept among the backups, "
                "so that this can be taken back."
            )
        return self.tr(
            "There is no whole backup yet: one is made whenever the project is opened after a "
            "change, and every ten minutes of work."
        )

    def _follow(self) -> None:
        """Restore only what is chosen and whole."""
        self.take.setEnabled(self._chosen() is not None)

    def _chosen(self) -> BackupItem | None:
        """Return the backup that is chosen, if it can be restored."""
        rows = self.table.selectionModel().selectedRows()
        item = self._items[rows[0].row()] if rows else None
        return item if item is not None and item.is_whole else None

    def _on_take(self) -> None:
        """Wish for the chosen one."""
        item = self._chosen()
        if item is not None:
            self.accept()
            self.restoreWanted.emit(self._project, item.path)
