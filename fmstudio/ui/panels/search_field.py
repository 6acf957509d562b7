"""The search field of the image list, with what is wrong said below it."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QStringListModel,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import QCompleter, QLineEdit, QVBoxLayout, QWidget

from fmstudio.errors import ProjectError
from fmstudio.project.search import WORDS, Query, parse_query, quoted
from fmstudio.ui import theme
from fmstudio.ui.icons import icon
from fmstudio.ui.plain import PlainLabel

_PAUSE_MS = 150
# A word that is being typed is wrong until it is whole: say so only when the person stops.
_FAULT_MS = 700


class SearchField(QWidget):
    """A line for search words; asks when the person pauses."""

    queryChanged = Signal(object)
    """Query."""
    leftDownwards = Signal()
    """The person goes on to what was found."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = _Line(self)
        self._line.setPlaceholderText(self.tr("score:<0.6 status:proposed name:*.jpg"))
        self._line.setAccessibleName(self.tr("Search the images"))
        self._line.setToolTip(
            self.tr(
                "<p>Part of a path, or:</p><table cellspacing=4>"
                "<tr><td>name:*.jpg</td><td>file name or path, with wildcards</td></tr>"
                "<tr><td>status:proposed</td><td>or none, partly, accepted, rejected</td></tr>"
                "<tr><td>score:&lt;0.6</td><td>confidence of a proposal</td></tr>"
                "<tr><td>category:cat</td><td>of an annotation</td></tr>"
                "<tr><td>-name:*.png</td><td>a minus turns a word round</td></tr></table>"
            )
        )
        self._words = _LastWordCompleter(self)
        self._line.setCompleter(self._words)
        self.set_categories(())
        self._fault = PlainLabel(self)
        self._fault.setWordWrap(True)
        self._fault.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._line)
        layout.addWidget(self._fault)
        self._query_timer = self._timer(_PAUSE_MS, self._ask)
        self._fault_timer = self._timer(_FAULT_MS, self._show_fault)
        self._line.textChanged.connect(self._on_text)
        self._line.returnPressed.connect(self._ask_at_once)
        self._line.leftDownwards.connect(self.leftDownwards)
        self.setFocusProxy(self._line)

    @property
    def text(self) -> str:
        """Return the search words."""
        return self._line.text()

    @property
    def fault(self) -> str:
        """Return what is wrong with the words; empty if nothing is, or it is not said yet."""
        return "" if self._fault.isHidden() else self._fault.text()

    def set_text(self, text: str) -> None:
        """Search for something else at once."""
        self._line.setText(text)
        self._ask_at_once()

    def forget(self) -> None:
        """Empty the line without asking."""
        self._line.clear()
        self._query_timer.stop()

    def set_categories(self, names: Iterable[str]) -> None:
        """Offer these categories while the person types."""
        self._words.offer([*WORDS, *(f"category:{quoted(name)}" for name in names)])

    def changeEvent(self, event: QEvent) -> None:
        """Take the new scheme's colour for what is wrong."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and not self._fault.isHidden():
            self._colour_fault()

    def _timer(self, ms: int, then: Callable[[], object]) -> QTimer:
        """Return a timer for one shot."""
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(ms)
        timer.timeout.connect(then)
        return timer

    def _on_text(self) -> None:
        """Wait until the person pauses."""
        self._fault_timer.stop()
        self._query_timer.start()

    def _ask_at_once(self) -> None:
        """Search, and say at once what is wrong."""
        if not self._ask():
            self._fault_timer.stop()
            self._show_fault()

    def _ask(self) -> bool:
        """Search for what the words mean; return whether they mean something."""
        self._query_timer.stop()
        self._fault_timer.stop()
        try:
            query: Query = parse_query(self._line.text())
        except ProjectError as error:
            self._fault.setText(str(error))
            self._fault_timer.start()
            return False
        self._fault.hide()
        self.queryChanged.emit(query)
        return True

    def _show_fault(self) -> None:
        """Say what is wrong."""
        self._colour_fault()
        self._fault.show()

    def _colour_fault(self) -> None:
        """Make the sentence look like a fault."""
        palette = QPalette(self.palette())
        palette.setColor(QPalette.ColorRole.WindowText, theme.tokens().error)
        if palette != self._fault.palette():
            self._fault.setPalette(palette)


class _Line(QLineEdit):
    """A line whose Esc empties it and whose Down goes on to the list."""

    leftDownwards = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setClearButtonEnabled(True)
        glass = self.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        glass.setText(self.tr("Search"))
        glass.triggered.connect(self.setFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the two keys."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() == Qt.Key.Key_Down:
            self.leftDownwards.emit()
        else:
            super().keyPressEvent(event)


class _LastWordCompleter(QCompleter):
    """Completes the word that is being typed and leaves those before it alone."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = QStringListModel(self)
        self.setModel(self._model)
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def offer(self, words: list[str]) -> None:
        """Complete to these words."""
        if words != self._model.stringList():
            self._model.setStringList(words)

    def splitPath(self, path: str) -> list[str]:
        """Return what is compared with the offered words: the last one typed."""
        return [path[_start_of_last_word(path) :]]

    def pathFromIndex(self, index: QModelIndex | QPersistentModelIndex) -> str:
        """Return the whole line with the offered word in place of the last."""
        widget = self.widget()
        line = widget.text() if isinstance(widget, QLineEdit) else ""
        return line[: _start_of_last_word(line)] + str(index.data())


def _start_of_last_word(line: str) -> int:
    """Return where the word begins that is being typed, behind a minus if it has one."""
    start = line.rfind(" ") + 1
    return start + 1 if line[start : start + 1] == "-" else start
