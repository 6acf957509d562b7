"""Import COCO: what would be added and every fault, before anything is."""

from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.project.wording import counted
from fmstudio.session_coco import Step
from fmstudio.session_preview import ImportPreview, import_steps
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.fields import GAP, MARGIN, Caption, PathField
from fmstudio.ui.dialogs.preview_box import PreviewBox
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.running import Running
from fmstudio.ui.tasks import Tasks, sentence_of

LANE = "import"
# A person who types or edits is not interrupted by each letter's outcome.
_PAUSE_MS = 250


class ImportDialog(QDialog):
    """A file, where its images are, and what it would bring: all of it, or nothing.

    Parameters
    ----------
    controller : Controller
    path : Path or None
        The COCO file, if it is known.
    parent : QWidget or None
    tasks : Tasks or None
        Where files are looked at; None does it at once.
    """

    def __init__(
        self,
        controller: Controller,
        path: Path | None = None,
        parent: QWidget | None = None,
        *,
        tasks: Tasks | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._preview: ImportPreview | None = None
        self._is_wanted = False
        self.setWindowTitle(self.tr("Import COCO"))
        self.setMinimumSize(480, 360)
        self.resize(600, 440)
        self.file = PathField(self.tr("COCO file"), self._choose_file)
        self.root = PathField(self.tr("Folder of the images"), self._choose_root)
        self.root.line.setPlaceholderText(
            self.tr("beside the file, in its folder “images”, or in the project")
        )
        self.report = PreviewBox(self)
        self.take = QPushButton(self.tr("Import"), self)
        self.take.setDefault(True)
        self.take.clicked.connect(self._import)
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
            field.line.textEdited.connect(self._on_typed)
        controller.projectChanged.connect(self._on_project)
        controller.sessionChanged.connect(self.reject)
        self.file.set_text("" if path is None else str(path))
        self.check()

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self.take, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        for text, field in (
            (self.tr("COCO file"), self.file),
            (self.tr("Its file names start from"), self.root),
        ):
            label = PlainLabel(text, self)
            label.setBuddy(field.line)
            layout.addWidget(label)
            layout.addWidget(field)
        layout.addWidget(self.report, 1)
        layout.addWidget(
            Caption(self.tr("All of it is imported, or nothing, as one step that can be undone."))
        )
        layout.addWidget(buttons)

    def set_path(self, path: Path) -> None:
        """Choose the file."""
        self.file.set_text(str(path))
        self.check()

    def check(self) -> None:
        """Look at what the import would bring."""
        self._pause.stop()
        self._preview = None
        session = self._controller.session
        if session is None or not self.file.text:
            self._running.stop()
            self.take.setEnabled(False)
            self.report.show_hint(self.tr("Choose a COCO file to see what it would add."))
            return
        self.take.setEnabled(True)
        self.report.show_busy(self.tr("Reading the file…"))
        project, base = session.project, session.path.parent
        path, root = Path(self.file.text).expanduser(), self._image_root()
        self._running.start(
            self.tr("Looking at {0}").format(path.name),
            lambda token: import_steps(project, base, path, root, token),
        )

    def done(self, result: int) -> None:
        """Close; a look that is under way is stopped."""
        self._running.stop()
        super().done(result)

    # What the look brings

    def _on_step(self, item: object) -> None:
        """Show how far it has come, and at last what would happen."""
        if isinstance(item, Step) and item.total:
            text = self.tr("Looking at the images: {0} of {1}…")
            text = text.format(f"{item.done:,}", f"{item.total:,}")
            self.report.show_busy(text, item.done, item.total)
        elif isinstance(item, ImportPreview):
            self._show(item)

    def _show(self, preview: ImportPreview) -> None:
        """Say what would happen; do it if the person has already said so."""
        self._preview = preview
        is_wanted, self._is_wanted = self._is_wanted, False
        has_more = bool(preview.n_images or preview.n_categories or preview.n_annotations)
        self.take.setEnabled(preview.edit is not None and has_more)
        if preview.faults:
            text = self.tr("{0} cannot be imported: {1}.").format(
                Path(self.file.text).name, counted(len(preview.faults), "fault")
            )
            self.report.show_faults(text, preview.faults, preview.notes)
        else:
            self.report.show_result(self._summary(preview, has_more), preview.notes)
            if is_wanted and has_more:
                self._import()

    def _summary(self, preview: ImportPreview, has_more: bool) -> str:
        """Return what would be added, in words."""
        if not has_more:
            return self.tr("Nothing to add: all of it is in the project already.")
        text = self.tr("Would add {0}, {1} and {2}.").format(
            counted(preview.n_images, "image"),
            counted(preview.n_categories, "category"),
            counted(preview.n_annotations, "annotation"),
        )
        if preview.n_known:
            known = counted(preview.n_known, "annotation")
            text += " " + self.tr("Already there: {0}.").format(known)
        return text

    def _on_failed(self, error: Exception) -> None:
        """Say why nobody knows what would happen."""
        self._is_wanted = False
        self.take.setEnabled(False)
        self.report.show_faults(sentence_of(error), ())

    def _on_stopped(self) -> None:
        """Say that the look was stopped from the list of tasks."""
        self._is_wanted = False
        self.take.setEnabled(False)
        self.report.show_hint(self.tr("Stopped: choose a file to look again."))

    def _on_typed(self) -> None:
        """Look when the person has stopped typing."""
        self._preview = None
        self._pause.start()

    def _on_project(self) -> None:
        """Look again when the project is another one than the one looked at."""
        if self._preview is None or self._preview.project is not self._controller.project:
            self._preview = None
            self._pause.start()

    # What the person asks for

    def _image_root(self) -> Path | None:
        """Return the folder that a person named, or None."""
        return Path(self.root.text).expanduser() if self.root.text else None

    def _choose_file(self) -> None:
        """Ask for the file."""
        kinds = self.tr("COCO (*.json);;All files (*)")
        name, _ = QFileDialog.getOpenFileName(self, self.windowTitle(), self._start(), kinds)
        if name:
            self.set_path(Path(name))

    def _choose_root(self) -> None:
        """Ask for the folder of the images."""
        title = self.tr("Folder of the images")
        name = QFileDialog.getExistingDirectory(self, title, self.root.text or self._start())
        if name:
            self.root.set_text(name)
            self.check()

    def _start(self) -> str:
        """Return where a question for a file begins."""
        session = self._controller.session
        return self.file.text or ("" if session is None else str(session.path.parent))

    def _import(self) -> None:
        """Import what was looked at, as one edit; while it is not known yet, as soon as it is."""
        preview = self._preview
        if preview is None or preview.project is not self._controller.project:
            self._is_wanted = True
            if not self._running.is_busy:
                self.check()
            return
        if preview.edit is None or self._controller.perform(preview.edit) is None:
            return
        name = Path(self.file.text).name
        text = self.tr("Imported {0} on {1} from {2}.").format(
            counted(preview.n_annotations, "annotation"),
            counted(len(preview.edit.images), "image"),
            name,
        )
        self._controller.notify(
            text,
            action=self.tr("Undo"),
            run=self._controller.undo,
            details="\n".join(preview.notes),
        )
        self.accept()
