"""Models: which networks there are, under which licence, what is on disk, and fetching one."""

import sys

from PySide6.QtCore import QProcess, Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from fmstudio.session_models import ModelItem, list_models
from fmstudio.worker.service import EngineService, Priority, Ticket

LANE = "models"
_MB = 1_000_000


class ModelsDialog(QDialog):
    """A table of networks; one that is not on this disk can be fetched, by a process of its own.

    That process is the command ``fmstudio models fetch``: cancelling ends it, and what it has
    fetched is gone on with the next time.

    Parameters
    ----------
    service : EngineService
    parent : QWidget or None
    program : tuple of str
        What runs fmstudio's command line; tests put another in its place.
    """

    def __init__(
        self,
        service: EngineService,
        parent: QWidget | None = None,
        program: tuple[str, ...] = (sys.executable, "-m", "fmstudio"),
    ) -> None:
        super().__init__(parent)
        self._service, self._program = service, program
        self._models: tuple[ModelItem, ...] = ()
        self._ticket: Ticket | None = None
        self._process: QProcess | None = None
        self._was_cancelled = False
        self.setWindowTitle(self.tr("Models"))
        self.setMinimumSize(640, 400)
        self.table = self._make_table()
        self.note = QLabel(self.tr("Looking…"), self)
        self.note.setWordWrap(True)
        self.note.setMinimumHeight(56)
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.bar = QProgressBar(self)
        self.bar.setAccessibleName(self.tr("Progress of the download"))
        self.bar.hide()
        self.fetch = QPushButton(self.tr("Download"), self)
        self.fetch.clicked.connect(self._fetch)
        self.stop = QPushButton(self.tr("Cancel the download"), self)
        self.stop.clicked.connect(self._cancel)
        self.stop.hide()
        self._lay_out()
        service.itemReady.connect(self._on_listed)
        service.failed.connect(self._on_failed)
        self._look()

    def _make_table(self) -> QTableWidget:
        """Return the empty table of networks."""
        table = QTableWidget(0, 4, self)
        table.setHorizontalHeaderLabels(
            [self.tr("Model"), self.tr("On disk"), self.tr("Licence"), self.tr("Size")]
        )
        table.setAccessibleName(self.tr("Models"))
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.itemSelectionChanged.connect(self._say)
        return table

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.fetch)
        row.addWidget(self.stop)
        row.addWidget(self.bar, 1)
        row.addWidget(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(8)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.note)
        layout.addLayout(row)

    def done(self, result: int) -> None:
        """Close; a download that runs is stopped, to be gone on with later."""
        self._cancel()
        super().done(result)

    def _look(self) -> None:
        """Have the networks listed."""
        self._ticket = self._service.submit(LANE, list_models, priority=Priority.INTERACTIVE)

    def _on_listed(self, ticket: Ticket, item: object) -> None:
        """Show the networks."""
        if ticket != self._ticket or not isinstance(item, tuple):
            return
        chosen = self.table.currentRow()
        self._models = item
        self.table.setRowCount(len(item))
        for row, model in enumerate(item):
            size = f"{model.size / _MB:,.0f} MB" if model.size else "?"
            there = self.tr("yes") if model.path else self.tr("no")
            for column, text in enumerate((model.name, there, model.licence, size)):
                self.table.setItem(row, column, QTableWidgetItem(text))
        self.table.selectRow(max(chosen, 0))
        self._say()

    def _on_failed(self, ticket: Ticket, error: Exception) -> None:
        """Say why there is no list."""
        if ticket == self._ticket:
            self.note.setText(str(error))

    def _chosen(self) -> ModelItem | None:
        """Return the selected network."""
        row = self.table.currentRow()
        return self._models[row] if 0 <= row < len(self._models) else None

    def _say(self) -> None:
        """Say where the selected network comes from, and whether it can be fetched."""
        model = self._chosen()
        is_busy = self._process is not None
        self.fetch.setEnabled(model is not None and model.path is None and not is_busy)
        if model is None or is_busy:
            return
        place = str(model.path) if model.path else model.source
        licence = self.tr("Licence: {0}.").format(model.licence)
        self.note.setText("\n".join(filter(None, (place, licence, model.note))))

    # The download

    def _fetch(self) -> None:
        """Start the download of the selected network."""
        model = self._chosen()
        if model is None:
            return
        self._was_cancelled = False
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._on_bytes)
        self._process.finished.connect(self._on_finished)
        program, *first = self._program
        self._process.start(program, [*first, "models", "fetch", model.name, "--lines"])
        self.note.setText(self.tr("Downloading {0} ({1}).").format(model.name, model.licence))
        self.bar.setRange(0, 0)
        self.bar.show()
        self.stop.show()
        self.fetch.setEnabled(False)

    def _on_bytes(self) -> None:
        """Show how far the download is."""
        # Whole lines only: a figure cut in two would be another figure.
        while self._process is not None and self._process.canReadLine():
            line = bytes(self._process.readLine().data()).decode(errors="replace")
            done, _, total = line.strip().partition(" ")
            if done.isdigit() and total.isdigit() and int(total):
                self.bar.setRange(0, 1000)
                self.bar.setValue(1000 * int(done) // int(total))

    def _on_finished(self) -> None:
        """Say how the download ended."""
        process, self._process = self._process, None
        self.bar.hide()
        self.stop.hide()
        if process is None:
            return
        said = bytes(process.readAllStandardError().data()).decode(errors="replace").strip()
        code = process.exitCode()
        process.deleteLater()
        self._say()
        if self._was_cancelled:
            self.note.setText(self.tr("Stopped; the next download goes on from here."))
        elif code != 0:
            last = said.splitlines()[-1] if said else self.tr("The download failed.")
            self.note.setText(last)
        else:
            self._look()

    def _cancel(self) -> None:
        """Stop the download."""
        if self._process is not None:
            self._was_cancelled = True
            self._process.kill()
            self._process.waitForFinished(500)
