"""Paint a mask, or take paint off it."""

from PySide6.QtCore import Qt

from fmstudio.geometry.masks import Mask
from fmstudio.ui.canvas.draft import DraftView, PointerEvent
from fmstudio.ui.canvas.hits import Point
from fmstudio.ui.canvas.tool_base import CUTS, BaseTool
from fmstudio.ui.canvas.tool_masks import cut, joined, swept
from fmstudio.ui.controller import Controller

_SMALLEST, _LARGEST = 1.0, 400.0
_FACTOR = 1.25
# In image pixels; from here on a disc covers the centre of at least one pixel, wherever it is.
_FINEST = 0.71


class BrushSize:
    """The radius that brush, eraser and assistant share, in screen pixels."""

    def __init__(self, radius: float = 14.0) -> None:
        self.radius = radius

    def change(self, key: int) -> bool:
        """Grow or shrink by the keys ] and [; return whether it was one of them."""
        if key == Qt.Key.Key_BracketRight:
            self.radius = min(self.radius * _FACTOR, _LARGEST)
        elif key == Qt.Key.Key_BracketLeft:
            self.radius = max(self.radius / _FACTOR, _SMALLEST)
        else:
            return False
        return True

    def on_image(self, scale: float) -> float:
        """Return the radius in image pixels, at so many screen pixels per image pixel."""
        return max(self.radius / scale, _FINEST)


class BrushTool(BaseTool):
    """One stroke is one edit of the subject's mask.

    Parameters
    ----------
    controller : Controller
    size : BrushSize
    is_erasing : bool
        Whether strokes are taken off the mask. Alt, Ctrl or the right button turn either into the
        other.
    """

    def __init__(self, controller: Controller, size: BrushSize, *, is_erasing: bool) -> None:
        super().__init__(controller)
        self.name = "eraser" if is_erasing else "brush"
        self._size, self._is_erasing = size, is_erasing
        self._radius = 1.0
        self._erases = is_erasing
        self._at: Point | None = None
        # What the stroke has covered so far, and the mask as it would be.
        self._swept: Mask | None = None
        self._result: Mask | None = None

    @property
    def cursor(self) -> Qt.CursorShape:
        """Return the pointer's shape: the brush's rim is drawn instead."""
        return Qt.CursorShape.BlankCursor

    def press(self, event: PointerEvent) -> None:
        """Begin a stroke."""
        is_right = event.button == Qt.MouseButton.RightButton
        if self._swept is not None or not (is_right or event.button == Qt.MouseButton.LeftButton):
            return
        subject = self.subject()
        self._erases = self._is_erasing != (is_right or bool(event.modifiers & CUTS))
        has_nothing = subject is None or subject.mask is None
        if self.image is None or (has_nothing and self._erases) or not self.has_owner():
            return
        self._base, self._at = subject, event.xy
        self._radius = self._size.on_image(event.scale)
        self._go_on(event.xy)
        self._redraw()

    def move(self, event: PointerEvent) -> None:
        """Go on with the stroke, or show the brush."""
        if self._swept is not None:
            self._go_on(event.xy)
        self._at = event.xy
        self._redraw()

    def release(self, event: PointerEvent) -> None:
        """Make the stroke an edit."""
        base, result = self._base, self._result
        if self._swept is not None and event.xy != self._at:
            self._go_on(event.xy)
            result = self._result
        self._forget()
        if result is not None:
            self.put_mask(base, result)
        self._at = event.xy
        self._redraw()

    def key(self, key: int, _modifiers: Qt.KeyboardModifier) -> bool:
        """Change the brush's size."""
        if not self._size.change(key):
            return False
        self._redraw()
        return True

    def cancel(self) -> bool:
        """Drop the stroke."""
        was_painting = self._swept is not None
        self._forget()
        if was_painting:
            self._redraw()
        return was_painting

    def deactivate(self) -> None:
        """Drop the stroke and put the brush away."""
        self._at = None
        super().deactivate()

    def _go_on(self, to: Point) -> None:
        """Sweep the brush from where it is; only the columns that it crosses are looked at."""
        image = self.image
        if image is None:
            return
        part = swept(self._at or to, to, self._radius, image.size)
        self._swept = joined(self._swept, part)
        old = None if self._base is None else self._base.mask
        if self._erases and old is not None:
            self._result = cut(old, self._swept)
        else:
            self._result = joined(old, self._swept)

    def _forget(self) -> None:
        """Forget the stroke."""
        self._base = self._swept = self._result = None

    def _redraw(self) -> None:
        """Draw the mask as it would be, and the brush."""
        if self._at is None or self._canvas is None:
            return
        is_painting = self._swept is not None
        radius = self._radius if is_painting else self._size.on_image(self._canvas.scale)
        annotation = None if self._result is None else self.drafted(self._base, self._result)
        self.show(DraftView(annotation=annotation, brush=(*self._at, radius)))
