"""Two canvases side by side: the reference on the left, the target on the right."""

from typing import get_args

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from fmstudio.project.model import ImageState, Status
from fmstudio.ui.canvas.header import CanvasHeader
from fmstudio.ui.canvas.layers import Layer
from fmstudio.ui.canvas.loading import Shelf
from fmstudio.ui.canvas.view import CanvasView, Role
from fmstudio.ui.canvas.viewport import Steer
from fmstudio.ui.controller import Controller
from fmstudio.worker.service import EngineService


class CanvasPane(QWidget):
    """A canvas under its header."""

    def __init__(
        self,
        controller: Controller,
        service: EngineService,
        role: Role,
        shelf: Shelf,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self.canvas = CanvasView(controller, service, role, self, shelf)
        self.header = CanvasHeader(role, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.canvas, 1)
        self.canvas.viewChanged.connect(self._show_zoom)
        self.canvas.installEventFilter(self)
        controller.shownChanged.connect(self._show_image)
        controller.sessionChanged.connect(self._show_image)
        controller.projectChanged.connect(self._show_image)
        controller.inboxChanged.connect(self._show_image)
        controller.coloringChanged.connect(self._show_coloring)
        self._show_image()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note where the keys go."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.header.set_focused(event.type() == QEvent.Type.FocusIn)
        return super().eventFilter(watched, event)

    def _show_image(self) -> None:
        """Say which image this is and where it stands."""
        controller, project = self._controller, self._controller.project
        image_id = self.canvas.image_id
        image = None if project is None or image_id is None else project.images.get(image_id)
        if project is None or image is None:
            self.header.show_image(None, ImageState.NONE, has_proposals=False)
        else:
            found = (*project.annotations_of(image.id), *controller.ghosts(image.id))
            has_proposals = any(a.status is Status.PROPOSED and a.keypoints for a in found)
            state = project.image_state(image.id)
            self.header.show_image(image, state, has_proposals=has_proposals)
        self._show_zoom()

    def _show_coloring(self) -> None:
        """Say what the colours of proposed points stand for."""
        self.header.show_coloring(self._controller.coloring)

    def _show_zoom(self) -> None:
        """Say how large the image is shown."""
        self.header.show_zoom(self.canvas.scale if self.canvas.is_ready else None)


class CanvasPair(QSplitter):
    """The two canvases, linked or free.

    Linked, what a person does to one view is done to the other, in shares of its image: two
    objects that were brought into view side by side stay so.

    Parameters
    ----------
    controller : Controller
    service : EngineService
    parent : QWidget or None
    """

    activeChanged = Signal()
    """The pointer or the focus went to the other canvas."""

    def __init__(
        self, controller: Controller, service: EngineService, parent: QWidget | None = None
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setChildrenCollapsible(False)
        self.setHandleWidth(4)
        self._controller = controller
        shelf, roles = Shelf(), get_args(Role)
        self._panes = [CanvasPane(controller, service, role, shelf, self) for role in roles]
        self.reference, self.target = (pane.canvas for pane in self._panes)
        self._active = self.target
        self._is_linked = False
        for pane in self._panes:
            self.addWidget(pane)
            pane.canvas.installEventFilter(self)
            pane.canvas.viewport().installEventFilter(self)
        self.setSizes([1000, 1000])
        self.reference.steered.connect(self._lead_target)
        self.target.steered.connect(self._lead_reference)
        self.reference.hoverChanged.connect(self.target.point_at)
        self.target.hoverChanged.connect(self.reference.point_at)
        controller.focusRequested.connect(self._focus_on)

    @property
    def active(self) -> CanvasView:
        """Return the canvas where the pointer or the focus last was."""
        return self._active

    @property
    def canvases(self) -> tuple[CanvasView, CanvasView]:
        """Return both canvases, the reference first."""
        return self.reference, self.target

    @property
    def is_linked(self) -> bool:
        """Return whether the two canvases zoom and pan together."""
        return self._is_linked

    def set_linked(self, is_linked: bool) -> None:
        """Zoom and pan both canvases together from here on, or each on its own."""
        self._is_linked = is_linked

    def set_reference_visible(self, is_visible: bool) -> None:
        """Show the reference beside the target, or the target alone."""
        self._panes[0].setVisible(is_visible)
        if not is_visible:
            self._set_active(self.target)

    def set_overlays_visible(self, is_visible: bool) -> None:
        """Show or hide everything but the images."""
        for canvas in self.canvases:
            canvas.set_overlays_visible(is_visible)

    def set_votes_visible(self, is_visible: bool) -> None:
        """Draw the references' votes on all keypoints, or on those that are pointed at."""
        for canvas in self.canvases:
            canvas.set_votes_visible(is_visible)

    def set_other_map_visible(self, is_visible: bool) -> None:
        """Draw lightly what competing maps say, or not."""
        for canvas in self.canvases:
            canvas.set_other_map_visible(is_visible)

    def show_trail(self, image_id: int | None, trail: Layer | None) -> None:
        """Show how points of an image have moved, on whichever canvas shows it; None ends it."""
        for canvas in self.canvases:
            canvas.set_trail(trail if canvas.image_id == image_id else None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note over which canvas the person works."""
        if event.type() in (QEvent.Type.Enter, QEvent.Type.FocusIn, QEvent.Type.MouseButtonPress):
            for canvas in self.canvases:
                if watched in (canvas, canvas.viewport()):
                    self._set_active(canvas)
        return super().eventFilter(watched, event)

    def _set_active(self, canvas: CanvasView) -> None:
        """Make one canvas the active one."""
        if canvas is not self._active:
            self._active = canvas
            self.activeChanged.emit()

    def _lead_target(self, steer: Steer) -> None:
        """Let the target follow the reference."""
        if self._is_linked:
            self.target.follow(steer)

    def _lead_reference(self, steer: Steer) -> None:
        """Let the reference follow the target."""
        if self._is_linked:
            self.reference.follow(steer)

    def _focus_on(self, annotation_id: int) -> None:
        """Centre an annotation on the target, and its category's on the reference."""
        project = self._controller.project
        annotation = None if project is None else project.annotations.get(annotation_id)
        if project is None or annotation is None:
            return
        self.target.when_ready(annotation)
        reference_id = self._controller.reference_id
        if reference_id is not None:
            for other in project.annotations_of(reference_id):
                if other.category_id == annotation.category_id:
                    self.reference.when_ready(other)
                    return
