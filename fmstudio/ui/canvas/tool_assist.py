"""The mask assistant: rough strokes or a box in, a mask to accept or refine out."""

import numpy as np
from PySide6.QtCore import Qt

from fmstudio.geometry.masks import Mask
from fmstudio.ui.canvas.assistant import Box, Marked, assist
from fmstudio.ui.canvas.draft import DraftView, PointerEvent, Stroke
from fmstudio.ui.canvas.hits import Point, box_between
from fmstudio.ui.canvas.tool_base import CUTS, BaseTool
from fmstudio.ui.canvas.tool_brush import BrushSize
from fmstudio.ui.controller import Controller, Level
from fmstudio.worker.service import EngineService, Priority, Ticket

LANE = "assist"
# Screen pixels below which a drag was no box.
_LEAST = 4.0
_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class AssistTool(BaseTool):
    """Stroke over the object, or Shift-drag a box around it.

    Alt, Ctrl or the right button marks what is not the object. Enter takes the mask that is shown,
    Escape drops it, more strokes refine it, Backspace takes the last one back.

    Parameters
    ----------
    controller : Controller
    service : EngineService
        Computes masks in the lane "assist".
    size : BrushSize
    """

    name = "assist"

    def __init__(self, controller: Controller, service: EngineService, size: BrushSize) -> None:
        super().__init__(controller)
        self._service, self._size = service, size
        self._strokes: list[Stroke] = []
        self._box: Box | None = None
        self._points: list[Point] = []
        self._corner: Point | None = None
        self._erases, self._radius = False, 1.0
        self._found: Mask | None = None
        self._ticket: Ticket | None = None
        self._at: Point | None = None
        service.itemReady.connect(self._on_found)
        service.finished.connect(self._on_finished)
        service.failed.connect(self._on_failed)
        service.cancelled.connect(self._on_cancelled)
        controller.selectionChanged.connect(self._on_selection)

    def begin(self, box: Box) -> None:
        """Look for the object in a box (x, y, width, height)."""
        if self._canvas is not None and self._is_owned():
            self._box = box
            self._ask()
            self._redraw()

    def press(self, event: PointerEvent) -> None:
        """Begin a stroke or a box."""
        is_right = event.button == Qt.MouseButton.RightButton
        if self._is_drawing() or not (is_right or event.button == Qt.MouseButton.LeftButton):
            return
        self._at = event.xy
        if self.image is None or not self._is_owned():
            return
        if event.modifiers & Qt.KeyboardModifier.ShiftModifier and not is_right:
            self._corner = self.on_image(event.xy)
        else:
            self._erases = is_right or bool(event.modifiers & CUTS)
            self._radius = self._size.on_image(event.scale)
            self._points = [event.xy]
        self._redraw()

    def move(self, event: PointerEvent) -> None:
        """Go on with the stroke or the box."""
        self._at = event.xy
        if self._points:
            self._points.append(event.xy)
        self._redraw()

    def release(self, event: PointerEvent) -> None:
        """Have the mask computed from all that was marked."""
        self._at = event.xy
        if self._corner is not None:
            box, self._corner = box_between(self._corner, self.on_image(event.xy)), None
            if min(box[2:]) * event.scale >= _LEAST:
                self._box = box
                self._ask()
        elif self._points:
            self._strokes.append(self._stroke())
            self._points = []
            self._ask()
        self._redraw()

    def key(self, key: int, _modifiers: Qt.KeyboardModifier) -> bool:
        """Take the mask, take back a mark, or change the brush's size."""
        if key in _ENTER and self._is_marked():
            self._accept()
        elif key == Qt.Key.Key_Backspace and self._is_marked():
            self._take_back()
        elif not self._size.change(key):
            return False
        self._redraw()
        return True

    def cancel(self) -> bool:
        """Drop the marks and the mask."""
        was_busy = self._is_drawing() or self._is_marked()
        self._forget()
        if was_busy:
            self._redraw()
        return was_busy

    def deactivate(self) -> None:
        """Drop the marks and the mask, and put the brush away."""
        self._at = None
        super().deactivate()

    # Marks

    def _is_drawing(self) -> bool:
        """Return whether a stroke or a box is being drawn."""
        return bool(self._points) or self._corner is not None

    def _is_marked(self) -> bool:
        """Return whether anything was marked."""
        return bool(self._strokes) or self._box is not None

    def _is_owned(self) -> bool:
        """Return whether the mask would belong to something, and note what that is."""
        if not self._is_marked():
            self._base = self.subject()
        return self._base is not None or self.has_owner()

    def _stroke(self) -> Stroke:
        """Return the stroke so far."""
        return Stroke(np.array(self._points, dtype=np.float64), self._radius, self._erases)

    def _take_back(self) -> None:
        """Take back the last stroke, and after the first of them the box."""
        if self._strokes:
            self._strokes.pop()
        else:
            self._box = None
        if self._is_marked():
            self._ask()
        else:
            self._forget()

    def _accept(self) -> None:
        """Make the mask that is shown the edit."""
        base, found = self._base, self._found
        if found is not None and found.area:
            self._forget()
            self.put_mask(base, found)

    def _forget(self) -> None:
        """Forget all marks and what was found."""
        self._strokes, self._points = [], []
        self._box = self._corner = self._found = self._base = None
        ticket, self._ticket = self._ticket, None
        # The lane may be at work for the other canvas.
        if ticket is not None and self._service.is_live(ticket):
            self._service.cancel(LANE)

    # Computing

    def _ask(self) -> None:
        """Have the mask computed on the compute thread."""
        pixels = None if self._canvas is None else self._canvas.pixels()
        if pixels is None:
            return
        start = None if self._base is None else self._base.mask
        marked = Marked(tuple(self._strokes), self._box, start)
        self._ticket = self._service.submit(
            LANE, assist(pixels, marked), priority=Priority.INTERACTIVE
        )

    def _on_found(self, ticket: Ticket, item: object) -> None:
        """Show the mask that was found."""
        if ticket == self._ticket and isinstance(item, Mask):
            self._found = item
            self._redraw()

    def _on_finished(self, ticket: Ticket) -> None:
        """Say so if nothing was found."""
        if ticket != self._ticket:
            return
        self._ticket = None
        if self._found is not None and not self._found.area:
            text = self.tr("Nothing stands out there: stroke over more of the object.")
            self._controller.notify(text, Level.WARNING)
        self._redraw()

    def _on_failed(self, ticket: Ticket, error: Exception) -> None:
        """Say why there is no mask."""
        if ticket == self._ticket:
            self._ticket = None
            self._controller.notify(str(error), Level.ERROR)
            self._redraw()

    def _on_cancelled(self, ticket: Ticket) -> None:
        """No longer wait for what will not come."""
        if ticket == self._ticket:
            self._ticket = None
            self._redraw()

    def _on_selection(self) -> None:
        """Drop what was marked for another annotation than the one selected now."""
        chosen = self._controller.selection.annotation_id
        if self._is_marked() and chosen != (None if self._base is None else self._base.id):
            self.cancel()

    # Drawing

    def _redraw(self) -> None:
        """Draw the marks, and the mask that Enter would take."""
        if self._canvas is None:
            return
        marks = [*self._strokes, *([self._stroke()] if self._points else [])]
        box = self._box
        if self._corner is not None and self._at is not None:
            box = box_between(self._corner, self.on_image(self._at))
        found, annotation = self._found, None
        if found is not None and found.area:
            annotation = self.drafted(self._base, found)
            # The mask says it all; what is being drawn is still to be seen.
            marks = marks[len(self._strokes) :]
        brush = None
        if self._at is not None:
            brush = (*self._at, self._size.on_image(self._canvas.scale))
        self.show(
            DraftView(
                annotation=annotation,
                strokes=tuple(marks),
                box=box,
                brush=brush,
                hint=self._hint(),
                at=self._at,
            )
        )

    def _hint(self) -> str:
        """Return what comes next."""
        if self._is_drawing():
            return ""
        if self._ticket is not None:
            return self.tr("Looking...")
        if self._found is not None and self._found.area:
            return self.tr("Enter takes it, Esc drops it")
        return ""
