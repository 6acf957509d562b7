"""What the inspector lays between an image and its annotations."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen, QPolygonF, QTransform

from fmstudio.drawing.colors import cividis, confidence_color, diverging
from fmstudio.ui.canvas.text import draw_note

Xy = tuple[float, float]

# On photos of any kind, so they do not follow the scheme.
_CASING = QColor(14, 15, 17, 170)
_WHITE = QColor(255, 255, 255)
_LINE = QColor(255, 255, 255, 190)
_FLIPPED = QColor(0xE6, 0x9F, 0x00, 230)
_FOLD = QColor(0xD5, 0x5E, 0x00)
_CONTOUR = QColor(0xF0, 0xE4, 0x42)
# Pixels of a distribution's raster become so many on each side, before the painter smooths it.
_FINER = 6
_STRONGEST = 225
_RING, _DIAMOND, _TRAIL_RING = 8.0, 5.0, 4.5


class Layer(Protocol):
    """Something to draw under the annotations."""

    def draw(self, painter: QPainter, to_screen: QTransform, area: QRectF) -> None:
        """Draw it with a painter in screen pixels; ``area`` is the screen."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PictureLayer:
    """A picture over a part of the image.

    Attributes
    ----------
    image : QImage
    box : QRectF
        Image pixels.
    opacity : float
    share : float
        How much of it is shown, from its left, in [0, 1].
    """

    image: QImage
    box: QRectF
    opacity: float = 1.0
    share: float = 1.0

    def draw(self, painter: QPainter, to_screen: QTransform, _area: QRectF) -> None:
        """Draw the picture, and the edge where it is wiped away."""
        rect = to_screen.mapRect(self.box)
        shown = QRectF(rect.left(), rect.top(), rect.width() * self.share, rect.height())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setClipRect(shown)
        painter.setOpacity(self.opacity)
        painter.drawImage(rect, self.image)
        painter.restore()
        if 0 < self.share < 1:
            edge = QLineF(shown.topRight(), shown.bottomRight())
            for color, width in ((_CASING, 3.0), (_WHITE, 1.0)):
                painter.setPen(QPen(color, width))
                painter.drawLine(edge)


@dataclass(frozen=True, slots=True, eq=False)
class ContourLayer:
    """Outlines and limbs that were carried over; each (m, 2), image pixels."""

    rings: tuple[NDArray[np.float64], ...]
    limbs: tuple[NDArray[np.float64], ...]

    def draw(self, painter: QPainter, to_screen: QTransform, _area: QRectF) -> None:
        """Draw the lines."""
        rings = [to_screen.map(_polygon(ring)) for ring in self.rings]
        limbs = [to_screen.map(_polygon(limb)) for limb in self.limbs]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for color, width in ((_CASING, 4.0), (_CONTOUR, 2.0)):
            painter.setPen(_pen(color, width))
            for ring in rings:
                painter.drawPolygon(ring)
            for limb in limbs:
                painter.drawPolyline(limb)


@dataclass(frozen=True, slots=True, eq=False)
class GridLayer:
    """A grid, warped or not, with the cells that are folded over.

    Attributes
    ----------
    lines : tuple of ndarray, (m, 2)
        Image pixels.
    folds : ndarray, (c, 4, 2)
        Corners of folded cells, image pixels.
    is_flipped : bool
        Whether the object as a whole is mirrored.
    """

    lines: tuple[NDArray[np.float64], ...]
    folds: NDArray[np.float64]
    is_flipped: bool = False

    def draw(self, painter: QPainter, to_screen: QTransform, _area: QRectF) -> None:
        """Draw the folded cells, hatched, and the lines over them."""
        painter.setPen(Qt.PenStyle.NoPen)
        for corners in self.folds:
            cell = to_screen.map(_polygon(corners))
            painter.setBrush(QColor(_FOLD.red(), _FOLD.green(), _FOLD.blue(), 110))
            painter.drawPolygon(cell)
            painter.setBrush(QBrush(_WHITE, Qt.BrushStyle.BDiagPattern))
            painter.drawPolygon(cell)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        lines = [to_screen.map(_polygon(line)) for line in self.lines]
        for color, width in ((_CASING, 2.5), (_FLIPPED if self.is_flipped else _LINE, 1.0)):
            painter.setPen(_pen(color, width))
            for line in lines:
                painter.drawPolyline(line)


@dataclass(frozen=True, slots=True, eq=False)
class CounterpartLayer:
    """Where the point under the pointer lies on this image.

    Attributes
    ----------
    at : tuple of float
        Image pixels.
    confidence : float
        In [0, 1]; colours the ring.
    text : str
    """

    at: Xy
    confidence: float
    text: str

    def draw(self, painter: QPainter, to_screen: QTransform, area: QRectF) -> None:
        """Draw a ring with a cross, and what is said of it."""
        place = to_screen.map(QPointF(*self.at))
        color = QColor(*confidence_color(self.confidence))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for shade, width in ((_CASING, 5.0), (_WHITE, 3.4), (color, 2.0)):
            painter.setPen(_pen(shade, width))
            painter.drawEllipse(place, _RING, _RING)
        _draw_cross(painter, place)
        draw_note(painter, place + QPointF(0, 26), self.text, area)


