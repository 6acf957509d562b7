"""Keypoints as small pictures, painted once and then copied: shapes carry the meaning."""

from dataclasses import dataclass, replace
from math import isnan

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap

from fmstudio.drawing.colors import Rgb, confidence_color
from fmstudio.geometry.points import HIDDEN
from fmstudio.ui import theme

RADIUS = 5.5
_SMALL = 3.0
_CHOSEN = 1.5
_SELECTED = 4.0
# Half a sprite's side: the selected point's ring and a pixel for its soft edge.
_HALF = 13.0
# Confidences are told apart in as many steps.
_STEPS = 32
_CASING = QColor(14, 15, 17, 170)
_WHITE = QColor(255, 255, 255)
# No colour of the ramp: there is nothing to tell.
_UNKNOWN = QColor(128, 128, 128)
# The notch of a corrected point: the share of the disc, in degrees, that is missing on the upper
# right. Lists draw the same shape.
_NOTCH = 15, 75


@dataclass(frozen=True, slots=True)
class Shape:
    """All that the picture of a keypoint depends on.

    Attributes
    ----------
    color : tuple of int
        The keypoint's own.
    visibility : int
        1 hidden, 2 visible.
    score : float or None
        Place on the ramp of a proposed point in [0, 1], below 0 where it is not known; None of a
        point that is not proposed.
    is_corrected, is_hovered, is_selected : bool
    is_small : bool
        One of so many that they would hide the image.
    """

    color: Rgb
    visibility: int
    score: float | None = None
    is_corrected: bool = False
    is_hovered: bool = False
    is_selected: bool = False
    is_small: bool = False


class Sprites:
    """Pictures of keypoints, kept by shape and by the screen's pixel ratio."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Shape, float, int], QPixmap] = {}

    def draw(self, painter: QPainter, at: tuple[float, float], shape: Shape) -> None:
        """Draw a keypoint at a place in screen pixels."""
        ratio = painter.device().devicePixelRatioF()
        accent = theme.tokens().accent
        shape = _as_told(shape)
        key = shape, ratio, accent.rgb()
        sprite = self._kept.get(key)
        if sprite is None:
            sprite = self._kept[key] = _paint(shape, ratio, accent)
        painter.drawPixmap(QPointF(at[0] - _HALF, at[1] - _HALF), sprite)


def draw_shape(painter: QPainter, at: QPointF, shape: Shape, accent: QColor) -> None:
    """Draw a keypoint: a disc if visible, a ring with a slash if hidden, hollow if proposed."""
    radius = _SMALL if shape.is_small else RADIUS
    radius += _CHOSEN if shape.is_hovered or shape.is_selected else 0.0
    color = QColor(*shape.color)
    if shape.score is not None:
        known = shape.score >= 0
        ring = QColor(*confidence_color(shape.score)) if known else _UNKNOWN
        _draw_ring(painter, at, radius, ring)
        if not shape.is_small:
            _draw_dot(painter, at, color)
    elif shape.visibility == HIDDEN:
        _draw_ring(painter, at, radius, color)
    else:
        _draw_disc(painter, at, radius, color, shape.is_corrected)
    if shape.visibility == HIDDEN:
        _draw_slash(painter, at, radius)
    if shape.is_selected:
        for pen in (QPen(_CASING, 4.0), QPen(accent, 2.2)):
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(at, radius + _SELECTED, radius + _SELECTED)


def _as_told(shape: Shape) -> Shape:
    """Return a shape without what its picture does not tell, so that few are painted."""
    if shape.score is None:
        return shape
    score = -1.0 if isnan(shape.score) else round(shape.score * _STEPS) / _STEPS
    return replace(shape, score=score, color=(0, 0, 0) if shape.is_small else shape.color)


def _paint(shape: Shape, ratio: float, accent: QColor) -> QPixmap:
    """Return the picture of a keypoint."""
    side = round(2 * _HALF * ratio)
    sprite = QPixmap(side, side)
    sprite.setDevicePixelRatio(ratio)
    sprite.fill(Qt.GlobalColor.transparent)
    painter = QPainter(sprite)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw_shape(painter, QPointF(_HALF, _HALF), shape, accent)
    painter.end()
    return sprite


def _draw_disc(
    painter: QPainter, at: QPointF, radius: float, color: QColor, is_corrected: bool
) -> None:
    """Draw a filled disc with a white rim; a corrected one lacks a piece."""
    for pen, brush in ((QPen(_CASING, 4.0), _CASING), (QPen(_WHITE, 1.6), color)):
        painter.setPen(pen)
        painter.setBrush(brush)
        if is_corrected:
            box = QRectF(at.x() - radius, at.y() - radius, 2 * radius, 2 * radius)
            painter.drawPie(box, _NOTCH[1] * 16, (360 - _NOTCH[1] + _NOTCH[0]) * 16)
        else:
            painter.drawEllipse(at, radius, radius)


def _draw_ring(painter: QPainter, at: QPointF, radius: float, color: QColor) -> None:
    """Draw a ring in a colour, cased in white."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_CASING, 5.4), QPen(_WHITE, 4.2), QPen(color, 2.8)):
        painter.setPen(pen)
        painter.drawEllipse(at, radius, radius)


def _draw_dot(painter: QPainter, at: QPointF, color: QColor) -> None:
    """Draw the point's own colour within the ring whose colour is the confidence."""
    painter.setPen(QPen(_CASING, 1.0))
    painter.setBrush(color)
    painter.drawEllipse(at, 2.0, 2.0)


def _draw_slash(painter: QPainter, at: QPointF, radius: float) -> None:
    """Strike a mark through, from the lower left to the upper right."""
    reach = 0.72 * (radius + 3.0)
    for pen in (QPen(_CASING, 4.0), QPen(_WHITE, 2.0)):
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawLine(at + QPointF(-reach, reach), at + QPointF(reach, -reach))
