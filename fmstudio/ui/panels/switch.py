"""A switch between a few named choices, one of which always holds."""

from collections.abc import Mapping
from itertools import pairwise

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

# Only roles of the palette, so it follows the scheme.
SHEET = """
QToolButton { padding: 0 8px; border: 1px solid palette(mid); background: palette(button); }
QToolButton:hover:!checked { background: palette(midlight); }
QToolButton:checked {
    background: palette(highlight); border-color: palette(highlight);
    color: palette(highlighted-text);
}
QToolButton:focus { border-color: palette(text); }
"""


class Switch(QWidget):
    """Buttons side by side; the one that holds is filled with the accent."""

    chosen = Signal(str)
    """A person chose the choice of this name."""

    def __init__(
        self, choices: Mapping[str, tuple[str, str]], parent: QWidget | None = None
    ) -> None:
        """Make a switch of choices: each name with its text and its tip."""
        super().__init__(parent)
        self.setStyleSheet(SHEET)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for name, (text, tip) in choices.items():
            button = self._make_button(name, text, tip)
            self._group.addButton(button)
            self.buttons[name] = button
            row.addWidget(button)
        next(iter(self.buttons.values())).setChecked(True)

    def show_choice(self, name: str) -> None:
        """Let another choice hold, without a signal."""
        self.buttons[name].setChecked(True)

    def _make_button(self, name: str, text: str, tip: str) -> QToolButton:
        """Return the button of a choice."""
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setCheckable(True)
        button.setFixedHeight(28)
        button.clicked.connect(lambda: self.chosen.emit(name))
        return button


def follow_eye(*widgets: QWidget) -> None:
    """Let Tab go from one widget to the next."""
    for first, second in pairwise(widgets):
        QWidget.setTabOrder(first, second)
