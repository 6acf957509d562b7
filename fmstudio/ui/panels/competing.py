"""The notice on an annotation for which two maps compete."""

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from fmstudio.project.edits_proposals import is_pending
from fmstudio.project.model import Annotation
from fmstudio.ui.competing import support_words
from fmstudio.ui.icons import icon
from fmstudio.ui.panels import glyphs
from fmstudio.ui.plain import PlainLabel


class CompetingNotice(QWidget):
    """Says which two maps compete with which support, and lets the other one be seen or taken."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Two maps compete"))
        self.text = PlainLabel()
        self.text.setWordWrap(True)
        self.text.setFont(glyphs.tabular(self.font()))
        sign = PlainLabel()
        sign.setPixmap(icon("warning").pixmap(16, 16))
        self.swap_button, self.show_button = QToolButton(), QToolButton()
        self.swap_button.setText(self.tr("Swap"))
        self.show_button.setText(self.tr("Show it"))
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(sign)
        line.addWidget(self.text, 1)
        below = QHBoxLayout()
        below.setSpacing(4)
        for button in (self.swap_button, self.show_button):
            button.setFixedHeight(28)
            below.addWidget(button)
        below.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(line)
        column.addLayout(below)
        self.hide()

    def use_actions(self, swap: QAction, show: QAction) -> None:
        """Let the buttons do what two commands do."""
        for button, action in ((self.swap_button, swap), (self.show_button, show)):
            button.setToolTip(action.toolTip())
            button.clicked.connect(action.trigger)
        self.show_button.setCheckable(True)
        show.toggled.connect(self.show_button.setChecked)

    def show_annotation(self, annotation: Annotation | None) -> None:
        """Say what competes for an annotation; nothing is shown where nothing does."""
        other = None if annotation is None else annotation.alternative
        is_shown = annotation is not None and other is not None and is_pending(annotation)
        self.setVisible(is_shown)
        if is_shown and other is not None:
            text = support_words(self, other)
            if other.is_chosen:
                text = self.tr("{0} You chose the first.").format(text)
            self.text.setText(text)
