"""Place keypoints in the order of the schema, the next one named at the pointer."""

import numpy as np
from PySide6.QtCore import Qt

from fmstudio.geometry.points import HIDDEN, VISIBLE, with_point, without_point
from fmstudio.project.model import Annotation, Category
from fmstudio.ui.canvas.draft import DraftView, PointerEvent
from fmstudio.ui.canvas.tool_select import SelectTool
from fmstudio.ui.controller import Controller, Level


class KeypointTool(SelectTool):
    """Each click places the next keypoint; a press on a placed one moves it.

    Shift or the right button places it as hidden, S skips it, Backspace takes the last one back;
    Enter ends the object, so that the next click begins another.
    """

    name = "keypoint"

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._is_placing = False
        self._pointer: PointerEvent | None = None
        # The image on which the next point begins a new annotation.
        self._new_on: int | None = None
        # Annotation and keypoint of what was placed here, the last one last.
        self._placed: list[tuple[int, int]] = []
        # Annotation, or None for a new one, and the keypoint asked for instead of the next.
        self._wish: tuple[int | None, int] | None = None
        controller.selectionChanged.connect(self._on_selection)
        controller.projectChanged.connect(self._refresh)
        controller.categoryChanged.connect(self._refresh)

    def subject(self) -> Annotation | None:
        """Return what the next point belongs to, or None for a new annotation."""
        image = self.image
        return None if image is None or image.id == self._new_on else super().subject()

    def next_index(self) -> int | None:
        """Return the keypoint that a click would place, or None when all are placed.

        That is the first free one after the one placed last, so that skipped ones come at the end.
        """
        subject, category = self.subject(), self._category_of()
        if category is None:
            return None
        m = len(category.keypoints)
        points = None if subject is None else subject.keypoints
        is_free = np.ones(m, bool) if points is None else ~points.labelled
        start = self._start(subject)
        order = (np.arange(m) + start) % max(m, 1)
        return next((int(i) for i in order if is_free[i]), None)

    def press(self, event: PointerEvent) -> None:
        """Take hold of a placed point, or show where the next one would be."""
        if self._is_placing or self._drag is not None:
            return
        if self._point_at(event) is not None:
            super().press(event)
            return
        is_right = event.button == Qt.MouseButton.RightButton
        if is_right and self._bring_back(event):
            return
        if not is_right and event.button != Qt.MouseButton.LeftButton:
            return
        if self.on_image(event.xy) == event.xy and self._is_ready():
            self._is_placing, self._base = True, self.subject()
            self.show(DraftView(loupe=event.xy, at=event.xy))

    def move(self, event: PointerEvent) -> None:
        """Name the next point at the pointer, or magnify where it would be."""
        self._pointer = event
        if self._is_placing:
            to = self.on_image(event.xy)
            self.show(DraftView(loupe=to, at=to))
        elif self._drag is not None:
            super().move(event)
        else:
            self._is_over = self._point_at(event) is not None
            self._refresh()

    def release(self, event: PointerEvent) -> None:
        """Place the point."""
        self._pointer = event
        if not self._is_placing:
            super().release(event)
            self._refresh()
            return
        index, category, subject = self.next_index(), self._category_of(), self.subject()
        self._is_placing, self._base = False, None
        if index is None or category is None:
            return
        is_hidden = event.button == Qt.MouseButton.RightButton or bool(
            event.modifiers & Qt.KeyboardModifier.ShiftModifier
        )
        points = None if subject is None else subject.keypoints
        to, seen = self.on_image(event.xy), HIDDEN if is_hidden else VISIBLE
        points = with_point(points, len(category.keypoints), index, to, seen)
        self._new_on = self._wish = None
        # Selected, so that arrows nudge it and Delete takes it away.
        placed = self.put_points(subject, points, index)
        if placed is not None:
            self._placed.append((placed, index))
        self._refresh()

    def key(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        """Take the last point back, skip one, end the object, or nudge the selected point."""
        if self._is_placing:
            return False
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._finish()
            return True
        if key == Qt.Key.Key_Backspace:
            return self._take_back()
        if key == Qt.Key.Key_S and modifiers == Qt.KeyboardModifier.NoModifier:
            return self._skip()
        return super().key(key, modifiers)

    def cancel(self) -> bool:
        """Drop the point that is being placed or moved."""
        was_placing = self._is_placing
        self._is_placing, self._base = False, None
        was_busy = super().cancel() or was_placing
        if was_busy:
            self._refresh()
        return was_busy

    def deactivate(self) -> None:
        """Drop the point that is being placed, and go on with what is there next time."""
        self._new_on = self._wish = self._pointer = None
        super().deactivate()

    # Private

    def _idle_cursor(self) -> Qt.CursorShape:
        """Return the pointer's shape where a click places a point."""
        return Qt.CursorShape.CrossCursor

    def _in_reach(self) -> list[Annotation]:
        """Return the subject: points of others never stand in the way of a new one."""
        subject = self.subject()
        return [] if subject is None else [subject]

    def _is_ready(self) -> bool:
        """Return whether a click can place a point; if not, say what to do."""
        if not self.has_owner():
            return False
        category = self._category_of()
        if category is not None and not category.keypoints:
            text = self.tr("Category '{}' has no keypoints: add some with Ctrl+K.")
            self._controller.notify(text.format(category.name), Level.WARNING)
        return self.next_index() is not None

    def _start(self, subject: Annotation | None) -> int:
        """Return the keypoint from which on the next free one is looked for."""
        id_ = None if subject is None else subject.id
        if self._wish is not None and self._wish[0] == id_:
            return self._wish[1]
        points = None if subject is None else subject.keypoints
        start = 0
        while self._placed and self._placed[-1][0] == id_:
            index = self._placed[-1][1]
            if points is not None and index < len(points) and points.labelled[index]:
                return index + 1
            # Taken back by undo: it comes next again.
            start = index
            self._placed.pop()
        return start

    def _finish(self) -> None:
        """End the object: the next point begins another."""
        image = self.image
        self._new_on = None if image is None else image.id
        self._wish = None
        self._controller.select(None)
        self._refresh()

    def _take_back(self) -> bool:
        """Take away the point placed last, or the last of the schema; return whether there is."""
        subject = self.subject()
        points = None if subject is None else subject.keypoints
        if subject is None or points is None or not points.labelled.any():
            return False
        self._start(subject)
        placed = [index for id_, index in self._placed[-1:] if id_ == subject.id]
        last = placed[0] if placed else int(np.flatnonzero(points.labelled)[-1])
        self._wish = subject.id, last
        self.put_points(subject, without_point(points, last))
        self._refresh()
        return True

    def _skip(self) -> bool:
        """Go on to the keypoint after the next; return whether there is a next."""
        index, category, subject = self.next_index(), self._category_of(), self.subject()
        if index is None or category is None:
            return False
        self._wish = (
            None if subject is None else subject.id,
            (index + 1) % len(category.keypoints),
        )
        self._refresh()
        return True

    def _on_selection(self) -> None:
        """Go on with what a person selects, and with the keypoint that is chosen in a list."""
        chosen, subject = self._controller.selection, self.subject()
        if chosen.annotation_id is not None:
            self._new_on = None
        if subject is not None and chosen.annotation_id == subject.id:
            points, index = subject.keypoints, chosen.keypoint
            if index is not None and (points is None or not points.labelled[index]):
                self._wish = subject.id, index
        self._refresh()

    def _refresh(self) -> None:
        """Say at the pointer what a click would place."""
        if self._canvas is None or self._is_placing or self._drag is not None:
            return
        pointer = self._pointer
        if pointer is None or self.on_image(pointer.xy) != pointer.xy:
            self.show(None)
            return
        if self._point_at(pointer) is not None:
            self.show(None)
            return
        category, index = self._category_of(), self.next_index()
        hint = ""
        if category is not None and category.keypoints:
            hint = self.tr("All are placed: Enter for another object")
            if index is not None:
                hint = f"{category.keypoints[index]}   {index + 1}/{len(category.keypoints)}"
        self.show(DraftView(hint=hint, at=pointer.xy))

    def _category_of(self) -> Category | None:
        """Return the category whose schema is walked: the subject's, else the active one."""
        subject, project = self.subject(), self._controller.project
        if subject is not None and project is not None:
            return project.categories[subject.category_id]
        return self.category
