"""Text over the image: names that dodge each other and the marks, and plates that carry them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from fmstudio.ui.canvas.sprites import RADIUS

# Readable on any photo, light or dark, so it does not follow the scheme.
_PLATE = QColor(16, 17, 19, 180)
_INK = QColor(245, 246, 247)
_LEADER = QColor(245, 246, 247, 150)
_PAD = 4.0
_GAP = RADIUS + 4.0
_FAR = 2.6
# Directions in the order of a clock hand that goes backwards; y points down.
_ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A text that belongs to a point.

    Attributes
    ----------
    at : tuple of float
        The point, in screen pixels.
    text : str
    outward : tuple of float
        Where the text had best lie: away from the rest of the object, unit length or zero.
    must : bool
        It is written even where there is no room.
    opacity : float
    """

    at: tuple[float, float]
    text: str
    outward: tuple[float, float] = (1.0, 0.0)
    must: bool = False
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class PlacedName:
    """A name and the box it is written in; ``is_far`` if it needs a leader."""

    name: Name
    box: QRectF
    is_far: bool


def place_names(
    names: Sequence[Name],
    marks: NDArray[np.float64],
    metrics: QFontMetricsF,
    area: QRectF,
) -> list[PlacedName]:
    """Return the names that have room, each where it hits nothing.

    A name tries the places around its point: close ones first, of these the outward ones, so that
    text lies beside the object rather than on it. Names that must be written come first.

    Parameters
    ----------
    names : sequence of Name
        The important ones first.
    marks : ndarray, (n, 2)
        Screen pixels of all points that are drawn, which text leaves free.
    metrics : QFontMetricsF
        Of the font they are written in.
    area : QRectF
        The screen; a name lies within.
    """
    reach = RADIUS + 1.0
    taken = np.column_stack([marks - reach, marks + reach]).reshape(-1, 4)
    placed: list[PlacedName] = []
    for name in sorted(names, key=lambda name: not name.must):
        width = metrics.horizontalAdvance(name.text) + 2 * _PAD
        boxes, is_far = _places(name, width, metrics.height() + 2)
        inside = (boxes[:, :2] >= [area.left(), area.top()]).all(axis=1)
        inside &= (boxes[:, 2:] <= [area.right(), area.bottom()]).all(axis=1)
        free = inside & ~_hits(boxes, taken)
        if not free.any() and not name.must:
            continue
        # With no place inside either, the first will do.
        best = int(np.argmax(free if free.any() else inside))
        box = boxes[best]
        taken = np.vstack([taken, box + np.array([-1.0, -1.0, 1.0, 1.0])])
        rect = QRectF(QPointF(box[0], box[1]), QPointF(box[2], box[3]))
        placed.append(PlacedName(name, rect, bool(is_far[best])))
    return placed


def draw_names(painter: QPainter, placed: Sequence[PlacedName]) -> None:
    """Write names where they have been placed; the painter has their font."""
    for item in placed:
        painter.setOpacity(item.name.opacity)
        if item.is_far:
            at = QPointF(*item.name.at)
            near = QPointF(
                min(max(at.x(), item.box.left()), item.box.right()),
                min(max(at.y(), item.box.top()), item.box.bottom()),
            )
            painter.setPen(QPen(_LEADER, 1.0))
            painter.drawLine(at + (near - at) * (RADIUS / _length(near - at)), near)
        draw_plate(painter, item.box, item.name.text)
    painter.setOpacity(1.0)


def draw_plate(painter: QPainter, box: QRectF, text: str) -> None:
    """Draw a text on a dark plate that any photo leaves readable."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(_INK)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def draw_note(painter: QPainter, middle: QPointF, text: str, area: QRectF) -> None:
    """Draw a text on a plate around a place, moved so far that it lies on the screen."""
    metrics = QFontMetricsF(painter.font())
    width, height = metrics.horizontalAdvance(text) + 12, metrics.height() + 6
    left = min(max(middle.x() - width / 2, area.left() + 4), area.right() - width - 4)
    top = min(max(middle.y() - height / 2, area.top() + 4), area.bottom() - height - 4)
    draw_plate(painter, QRectF(left, top, width, height), text)


def small_font(font: QFont) -> QFont:
    """Return the font that names are written in: a size below text, figures of one width."""
    result = QFont(font)
    result.setPointSizeF(max(7.0, font.pointSizeF() - 1))
    result.setFeature(QFont.Tag("tnum"), 1)
    return result


def _places(
    name: Name, width: float, height: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return boxes (c, 4) of left, top, right, bottom around a point, the best first."""
    direction = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
    # Level text reads best, so of two places that are as far outward the level one comes first.
    cost = -(direction @ np.asarray(name.outward)) - 0.3 * np.abs(direction[:, 0])
    order = np.argsort(cost, kind="stable")
    half = np.array([width / 2, height / 2])
    near = direction[order] * _GAP + direction[order] * half
    far = direction[order] * _GAP * _FAR + direction[order] * half
    centres = np.asarray(name.at) + np.vstack([near, far])
    return np.hstack([centres - half, centres + half]), np.arange(len(centres)) >= len(order)


def _hits(boxes: NDArray[np.float64], taken: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which boxes (c, 4) overlap any that is taken (n, 4)."""
    if not len(taken):
        return np.zeros(len(boxes), dtype=bool)
    low = np.maximum(boxes[:, None, :2], taken[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], taken[None, :, 2:])
    return np.asarray(np.any(np.all(high > low, axis=2), axis=1))


def _length(vector: QPointF) -> float:
    """Return a vector's length, never 0."""
    return max(float(np.hypot(vector.x(), vector.y())), 1e-9)
