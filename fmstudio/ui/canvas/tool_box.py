"""Draw a rectangle as a mask, or as where the assistant begins."""

import numpy as np
from PySide6.QtCore import Qt

from fmstudio.geometry.masks import Mask, Polygon
from fmstudio.ui.canvas.draft import DraftView, PointerEvent
from fmstudio.ui.canvas.hits import Point, box_between
from fmstudio.ui.canvas.tool_assist import AssistTool
from fmstudio.ui.canvas.tool_base import CUTS, BaseTool
from fmstudio.ui.canvas.tool_masks import cut, joined
from fmstudio.ui.controller import Controller

# Screen pixels below which a drag was meant as a click.
_LEAST = 3.0


class BoxTool(BaseTool):
    """A drag from corner to corner adds a rectangle to the subject's mask.

    With Alt or Ctrl it is cut out; with Shift the assistant looks for the object in it.

    Parameters
    ----------
    controller : Controller
    assistant : AssistTool
        Of the same canvas.
    """

    name = "box"

    def __init__(self, controller: Controller, assistant: AssistTool) -> None:
        super().__init__(controller)
        self._assistant = assistant
        self._start: Point | None = None

    def press(self, event: PointerEvent) -> None:
        """Set the first corner."""
        if event.button == Qt.MouseButton.LeftButton and self.image is not None:
            if not self.has_owner():
                return
            self._start, self._base = self.on_image(event.xy), self.subject()

    def move(self, event: PointerEvent) -> None:
        """Show the rectangle."""
        if self._start is not None:
            self.show(DraftView(box=box_between(self._start, self.on_image(event.xy))))

    def release(self, event: PointerEvent) -> None:
        """Make the rectangle an edit."""
        start, subject, image = self._start, self._base, self.image
        if start is None or image is None or event.button != Qt.MouseButton.LeftButton:
            return
        self.cancel()
        x, y, width, height = box = box_between(start, self.on_image(event.xy))
        if min(width, height) * event.scale < _LEAST:
            return
        if event.modifiers & Qt.KeyboardModifier.ShiftModifier:
            self._controller.set_tool(self._assistant.name)
            self._assistant.begin(box)
            return
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        drawn = Mask.from_polygons(image.size, [Polygon(np.array(corners))])
        old = None if subject is None else subject.mask
        if not event.modifiers & CUTS:
            self.put_mask(subject, joined(old, drawn))
        elif old is not None:
            self.put_mask(subject, cut(old, drawn))

    def cancel(self) -> bool:
        """Drop the rectangle."""
        was_drawing = self._start is not None
        self._start = self._base = None
        if was_drawing:
            self.show(None)
        return was_drawing
