"""Export COCO: what, how, and what the check says before anything is written."""

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.errors import FmstudioError
from fmstudio.project.model import Status
from fmstudio.project.wording import counted
from fmstudio.session import CocoOptions, ExportReport
from fmstudio.session_oriented import export_oriented
from fmstudio.session_preview import Preview, preview_export
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.preview_box import PreviewBox


class ExportDialog(QDialog):
    """Options on top, the check's report below; the file is written only if the check passes."""

    def __init__(self, controller: Controller, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        session = controller.session
        assert session is not None
        self.setWindowTitle(self.tr("Export COCO"))
        self.setMinimumSize(480, 400)
        self._path = QLineEdit(str(session.path.with_suffix(".coco.json")), self)
        self._path.setAccessibleName(self.tr("File to write"))
        choose = QPushButton(self.tr("Choose…"), self)
        choose.clicked.connect(self._choose)
        self.proposals = QCheckBox(self.tr("Proposals too, with their confidence"), self)
        self.leave_out = QCheckBox(self.tr("Leave out images that wait for review"), self)
        self.polygons = QCheckBox(self.tr("Masks as polygons where these say the same"), self)
        self.polygons.setToolTip(
            self.tr("Masks with holes stay run lengths: as polygons their holes would be filled.")
        )
        self.oriented = QCheckBox(self.tr("Copy turned images upright beside the file"), self)
        self.oriented.setToolTip(
            self.tr("For readers that ignore a camera's orientation mark (EXIF).")
        )
        self.report = PreviewBox(self)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.write = QPushButton(self.tr("Export"), self)
        self.write.setDefault(True)
        buttons.addButton(self.write, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        self.write.clicked.connect(self._write)
        row = QHBoxLayout()
        row.addWidget(self._path, 1)
        row.addWidget(choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(QLabel(self.tr("Write what is accepted to"), self))
        layout.addLayout(row)
        for box in (self.proposals, self.leave_out, self.polygons, self.oriented):
            layout.addWidget(box)
            box.toggled.connect(self.check)
        layout.addWidget(self.report, 1)
        layout.addWidget(buttons)
        self._has_turned = any(i.orientation != 1 for i in session.project.images.values())
        self.oriented.setVisible(self._has_turned)
        self.check()

    @property
    def path(self) -> Path:
        """Return the file to write."""
        return Path(self._path.text()).expanduser()

    def set_path(self, path: Path) -> None:
        """Choose the file to write."""
        self._path.setText(str(path))

    def options(self) -> CocoOptions:
        """Return what is chosen."""
        statuses: tuple[Status, ...] = (Status.ACCEPTED,)
        if self.proposals.isChecked():
            statuses = (Status.ACCEPTED, Status.PROPOSED)
        return CocoOptions(
            statuses=statuses,
            polygons=self.polygons.isChecked(),
            leave_out_unreviewed=self.leave_out.isChecked(),
        )

    def check(self) -> None:
        """Check what would be written, and say it."""
        session = self._controller.session
        if session is None:
            return
        found: Preview = preview_export(session, self.options())
        self.write.setEnabled(not found.fault)
        if found.fault:
            self.report.show_fault(self.tr("It would be wrong: {0}").format(found.fault))
            return
        text = self.tr("{0} on {1}").format(
            counted(found.n_annotations, "annotation"), counted(found.n_images, "image")
        )
        if found.n_left_out:
            text += self.tr("; {0} left out").format(counted(found.n_left_out, "annotation"))
        self.report.show_result(self.tr("Checked: {0}.").format(text), found.notes)

    def _choose(self) -> None:
        """Ask for the file."""
        kinds = self.tr("COCO (*.json)")
        name, _ = QFileDialog.getSaveFileName(self, self.windowTitle(), self._path.text(), kinds)
        if name:
            self._path.setText(name)

    def _write(self) -> None:
        """Write the file and say where it is."""
        session = self._controller.session
        if session is None:
            return
        reports: list[ExportReport] = []
        try:
            if self.oriented.isChecked() and self._has_turned:
                reports.append(export_oriented(session, self.path, self.options()))
            else:
                reports.append(session.export_coco(self.path, self.options()))
        except FmstudioError as error:
            self.report.show_fault(str(error))
            return
        report = reports[0]
        folder = QUrl.fromLocalFile(str(report.path.absolute().parent))
        self._controller.notify(
            self.tr("Wrote {0} to {1}.").format(
                counted(report.n_annotations, "annotation"), report.path.name
            ),
            action=self.tr("Show in folder"),
            run=lambda: QDesktopServices.openUrl(folder),
            details="\n".join(report.warnings),
        )
        self.accept()
