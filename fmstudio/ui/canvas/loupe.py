"""The loupe: what lies under a point that is being placed, four times larger."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTransform

from fmstudio.ui import theme
from fmstudio.ui.canvas.pyramid import Pyramid
from fmstudio.ui.canvas.text import draw_note

MAGNIFICATION = 4.0
RADIUS = 72.0
# Screen pixels per image pixel from which the image itself is as good as a loupe.
_ENOUGH = 16.0
_DISTANCE = 28.0
# The figures hang out of it so far.
_FOOT = 12.0


def draw_loupe(
    painter: QPainter,
    xy: tuple[float, float],
    to_screen: QTransform,
    pyramid: Pyramid,
    area: QRectF,
) -> None:
    """Draw a disc beside a place that magnifies it, with the place in figures below.

    Parameters
    ----------
    painter : QPainter
        In screen pixels.
    xy : tuple of float
        The place, in image pixels.
    to_screen : QTransform
        From image pixels to screen pixels.
    pyramid : Pyramid
    area : QRectF
        The screen, in which the loupe lies as a whole.
    """
    at, text = to_screen.map(QPointF(*xy)), f"{xy[0]:.1f}, {xy[1]:.1f}"
    if to_screen.m11() >= _ENOUGH:
        draw_note(painter, at + QPointF(0, _DISTANCE), text, area)
        return
    middle = loupe_middle(at, area)
    scale = max(to_screen.m11(), 1.0) * MAGNIFICATION
    disc = QPainterPath()
    disc.addEllipse(middle, RADIUS, RADIUS)
    painter.save()
    painter.setClipPath(disc)
    painter.fillPath(disc, theme.tokens().canvas)
    painter.translate(middle)
    painter.scale(scale, scale)
    painter.translate(-xy[0], -xy[1])
    reach = RADIUS / scale + 1
    seen = QRectF(xy[0] - reach, xy[1] - reach, 2 * reach, 2 * reach)
    pyramid.draw(painter, seen & QRectF(0, 0, pyramid.width, pyramid.height), scale)
    painter.restore()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(QColor(14, 15, 17, 190), 4.0), QPen(QColor(255, 255, 255, 235), 1.8)):
        painter.setPen(pen)
        painter.drawEllipse(middle, RADIUS, RADIUS)
    draw_crosshair(painter, middle, QRectF(middle.x() - 24, middle.y() - 24, 48, 48), gap=5.0)
    draw_note(painter, middle + QPointF(0, RADIUS - 2), text, area)


def loupe_middle(at: QPointF, area: QRectF) -> QPointF:
    """Return where a loupe for a place is centred: above right of it, or where there is room."""
    away = RADIUS + _DISTANCE
    x = at.x() + away if at.x() + away + RADIUS <= area.right() else at.x() - away
    y = at.y() - away if at.y() - away - RADIUS >= area.top() else at.y() + away
    # It lies beside the place in any case, so it may go up or down to be seen whole.
    return QPointF(x, max(area.top() + RADIUS, min(y, area.bottom() - RADIUS - _FOOT)))


def draw_crosshair(painter: QPainter, at: QPointF, area: QRectF, gap: float = 10.0) -> None:
    """Draw two fine lines through a place to the edges of an area, with a gap in the middle."""
    # A soft edge would smear a level line of one pixel over two.
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for pen in (QPen(QColor(0, 0, 0, 90), 3.0), QPen(QColor(255, 255, 255, 215), 1.0)):
        painter.setPen(pen)
        painter.drawLine(QPointF(area.left(), at.y()), QPointF(at.x() - gap, at.y()))
        painter.drawLine(QPointF(at.x() + gap, at.y()), QPointF(area.right(), at.y()))
        painter.drawLine(QPointF(at.x(), area.top()), QPointF(at.x(), at.y() - gap))
        painter.drawLine(QPointF(at.x(), at.y() + gap), QPointF(at.x(), area.bottom()))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
