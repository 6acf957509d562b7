"""The questions that only the system's file dialogs can ask; None is the answer of who cancels."""

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

_IMAGES = "*.jpg *.jpeg *.png *.tif *.tiff *.bmp *.gif *.webp"


class Questions(QObject):
    """Asks for files and folders over a window; tests answer in its place."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent

    def folder(self, start: Path) -> Path | None:
        """Ask for a folder of photos."""
        title = self.tr("Open a folder of photos")
        return _path(QFileDialog.getExistingDirectory(self._over, title, str(start)))

    def project(self, start: Path) -> Path | None:
        """Ask for a project file."""
        title, kinds = self.tr("Open a project"), self.tr("Projects (*.fmstudio)")
        return _path(QFileDialog.getOpenFileName(self._over, title, str(start), kinds)[0])

    def new_project(self, start: Path) -> Path | None:
        """Ask where a new project file shall be."""
        title, kinds = self.tr("New project"), self.tr("Projects (*.fmstudio)")
        return _path(QFileDialog.getSaveFileName(self._over, title, str(start), kinds)[0])

    def picture(self, start: Path) -> Path | None:
        """Ask where a picture of the view shall be; its ending says of which kind."""
        title = self.tr("Save the view")
        kinds = self.tr("PNG pictures (*.png);;SVG drawings (*.svg)")
        text, kind = QFileDialog.getSaveFileName(self._over, title, str(start), kinds)
        path = _path(text)
        if path is None or path.suffix.lower() in (".png", ".svg"):
            return path
        return path.with_name(path.name + (".svg" if "svg" in kind else ".png"))

    def images(self, start: Path) -> list[Path]:
        """Ask for image files."""
        title = self.tr("Add images")
        kinds = self.tr("Images ({0});;All files (*)").format(f"{_IMAGES} {_IMAGES.upper()}")
        files, _ = QFileDialog.getOpenFileNames(self._over, title, str(start), kinds)
        return [Path(file) for file in files]


def _path(text: str) -> Path | None:
    """Return a chosen path."""
    return Path(text) if text else None
