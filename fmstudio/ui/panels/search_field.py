"""The search field of the image list, with what is wrong said below it."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QCompleter, QLabel, QLineEdit, QVBoxLayout, QWidget

from fmstudio.errors import ProjectError
from fmstudio.project.search import EXAMPLES, Query, parse_query
from fmstudio.ui import theme

_PAUSE_MS = 150


class SearchField(QWidget):
    """A line for search words; asks when the person pauses."""

    queryChanged = Signal(object)
    """Query."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = QLineEdit()
        self._line.setPlaceholderText(self.tr("Search: status:proposed score:<0.6"))
        self._line.setClearButtonEnabled(True)
        self._line.setAccessibleName(self.tr("Search the images"))
        self._line.setToolTip(
            self.tr(
                "Words of the path, or name:*.jpg  status:proposed  score:<0.6  category:cat; "
                "a minus before a word turns it round."
            )
        )
        completer = QCompleter(EXAMPLES, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._line.setCompleter(completer)
        self._fault = QLabel()
        self._fault.setWordWrap(True)
        self._fault.setTextFormat(Qt.TextFormat.PlainText)
        self._fault.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._line)
        layout.addWidget(self._fault)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        self._line.textChanged.connect(lambda _text: self._timer.start())
        self._line.returnPressed.connect(self._ask)

    @property
    def text(self) -> str:
        """Return the search words."""
        return self._line.text()

    def set_text(self, text: str) -> None:
        """Search for something else at once."""
        self._line.setText(text)
        self._ask()

    @property
    def fault(self) -> str:
        """Return what is wrong with the words; empty if nothing is."""
        return "" if self._fault.isHidden() else self._fault.text()

    def focus(self) -> None:
        """Let the person type."""
        self._line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._line.selectAll()

    def _ask(self) -> None:
        """Say what is searched for, or what is wrong with it."""
        self._timer.stop()
        try:
            query: Query = parse_query(self._line.text())
        except ProjectError as error:
            self._fault.setText(str(error))
            self._fault.setStyleSheet(f"color: {theme.tokens().error.name()}")
            self._fault.show()
            return
        self._fault.hide()
        self.queryChanged.emit(query)
