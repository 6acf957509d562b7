"""One image canvas: the image, what is marked on it, and the gestures of the active tool."""

from collections.abc import Sequence
from operator import is_
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.model import Annotation, ImageItem
from fmstudio.ui.canvas.draft import DraftView, Tool
from fmstudio.ui.canvas.drafts import draw_draft
from fmstudio.ui.canvas.fans import draw_fans
from fmstudio.ui.canvas.gestures import GestureView
from fmstudio.ui.canvas.layers import Layer, draw_layers
from fmstudio.ui.canvas.loading import Shelf, load_pyramid
from fmstudio.ui.canvas.looks import Counterpart, Look, hovered_keypoint, looks_of, other_maps
from fmstudio.ui.canvas.loupe import draw_crosshair
from fmstudio.ui.canvas.marks import MarkPainter
from fmstudio.ui.canvas.message import CanvasMessage
from fmstudio.ui.canvas.pyramid import Pyramid
from fmstudio.ui.canvas.text import draw_note
from fmstudio.ui.controller import Controller
from fmstudio.worker.service import EngineService, Priority, Ticket

Role = Literal["reference", "target"]


class CanvasView(GestureView):
    """Shows the reference or the target of the controller, zoomed and panned.

    Parameters
    ----------
    controller : Controller
    service : EngineService
        Decodes images in the lane "view:<role>".
    role : str
        "reference" or "target".
    parent : QWidget or None
    shelf : Shelf or None
        Images that were shown before; canvases may share one.
    """

    ready = Signal()
    """The image is on the screen."""
    hoverChanged = Signal(object)
    """Category and number of the keypoint under the pointer, or None."""

    def __init__(
        self,
        controller: Controller,
        service: EngineService,
        role: Role,
        parent: QWidget | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller, self._service, self.role = controller, service, role
        self._shelf = shelf or Shelf()
        self._image_id: int | None = None
        self._key: tuple[str, str] | None = None
        self._ticket: Ticket | None = None
        self._wanted: Annotation | None = None
        self._draft: DraftView | None = None
        self._hovered: Counterpart | None = None
        self._pointed_at: Counterpart | None = None
        self._are_overlays_visible = True
        self._layers: tuple[Layer, ...] = ()
        self._trail: Layer | None = None
        self._ghosts: tuple[Annotation, ...] = ()
        self._has_failed = False
        self._are_votes_visible = self._is_other_map_visible = False
        self._painter = MarkPainter()
        self.setMinimumSize(160, 120)
        font = self.font()
        # Over photos, and the same whether text is painted or shown again.
        font.setStyleStrategy(QFont.StyleStrategy.NoSubpixelAntialias)
        self.setFont(font)
        self.setAccessibleName(
            self.tr("Reference image") if role == "reference" else self.tr("Target image")
        )
        self._message = CanvasMessage(self)
        service.itemReady.connect(self._on_loaded)
        service.failed.connect(self._on_failed)
        controller.shownChanged.connect(self._on_shown)
        controller.sessionChanged.connect(self._on_shown)
        controller.projectChanged.connect(self._on_project)
        controller.inboxChanged.connect(self._on_inbox)
        controller.selectionChanged.connect(self.refresh)
        controller.coloringChanged.connect(self.refresh)
        self._on_shown()

    # What is shown

    @property
    def image_id(self) -> int | None:
        """Return the id of the image that is shown, or None."""
        return self._image_id

    @property
    def is_ready(self) -> bool:
        """Return whether the image is on the screen."""
        return self._pyramid is not None

    @property
    def message(self) -> CanvasMessage:
        """Return what the canvas says instead of an image."""
        return self._message

    def pixels(self) -> NDArray[np.uint8] | None:
        """Return the image (H, W, 3), or None while it is not loaded."""
        return None if self._pyramid is None else self._pyramid.pixels

    def looks(self) -> list[Look]:
        """Return what is drawn over the image, bottom first."""
        if self._image_id is None or not self._are_overlays_visible:
            return []
        hovered = self._hovered or self._pointed_at
        looks = looks_of(self._controller, self._image_id, self._draft, hovered)
        return [*other_maps(looks), *looks] if self._is_other_map_visible else looks

    def set_votes_visible(self, is_visible: bool) -> None:
        """Draw the references' votes on all keypoints, or on those that are pointed at."""
        self._are_votes_visible = is_visible
        self.refresh()

    def set_other_map_visible(self, is_visible: bool) -> None:
        """Draw lightly what a competing map says, or only what the one that was taken says."""
        self._is_other_map_visible = is_visible
        self.refresh()

    def set_overlays_visible(self, is_visible: bool) -> None:
        """Show or hide everything but the image."""
        self._are_overlays_visible = is_visible
        self.refresh()

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return what lies between the image and its annotations, bottom first."""
        return self._layers

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Lay something between the image and its annotations, bottom first."""
        if self._layers or layers:
            self._layers = tuple(layers)
            # With every move of the pointer: the marks stay as they are.
            self.viewport().update()

    def set_trail(self, trail: Layer | None) -> None:
        """Show how points have moved, or no longer."""
        if trail is not self._trail:
            self._trail = trail
            self.refresh()

    def point_at(self, counterpart: Counterpart | None) -> None:
        """Emphasise the keypoint that the pointer is over on the other canvas."""
        if counterpart != self._pointed_at:
            self._pointed_at = counterpart
            self.refresh()

    def when_ready(self, annotation: Annotation) -> None:
        """Zoom to an annotation, now or as soon as its image is on the screen."""
        self._wanted = annotation
        if self.is_ready and annotation.image_id == self._image_id:
            self._wanted = None
            self.focus_on(annotation)

    def reload(self) -> None:
        """Read the image again: its file may have come back."""
        self._key = None
        self._on_shown()

    # Tools

    def set_tool(self, tool: Tool | None) -> None:
        """Give the gestures over this canvas to a tool."""
        if self._tool is not None:
            self._tool.deactivate()
        self._tool = tool
        self._draft = None
        if tool is not None:
            tool.activate(self)
        self._show_cursor()
        self.refresh()

    def show_draft(self, draft: DraftView | None) -> None:
        """Draw a tool's draft."""
        if draft is not self._draft:
            self._draft = draft
            self.refresh()

    # Painting

    def drawForeground(self, painter: QPainter, _rect: QRectF) -> None:
        """Paint annotations, ghosts and the draft, in screen pixels."""
        if self._pyramid is None or self._image_id is None:
            return
        painter.save()
        painter.resetTransform()
        painter.setFont(self.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        to_screen, area = self.to_screen(), QRectF(self.viewport().rect())
        looks = self.looks()
        if self._are_overlays_visible:
            trail = () if self._trail is None else (self._trail,)
            draw_layers(painter, (*self._layers, *trail), to_screen, area)

        def draw_marks(painter: QPainter) -> None:
            self._painter.draw(painter, looks, to_screen, area)
            draw_fans(painter, looks, to_screen, area, is_all=self._are_votes_visible)

        self._marks.draw(painter, self.viewport(), self.view_key(), draw_marks)
        painter.setFont(self.font())
        draft = self._draft
        if draft is not None:
            if self._pointer is not None and draft.hint and draft.brush is None:
                draw_crosshair(painter, self._pointer, area)
            draw_draft(painter, draft, to_screen, self._pyramid, area)
        elif not looks and self._are_overlays_visible:
            self._draw_invitation(painter, area)
        painter.restore()

    def _draw_invitation(self, painter: QPainter, area: QRectF) -> None:
        """Say what to do with an image on which nothing is marked."""
        if self.role == "reference":
            text = self.tr("Nothing is marked yet: K places keypoints, B paints a mask.")
        else:
            text = self.tr("Nothing is marked yet: Ctrl+B carries the reference's marks over.")
        room = int(area.width()) - 32
        text = QFontMetricsF(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, room)
        draw_note(painter, QPointF(area.center().x(), area.bottom() - 24), text, area)

    # Events

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan, or let the tool follow; note which keypoint lies under the pointer."""
        super().mouseMoveEvent(event)
        if self._pyramid is None or self._pan_from is not None:
            return
        if event.buttons() == Qt.MouseButton.NoButton:
            self._set_hovered(hovered_keypoint(self.looks(), event.position(), self.to_screen()))
        if self._draft is not None and self._draft.hint:
            # The crosshair goes with the pointer, whatever the tool does.
            self.refresh()

    def leaveEvent(self, event: QEvent) -> None:
        """Forget what was under the pointer."""
        super().leaveEvent(event)
        self._set_hovered(None)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of the scheme; when the person comes back, try a lost image again."""
        is_back = event.type() == QEvent.Type.ActivationChange and self.isActiveWindow()
        if is_back and self._has_failed:
            self.reload()
        if event.type() == QEvent.Type.PaletteChange:
            self.refresh()
        super().changeEvent(event)

    # Private

    def _set_hovered(self, hovered: Counterpart | None) -> None:
        """Emphasise a keypoint, here and wherever someone listens."""
        if hovered != self._hovered:
            self._hovered = hovered
            self.refresh()
            self.hoverChanged.emit(hovered)

    def _on_shown(self) -> None:
        """Show the image that this canvas is to show, if it is another one."""
        controller, project = self._controller, self._controller.project
        is_reference = self.role == "reference"
        wanted = controller.reference_id if is_reference else controller.target_id
        image = None if project is None or wanted is None else project.images.get(wanted)
        key = None if image is None else (image.sha256, image.path)
        if image is not None and (wanted, key) == (self._image_id, self._key):
            return
        if self._tool is not None:
            self._tool.cancel()
        self._service.cancel(self._lane)
        self._image_id, self._key, self._pyramid = wanted, key, None
        self._draft = self._ticket = None
        self._has_failed = False
        self._set_hovered(None)
        self.setAccessibleDescription("" if image is None else image.file_name)
        if image is None:
            self._message.say_empty(self.role, is_project=bool(project and project.images))
        else:
            self._load(image)
        self.refresh()
        self.viewChanged.emit()

    def _load(self, image: ImageItem) -> None:
        """Show an image from the shelf, or have it decoded."""
        kept, session = self._shelf.get(image), self._controller.session
        if kept is not None:
            self._show_image(kept)
        elif session is not None:
            self._message.say_loading()
            job = load_pyramid(session, image)
            self._ticket = self._service.submit(self._lane, job, priority=Priority.PREVIEW)

    def _on_loaded(self, ticket: Ticket, item: object) -> None:
        """Show an image that has been decoded."""
        project = self._controller.project
        if ticket != self._ticket or not isinstance(item, Pyramid) or project is None:
            return
        image = None if self._image_id is None else project.images.get(self._image_id)
        if image is not None:
            self._shelf.put(image, item)
        self._show_image(item)

    def _show_image(self, pyramid: Pyramid) -> None:
        """Put an image on the screen."""
        self._pyramid = pyramid
        self._message.hide()
        self._show_all()
        wanted, self._wanted = self._wanted, None
        if wanted is not None and wanted.image_id == self._image_id:
            self.focus_on(wanted)
        self.refresh()
        self.viewChanged.emit()
        self.ready.emit()

    def _on_failed(self, ticket: Ticket, error: Exception) -> None:
        """Say why an image cannot be shown."""
        if ticket == self._ticket:
            self._has_failed = True
            self._message.say_error(str(error))

    def _on_inbox(self) -> None:
        """Draw what has come for this image; most of what comes is for others."""
        ghosts = () if self._image_id is None else self._controller.ghosts(self._image_id)
        is_known = len(ghosts) == len(self._ghosts) and all(map(is_, ghosts, self._ghosts))
        if not is_known:
            self._ghosts = ghosts
            self.refresh()

    def _on_project(self, diff: ProjectDiff) -> None:
        """Draw what has changed here; an image whose file has changed is loaded again."""
        project = self._controller.project
        if project is None or self._image_id is None:
            return
        if self._image_id in diff.images.changed:
            self._on_shown()
        here = set(project.of_image.get(self._image_id, ()))
        # What was removed no longer says where it was.
        is_touched = diff.annotations.removed or not here.isdisjoint(diff.annotations.present)
        if is_touched or diff.categories:
            self.refresh()

    @property
    def _lane(self) -> str:
        """Return the lane of the compute thread that this canvas has to itself."""
        return f"view:{self.role}"
