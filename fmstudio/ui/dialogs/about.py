"""About fmstudio: version, licence, how to cite it, what it is made of; all of it copyable."""

import platform
from importlib.metadata import PackageNotFoundError, metadata

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio import __version__
from fmstudio.ui.dialogs.fields import GAP, MARGIN, Caption, heading, link, small_button
from fmstudio.ui.icons import app_icon
from fmstudio.ui.plain import PlainLabel

# With the licences that their own papers state where their metadata hold whole texts of them.
_PARTS = (
    ("PySide6-Essentials", "LGPL-3.0-only"),
    ("pyqtgraph", "MIT"),
    ("torch", "BSD-3-Clause"),
    ("timm", "Apache-2.0"),
    ("numpy", "BSD-3-Clause"),
    ("scipy", "BSD-3-Clause"),
    ("opencv-python-headless", "Apache-2.0"),
    ("pycocotools", "BSD-2-Clause"),
    ("Pillow", "MIT-CMU"),
)
_PAPER = "https://arxiv.org/abs/2403.12038"
CITATION = """@inproceedings{cheng2024zeroshot,
  title     = {Zero-Shot Image Feature Consensus with Deep Functional Maps},
  author    = {Cheng, Xinle and Deng, Congyue and Harley, Adam W. and
               Zhu, Yixin and Guibas, Leonidas},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year      = {2024}
}"""


class AboutDialog(QDialog):
    """Who it is on top, then how to cite it, then a table of parts for a report."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About fmstudio"))
        self.setMinimumSize(520, 520)
        self.citation = _text(CITATION, self.tr("Citation"), self)
        self.parts = _text(self._parts(), self.tr("Versions"), self)
        self.copy_all = QPushButton(self.tr("Copy all"), self)
        self.copy_all.clicked.connect(self.copy)
        self.cite = small_button(self.tr("Copy the citation"), self)
        self.cite.clicked.connect(self.copy_citation)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.addButton(self.copy_all, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(heading(self.tr("If it serves your research, cite")), 1)
        row.addWidget(self.cite)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        layout.addLayout(self._head())
        layout.addSpacing(GAP)
        layout.addLayout(row)
        layout.addWidget(self.citation)
        layout.addWidget(heading(self.tr("What it is made of")))
        layout.addWidget(self.parts, 1)
        layout.addWidget(buttons)

    def _head(self) -> QHBoxLayout:
        """Return the picture, with name and licence beside it."""
        picture = PlainLabel(self)
        picture.setPixmap(app_icon().pixmap(64, 64))
        name = PlainLabel(f"fmstudio {__version__}", self)
        font = name.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        font.setBold(True)
        name.setFont(font)
        name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        about = PlainLabel(self.tr("Keypoints and masks by one map between images."), self)
        licence = Caption(
            self.tr("Apache-2.0. Networks have licences of their own, see Models. {0}").format(
                link(_PAPER, "arXiv 2403.12038")
            )
        )
        licence.setTextFormat(Qt.TextFormat.RichText)
        licence.setOpenExternalLinks(True)
        words = QVBoxLayout()
        words.setSpacing(4)
        for label in (name, about, licence):
            words.addWidget(label)
        head = QHBoxLayout()
        head.setSpacing(MARGIN)
        head.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        return head

    def text(self) -> str:
        """Return what it says, for a report."""
        licence = self.tr("Apache-2.0. Networks have licences of their own, see Models.")
        return f"fmstudio {__version__}\n{licence}\n\n{self._parts()}\n\n{CITATION}\n"

    def copy(self) -> None:
        """Put all of it on the clipboard."""
        QGuiApplication.clipboard().setText(self.text())

    def copy_citation(self) -> None:
        """Put the citation on the clipboard."""
        QGuiApplication.clipboard().setText(f"{CITATION}\n")

    def _parts(self) -> str:
        """Return the parts with their versions and licences, in columns."""
        rows = [("Python", platform.python_version(), "PSF-2.0")]
        rows += [(name, _version(name), licence) for name, licence in _PARTS]
        widths = [max(len(row[column]) for row in rows) for column in range(2)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in rows]
        system = f"{platform.system()} {platform.release()}, {platform.machine()}"
        return "\n".join([*lines, "", system])


def _version(name: str) -> str:
    """Return an installed package's version, without importing it."""
    try:
        return str(metadata(name)["Version"])
    except PackageNotFoundError:
        return "-"


def _text(content: str, name: str, parent: QWidget) -> QPlainTextEdit:
    """Return a field from which text can be copied."""
    field = QPlainTextEdit(content, parent)
    field.setReadOnly(True)
    field.setAccessibleName(name)
    field.setTabChangesFocus(True)
    field.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    field.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    lines = content.count("\n") + 1
    field.setMinimumHeight(field.fontMetrics().lineSpacing() * lines + 16)
    return field
