"""Hands on a canvas: the mouse and the keys pan it, or reach the active tool in image pixels."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from fmstudio.ui.canvas.draft import PointerEvent, Tool
from fmstudio.ui.canvas.viewport import Viewport

# Keys that mean something over the image: there no shortcut of the window takes them.
_OWN_KEYS = frozenset(
    {
        Qt.Key.Key_Space,
        Qt.Key.Key_Return,
        Qt.Key.Key_Enter,
        Qt.Key.Key_Escape,
        Qt.Key.Key_Backspace,
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
    }
)
_MOVING = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier


class GestureView(Viewport):
    """Space held or the middle button pans; all other gestures are the tool's."""

    pointerMoved = Signal(object)
    """(x, y) in image pixels, or None when the pointer has left."""
    spaceTapped = Signal()
    """Space was pressed and let go without dragging."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._tool: Tool | None = None
        self._pointer: QPointF | None = None
        self._pan_from: QPointF | None = None
        self._is_space_held = self._has_panned = False
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # The mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to pan, or hand the press to the tool."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() == Qt.MouseButton.MiddleButton or self._is_space_held:
            self._pan_from = event.position()
            self._has_panned = True
            self._show_cursor()
        else:
            self._hand_over(event, lambda tool: tool.press)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan, or let the tool follow."""
        self._pointer = event.position()
        if self._pan_from is not None:
            self.pan(self._pan_from, event.position())
            self._pan_from = event.position()
        else:
            self._hand_over(event, lambda tool: tool.move)
        if self._pyramid is not None:
            self.pointerMoved.emit(self.map_to_image(event.position()))
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the pan or the tool's gesture."""
        if self._pan_from is not None:
            self._pan_from = None
            self._show_cursor()
        else:
            self._hand_over(event, lambda tool: tool.release)
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Hand the tool a press, which this is as well, and then the double click."""
        if event.button() == Qt.MouseButton.MiddleButton or self._is_space_held:
            self.mousePressEvent(event)
            return
        self._hand_over(event, lambda tool: tool.press)
        self._hand_over(event, lambda tool: tool.double_click)
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget where the pointer was."""
        self._pointer = None
        self.pointerMoved.emit(None)
        super().leaveEvent(event)

    # The keys

    def event(self, event: QEvent) -> bool:
        """Claim the keys that mean something over the image before a shortcut takes them."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if event.key() in _OWN_KEYS and not plain & ~_MOVING:
                event.accept()
                return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Hold Space to pan; all else is the tool's."""
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._is_space_held, self._has_panned = True, False
                self._show_cursor()
            return
        if self._tool is not None and self._pyramid is not None:
            if event.key() == Qt.Key.Key_Escape and self._tool.cancel():
                return
            if self._tool.key(event.key(), event.modifiers()):
                return
        event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """End panning; a tap that panned nothing is told."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self._is_space_held:
            self._is_space_held = False
            self._pan_from = None
            self._show_cursor()
            if not self._has_panned:
                self.spaceTapped.emit()
            return
        event.ignore()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Forget a Space whose release will not come here."""
        self._is_space_held = False
        self._show_cursor()
        super().focusOutEvent(event)

    # Private

    def _hand_over(
        self, event: QMouseEvent, what: Callable[[Tool], Callable[[PointerEvent], None]]
    ) -> None:
        """Hand an event of the mouse to the tool, in image pixels."""
        if self._tool is None or self._pyramid is None:
            return
        pointer = PointerEvent(
            self.map_to_image(event.position()),
            event.button(),
            event.buttons(),
            event.modifiers(),
            self.scale,
        )
        what(self._tool)(pointer)
        # A tool's cursor says what a press would do where the pointer is now.
        self._show_cursor()

    def _show_cursor(self) -> None:
        """Give the pointer the shape of what a press would do."""
        if self._pan_from is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._is_space_held:
            shape = Qt.CursorShape.OpenHandCursor
        else:
            shape = self._tool.cursor if self._tool else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)
