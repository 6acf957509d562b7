"""What would happen, in a box: the counts, what to know, and what is wrong."""

from PySide6.QtWidgets import QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from fmstudio.ui import theme


class PreviewBox(QWidget):
    """A sentence, and below it the list of things to know."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._summary = QLabel(self)
        self._summary.setWordWrap(True)
        self._notes = QPlainTextEdit(self)
        self._notes.setReadOnly(True)
        self._notes.setAccessibleName(self.tr("Notes"))
        self._notes.setMinimumHeight(88)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._summary)
        layout.addWidget(self._notes, 1)

    @property
    def text(self) -> str:
        """Return all that it says."""
        return f"{self._summary.text()}\n{self._notes.toPlainText()}".strip()

    def show_result(self, summary: str, notes: tuple[str, ...]) -> None:
        """Show what would happen."""
        self._say(summary, "\n".join(notes), is_error=False)

    def show_fault(self, fault: str) -> None:
        """Show why it cannot happen: every fault on a line of its own."""
        head, _, rest = fault.partition(": ")
        faults = rest.rstrip(".").replace("; ", "\n") if rest else ""
        self._say(head + ("." if not faults else ":"), faults, is_error=True)

    def _say(self, summary: str, notes: str, *, is_error: bool) -> None:
        """Show a sentence and what belongs to it."""
        tokens = theme.tokens()
        color = tokens.error if is_error else tokens.text
        self._summary.setStyleSheet(f"color: {color.name()}")
        self._summary.setText(summary)
        self._notes.setPlainText(notes)
        self._notes.setVisible(bool(notes))