@dataclass(frozen=True, slots=True, eq=False)
class RoundTripLayer:
    """A point of this image, and where its counterpart comes back to; image pixels."""

    xy: Xy
    back: Xy
    is_pinned: bool = False

    def draw(self, painter: QPainter, to_screen: QTransform, _area: QRectF) -> None:
        """Draw a line from the point to a diamond where it comes back."""
        start, end = to_screen.map(QPointF(*self.xy)), to_screen.map(QPointF(*self.back))
        turns = ((0, -1), (1, 0), (0, 1), (-1, 0))
        diamond = QPolygonF([end + QPointF(x, y) * _DIAMOND for x, y in turns])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for color, width in ((_CASING, 4.0), (_WHITE, 1.6)):
            painter.setPen(_pen(color, width))
            painter.drawLine(start, end)
            painter.drawPolygon(diamond)
        if self.is_pinned:
            for color, width in ((_CASING, 4.0), (_WHITE, 1.6)):
                painter.setPen(_pen(color, width))
                painter.drawEllipse(start, _RING, _RING)
            _draw_cross(painter, start)


@dataclass(frozen=True, slots=True, eq=False)
class GhostLayer:
    """Where keypoints (m, 2) would lie, image pixels."""

    xy: NDArray[np.float64]

    def draw(self, painter: QPainter, to_screen: QTransform, _area: QRectF) -> None:
        """Draw a ring with a cross at each."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for x, y in self.xy.tolist():
            place = to_screen.map(QPointF(x, y))
            for color, width in ((_CASING, 4.0), (_CONTOUR, 2.0)):
                painter.setPen(_pen(color, width))
                painter.drawEllipse(place, _RING, _RING)
            _draw_cross(painter, place)


@dataclass(frozen=True, slots=True, eq=False)
class TrailLayer:
    """Points that have moved: from where (m, 2) to where (m, 2), image pixels, and a sentence."""

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    text: str

    def draw(self, painter: QPainter, to_screen: QTransform, area: QRectF) -> None:
        """Draw a dashed line from an empty ring to each point, and the sentence at the bottom."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for (x0, y0), (x, y) in zip(self.before.tolist(), self.after.tolist(), strict=True):
            start = to_screen.map(QPointF(x0, y0))
            line = QLineF(start, to_screen.map(QPointF(x, y)))
            if line.length() > _RING:
                # From the ring's edge, so that the place itself stays to be seen.
                line.setP1(line.pointAt(_TRAIL_RING / line.length()))
            for color, width in ((_CASING, 3.4), (_WHITE, 1.6)):
                pen = _pen(color, width)
                painter.setPen(pen)
                painter.drawEllipse(start, _TRAIL_RING, _TRAIL_RING)
                pen.setDashPattern([5.0 / width, 5.0 / width])
                painter.setPen(pen)
                painter.drawLine(line)
        draw_note(painter, QPointF(area.center().x(), area.bottom() - 24), self.text, area)


def picture_image(rgba: NDArray[np.uint8]) -> QImage:
    """Return an image (h, w, 4) with straight alpha as Qt draws it; it keeps its own pixels."""
    height, width = rgba.shape[:2]
    data = np.ascontiguousarray(rgba)
    straight = QImage(data.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return straight.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def heat_image(values: NDArray[np.float32]) -> QImage:
    """Return a distribution (rows, cols) in [0, 1] in cividis, the fainter the less likely."""
    rows, cols = values.shape
    size = (cols * _FINER, rows * _FINER)
    fine = cv2.resize(values, size, interpolation=cv2.INTER_CUBIC)
    levels = np.rint(255 * np.clip(fine, 0, 1)).astype(np.uint8)
    return picture_image(_heat_colors()[levels])


def signed_image(values: NDArray[np.floating], alpha: int = 255) -> QImage:
    """Return values (rows, cols) in [-1, 1] as an image, blue below 0 and red above."""
    rgb = diverging(values)
    return picture_image(np.dstack([rgb, np.full((*values.shape, 1), alpha, dtype=np.uint8)]))


def rect_of(box: tuple[int, int, int, int]) -> QRectF:
    """Return a box of corners (x0, y0, x1, y1) as a rectangle."""
    return QRectF(box[0], box[1], box[2] - box[0], box[3] - box[1])


def draw_layers(
    painter: QPainter, layers: Sequence[Layer], to_screen: QTransform, area: QRectF
) -> None:
    """Draw layers, the first at the bottom."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for layer in layers:
        layer.draw(painter, to_screen, area)


@cache
def _heat_colors() -> NDArray[np.uint8]:
    """Return the colour and alpha of each of 256 levels, (256, 4)."""
    levels = np.linspace(0, 1, 256)
    # By their roots: else only the peak would be seen, and not what competes with it.
    alpha = np.rint(_STRONGEST * np.sqrt(levels)).astype(np.uint8)
    return np.column_stack([cividis(np.sqrt(levels)), alpha])


def _draw_cross(painter: QPainter, place: QPointF) -> None:
    """Draw a small cross at a place."""
    for color, width in ((_CASING, 3.0), (_WHITE, 1.2)):
        painter.setPen(_pen(color, width))
        painter.drawLine(place - QPointF(3, 0), place + QPointF(3, 0))
        painter.drawLine(place - QPointF(0, 3), place + QPointF(0, 3))


def _polygon(points: NDArray[np.float64]) -> QPolygonF:
    """Return points (m, 2) as Qt's."""
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def _pen(color: QColor, width: float) -> QPen:
    """Return a pen with round ends."""
    return QPen(
        color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    )
