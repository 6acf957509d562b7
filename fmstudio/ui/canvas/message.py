"""What a canvas says while it has no image: what to do next, or what went wrong."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from fmstudio.ui import theme
from fmstudio.ui.plain import PlainLabel

# Most images come sooner; a word that flashes up for less would only unsettle.
_PATIENCE_MS = 150
_WIDTH, _HIGHEST = 360, 4000


class CanvasMessage(QWidget):
    """A sentence in the middle of a canvas, with at most one button."""

    findRequested = Signal()
    """The person wants to say where the missing image is."""
    addRequested = Signal()
    """The person wants to add photos."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._is_error = False
        self._text = PlainLabel(self)
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._find = QPushButton(self.tr("Find it…"), self)
        self._find.setToolTip(self.tr("Find it: say in which folder the photo is now"))
        self._find.clicked.connect(self.findRequested)
        self._add = QPushButton(self.tr("Add photos…"), self)
        self._add.setToolTip(self.tr("Add photos: choose files for this project"))
        self._add.clicked.connect(self.addRequested)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addStretch()
        for widget in (self._text, self._find, self._add):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch()
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._show_loading)
        parent.installEventFilter(self)

    @property
    def text(self) -> str:
        """Return what it says; nothing while it is hidden."""
        return "" if self.isHidden() else self._text.text()

    def say_loading(self) -> None:
        """Say that the image is on its way, if it is for long."""
        self.hide()
        self._patience.start()

    def say_empty(self, role: str, *, is_project: bool) -> None:
        """Say what to do where there is no image.

        Parameters
        ----------
        role : str
            Of the canvas.
        is_project : bool
            Whether the project has images at all.
        """
        if not is_project and role == "reference":
            text = self.tr("An annotated photo will stand here.")
        elif not is_project:
            text = self.tr("Drop photos here, or press Ctrl+Shift+A to add some.")
        elif role == "reference":
            text = self.tr("Choose an annotated image as the reference: right click in the list.")
        else:
            text = self.tr("Choose an image in the list.")
        self._say(text, is_error=False)
        self._add.setVisible(not is_project and role == "target")

    def say_error(self, text: str) -> None:
        """Say why the image cannot be shown."""
        self._say(text, is_error=True)
        self._find.show()

    def hide(self) -> None:
        """Say nothing."""
        self._patience.stop()
        super().hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Cover the canvas, however large it becomes."""
        if event.type() == QEvent.Type.Resize and watched is self.parent():
            self.setGeometry(self._area())
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of the scheme."""
        if event.type() == QEvent.Type.PaletteChange:
            self._color()
        super().changeEvent(event)

    def _show_loading(self) -> None:
        """Say that the image is on its way."""
        self._say(self.tr("Loading…"), is_error=False)

    def _say(self, text: str, *, is_error: bool) -> None:
        """Show a text without buttons."""
        self._patience.stop()
        self._is_error = is_error
        self._color()
        self._text.setText(text)
        self._find.hide()
        self._add.hide()
        self.setGeometry(self._area())
        self.show()

    def _color(self) -> None:
        """Give the text the colour of what it says."""
        tokens = theme.tokens()
        color = tokens.error if self._is_error else tokens.muted
        palette = self._text.palette()
        if palette.color(QPalette.ColorRole.WindowText) != color:
            palette.setColor(QPalette.ColorRole.WindowText, color)
            self._text.setPalette(palette)

    def _area(self) -> QRect:
        """Return the canvas's own area, and give the text the width it has there."""
        parent = self.parentWidget()
        if parent is None:
            return QRect()
        width = max(96, min(_WIDTH, parent.width() - 32))
        # A layout that centres a label asks for the height of its widest form, not of this one.
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        room = QRect(0, 0, width, _HIGHEST)
        height = self._text.fontMetrics().boundingRect(room, flags, self._text.text()).height()
        self._text.setFixedSize(width, height)
        return QRect(QPoint(0, 0), parent.size())
