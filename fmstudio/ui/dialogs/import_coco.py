"""Import COCO: what would be added and every fault, before anything is."""

from pathlib import Path

from PySide6.QtWidgets import (
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

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.wording import counted
from fmstudio.session_preview import preview_import
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.preview_box import PreviewBox


class ImportDialog(QDialog):
    """A file, where its images are, and what it would bring: all of it, or nothing.

    Parameters
    ----------
    controller : Controller
    path : Path or None
        The COCO file, if it is known.
    parent : QWidget or None
    """

    def __init__(
        self, controller: Controller, path: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self.setWindowTitle(self.tr("Import COCO"))
        self.setMinimumSize(480, 320)
        self._file, self._root = QLineEdit(self), QLineEdit(self)
        self._file.setAccessibleName(self.tr("COCO file"))
        self._root.setAccessibleName(self.tr("Folder of the images"))
        self._root.setPlaceholderText(self.tr("beside the file, or in the project"))
        self.report = PreviewBox(self)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.take = QPushButton(self.tr("Import"), self)
        self.take.setDefault(True)
        buttons.addButton(self.take, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        self.take.clicked.connect(self._import)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        rows = (
            (self.tr("COCO file"), self._file, self._choose_file),
            (self.tr("Its file names start from"), self._root, self._choose_root),
        )
        for text, line, choose in rows:
            layout.addWidget(QLabel(text, self))
            row = QHBoxLayout()
            row.addWidget(line, 1)
            button = QPushButton(self.tr("Choose…"), self)
            button.clicked.connect(choose)
            row.addWidget(button)
            layout.addLayout(row)
            line.editingFinished.connect(self.check)
        layout.addWidget(self.report, 1)
        layout.addWidget(buttons)
        self._file.setText("" if path is None else str(path))
        self.check()

    def set_path(self, path: Path) -> None:
        """Choose the file."""
        self._file.setText(str(path))
        self.check()

    def check(self) -> None:
        """Say what the import would bring."""
        session = self._controller.session
        if session is None or not self._file.text():
            self.take.setEnabled(False)
            self.report.show_result(self.tr("Choose a COCO file."), ())
            return
        found = preview_import(session, Path(self._file.text()), self._image_root())
        self.take.setEnabled(not found.fault)
        if found.fault:
            self.report.show_fault(found.fault)
            return
        text = self.tr("Would add {0}, {1}, {2}.").format(
            counted(found.n_images, "image"),
            counted(found.n_categories, "category"),
            counted(found.n_annotations, "annotation"),
        )
        self.report.show_result(text, found.notes)

    def _image_root(self) -> Path | None:
        """Return the folder that a person named, or None."""
        text = self._root.text().strip()
        return Path(text) if text else None

    def _choose_file(self) -> None:
        """Ask for the file."""
        kinds = self.tr("COCO (*.json)")
        name, _ = QFileDialog.getOpenFileName(self, self.windowTitle(), self._file.text(), kinds)
        if name:
            self.set_path(Path(name))

    def _choose_root(self) -> None:
        """Ask for the folder of the images."""
        name = QFileDialog.getExistingDirectory(self, self.windowTitle(), self._root.text())
        if name:
            self._root.setText(name)
            self.check()

    def _import(self) -> None:
        """Import the file as one edit."""
        session = self._controller.session
        if session is None:
            return
        before, path = session.project, Path(self._file.text())
        if self._controller.attempt(lambda: session.import_coco(path, self._image_root())):
            diff = ProjectDiff.between(before, session.project)
            self._controller.announce(diff)
            text = self.tr("Imported {0} from {1}.").format(
                counted(len(diff.annotations.added), "annotation"), path.name
            )
            self._controller.notify(text, action=self.tr("Undo"), run=self._controller.undo)
            self.accept()
        else:
            self.check()
