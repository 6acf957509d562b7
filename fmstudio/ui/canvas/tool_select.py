"""Select annotations and points, move them, nudge them."""

import math
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt

from fmstudio.geometry.points import HIDDEN, NOT_LABELLED, VISIBLE, with_point, without_point
from fmstudio.project.model import Annotation, ImageItem
from fmstudio.ui.canvas.draft import DraftView, PointerEvent
from fmstudio.ui.canvas.hits import (
    REACH,
    Point,
    hit_keypoint,
    hits_box,
    hits_limb,
    hits_mask,
)
from fmstudio.ui.canvas.tool_base import BaseTool, shifted
from fmstudio.ui.controller import Controller

# Screen pixels that a press may wander and still be a click.
_SLACK = 3.0
# Screen pixels from a limb at which it still counts as hit: less than from a point.
_LIMB_REACH = 4.0
_NEXT = {VISIBLE: HIDDEN, HIDDEN: NOT_LABELLED}
_ARROWS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}


@dataclass(slots=True)
class _Drag:
    """A press on an annotation, and where the pointer has gone since.

    Attributes
    ----------
    keypoint : int or None
        What is held; None holds the whole annotation.
    start : tuple of float
    behind : int or None
        The annotation that a click without a move goes on to.
    moved : Annotation or None
        As it would be; None while the pointer has hardly moved.
    """

    keypoint: int | None
    start: Point
    behind: int | None = None
    moved: Annotation | None = None


