"""Who gets a bare key: the widget that has the focus, if it types or presses with it.

Qt asks the focused widget before it gives a key to an action. Fields that take text say that they
want it; buttons do not say so of Space, by which they are pressed, so a guard says it for them.
"""

from collections.abc import Container

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QGroupBox, QWidget

_PRESSING = frozenset({Qt.Key.Key_Space, Qt.Key.Key_Select, Qt.Key.Key_Return, Qt.Key.Key_Enter})


def claim(event: QEvent, keys: Container[int]) -> bool:
    """Take a bare key that a widget understands before an action does; return whether it was one.

    For a widget's ``event``, which is asked by a ShortcutOverride first.
    """
    is_claimed = (
        event.type() == QEvent.Type.ShortcutOverride
        and isinstance(event, QKeyEvent)
        and event.key() in keys
    )
    if is_claimed:
        event.accept()
    return is_claimed


class KeyGuard(QObject):
    """Keeps the keys that press buttons and open lists from being taken by actions."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        app.focusChanged.connect(self.follow)

    def follow(self, _: QWidget | None, now: QWidget | None) -> None:
        """Watch a widget once it has had the focus; a filter on the whole program would slow it."""
        if isinstance(now, QAbstractButton | QComboBox | QGroupBox):
            now.installEventFilter(self)  # a second time, Qt keeps it once

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim a pressing key for the focused widget."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in _PRESSING
            and event.modifiers() == Qt.KeyboardModifier.NoModifier
        ):
            event.accept()
            return True
        return super().eventFilter(watched, event)
