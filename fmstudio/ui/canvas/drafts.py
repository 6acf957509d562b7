"""Drafts as the canvas draws them: what a gesture would make."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from fmstudio.ui import theme
from fmstudio.ui.canvas.draft import DraftView, Stroke
from fmstudio.ui.canvas.loupe import draw_loupe
from fmstudio.ui.canvas.pyramid import Pyramid
from fmstudio.ui.canvas.text import draw_note

_HANDLE = 3.5
_CASING = QColor(14, 15, 17, 150)
_WHITE = QColor(255, 255, 255)


def draw_draft(
    painter: QPainter,
    draft: DraftView,
    to_screen: QTransform,
    pyramid: Pyramid | None,
    area: QRectF,
) -> None:
    """Draw all of a draft but its annotation.

    Parameters
    ----------
    painter : QPainter
        In screen pixels.
    draft : DraftView
    to_screen : QTransform
        From image pixels to screen pixels.
    pyramid : Pyramid or None
        What the loupe magnifies.
    area : QRectF
        The screen, in which hint and loupe lie as a whole.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    accent = theme.tokens().accent
    for stroke in draft.strokes:
        _draw_stroke(painter, stroke, to_screen, accent)
    if draft.ring is not None and len(draft.ring):
        ring = [to_screen.map(QPointF(x, y)) for x, y in draft.ring.tolist()]
        _draw_line(painter, QPolygonF(ring), accent)
        # The last corner goes with the pointer and cannot be taken yet.
        corners = ring[:-1] if draft.at is not None else ring
        _draw_handles(painter, corners, accent, closes=True)
    if draft.handles is not None:
        places = [to_screen.map(QPointF(x, y)) for x, y in draft.handles.tolist()]
        _draw_handles(painter, places, accent)
    if draft.box is not None:
        box = to_screen.mapRect(QRectF(*draft.box).normalized())
        _draw_line(painter, QPolygonF(box), accent)
        _draw_size(painter, box, draft.box, area)
    if draft.brush is not None:
        _draw_brush(painter, draft.brush, to_screen)
    if draft.loupe is not None and pyramid is not None:
        draw_loupe(painter, draft.loupe, to_screen, pyramid, area)
    elif draft.hint and draft.at is not None:
        _draw_hint(painter, to_screen.map(QPointF(*draft.at)), draft.hint, area)


def _draw_stroke(painter: QPainter, stroke: Stroke, to_screen: QTransform, accent: QColor) -> None:
    """Draw a brush stroke: the disc swept along the way."""
    if not len(stroke.xy):
        return
    color = QColor(theme.tokens().error if stroke.is_erasing else accent)
    color.setAlphaF(0.5)
    width = 2 * stroke.radius * to_screen.m11()
    pen = QPen(color, width, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin)
    places = [to_screen.map(QPointF(x, y)) for x, y in stroke.xy.tolist()]
    path = QPainterPath(places[0])
    # A path of one place would draw nothing.
    for place in places[1:] or [places[0] + QPointF(0.01, 0)]:
        path.lineTo(place)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen)
    painter.drawPath(path)


def _draw_line(painter: QPainter, line: QPolygonF, color: QColor) -> None:
    """Draw an open line that stands out from any photo."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_CASING, 4.6), QPen(_WHITE, 3.0), QPen(color, 1.6)):
        painter.setPen(pen)
        painter.drawPolyline(line)


def _draw_handles(
    painter: QPainter, places: Sequence[QPointF], color: QColor, *, closes: bool = False
) -> None:
    """Draw the vertices that can be taken; the first is larger where it closes the ring."""
    painter.setPen(QPen(color, 1.5))
    painter.setBrush(_WHITE)
    for index, place in enumerate(places):
        half = _HANDLE + (1.5 if closes and index == 0 else 0.0)
        painter.drawRect(QRectF(place.x() - half, place.y() - half, 2 * half, 2 * half))


def _draw_size(
    painter: QPainter, box: QRectF, pixels: tuple[float, float, float, float], area: QRectF
) -> None:
    """Say how many image pixels a box has, below its lower right corner."""
    text = f"{abs(pixels[2]):.0f} \u00d7 {abs(pixels[3]):.0f}"
    width = QFontMetricsF(painter.font()).horizontalAdvance(text)
    draw_note(painter, box.bottomRight() + QPointF(-width / 2 - 6, 16), text, area)


def _draw_brush(
    painter: QPainter, brush: tuple[float, float, float], to_screen: QTransform
) -> None:
    """Draw the brush's rim, and its middle where it is large."""
    at, radius = to_screen.map(QPointF(brush[0], brush[1])), brush[2] * to_screen.m11()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_CASING, 3.4), QPen(_WHITE, 1.4)):
        painter.setPen(pen)
        painter.drawEllipse(at, radius, radius)
    if radius > 8:
        for pen in (QPen(_CASING, 3.4), QPen(_WHITE, 1.4)):
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawPoint(at)


def _draw_hint(painter: QPainter, at: QPointF, text: str, area: QRectF) -> None:
    """Draw what comes next, to the lower right of the pointer."""
    width = QFontMetricsF(painter.font()).horizontalAdvance(text)
    draw_note(painter, at + QPointF(20 + width / 2, 24), text, area)
