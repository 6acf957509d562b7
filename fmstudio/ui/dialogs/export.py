"""Export COCO: what, how, and what the check says before anything is written."""

from pathlib import Path

from PySide6.QtCore import QFileInfo, QLocale, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.project.model import Status
from fmstudio.project.wording import counted
from fmstudio.session import CocoOptions, ExportReport
from fmstudio.session_coco import Step
from fmstudio.session_oriented import export_steps, upright_folder
from fmstudio.session_preview import ExportPreview, export_preview
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.fields import GAP, MARGIN, Caption, PathField
from fmstudio.ui.dialogs.preview_box import PreviewBox
from fmstudio.ui.running import Running
from fmstudio.ui.tasks import Tasks, sentence_of

LANE = "export"
_PAUSE_MS = 250
_PROJECT = ".fmstudio"


class ExportDialog(QDialog):
    """Options on top, the check's report below; the file is written only if the check passes.

    Parameters
    ----------
    controller : Controller
        With an open project.
    parent : QWidget or None
    tasks : Tasks or None
        Where the check and the export run; None does both at once.
    """

    def __init__(
        self,
        controller: Controller,
        parent: QWidget | None = None,
        *,
        tasks: Tasks | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        session = controller.session
        assert session is not None
        self._preview: ExportPreview | None = None
        self._is_wanted = self._is_writing = False
        self.setWindowTitle(self.tr("Export COCO"))
        self.setMinimumSize(520, 520)
        self.resize(620, 600)
        self._make_fields(session.path)
        self._make_options()
        self.report = PreviewBox(self)
        self._lay_out()
        self._running = Running(tasks, LANE, self)
        self._running.stepped.connect(self._on_step)
        self._running.failed.connect(self._on_failed)
        self._running.stopped.connect(self._on_stopped)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self.check)
        for field in (self.file, self.root):
            field.line.textEdited.connect(self._on_changed)
        controller.projectChanged.connect(self._on_changed)
        controller.sessionChanged.connect(self._leave)
        self.check()

    # The parts

    def _make_fields(self, project: Path) -> None:
        """Make the fields of the two paths."""
        self.file = PathField(self.tr("File to write"), self._choose_file)
        self.file.set_text(str(project.with_suffix(".coco.json")))
        self.root = PathField(self.tr("Folder that file names start from"), self._choose_root)
        self.root.set_text(str(project.parent))

    def _make_options(self) -> None:
        """Make the choices."""
        self.only_accepted = QRadioButton(self.tr("What is accepted"), self)
        self.proposals = QRadioButton(self.tr("Proposals too, with their scores"), self)
        self.leave_out = QCheckBox(self.tr("Leave out images with nothing but proposals"), self)
        self.leave_out.setToolTip(
            self.tr("Else readers take them for images that show nothing of these categories.")
        )
        self.run_lengths = QRadioButton(self.tr("Run lengths (exact)"), self)
        self.polygons = QRadioButton(self.tr("Polygons, where they say the same"), self)
        self.polygons.setToolTip(
            self.tr("Masks with holes stay run lengths: as polygons their holes would be filled.")
        )
        self.oriented = QCheckBox(self.tr("Copy turned images upright beside the file"), self)
        self.oriented.setToolTip(
            self.tr("For readers that ignore a camera's orientation mark (EXIF).")
        )
        for first, second in (
            (self.only_accepted, self.proposals),
            (self.run_lengths, self.polygons),
        ):
            group = QButtonGroup(self)
            for button in (first, second):
                group.addButton(button)
                button.clicked.connect(self.check)
            first.setChecked(True)
        for box in (self.leave_out, self.oriented):
            box.clicked.connect(self.check)
        self.only_accepted.toggled.connect(self.leave_out.setEnabled)

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        self.write = QPushButton(self.tr("Export"), self)
        self.write.setDefault(True)
        self.write.clicked.connect(self._write)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self.write, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        self._fields = QWidget(self)
        form = QFormLayout(self._fields)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(MARGIN)
        form.setVerticalSpacing(4)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.tr("Write to"), self.file)
        form.addRow(self.tr("File names start from"), self.root)
        form.addRow(self.tr("Export"), self.only_accepted)
        form.addRow("", self.proposals)
        form.addRow("", self.leave_out)
        form.addRow(self.tr("Masks as"), self.run_lengths)
        form.addRow("", self.polygons)
        session = self._controller.session
        assert session is not None
        if any(image.orientation != 1 for image in session.project.images.values()):
            form.addRow(self.tr("Images"), self.oriented)
        else:
            self.oriented.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        layout.addWidget(self._fields)
        layout.addWidget(self.report, 1)
        layout.addWidget(Caption(self.tr("The file is written whole or not at all.")))
        layout.addWidget(buttons)

    # What is chosen

    @property
    def path(self) -> Path:
        """Return the file to write; its ending may be left out."""
        path = Path(self.file.text).expanduser()
        return path if path.suffix else path.with_name(path.name + ".json")

    def set_path(self, path: Path) -> None:
        """Choose the file to write."""
        self.file.set_text(str(path))
        self.check()

    def options(self) -> CocoOptions:
        """Return what is chosen."""
        statuses: tuple[Status, ...] = (Status.ACCEPTED,)
        if self.proposals.isChecked():
            statuses = (Status.ACCEPTED, Status.PROPOSED)
        session = self._controller.session
        base = None if session is None else session.path.parent
        root = Path(self.root.text).expanduser() if self.root.text else None
        return CocoOptions(
            statuses=statuses,
            polygons=self.polygons.isChecked(),
            leave_out_unreviewed=self.leave_out.isChecked() and self.only_accepted.isChecked(),
            project_root=base,
            image_root=root,
        )

    # The check

    def check(self) -> None:
        """Check what would be written, and say it."""
        self._pause.stop()
        self._preview = None
        session = self._controller.session
        if session is None or self._is_writing:
            return
        fault = self._fault_of_paths()
        if fault:
            self._running.stop()
            self.write.setEnabled(False)
            self.report.show_faults(fault, ())
            return
        self.write.setEnabled(True)
        self.report.show_busy(self.tr("Checking…"))
        project, base, options = session.project, session.path.parent, self.options()
        self._running.start(
            self.tr("Checking the export"),
            lambda _token: iter((export_preview(project, base, options),)),
        )

    def _fault_of_paths(self) -> str:
        """Return why the file could not be written, or a name not be made; empty if they can."""
        path, root = self.path, self.root.text
        if not self.file.text:
            return self.tr("Say which file to write.")
        if path.suffix == _PROJECT:
            return self.tr(
                "{0} is the name of a project: choose a name that ends with .json."
            ).format(path.name)
        if path.is_dir():
            return self.tr("{0} is a folder: add a name for the file.").format(path)
        if not path.absolute().parent.is_dir():
            return self.tr("There is no folder {0}.").format(path.absolute().parent)
        if root and not Path(root).expanduser().is_dir():
            return self.tr("There is no folder {0}.").format(root)
        return ""

    def _on_changed(self) -> None:
        """Check when the person has stopped typing or editing."""
        self._preview = None
        self._pause.start()

    def _on_step(self, item: object) -> None:
        """Show what a stream brings."""
        if isinstance(item, ExportPreview):
            self._show(item)
        elif isinstance(item, ExportReport):
            self._on_written(item)
        elif isinstance(item, Step) and item.phase == "copies":
            text = self.tr("Copying turned images: {0} of {1}…")
            text = text.format(f"{item.done:,}", f"{item.total:,}")
            self.report.show_busy(text, item.done, item.total)
        elif isinstance(item, Step):
            self.report.show_busy(self.tr("Writing {0}…").format(self.path.name))

    def _show(self, preview: ExportPreview) -> None:
        """Say what the file would hold; write it if the person has already said so."""
        self._preview = preview
        is_wanted, self._is_wanted = self._is_wanted, False
        self.write.setEnabled(not preview.faults)
        if preview.faults:
            text = self.tr("The file would be wrong and is not written: {0}.")
            text = text.format(counted(len(preview.faults), "fault"))
            self.report.show_faults(text, preview.faults, preview.warnings)
            return
        self.report.show_result(
            self._summary(preview), self._warnings(preview), self._facts(preview)
        )
        if is_wanted:
            self._write()

    def _summary(self, preview: ExportPreview) -> str:
        """Return what the file would hold, in words."""
        text = self.tr("{0} on {1}: {2}, {3}.").format(
            counted(preview.n_annotations, "annotation"),
            counted(preview.n_images, "image"),
            counted(preview.n_keypoints, "keypoint"),
            counted(preview.n_masks, "mask"),
        )
        if preview.n_proposals:
            of_them = self.tr("{0} of them nobody has reviewed.")
            text += " " + of_them.format(f"{preview.n_proposals:,}")
        return text

    def _warnings(self, preview: ExportPreview) -> list[str]:
        """Return what a person should beware of."""
        warnings = []
        if not preview.n_annotations:
            warnings.append(self.tr("There is nothing to write but the names of the images."))
        for warning in preview.warnings:
            # With upright copies nothing in the file is turned any more.
            if not (self.oriented.isChecked() and "EXIF orientation" in warning):
                warnings.append(warning)
        if preview.n_run_lengths:
            text = self.tr("{0} stay run lengths: as polygons they would fill holes or change.")
            warnings.append(text.format(counted(preview.n_run_lengths, "mask")))
        if self.path.exists():
            changed = QFileInfo(str(self.path)).lastModified()
            when = QLocale().toString(changed, QLocale.FormatType.ShortFormat)
            warnings.append(self.tr("Replaces {0} of {1}.").format(self.path.name, when))
        return warnings

    def _facts(self, preview: ExportPreview) -> list[str]:
        """Return what a person should know."""
        facts = []
        if preview.n_left_out:
            text = self.tr("{0} of the project left out.")
            facts.append(text.format(counted(preview.n_left_out, "annotation")))
        if preview.n_negatives:
            text = self.tr("{0} without an annotation: readers take them as negatives.")
            facts.append(text.format(counted(preview.n_negatives, "image")))
        if self._copies_images():
            text = self.tr("{0} will be copied upright, without loss, to {1}.")
            folder = upright_folder(self.path)
            facts.append(text.format(counted(preview.n_turned, "image"), folder))
        return facts

    # The export

    def _write(self) -> None:
        """Write the file; while the check is not through yet, as soon as it is."""
        session = self._controller.session
        if session is None or self._is_writing:
            return
        if self._preview is None:
            self._is_wanted = True
            if not self._running.is_busy:
                self.check()
            return
        project, base, path = session.project, session.path.parent, self.path
        options, upright = self.options(), self._copies_images()
        self._set_writing(True)
        self.report.show_busy(self.tr("Writing {0}…").format(path.name))
        self._running.start(
            self.tr("Exporting {0}").format(path.name),
            lambda token: export_steps(project, base, path, options, token, upright=upright),
            unit=self.tr("img") if upright else "",
            is_listed=True,
        )

    def _copies_images(self) -> bool:
        """Return whether images are to be copied."""
        return self.oriented.isChecked() and bool(self._preview and self._preview.n_turned)

    def _set_writing(self, is_writing: bool) -> None:
        """Keep the options as they are while a file is written."""
        self._is_writing = is_writing
        self._fields.setEnabled(not is_writing)
        self.write.setEnabled(not is_writing)

    def _on_written(self, report: ExportReport) -> None:
        """Say where the file is."""
        self._set_writing(False)
        folder = QUrl.fromLocalFile(str(report.path.absolute().parent))
        self._controller.notify(
            self.tr("Wrote {0} on {1} to {2}.").format(
                counted(report.n_annotations, "annotation"),
                counted(report.n_images, "image"),
                report.path.name,
            ),
            action=self.tr("Show in folder"),
            run=lambda: QDesktopServices.openUrl(folder),
            details="\n".join(report.warnings),
        )
        self.accept()

    def _on_failed(self, error: Exception) -> None:
        """Say why the file is as it was."""
        self._is_wanted = False
        self._set_writing(False)
        self.report.show_faults(sentence_of(error), ())

    def _on_stopped(self) -> None:
        """Say that nothing was written."""
        self._is_wanted = False
        was_writing = self._is_writing
        self._set_writing(False)
        if was_writing:
            text = self.tr("Stopped: the file is as it was, and no copies are left.")
        else:
            text = self.tr("The check was stopped; Export checks again.")
        self.report.show_hint(text)

    def reject(self) -> None:
        """Stop what is being written; else close."""
        if self._is_writing and self._running.is_busy:
            self._running.cancel()
        else:
            super().reject()

    def done(self, result: int) -> None:
        """Close; what is under way is stopped."""
        self._running.stop()
        super().done(result)

    def _leave(self) -> None:
        """Close with the project."""
        self.done(QDialog.DialogCode.Rejected)

    # Questions

    def _choose_file(self) -> None:
        """Ask for the file."""
        kinds = self.tr("COCO (*.json)")
        name, _ = QFileDialog.getSaveFileName(self, self.windowTitle(), self.file.text, kinds)
        if name:
            self.set_path(Path(name))

    def _choose_root(self) -> None:
        """Ask for the folder that file names start from."""
        title = self.tr("Folder that file names start from")
        name = QFileDialog.getExistingDirectory(self, title, self.root.text)
        if name:
            self.root.set_text(name)
            self.check()
