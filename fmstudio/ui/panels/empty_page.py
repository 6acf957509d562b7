"""What a list shows when it has nothing to show: why, and what to do."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from fmstudio.ui.panels.rows import MARGIN
from fmstudio.ui.plain import PlainLabel


def pages_of(empty: "EmptyPage", page: QWidget) -> QStackedWidget:
    """Return a stack of what is said while there is nothing, and what is shown once there is."""
    pages = QStackedWidget()
    pages.addWidget(empty)
    pages.addWidget(page)
    # What is in it is no reason to make the canvases smaller.
    pages.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
    return pages


class EmptyPage(QWidget):
    """A sentence in the middle, with at most one thing to do below it."""

    pressed = Signal()
    """The person wants what the button says."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = PlainLabel(self)
        self.label.setWordWrap(True)
        self.label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.label.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self.button = QPushButton(self)
        self.button.clicked.connect(self.pressed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(MARGIN)
        layout.addStretch()
        layout.addWidget(self.label)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch()
        # A sentence is no reason to make the panel wider.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)

    def say(self, text: str, button: str = "") -> None:
        """Say why there is nothing; without a text for it, there is no button."""
        self.label.setText(text)
        self.button.setText(button)
        self.button.setVisible(bool(button))
