"""The bar that floats over the canvases: one sentence, one action, details on request.

It lies over the images and moves nothing: a notice may come while a hand is drawing.
"""

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.ui.controller import Controller, Level, Notice
from fmstudio.ui.icons import icon, icon_pixmap
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.theme import tokens

_ICONS = {Level.INFO: "info", Level.WARNING: "warning", Level.ERROR: "error"}
_RANKS = {Level.INFO: 0, Level.WARNING: 1, Level.ERROR: 2}
_WIDEST = 720
_DETAILS_HEIGHT = 144


class NoticeBar(QFrame):
    """Shows the controller's notices, one at a time, over the top of its parent.

    News go by themselves; warnings and errors stay until they are closed, and come back when what
    was said over them is closed.

    Parameters
    ----------
    controller : Controller
    parent : QWidget
        What it lies over.
    top : int
        Pixels of the parent that it leaves free above itself.
    stay_ms : int
        How long news stay.
    """

    def __init__(
        self, controller: Controller, parent: QWidget, *, top: int = 36, stay_ms: int = 8000
    ) -> None:
        super().__init__(parent)
        self._over = parent
        self._top = top
        self._waiting: list[Notice] = []
        self._shown: Notice | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(stay_ms)
        self._timer.timeout.connect(self._leave)
        self._build()
        controller.noticeRaised.connect(self.show_notice)
        parent.installEventFilter(self)
        self.hide()

    @property
    def notice(self) -> Notice | None:
        """Return what is shown, or None."""
        return self._shown

    def show_notice(self, notice: Notice) -> None:
        """Show a notice; what matters less than what is shown waits its turn."""
        self._waiting = [n for n in self._waiting if n.text != notice.text]
        if self._shown is not None and self._shown.text != notice.text:
            if _RANKS[notice.level] < _RANKS[self._shown.level]:
                self._waiting.append(notice)
                return
            if self._shown.level is not Level.INFO:
                self._waiting.append(self._shown)
        self._present(notice)

    def dismiss(self) -> None:
        """Close what is shown and show what waits, if anything does."""
        self._timer.stop()
        self._shown = None
        if self._waiting:
            self._present(self._waiting.pop())
        else:
            self.hide()

    def clear(self) -> None:
        """Close everything, such as when another project is opened."""
        self._waiting.clear()
        self.dismiss()

    # Private

    def _build(self) -> None:
        """Make the widgets."""
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Button)
        self.setAccessibleName(self.tr("Notice"))
        self._icon = PlainLabel()
        self._text = PlainLabel()
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._more = QPushButton(self.tr("Details"))
        self._more.setCheckable(True)
        self._more.toggled.connect(self._show_details)
        self._act = QPushButton()
        self._act.clicked.connect(self._run)
        self._close = QToolButton()
        self._close.setIcon(icon("close"))
        self._close.setAutoRaise(True)
        self._close.setFixedSize(28, 28)
        self._close.setAccessibleName(self.tr("Close the notice"))
        self._close.setToolTip(self.tr("Close"))
        self._close.clicked.connect(self.dismiss)
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setAccessibleName(self.tr("Details of the notice"))
        self._details.setMaximumHeight(_DETAILS_HEIGHT)
        self._details.hide()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        for button in (self._more, self._act, self._close):
            row.addWidget(button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 4, 4, 4)
        self._column.addLayout(row)
        self._column.addWidget(self._details)

    def _present(self, notice: Notice) -> None:
        """Show one notice now."""
        self._shown = notice
        self._text.setText(notice.text)
        self._text.setAccessibleName(notice.text)
        self._tint()
        self._act.setText(notice.action)
        self._act.setVisible(bool(notice.action))
        self._more.setVisible(bool(notice.details))
        self._more.setChecked(False)
        self._details.setPlainText(notice.details)
        self._timer.stop()
        if notice.level is Level.INFO:
            self._timer.start()
        self.show()
        self.raise_()
        self._place()

    def _tint(self) -> None:
        """Draw the icon in the colour of the level."""
        if self._shown is None:
            return
        colors = tokens()
        level = self._shown.level
        color = {
            Level.INFO: colors.accent,
            Level.WARNING: colors.warn,
            Level.ERROR: colors.error,
        }[level]
        self._icon.setPixmap(icon_pixmap(_ICONS[level], 20, color, self.devicePixelRatioF()))

    def _run(self) -> None:
        """Do what the notice offers, and close it."""
        notice = self._shown
        self.dismiss()
        if notice is not None and notice.run is not None:
            notice.run()

    def _show_details(self, is_wanted: bool) -> None:
        """Unfold the details; who reads them is not hurried."""
        self._details.setVisible(is_wanted)
        if is_wanted:
            self._timer.stop()
        self._place()

    def _leave(self) -> None:
        """Go when the time is up, unless the pointer rests on the bar."""
        if self.underMouse():
            self._timer.start()
        else:
            self.dismiss()

    def _place(self) -> None:
        """Lie at the top of the parent, in its middle."""
        if self._shown is None:
            return
        width = min(_WIDEST, self._over.width() - 16)
        self._column.activate()
        height = (
            self.heightForWidth(width) if self.hasHeightForWidth() else self.sizeHint().height()
        )
        self.setGeometry((self._over.width() - width) // 2, self._top, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the parent's size."""
        if isinstance(event, QResizeEvent) and watched is self._over:
            self._place()
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the scheme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_icon"):
            self._tint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close on Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        else:
            super().keyPressEvent(event)
