"""What all tools share: their canvas, what they work on, and how a gesture becomes an edit."""

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Qt

from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import AddAnnotation, ChangeAnnotation, RemoveAnnotations
from fmstudio.project.model import Annotation, Category, ImageItem, Status
from fmstudio.ui.canvas.draft import CanvasLike, DraftView, PointerEvent
from fmstudio.ui.canvas.hits import Point, clamped, step_within
from fmstudio.ui.canvas.tool_masks import moved
from fmstudio.ui.controller import Controller, Level

CUTS = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier
"""Held, they take away what would be added; window managers keep Alt and a drag for themselves."""


class BaseTool(QObject):
    """A tool that does nothing yet.

    Parameters
    ----------
    controller : Controller
    """

    name = ""

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller = controller
        self._canvas: CanvasLike | None = None
        # What a gesture began on: once that is another, the gesture means nothing any more.
        self._base: Annotation | None = None
        controller.projectChanged.connect(self._drop_outdated)
        controller.sessionChanged.connect(self.cancel)

    # The protocol of a tool

    @property
    def cursor(self) -> Qt.CursorShape:
        """Return the pointer's shape over the image."""
        return Qt.CursorShape.CrossCursor

    def activate(self, canvas: CanvasLike) -> None:
        """Work on this canvas from now on."""
        self._canvas = canvas

    def deactivate(self) -> None:
        """Drop the draft and let go of the canvas."""
        self.cancel()
        self.show(None)
        self._canvas = None

    def press(self, event: PointerEvent) -> None:
        """Begin or continue a gesture."""

    def move(self, event: PointerEvent) -> None:
        """Follow the pointer, whether a button is held or not."""

    def release(self, event: PointerEvent) -> None:
        """End a gesture."""

    def double_click(self, event: PointerEvent) -> None:
        """Finish what takes several clicks."""

    def key(self, _key: int, _modifiers: Qt.KeyboardModifier) -> bool:
        """Use a key; return whether it meant something."""
        return False

    def cancel(self) -> bool:
        """Drop the draft; return whether there was one."""
        return False

    # What it works on

    @property
    def image(self) -> ImageItem | None:
        """Return the image under the tool, or None."""
        project = self._controller.project
        if project is None or self._canvas is None or self._canvas.image_id is None:
            return None
        return project.images.get(self._canvas.image_id)

    @property
    def category(self) -> Category | None:
        """Return the category of new annotations, or None."""
        project, number = self._controller.project, self._controller.category_id
        return None if project is None or number is None else project.categories.get(number)

    def annotations(self) -> tuple[Annotation, ...]:
        """Return what is drawn on the image under the tool."""
        project, image = self._controller.project, self.image
        if project is None or image is None:
            return ()
        found = project.annotations_of(image.id)
        return tuple(a for a in found if a.status is not Status.REJECTED)

    def subject(self) -> Annotation | None:
        """Return what a gesture changes: the selected annotation, or the category's only one."""
        here = self.annotations()
        for annotation in here:
            if annotation.id == self._controller.selection.annotation_id:
                return annotation
        same = [a for a in here if a.category_id == self._controller.category_id]
        return same[0] if len(same) == 1 else None

    def has_owner(self) -> bool:
        """Return whether a new mask would belong to something; if not, say what to do."""
        is_owned = self.subject() is not None or self.category is not None
        if not is_owned and self._controller.project is not None:
            self._controller.notify(self.tr("Add a category first: press Ctrl+K."), Level.WARNING)
        return is_owned

    def on_image(self, at: Point) -> Point:
        """Return the nearest place on the image."""
        image = self.image
        return at if image is None else clamped(at, image.size.width, image.size.height)

    def drafted(self, subject: Annotation | None, mask: Mask) -> Annotation | None:
        """Return an annotation, or a new one, as it would be with a mask."""
        image, category = self.image, self.category
        if subject is not None:
            return replace(subject, mask=mask)
        if image is None or category is None:
            return None
        return Annotation(0, image.id, category.id, None, mask)

    # What it does

    def show(self, draft: DraftView | None) -> None:
        """Draw a draft."""
        if self._canvas is not None:
            self._canvas.show_draft(draft)

    def put_points(
        self, subject: Annotation | None, points: Keypoints, keypoint: int | None = None
    ) -> int | None:
        """Give an annotation keypoints, or make one with them, and select one; return its id."""
        mask = None if subject is None else subject.mask
        return self._put(subject, points, mask, keypoint)

    def put_mask(self, subject: Annotation | None, mask: Mask) -> int | None:
        """Give an annotation a mask, or make one with it; return its id.

        An empty mask is none, and an annotation with nothing left is removed.
        """
        points = None if subject is None else subject.keypoints
        return self._put(subject, points, mask, None)

    def put(self, changed: Annotation, keypoint: int | None = None) -> int | None:
        """Make an annotation of the project what it was changed to."""
        return self._put(changed, changed.keypoints, changed.mask, keypoint)

    def _put(
        self,
        subject: Annotation | None,
        points: Keypoints | None,
        mask: Mask | None,
        keypoint: int | None,
    ) -> int | None:
        """Make the one edit of a gesture, and select what came of it."""
        image, category = self.image, self.category
        if points is not None and not points.labelled.any():
            points = None
        if mask is not None and not mask.area:
            mask = None
        is_empty = points is None and mask is None
        if subject is not None:
            if not is_empty:
                self._controller.perform(ChangeAnnotation(subject.id, points, mask))
                self._controller.select(subject.id, keypoint)
                return subject.id
            if subject.bbox is None:
                self._controller.perform(RemoveAnnotations((subject.id,)))
            return None
        if image is None or category is None or is_empty:
            return None
        new = Annotation(0, image.id, category.id, points, mask)
        diff = self._controller.perform(AddAnnotation(new))
        if diff is None or not diff.annotations.added:
            return None
        self._controller.select(diff.annotations.added[0], keypoint)
        return diff.annotations.added[0]

    def _drop_outdated(self) -> None:
        """Drop a draft whose annotation was changed by something else, as by undo."""
        project, base = self._controller.project, self._base
        if base is None:
            return
        if project is None or project.annotations.get(base.id) is not base:
            self.cancel()


def shifted(annotation: Annotation, by: tuple[float, float], image: ImageItem) -> Annotation:
    """Return an annotation moved by (dx, dy) pixels, or by less where it would leave the image.

    A mask moves by whole pixels, and its keypoints with it.
    """
    points, mask = annotation.keypoints, annotation.mask
    spans = []
    if points is not None and points.labelled.any():
        places = points.xy[points.labelled]
        spans.append((places.min(axis=0), places.max(axis=0)))
    if mask is not None and mask.bbox is not None:
        corner = np.array(mask.bbox[:2])
        spans.append((corner, corner + mask.bbox[2:]))
    if not spans:
        return annotation
    low = np.min([low for low, _ in spans], axis=0).tolist()
    high = np.max([high for _, high in spans], axis=0).tolist()
    limits = image.size.width, image.size.height
    dx, dy = (
        step_within(low[i], high[i], limits[i], by[i], is_whole=mask is not None) for i in (0, 1)
    )
    if points is not None:
        points = Keypoints(points.xy + np.array([dx, dy]), points.visibility, points.score)
    if mask is not None:
        mask = moved(mask, int(dx), int(dy))
    return replace(annotation, keypoints=points, mask=mask)
