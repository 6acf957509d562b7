"""A plane with one image on it, zoomed and panned: what a canvas is built on."""

from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QNativeGestureEvent, QPainter, QResizeEvent, QTransform, QWheelEvent
from PySide6.QtWidgets import QWidget

from fmstudio.project.model import Annotation
from fmstudio.ui import theme
from fmstudio.ui.canvas.pyramid import Pyramid
from fmstudio.ui.canvas.still import Still

_STEP = 1.25
_LARGEST = 64.0
_MARGIN = 0.02
# Around an object that is zoomed to: shares of the object and of the image.
_ROOM, _LEAST_ROOM = 0.3, 0.04


@dataclass(frozen=True, slots=True)
class Steer:
    """What a person did to the view, in terms that hold for an image of any size.

    Attributes
    ----------
    factor : float
        Of the scale.
    shift : tuple of float
        Of the middle of the view, in shares of the image's width and height.
    is_fit : bool
        The whole image is shown; then the others say nothing.
    """

    factor: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    is_fit: bool = False


class Viewport(pg.GraphicsView):  # type: ignore[misc]
    """Shows a pyramid; the wheel zooms at the cursor, all else is the subclass's."""

    viewChanged = Signal()
    """Zoomed, panned, or another image."""
    steered = Signal(object)
    """A Steer: the person has zoomed or panned, not the program."""

    def __init__(self, parent: QWidget | None = None) -> None:
        # pyqtgraph resizes itself while it is being set up.
        self._is_fitted = False
        self._pyramid: Pyramid | None = None
        self._ground, self._marks = Still(), Still()
        super().__init__(parent, background=None)
        self._box = pg.ViewBox(lockAspect=True, invertY=True, enableMenu=False, enableMouse=False)
        self._box.setDefaultPadding(0)
        self.setCentralItem(self._box)
        self.setViewportUpdateMode(self.ViewportUpdateMode.FullViewportUpdate)
        # pyqtgraph keeps a picture of the background, which here is the image.
        self.setCacheMode(self.CacheModeFlag.CacheNone)
        self.setMouseTracking(True)
        self._box.sigRangeChanged.connect(self._on_range)
        self.viewport().installEventFilter(self)

    def refresh(self) -> None:
        """Draw again, the marks too."""
        self._marks.forget()
        self.viewport().update()

    # Where things are

    @property
    def scale(self) -> float:
        """Return screen pixels per image pixel."""
        return float(self.to_screen().m11())

    def to_screen(self) -> QTransform:
        """Return the transform from image pixels to the widget's."""
        self._box.updateMatrix()
        return QTransform(self._box.childGroup.sceneTransform() * self.viewportTransform())

    def map_to_image(self, place: QPointF) -> tuple[float, float]:
        """Return the image pixels under a place of the widget."""
        inverse, _ = self.to_screen().inverted()
        at = inverse.map(place)
        return at.x(), at.y()

    def map_from_image(self, x: float, y: float) -> QPointF:
        """Return the place in the widget of image pixels."""
        return self.to_screen().map(QPointF(x, y))

    def image_rect(self) -> QRectF:
        """Return the whole image, in image pixels; empty without one."""
        if self._pyramid is None:
            return QRectF()
        return QRectF(0, 0, self._pyramid.width, self._pyramid.height)

    def view_rect(self) -> QRectF:
        """Return what of the plane is seen, in image pixels."""
        return QRectF(self._box.viewRect())

    def fit_scale(self) -> float:
        """Return the scale at which the whole image fits."""
        rect = self._framed()
        if rect.isEmpty():
            return 1.0
        size = self.viewport().size()
        return float(min(size.width() / rect.width(), size.height() / rect.height()))

    # What the program shows

    def set_view_rect(self, rect: QRectF) -> None:
        """Show a part of the plane, in image pixels, whole and as large as it fits."""
        self._is_fitted = False
        self._box.setRange(rect, padding=0)

    def focus_on(self, annotation: Annotation) -> None:
        """Zoom to an annotation, with room around it."""
        rect = _rect_of(annotation)
        if rect is None:
            self._show_all()
            return
        whole = self.image_rect()
        room = _ROOM * max(rect.width(), rect.height())
        room += _LEAST_ROOM * max(whole.width(), whole.height())
        # Never smaller than the whole image would be.
        self.set_view_rect(rect.adjusted(-room, -room, room, room) & self._framed())

    def follow(self, steer: Steer) -> None:
        """Do what a person did to another view, to the same part of this image."""
        if self._pyramid is None:
            return
        if steer.is_fit:
            self._show_all()
            return
        whole = self.image_rect()
        centre = self.view_rect().center()
        shift = QPointF(steer.shift[0] * whole.width(), steer.shift[1] * whole.height())
        self._place(centre + shift, self._clamped(self.scale * steer.factor))

    # What a person does

    def fit(self) -> None:
        """Show the whole image."""
        if self._pyramid is not None:
            self._show_all()
            self.steered.emit(Steer(is_fit=True))

    def zoom_to(self, scale: float) -> None:
        """Show the middle of what is seen at a scale: 1 is one image pixel per screen pixel."""
        self.zoom_by(scale / self.scale)

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom in (factor above 1) or out, keeping a place of the widget where it is."""
        if self._pyramid is None:
            return
        before, centre = self.scale, self.view_rect().center()
        after = self._clamped(before * factor)
        fixed = centre if at is None else QPointF(*self.map_to_image(at))
        self._place(fixed + (centre - fixed) * (before / after), after)
        self._tell(after / before, centre)

    def pan(self, before: QPointF, after: QPointF) -> None:
        """Move the plane so that what lay at one place of the widget lies at another."""
        if self._pyramid is None:
            return
        centre = self.view_rect().center()
        self._place(centre - (after - before) / self.scale, self.scale)
        self._tell(1.0, centre)

    # Painting and events

    def drawBackground(self, painter: QPainter, _rect: QRectF) -> None:
        """Paint the canvas and the image."""
        painter.save()
        painter.resetTransform()
        key = (self._pyramid, self.view_key(), theme.tokens().canvas.rgba())
        self._ground.draw(painter, self.viewport(), key, self._draw_ground)
        painter.restore()

    def view_key(self) -> tuple[float, ...]:
        """Return what tells one view from another."""
        shown = self.to_screen()
        return shown.m11(), shown.m22(), shown.dx(), shown.dy()

    def _draw_ground(self, painter: QPainter) -> None:
        """Paint the canvas and the image."""
        painter.fillRect(self.viewport().rect(), theme.tokens().canvas)
        if self._pyramid is not None:
            painter.setTransform(self.to_screen())
            # A fine screen has more pixels than the widget counts.
            scale = self.scale * self.devicePixelRatioF()
            self._pyramid.draw(painter, self.view_rect() & self.image_rect(), scale)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor."""
        turns = event.angleDelta().y() / 120
        if turns:
            self.zoom_by(_STEP**turns, event.position())
        event.accept()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Zoom where two fingers spread on a touchpad."""
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self.zoom_by(1 + event.value(), event.position())
            return True
        return bool(super().eventFilter(watched, event))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep a whole image whole, and all else in its place and size."""
        if self._pyramid is None:
            super().resizeEvent(event)
            return
        was_fitted, centre, scale = self._is_fitted, self.view_rect().center(), self.scale
        super().resizeEvent(event)
        if was_fitted:
            self._show_all()
        else:
            self._place(centre, scale)

    def close(self) -> bool:
        """Close the widget; pyqtgraph's own way takes the viewport from under Qt's feet."""
        return QWidget.close(self)

    # Private

    def _framed(self) -> QRectF:
        """Return the whole image with a margin."""
        rect = self.image_rect()
        margin = _MARGIN * max(rect.width(), rect.height())
        return rect.adjusted(-margin, -margin, margin, margin)

    def _show_all(self) -> None:
        """Show the whole image."""
        self._box.setRange(self._framed(), padding=0)
        self._is_fitted = True

    def _place(self, centre: QPointF, scale: float) -> None:
        """Show a place of the image in the middle, at a scale."""
        size = self.viewport().size()
        width, height = size.width() / scale, size.height() / scale
        corner = centre - QPointF(width / 2, height / 2)
        self.set_view_rect(QRectF(corner.x(), corner.y(), width, height))

    def _clamped(self, scale: float) -> float:
        """Return the nearest scale that still shows something."""
        fit = self.fit_scale()
        return float(min(max(scale, min(1.0, fit) / 4), max(_LARGEST, fit)))

    def _tell(self, factor: float, before: QPointF) -> None:
        """Tell what a person did, from where the middle of the view was before."""
        whole, way = self.image_rect(), self.view_rect().center() - before
        self.steered.emit(Steer(factor, (way.x() / whole.width(), way.y() / whole.height())))

    def _on_range(self) -> None:
        """Tell of a change of the view."""
        self.refresh()
        self.viewChanged.emit()


def _rect_of(annotation: Annotation) -> QRectF | None:
    """Return the box around all of an annotation, in image pixels; None for an empty one."""
    points, mask = annotation.keypoints, annotation.mask
    boxes = (
        None if points is None else points.bbox(),
        None if mask is None else mask.bbox,
        annotation.bbox,
    )
    rects = [QRectF(*box) for box in boxes if box is not None]
    if not rects:
        return None
    # `united` would leave out the box of a single point, which has no size.
    left, top = min(r.left() for r in rects), min(r.top() for r in rects)
    right, bottom = max(r.right() for r in rects), max(r.bottom() for r in rects)
    return QRectF(left, top, right - left, bottom - top)
