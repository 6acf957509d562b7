"""What would happen, in a box: the counts, what to know, and every fault on a row of its own."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.ui import theme
from fmstudio.ui.dialogs.fields import GAP
from fmstudio.ui.icons import icon_pixmap
from fmstudio.ui.plain import PlainLabel

_KIND = int(Qt.ItemDataRole.UserRole)
_SHOWN = 500


class PreviewBox(QFrame):
    """A sentence with a shape before it, a bar while it is not known, and a list of rows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._said: str | None = None
        self._sign = PlainLabel(self)
        self._summary = PlainLabel(self)
        self._summary.setWordWrap(True)
        self._summary.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.rows = _rows(self)
        self.rows.setAccessibleName(self.tr("Warnings and faults"))
        self.copy = QPushButton(self.tr("Copy"), self)
        self.copy.setToolTip(self.tr("Copy all of it, for a report"))
        self.copy.setAutoDefault(False)
        self.copy.clicked.connect(self._copy)
        top = QHBoxLayout()
        top.setSpacing(GAP)
        top.addWidget(self._sign)
        top.addWidget(self._summary, 1)
        top.addWidget(self.copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(GAP)
        layout.addLayout(top)
        layout.addWidget(self.bar)
        layout.addWidget(self.rows, 1)
        layout.addStretch(0)
        self.show_result("")

    @property
    def text(self) -> str:
        """Return all that it says."""
        items = [self.rows.item(row).text() for row in range(self.rows.count())]
        return "\n".join([self._summary.text(), *items]).strip()

    @property
    def is_busy(self) -> bool:
        """Return whether it still waits for what it will say."""
        return not self.bar.isHidden()

    def show_busy(self, text: str, done: int = 0, total: int = 0) -> None:
        """Show that something is under way, and how far it has come."""
        self._say("", text)
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.bar.show()

    def show_result(
        self, summary: str, warnings: Sequence[str] = (), facts: Sequence[str] = ()
    ) -> None:
        """Show what would happen, what to beware of, and what to know."""
        self._say("accept" if summary else "", summary, warning=warnings, info=facts)

    def show_hint(self, text: str) -> None:
        """Show what to do first."""
        self._say("info", text)

    def show_faults(self, summary: str, faults: Sequence[str], notes: Sequence[str] = ()) -> None:
        """Show why it cannot happen: a sentence, and every fault."""
        self._say("error", summary, error=faults, warning=notes)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the signs anew in another scheme's colours."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self._said is not None:
            self._draw_signs(self._said)

    def _say(self, sign: str, summary: str, **rows: Sequence[str]) -> None:
        """Show a sentence with its sign, and rows by theirs."""
        self._said = sign
        # By weight and sign, not by colour alone.
        font = self._summary.font()
        font.setBold(sign == "error")
        self._summary.setFont(font)
        self._summary.setText(summary)
        self.bar.hide()
        self.rows.clear()
        for kind, texts in rows.items():
            shown = list(texts[:_SHOWN])
            if len(texts) > _SHOWN:
                shown.append(self.tr("{0} more.").format(f"{len(texts) - _SHOWN:,}"))
            for text in shown:
                item = QListWidgetItem(text, self.rows)
                item.setData(_KIND, kind)
        self.rows.setVisible(self.rows.count() > 0)
        self.copy.setVisible(self.rows.count() > 0)
        self._draw_signs(sign)

    def _draw_signs(self, sign: str) -> None:
        """Put a shape before the sentence and before every row."""
        tokens, scale = theme.tokens(), self.devicePixelRatioF()
        colors = {
            "accept": tokens.ok,
            "info": tokens.muted,
            "warning": tokens.warn,
            "error": tokens.error,
        }
        self._sign.setVisible(sign in colors)
        if sign in colors:
            self._sign.setPixmap(icon_pixmap(sign, 16, colors[sign], scale))
        icons = {kind: QIcon(icon_pixmap(kind, 16, colors[kind], scale)) for kind in colors}
        for row in range(self.rows.count()):
            item = self.rows.item(row)
            item.setIcon(icons[item.data(_KIND)])

    def _copy(self) -> None:
        """Put all that it says on the clipboard."""
        QGuiApplication.clipboard().setText(self.text)


class _Rows(QListWidget):
    """A list whose selected rows can be copied."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the selected rows."""
        if event.matches(QKeySequence.StandardKey.Copy):
            texts = [item.text() for item in self.selectedItems()]
            QGuiApplication.clipboard().setText("\n".join(texts))
        else:
            super().keyPressEvent(event)


def _rows(parent: QWidget) -> QListWidget:
    """Return the empty list."""
    rows = _Rows(parent)
    rows.setFrameShape(QFrame.Shape.NoFrame)
    rows.setWordWrap(True)
    rows.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    rows.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    rows.setSpacing(2)
    rows.viewport().setBackgroundRole(QPalette.ColorRole.Window)
    rows.setMinimumHeight(56)
    return rows
