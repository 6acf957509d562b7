"""What the dialogs are made of: fields that the wheel leaves alone, captions, rows, a report."""

from collections.abc import Callable
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from fmstudio.ui.panels.glyphs import caption_font
from fmstudio.ui.plain import PlainLabel

MARGIN = 16
GAP = 8

# Flat, with air between the columns; only roles of the palette, so it follows the scheme.
TABLE_SHEET = """
QTableView::item { padding: 0 8px; }
QTableView::item:selected { background: palette(highlight); color: palette(highlighted-text); }
QHeaderView::section {
    padding: 4px 8px; border: 0; border-bottom: 1px solid palette(mid); background: palette(window);
}
"""


class Number(QSpinBox):
    """A whole number that the wheel does not change."""

    def __init__(self, name: str, limits: tuple[int, int], step: int, suffix: str = "") -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setRange(*limits)
        self.setSingleStep(step)
        self.setSuffix(suffix)
        self.setGroupSeparatorShown(True)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to what scrolls."""
        event.ignore()


class Share(QDoubleSpinBox):
    """A number in [0, 1] that the wheel does not change."""

    def __init__(self, name: str, step: float = 0.05) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setRange(0.0, 1.0)
        self.setSingleStep(step)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to what scrolls."""
        event.ignore()


class Choice(QComboBox):
    """One of a few named choices, which the wheel does not change.

    Parameters
    ----------
    name : str
        For those who do not see it.
    choices : sequence of (str, str)
        What the program calls each, and what a person reads.
    """

    def __init__(self, name: str, choices: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for key, text in choices:
            self.addItem(text, key)

    @property
    def key(self) -> str:
        """Return what the program calls the choice that holds."""
        return str(self.currentData())

    def choose(self, key: str) -> None:
        """Let another choice hold; one that is not listed changes nothing."""
        row = self.findData(key)
        if row >= 0:
            self.setCurrentIndex(row)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to what scrolls."""
        event.ignore()


class Caption(PlainLabel):
    """A sentence or two beside a field: smaller, and in the colour of what is said beside."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setWordWrap(True)
        self.setFont(caption_font(self.font()))
        self.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        # A label that wraps asks for as much height as a narrow one would need.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)


class PathField(QWidget):
    """A line for a path and a button that asks for one.

    Parameters
    ----------
    name : str
        For those who do not see it.
    choose : callable
        Asks the person; called by the button.
    """

    def __init__(self, name: str, choose: Callable[[], object]) -> None:
        super().__init__()
        self.line = QLineEdit(self)
        self.line.setAccessibleName(name)
        self.button = QPushButton(self.tr("Choose…"), self)
        self.button.setAccessibleName(self.tr("Choose: {0}").format(name))
        self.button.setAutoDefault(False)
        self.button.clicked.connect(choose)
        self.setFocusProxy(self.line)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        row.addWidget(self.line, 1)
        row.addWidget(self.button)

    @property
    def text(self) -> str:
        """Return what stands in it."""
        return self.line.text().strip()

    def set_text(self, text: str) -> None:
        """Write into it; the end of a path tells more than its beginning."""
        self.line.setText(text)
        self.line.setCursorPosition(len(text))


def heading(text: str) -> QLabel:
    """Return the heading of a group of fields."""
    label = PlainLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def small_button(text: str, parent: QWidget | None = None) -> QPushButton:
    """Return a button that Enter in a field does not press."""
    button = QPushButton(text, parent)
    button.setAutoDefault(False)
    return button


def link(address: str, text: str) -> str:
    """Return rich text that opens a page."""
    return f'<a href="{escape(address, quote=True)}">{escape(text)}</a>'
