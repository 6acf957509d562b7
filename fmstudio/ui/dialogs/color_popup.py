"""A small palette that drops down where a colour was clicked."""

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QColorDialog,
    QFrame,
    QGridLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.drawing.colors import keypoint_colors
from fmstudio.ui.dialogs.category_draft import hex_of
from fmstudio.ui.panels.glyphs import swatch_icon

_COLUMNS = 8
_ROUNDS = 3


class ColorPopup(QFrame):
    """Offers the colours that stay apart, any other one, and the automatic one."""

    chosen = Signal(object, object)
    """What the colour is for, and ``#rrggbb``, or None for the automatic colour."""

    def __init__(self, parent: QWidget, purpose: int | None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._purpose = purpose
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName(self.tr("Colours"))
        grid = QGridLayout()
        grid.setSpacing(0)
        for i, rgb in enumerate(keypoint_colors(_COLUMNS * _ROUNDS)):
            grid.addWidget(self._swatch(rgb), i // _COLUMNS, i % _COLUMNS)
        automatic = QPushButton(self.tr("Automatic"))
        automatic.clicked.connect(lambda: self._choose(None))
        other = QPushButton(self.tr("Another..."))
        other.clicked.connect(self._ask)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(4)
        column.addLayout(grid)
        column.addWidget(automatic)
        column.addWidget(other)

    def show_at(self, corner: QPoint) -> None:
        """Drop down at a place of the screen."""
        self.move(corner)
        self.show()

    def _swatch(self, rgb: tuple[int, int, int]) -> QToolButton:
        """Return the button of one colour."""
        button = QToolButton()
        button.setAutoRaise(True)
        button.setIcon(swatch_icon(rgb))
        button.setIconSize(QSize(16, 16))
        button.setFixedSize(28, 28)
        button.setAccessibleName(hex_of(rgb))
        button.setToolTip(hex_of(rgb))
        button.clicked.connect(lambda: self._choose(hex_of(rgb)))
        return button

    def _choose(self, color: str | None) -> None:
        """Pass a choice on and go."""
        self.chosen.emit(self._purpose, color)
        self.close()

    def _ask(self) -> None:
        """Open the dialog of all colours; this popup goes, so the dialog lives on its parent's."""
        dialog = QColorDialog(self.parentWidget())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.colorSelected.connect(self._pass_on)
        # The popup must outlive its closing until a colour is there.
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        dialog.finished.connect(self.deleteLater)
        self.hide()
        dialog.open()

    def _pass_on(self, color: QColor) -> None:
        """Pass a colour of the dialog on."""
        self.chosen.emit(self._purpose, color.name())