class SelectTool(BaseTool):
    """Click selects, drag moves: a point, or from within its region the whole annotation.

    Another click in the same place selects what lies behind. A right click on a point makes it
    hidden, absent and, in the same place, visible again.
    """

    name = "select"

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._drag: _Drag | None = None
        self._is_over = False
        # A point that a right click took away: annotation, keypoint, place.
        self._gone: tuple[int, int, Point] | None = None

    @property
    def cursor(self) -> Qt.CursorShape:
        """Return the pointer's shape: a hand over what can be taken."""
        if self._drag is not None and self._drag.moved is not None:
            return Qt.CursorShape.SizeAllCursor
        return Qt.CursorShape.PointingHandCursor if self._is_over else self._idle_cursor()

    def press(self, event: PointerEvent) -> None:
        """Select what lies under the pointer, and take hold of it."""
        if self._drag is not None:
            return
        if event.button == Qt.MouseButton.RightButton:
            self._cycle(event)
        elif event.button == Qt.MouseButton.LeftButton:
            self._take(event)

    def move(self, event: PointerEvent) -> None:
        """Show what letting go here would make."""
        drag, base, image = self._drag, self._base, self.image
        if drag is None or base is None or image is None:
            self._is_over = bool(self._point_at(event) or self._regions_at(event))
            return
        by = event.xy[0] - drag.start[0], event.xy[1] - drag.start[1]
        if drag.moved is None and max(map(abs, by)) * event.scale < _SLACK:
            return
        points = base.keypoints
        if drag.keypoint is None or points is None:
            drag.moved = shifted(base, by, image)
            self.show(DraftView(annotation=drag.moved))
            return
        x, y = points.xy[drag.keypoint].tolist()
        to = self.on_image((x + by[0], y + by[1]))
        seen = int(points.visibility[drag.keypoint])
        points = with_point(points, len(points), drag.keypoint, to, seen)
        drag.moved = replace(base, keypoints=points)
        self.show(DraftView(annotation=drag.moved, loupe=to))

    def release(self, event: PointerEvent) -> None:
        """Make the move an edit, or the click a selection."""
        drag = self._drag
        if drag is None or event.button == Qt.MouseButton.RightButton:
            return
        self._drag = self._base = None
        self.show(None)
        if drag.moved is not None:
            self.put(drag.moved, drag.keypoint)
        elif drag.behind is not None:
            self._controller.select(drag.behind)

    def key(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        """Nudge by arrows: 1 pixel, with Shift 10, with Alt 0.1; Delete removes."""
        subject, image = self._controller.selected, self.image
        if subject is None or image is None or subject.image_id != image.id:
            return False
        index, points = self._controller.selection.keypoint, subject.keypoints
        if index is None or points is None or not points.labelled[index]:
            return self._key_on_whole(subject, image, key, modifiers)
        if key == Qt.Key.Key_Delete:
            self.put_points(subject, without_point(points, index), index)
            return True
        by = nudge(key, modifiers)
        if by is None:
            return False
        x, y = points.xy[index].tolist()
        to, seen = self.on_image((x + by[0], y + by[1])), int(points.visibility[index])
        self.put_points(subject, with_point(points, len(points), index, to, seen), index)
        return True

    def cancel(self) -> bool:
        """Put back what is being dragged."""
        was_dragging = self._drag is not None
        self._drag = self._base = None
        if was_dragging:
            self.show(None)
        return was_dragging

    # Private

    def _idle_cursor(self) -> Qt.CursorShape:
        """Return the pointer's shape where nothing can be taken."""
        return Qt.CursorShape.ArrowCursor

    def _key_on_whole(
        self, subject: Annotation, image: ImageItem, key: int, modifiers: Qt.KeyboardModifier
    ) -> bool:
        """Nudge or remove an annotation; return whether the key means that."""
        by = nudge(key, modifiers)
        if key == Qt.Key.Key_Delete:
            self._controller.remove_selected()
        elif by is not None:
            self.put(shifted(subject, by, image))
        return key == Qt.Key.Key_Delete or by is not None

    def _in_reach(self) -> list[Annotation]:
        """Return the annotations whose points can be taken, the selected one first."""
        chosen = self._controller.selection.annotation_id
        return sorted(self.annotations(), key=lambda a: a.id != chosen)

    def _point_at(self, event: PointerEvent) -> tuple[Annotation, int] | None:
        """Return the annotation and the keypoint under the pointer, or None."""
        for annotation in self._in_reach():
            index = hit_keypoint(annotation.keypoints, event.xy, REACH / event.scale)
            if index is not None:
                return annotation, index
        return None

    def _regions_at(self, event: PointerEvent) -> list[Annotation]:
        """Return the annotations whose mask, limbs or box lie under the pointer, small first."""
        project = self._controller.project
        if project is None:
            return []
        found = []
        for annotation in self.annotations():
            category = project.categories[annotation.category_id]
            mask, points = annotation.mask, annotation.keypoints
            if (
                hits_mask(mask, event.xy)
                or hits_limb(points, category.skeleton, event.xy, _LIMB_REACH / event.scale)
                or (mask is None and points is None and hits_box(annotation.bbox, event.xy))
            ):
                found.append(annotation)
        return sorted(found, key=lambda a: (0 if a.mask is None else a.mask.area, -a.id))

    def _take(self, event: PointerEvent) -> None:
        """Select what lies under the pointer, points before regions, and hold it."""
        found = self._point_at(event)
        if found is not None:
            self._base, drag = found[0], _Drag(found[1], event.xy)
        else:
            under = self._regions_at(event)
            if not under:
                self._controller.select(None)
                return
            # What is selected stays in hand, so that it can be moved from under another one.
            ids = [a.id for a in under]
            chosen = self._controller.selection.annotation_id
            place = ids.index(chosen) if chosen in ids else None
            self._base, drag = under[place or 0], _Drag(None, event.xy)
            if place is not None and len(ids) > 1:
                drag.behind = ids[(place + 1) % len(ids)]
        self._controller.select(self._base.id, drag.keypoint)
        self._drag = drag

    def _cycle(self, event: PointerEvent) -> None:
        """Make a visible point hidden, a hidden one absent, and that one visible again."""
        found = self._point_at(event)
        if found is None:
            self._bring_back(event)
            return
        annotation, index = found
        points = annotation.keypoints
        assert points is not None
        x, y = points.xy[index].tolist()
        seen = _NEXT[int(points.visibility[index])]
        is_last = annotation.mask is None and points.labelled.sum() == 1
        if seen == NOT_LABELLED and is_last:
            # Without it there would be no annotation: that takes Delete.
            seen = VISIBLE
        if seen == NOT_LABELLED:
            self._gone = annotation.id, index, (x, y)
        changed = with_point(points, len(points), index, (x, y), seen)
        self.put_points(annotation, changed, index)

    def _bring_back(self, event: PointerEvent) -> bool:
        """Show the point again that right clicks took away here; return whether there was one."""
        project, gone = self._controller.project, self._gone
        if project is None or gone is None:
            return False
        id_, index, xy = gone
        annotation, image = project.annotations.get(id_), self.image
        is_near = math.dist(xy, event.xy) <= REACH / event.scale
        if annotation is None or image is None or annotation.image_id != image.id or not is_near:
            return False
        self._gone, points = None, annotation.keypoints
        m = len(project.categories[annotation.category_id].keypoints)
        if index >= m or (points is not None and points.labelled[index]):
            return False
        self.put_points(annotation, with_point(points, m, index, xy, VISIBLE), index)
        return True


def nudge(key: int, modifiers: Qt.KeyboardModifier) -> Point | None:
    """Return by how many pixels (dx, dy) a key moves what is selected; None for other keys."""
    arrow = next((step for name, step in _ARROWS.items() if name == key), None)
    if arrow is None:
        return None
    if modifiers & Qt.KeyboardModifier.ShiftModifier:
        return arrow[0] * 10, arrow[1] * 10
    if modifiers & Qt.KeyboardModifier.AltModifier:
        return arrow[0] / 10, arrow[1] / 10
    return arrow
