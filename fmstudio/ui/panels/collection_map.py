"""The map of a collection: each image at its place, edges between those that are mapped."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from fmstudio.project.model import Project
from fmstudio.session_collection import Overview, map_quality
from fmstudio.ui import theme
from fmstudio.ui.keys import claim
from fmstudio.ui.panels.collection_looks import Coloring, colors_of, ramp
from fmstudio.ui.panels.glyphs import caption_font, tabular
from fmstudio.ui.panels.thumbnails import Thumbnails

# With more images than this, each is a dot.
_FEW = 80
_THUMBNAIL, _DOT, _BORDER = 36, 5, 36
_CARD, _GAP = 96, 8
_STEP, _CLOSEST, _FARTHEST = 1.25, 40.0, 1.0
_ARROWS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}
_OPENING = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ZOOMING = {Qt.Key.Key_Plus: _STEP, Qt.Key.Key_Equal: _STEP, Qt.Key.Key_Minus: 1 / _STEP}


class CollectionMap(QWidget):
    """Draws an overview; tells which image a person wants to see.

    Parameters
    ----------
    thumbnails : Thumbnails
    parent : QWidget or None
    """

    targetWanted = Signal(int)
    """Id of an image to be shown as the target."""
    referenceWanted = Signal(int)
    """Id of an image to be shown as the reference."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._overview: Overview | None = None
        self._project: Project | None = None
        self._colors: list[QColor] = []
        self._is_by_quality = True
        self._annotated: frozenset[int] = frozenset()
        self._zoom, self._offset = 1.0, QPointF()
        self._pressed: QPointF | None = None
        self._is_dragged = False
        self.current: int | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 60)
        self.setAccessibleName(self.tr("Map of the collection"))
        thumbnails.arrived.connect(self.update)

    def show_overview(
        self,
        overview: Overview,
        project: Project,
        coloring: Coloring,
        annotated: frozenset[int],
    ) -> None:
        """Draw an overview of a project; the view stays where the overview does."""
        if overview is not self._overview:
            self.current, self._zoom, self._offset = None, 1.0, QPointF()
        self._overview, self._project, self._annotated = overview, project, annotated
        self._colors = colors_of(overview, project, coloring)
        self._is_by_quality = coloring is Coloring.QUALITY
        self.update()

    def point_at(self, index: int | None) -> None:
        """Mark an image, and say what it is."""
        if index != self.current:
            self.current = index
            self.update()

    def places(self) -> NDArray[np.float64]:
        """Return where each image is drawn, (n, 2) pixels of the widget."""
        assert self._overview is not None
        room = np.array([self.width(), self.height()]) - 2 * _BORDER
        flat = _BORDER + self._overview.xy * np.maximum(room, 1)
        return np.asarray(flat * self._zoom + (self._offset.x(), self._offset.y()))

    def index_at(self, position: QPointF) -> int | None:
        """Return the image that is drawn at a place, the nearest of several."""
        if self._overview is None:
            return None
        away = np.abs(self.places() - (position.x(), position.y()))
        nearest = int(np.square(away).sum(axis=1).argmin())
        reach = _THUMBNAIL / 2 if self._is_few else 2 * _DOT
        return nearest if away[nearest].max() <= reach else None

    def zoom_by(self, factor: float, around: QPointF) -> None:
        """Zoom about a place of the widget."""
        zoom = min(_CLOSEST, max(_FARTHEST, self._zoom * factor))
        self._offset = around - (around - self._offset) * (zoom / self._zoom)
        self._zoom = zoom
        if zoom == _FARTHEST:
            self._offset = QPointF()
        self.update()

    # Events

    def event(self, event: QEvent) -> bool:
        """Claim the keys that this widget understands before an action takes them."""
        return claim(event, (*_ARROWS, *_OPENING, *_ZOOMING)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to a neighbour by arrow, open it by Enter, zoom by plus and minus."""
        key = Qt.Key(event.key())
        if key in _ARROWS:
            self._go(_ARROWS[key])
        elif key in _ZOOMING:
            self.zoom_by(_ZOOMING[key], QPointF(self.rect().center()))
        elif key in _OPENING and self.current is not None:
            self._open(self.current, event.modifiers())
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        self.zoom_by(_STEP ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click or a drag."""
        self._pressed, self._is_dragged = event.position(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what is under the pointer, or move the map."""
        if self._pressed is None:
            self.point_at(self.index_at(event.position()))
            return
        moved = event.position() - self._pressed
        if self._is_dragged or moved.manhattanLength() > _GAP:
            self._is_dragged, self._pressed = True, event.position()
            self._offset += moved
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open what was clicked."""
        was_click, self._pressed = self._pressed is not None and not self._is_dragged, None
        found = self.index_at(event.position())
        if was_click and found is not None:
            self._open(found, event.modifiers())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Use what was clicked twice as the reference."""
        found = self.index_at(event.position())
        if found is not None and self._overview is not None:
            self.referenceWanted.emit(self._overview.ids[found])

    def leaveEvent(self, event: QEvent) -> None:
        """Take the card away, unless the keys are here."""
        if not self.hasFocus():
            self.point_at(None)
        super().leaveEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw edges, images, rings, and the card of the current one."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), theme.tokens().canvas)
        if self._overview is not None:
            places = self.places()
            self._draw_edges(painter, places)
            # References last, so that none is hidden.
            order = sorted(range(len(places)), key=lambda at: self._id(at) in self._annotated)
            for index in order:
                self._draw_image(painter, index, QPointF(*places[index]))
            self._draw_rings(painter, places)
            if self.current is not None:
                self._draw_card(painter, self.current, QPointF(*places[self.current]))
        if self.hasFocus():
            painter.setPen(QPen(theme.tokens().accent, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    # Private

    @property
    def _is_few(self) -> bool:
        """Return whether images are drawn as thumbnails."""
        return self._overview is not None and len(self._overview.ids) <= _FEW

    def _open(self, index: int, modifiers: Qt.KeyboardModifier) -> None:
        """Ask for an image: with Shift as the reference, else as the target."""
        assert self._overview is not None
        is_reference = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        wanted = self.referenceWanted if is_reference else self.targetWanted
        wanted.emit(self._overview.ids[index])

    def _go(self, way: tuple[float, float]) -> None:
        """Mark the nearest image in a direction; the first one if none is marked."""
        if self._overview is None or self.current is None:
            self.point_at(0 if self._overview is not None else None)
            return
        away = self.places() - self.places()[self.current]
        along = away @ np.array(way)
        aside = np.abs(away @ np.array(way[::-1]))
        # What lies more beside than ahead is in another direction.
        cost = np.where((along > 0) & (aside <= along), along + aside, np.inf)
        if np.isfinite(cost).any():
            self.point_at(int(cost.argmin()))

    def _draw_edges(self, painter: QPainter, places: NDArray[np.float64]) -> None:
        """Draw the mapped pairs; while the ramp is explained, by how well their maps agree."""
        assert self._overview is not None
        if not self._is_by_quality:
            painter.setPen(QPen(theme.tokens().muted, 1.5))
            for i, j in self._overview.edges.tolist():
                painter.drawLine(QPointF(*places[i]), QPointF(*places[j]))
            return
        casing = QPen(theme.tokens().muted, 3)  # The ramp's dark end is lost on a dark canvas.
        for (i, j), error in zip(
            self._overview.edges.tolist(), self._overview.edge_errors.tolist(), strict=True
        ):
            for pen in (casing, QPen(ramp(map_quality(error)), 1.5)):
                painter.setPen(pen)
                painter.drawLine(QPointF(*places[i]), QPointF(*places[j]))

    def _draw_image(self, painter: QPainter, index: int, at: QPointF) -> None:
        """Draw an image: a framed thumbnail or a dot; a diamond marks a reference."""
        color, is_reference = self._colors[index], self._id(index) in self._annotated
        if not self._is_few:
            painter.setPen(QPen(theme.tokens().canvas, 1))
            painter.setBrush(color)
            if is_reference:
                painter.drawPolygon(_diamond(at, 1.5 * _DOT))
            else:
                painter.drawEllipse(at, _DOT, _DOT)
            return
        frame = QRectF(0, 0, _THUMBNAIL, _THUMBNAIL)
        frame.moveCenter(at)
        painter.fillRect(frame, color)
        pixmap = self._pixmap(index)
        inner = frame.adjusted(3, 3, -3, -3)
        if pixmap is not None:
            painter.drawPixmap(inner, pixmap, _middle(pixmap))
        else:
            painter.fillRect(inner, theme.tokens().raised)
        if is_reference:
            painter.setPen(QPen(theme.tokens().on_accent, 1.5))
            painter.setBrush(theme.tokens().accent)
            painter.drawPolygon(_diamond(frame.topRight(), 7))

    def _draw_rings(self, painter: QPainter, places: NDArray[np.float64]) -> None:
        """Draw a dashed ring about each outlier, and a plain one about the current image."""
        assert self._overview is not None
        radius = _THUMBNAIL / 2 * 1.42 + 4 if self._is_few else 2 * _DOT
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.tokens().error, 2, Qt.PenStyle.DashLine))
        for outlier in self._overview.outliers:
            painter.drawEllipse(QPointF(*places[outlier.index]), radius, radius)
        if self.current is not None:
            painter.setPen(QPen(theme.tokens().accent, 2))
            painter.drawEllipse(QPointF(*places[self.current]), radius + 3, radius + 3)

    def _draw_card(self, painter: QPainter, index: int, at: QPointF) -> None:
        """Draw name, thumbnail and figures of an image beside it, inside the widget."""
        lines = self.card(index)
        font, colors = caption_font(self.font()), theme.tokens()
        metrics = QFontMetrics(font)
        pixmap, side = self._pixmap(index), min(_CARD, self.height() - 2 * _GAP)
        wide = max(metrics.horizontalAdvance(line) for line in lines)
        high = max(side, metrics.lineSpacing() * len(lines))
        box = QRectF(0, 0, wide + side + 3 * _GAP, high + 2 * _GAP)
        left = at.x() + _THUMBNAIL
        if left + box.width() > self.width():
            left = at.x() - _THUMBNAIL - box.width()
        top = min(max(0.0, at.y() - box.height() / 2), max(0.0, self.height() - box.height()))
        box.moveTopLeft(QPointF(max(0.0, left), top))
        painter.setPen(QPen(colors.hairline, 1))
        painter.setBrush(colors.raised)
        painter.drawRoundedRect(box, 4, 4)
        if pixmap is not None:
            place = QRectF(box.left() + _GAP, box.top() + _GAP, side, side)
            painter.drawPixmap(place, pixmap, _middle(pixmap))
        painter.setFont(tabular(font))
        painter.setPen(colors.text)
        text = box.adjusted(side + 2 * _GAP, _GAP, -_GAP, -_GAP)
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, "\n".join(lines))

    def card(self, index: int) -> list[str]:
        """Return what is said of an image: its name and its figures."""
        assert self._overview is not None
        assert self._project is not None
        found, image = self._overview, self._project.images.get(self._overview.ids[index])
        name = image.file_name if image is not None else self.tr("removed")
        lines = [
            name if len(name) <= 40 else f"{name[:18]}\u2026{name[-20:]}",
            self.tr("cluster {0}").format(int(found.clusters[index]) + 1),
            self.tr("reference coverage {0}").format(f"{found.coverage[index]:.2f}"),
        ]
        if np.isfinite(found.errors[index]):
            quality = map_quality(float(found.errors[index]))
            lines.append(self.tr("map quality {0}").format(f"{quality:.2f}"))
        if np.isfinite(found.triangles[index]):
            loss = f"{found.triangles[index]:.2f}"
            lines.append(self.tr("three-cycle loss {0}").format(loss))
        return lines

    def _id(self, index: int) -> int:
        """Return the id of an image of the overview."""
        assert self._overview is not None
        return self._overview.ids[index]

    def _pixmap(self, index: int) -> QPixmap | None:
        """Return an image's thumbnail, or None while there is none."""
        assert self._project is not None
        image = self._project.images.get(self._id(index))
        pixmap = None if image is None else self._thumbnails.pixmap(image)
        return None if pixmap is None or pixmap.isNull() else pixmap


def _diamond(at: QPointF, radius: float) -> QPolygonF:
    """Return a square on its corner."""
    steps = ((0, -1), (1, 0), (0, 1), (-1, 0))
    return QPolygonF([at + QPointF(x, y) * radius for x, y in steps])


def _middle(pixmap: QPixmap) -> QRectF:
    """Return the largest square in the middle of a pixmap."""
    side = min(pixmap.width(), pixmap.height())
    square = QRectF(0, 0, side, side)
    square.moveCenter(QRectF(pixmap.rect()).center())
    return square
