"""Outline a mask by its corners, cut holes into it, and move the corners later."""

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt

from fmstudio.geometry.masks import Mask, Polygon
from fmstudio.ui.canvas.draft import CanvasLike, DraftView, PointerEvent
from fmstudio.ui.canvas.hits import REACH, Point, nearest_point
from fmstudio.ui.canvas.tool_base import CUTS, BaseTool
from fmstudio.ui.canvas.tool_corners import Corners
from fmstudio.ui.canvas.tool_masks import cut, joined
from fmstudio.ui.controller import Controller

# Screen pixels by which the corners offered for editing may miss the mask's own outline.
_TOLERANCE = 1.5
_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
_TAKE_BACK = frozenset({Qt.Key.Key_Backspace, Qt.Key.Key_Delete})


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the corners were made of: while that holds, they stay as a person left them."""

    annotation_id: int
    mask: Mask
    octave: int


@dataclass(slots=True)
class _Held:
    """A corner in hand: of which part, which ring, which vertex.

    Attributes
    ----------
    part, ring, vertex : int
    before : list of Corners
        The part's rings as they were.
    others : Mask
        All other parts.
    result : Mask or None
        As the mask would be; None before the first move.
    """

    part: int
    ring: int
    vertex: int
    before: list[Corners]
    others: Mask
    result: Mask | None = None


class PolygonTool(BaseTool):
    """Clicks set corners; a click on the first, a double click or Enter closes the ring.

    With Ctrl or Alt held at its first or last corner the ring is cut out of the mask: a hole.
    Without a ring begun, the corners of the subject's mask can be dragged; a click on its outline
    sets one more, and Alt and click, or Delete, takes one away.
    """

    name = "polygon"

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._ring: list[Point] = []
        self._is_hole = False
        # The annotation that the ring is for; None makes a new one.
        self._owner: int | None = None
        self._held: _Held | None = None
        self._parts: list[list[Corners]] = []
        self._shown: _Shown | None = None
        self._at: Point | None = None
        controller.projectChanged.connect(self._redraw)
        controller.selectionChanged.connect(self._redraw)
        controller.categoryChanged.connect(self._redraw)

    def activate(self, canvas: CanvasLike) -> None:
        """Offer the corners of the subject's mask on this canvas."""
        super().activate(canvas)
        self._redraw()

    def press(self, event: PointerEvent) -> None:
        """Set a corner, close the ring, or take hold of a corner that is there."""
        if self.image is None or self._held is not None:
            return
        self._at = event.xy
        if event.button == Qt.MouseButton.RightButton and self._ring:
            self._close(event.modifiers)
        if event.button != Qt.MouseButton.LeftButton:
            return
        if self._ring:
            self._go_on(event)
        elif not self._take(event):
            self._begin(event)
        self._redraw()

    def move(self, event: PointerEvent) -> None:
        """Show the ring up to the pointer, or the corner where it goes."""
        self._at, held, image = event.xy, self._held, self.image
        if held is not None and image is not None:
            rings = self._parts[held.part]
            rings[held.ring] = rings[held.ring].moved(held.vertex, self.on_image(event.xy))
            held.result = joined(held.others, Mask.from_polygons(image.size, [_polygon(rings)]))
        self._redraw()

    def release(self, event: PointerEvent) -> None:
        """Make a moved corner an edit."""
        if event.button != Qt.MouseButton.LeftButton:
            return
        self._at, held, subject = event.xy, self._held, self._base
        self._held = self._base = None
        if held is not None and held.result is not None and subject is not None:
            self._reshape(subject.id, held.result)
        self._redraw()

    def double_click(self, event: PointerEvent) -> None:
        """Close the ring."""
        if self._ring:
            self._close(event.modifiers)

    def key(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        """Close the ring or take its last corner back; Delete takes away the one near."""
        if self._ring and key in _ENTER:
            self._close(modifiers)
        elif self._ring and key in _TAKE_BACK:
            self._ring.pop()
            self._redraw()
        elif key == Qt.Key.Key_Delete and self._at is not None and self._held is None:
            return self._remove_corner(self._at)
        else:
            return False
        return True

    def cancel(self) -> bool:
        """Drop the ring, or put the corner back."""
        held, was_busy = self._held, bool(self._ring) or self._held is not None
        if held is not None:
            self._parts[held.part] = held.before
        self._ring, self._held, self._base = [], None, None
        if was_busy:
            self._redraw()
        return was_busy

    def deactivate(self) -> None:
        """Drop the ring and hide the corners."""
        super().deactivate()
        self._at = self._shown = None

    # A new ring

    def _begin(self, event: PointerEvent) -> None:
        """Set the first corner of a ring."""
        subject = self.subject()
        self._is_hole = bool(event.modifiers & CUTS)
        has_mask = subject is not None and subject.mask is not None
        if has_mask if self._is_hole else self.has_owner():
            self._ring = [self.on_image(event.xy)]
            self._owner = None if subject is None else subject.id

    def _go_on(self, event: PointerEvent) -> None:
        """Set a corner of the ring, or close it on its first one."""
        first, reach = np.array(self._ring[:1]), REACH / event.scale
        if len(self._ring) > 2 and nearest_point(first, event.xy, reach) is not None:
            self._close(event.modifiers)
        else:
            self._ring.append(self.on_image(event.xy))

    def _close(self, modifiers: Qt.KeyboardModifier) -> None:
        """Add the ring to the subject's mask, or cut it out."""
        # A double click has set its corner twice.
        self._ring = [p for i, p in enumerate(self._ring) if i == 0 or p != self._ring[i - 1]]
        image, project = self.image, self._controller.project
        if image is not None and project is not None and len(self._ring) >= 3:
            drawn = Mask.from_polygons(image.size, [Polygon(np.array(self._ring))])
            self._ring = []
            subject = None if self._owner is None else project.annotations.get(self._owner)
            old = None if subject is None else subject.mask
            if not (self._is_hole or modifiers & CUTS):
                self.put_mask(subject, joined(old, drawn))
            elif old is not None:
                self.put_mask(subject, cut(old, drawn))
        self._redraw()

    # Corners of a mask that is there

    def _take(self, event: PointerEvent) -> bool:
        """Take hold of the corner under the pointer, or of a new one on the outline.

        Return whether the press has done what it should.
        """
        if event.modifiers & Qt.KeyboardModifier.ControlModifier:
            return False
        found = self._corner_at(event.xy)
        if event.modifiers & CUTS:
            return found is not None and self._remove_corner(event.xy)
        if found is None:
            found = self._new_corner_at(event.xy)
        subject, image = self.subject(), self.image
        if found is None or subject is None or image is None:
            return False
        part, ring, vertex = found
        rest = [_polygon(rings) for i, rings in enumerate(self._parts) if i != part]
        others = Mask.from_polygons(image.size, rest)
        self._base = subject
        self._held = _Held(part, ring, vertex, list(self._parts[part]), others)
        return True

    def _corner_at(self, at: Point) -> tuple[int, int, int] | None:
        """Return the part, the ring and the number of the nearest corner within reach, or None."""
        best: tuple[float, tuple[int, int, int]] | None = None
        for part, rings in enumerate(self._corners()):
            for ring, corners in enumerate(rings):
                vertex = nearest_point(corners.xy, at, REACH / self._scale())
                if vertex is None:
                    continue
                gap = math.dist(corners.xy[vertex].tolist(), at)
                if best is None or gap < best[0]:
                    best = gap, (part, ring, vertex)
        return None if best is None else best[1]

    def _new_corner_at(self, at: Point) -> tuple[int, int, int] | None:
        """Set a corner where the outline passes under the pointer, and return it as found."""
        for part, rings in enumerate(self._corners()):
            for ring, corners in enumerate(rings):
                after = corners.nearest_way(at, REACH / 2 / self._scale())
                if after is not None:
                    rings[ring] = corners.with_corner(after, at)
                    return part, ring, after + 1
        return None

    def _remove_corner(self, at: Point) -> bool:
        """Take away the corner under the pointer; return whether there was one."""
        found, subject, image = self._corner_at(at), self.subject(), self.image
        if found is None or subject is None or image is None:
            return False
        part, ring, vertex = found
        rings = self._parts[part]
        if len(rings[ring].xy) > 3:
            rings[ring] = rings[ring].without(vertex)
        elif ring:
            # A hole of two corners is none, and neither is such a part.
            del rings[ring]
        else:
            del self._parts[part]
        polygons = [_polygon(rings) for rings in self._parts]
        self._reshape(subject.id, Mask.from_polygons(image.size, polygons))
        return True

    def _corners(self) -> list[list[Corners]]:
        """Return the corners of the subject's mask, as few as the screen can tell apart."""
        subject = self.subject()
        if self._held is not None:
            return self._parts
        if subject is None or subject.mask is None:
            self._parts, self._shown = [], None
            return self._parts
        now = _Shown(subject.id, subject.mask, math.floor(math.log2(self._scale())))
        tolerance = _TOLERANCE / 2.0**now.octave
        if self._shown is None or (now.annotation_id, now.mask) != (
            self._shown.annotation_id,
            self._shown.mask,
        ):
            polygons = subject.mask.polygons()
            self._parts = [[Corners.of(r, tolerance) for r in p.rings] for p in polygons]
        elif now.octave != self._shown.octave:
            self._parts = [[c.coarser(tolerance) for c in rings] for rings in self._parts]
        self._shown = now
        return self._parts

    def _reshape(self, annotation_id: int, mask: Mask) -> None:
        """Make the mask what the corners say, and keep the corners."""
        subject = self.subject()
        if subject is None or subject.id != annotation_id:
            return
        if self._shown is not None:
            self._shown = _Shown(annotation_id, mask, self._shown.octave)
        self.put_mask(subject, mask)

    # Drawing

    def _scale(self) -> float:
        """Return screen pixels per image pixel."""
        return 1.0 if self._canvas is None else self._canvas.scale

    def _redraw(self) -> None:
        """Draw the ring under construction, or the corners that can be taken."""
        if self._canvas is None:
            return
        if self._ring:
            pointer = self._ring if self._at is None else [*self._ring, self.on_image(self._at)]
            self.show(DraftView(ring=np.array(pointer), at=self._at))
            return
        corners = [corners.xy for rings in self._corners() for corners in rings]
        held, annotation = self._held, None
        if held is not None and held.result is not None:
            annotation = self.drafted(self._base, held.result)
        handles = np.concatenate(corners) if corners else None
        self.show(None if handles is None else DraftView(annotation=annotation, handles=handles))


def _polygon(rings: list[Corners]) -> Polygon:
    """Return a part of a mask from its rings."""
    outer, *holes = (corners.ring() for corners in rings)
    return Polygon(outer, tuple(holes))
