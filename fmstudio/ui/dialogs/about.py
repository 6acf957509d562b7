"""About fmstudio: version, licence, what it is made of; copyable."""

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

from fmstudio import __version__
from fmstudio.ui.icons import app_icon

_PARTS = ("PySide6-Essentials", "pyqtgraph", "torch", "timm", "numpy", "scipy",
          "opencv-python-headless", "pycocotools")  # fmt: skip


class AboutDialog(QDialog):
    """A few lines that a person can copy into a report."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About fmstudio"))
        picture = QLabel(self)
        picture.setPixmap(app_icon().pixmap(64, 64))
        text = QLabel(self.text(), self)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setTextFormat(Qt.TextFormat.PlainText)
        copy = QPushButton(self.tr("Copy"), self)
        copy.clicked.connect(self.copy)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(16)
        layout.addWidget(picture, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(text)
        layout.addWidget(buttons)

    def text(self) -> str:
        """Return what it says."""
        lines = [
            f"fmstudio {__version__}",
            self.tr("Apache-2.0. Weights and photos have licences of their own: see Models."),
            self.tr("Method: “Zero-Shot Image Feature Consensus with Deep Functional Maps”,"),
            "ECCV 2024, arXiv 2403.12038",
            "",
            f"Python {platform.python_version()}, {platform.system()} {platform.machine()}",
            *(f"{name} {_version(name)}" for name in _PARTS),
        ]
        return "\n".join(lines)

    def copy(self) -> None:
        """Put it on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())


def _version(name: str) -> str:
    """Return an installed package's version, without importing it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"
