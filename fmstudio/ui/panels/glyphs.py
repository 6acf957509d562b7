"""Small shapes that carry a meaning in lists; colour only repeats what the shape says."""

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QIcon, QPainter, QPen, QPixmap

from fmstudio.drawing.colors import Rgb, confidence_color, keypoint_colors
from fmstudio.geometry.points import HIDDEN, VISIBLE
from fmstudio.project.model import Annotation, Category, Corrected, Status
from fmstudio.ui import theme


def tabular(font: QFont) -> QFont:
    """Return a font whose figures are all of one width."""
    result = QFont(font)
    result.setFeature(QFont.Tag("tnum"), 1)
    return result


def caption_font(font: QFont) -> QFont:
    """Return the font of captions: one size below text."""
    result = tabular(font)
    result.setPointSizeF(max(7.0, font.pointSizeF() - 1))
    return result


def category_rgb(category: Category) -> Rgb:
    """Return the colour a category is listed with: its own, or one by its id."""
    if len(category.colors) == 1:
        return keypoint_colors(1, category.colors)[0]
    return keypoint_colors(category.id)[-1]


def swatch_icon(rgb: Rgb, side: int = 16) -> QIcon:
    """Return a round patch of colour."""
    icon = QIcon()
    for ratio in (1, 2):
        pixmap = QPixmap(side * ratio, side * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        draw_swatch(painter, QRect(0, 0, side, side), rgb)
        painter.end()
        # In selected rows too, else Qt tints it there.
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            icon.addPixmap(pixmap, mode)
    return icon


def draw_swatch(painter: QPainter, rect: QRect, rgb: Rgb) -> None:
    """Draw a round patch of colour, 12 px, in the middle of a rectangle."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # The rim keeps yellow apart from white, and dark blue from black.
    painter.setPen(QPen(QColor(128, 128, 128, 160), 1))
    painter.setBrush(QColor(*rgb))
    painter.drawEllipse(QRectF(rect).center(), 5.5, 5.5)
    painter.restore()


def draw_status(painter: QPainter, rect: QRect, annotation: Annotation, on: QColor | None) -> None:
    """Draw where an annotation stands, 14 px, in the middle of a rectangle.

    Proposed is a dashed ring, accepted a full disc with a tick, corrected the same with a notch,
    rejected a ring with a cross. ``on`` replaces the colours where the row is selected.
    """
    colors = theme.tokens()
    centre, r = QRectF(rect).center(), 6.0
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if annotation.status is Status.PROPOSED:
        pen = QPen(on or colors.warn, 1.6)
        pen.setDashPattern([1.9, 1.65])
        painter.setPen(pen)
        painter.drawEllipse(centre, r, r)
    elif annotation.status is Status.REJECTED:
        painter.setPen(QPen(on or colors.error, 1.6))
        painter.drawEllipse(centre, r, r)
        for dy in (-1, 1):
            painter.drawLine(centre + QPointF(-2.4, 2.4 * dy), centre + QPointF(2.4, -2.4 * dy))
    else:
        disc = on or colors.ok
        tick = colors.accent if on else colors.window
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(disc)
        if isinstance(annotation.provenance, Corrected):
            # The notch: a quarter of the disc that is missing at the upper right.
            box = QRectF(centre.x() - r - 0.5, centre.y() - r - 0.5, 2 * r + 1, 2 * r + 1)
            painter.drawPie(box, 75 * 16, 300 * 16)
        else:
            painter.drawEllipse(centre, r + 0.5, r + 0.5)
        painter.setPen(QPen(tick, 1.6))
        painter.drawPolyline(
            [centre + QPointF(-2.8, 0.2), centre + QPointF(-0.8, 2.4), centre + QPointF(2.8, -2.2)]
        )
    painter.restore()


def draw_visibility(painter: QPainter, rect: QRect, visibility: int, color: QColor) -> None:
    """Draw a keypoint's visibility, 12 px: a disc, a ring with a slash, or a dotted ring."""
    centre, r = QRectF(rect).center(), 4.5
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if visibility == VISIBLE:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(centre, r, r)
    elif visibility == HIDDEN:
        painter.setPen(QPen(color, 1.5))
        painter.drawEllipse(centre, r, r)
        painter.drawLine(centre + QPointF(-r - 1, r + 1), centre + QPointF(r + 1, -r - 1))
    else:
        pen = QPen(color, 1.4)
        pen.setDashPattern([0.1, 2.4])
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawEllipse(centre, r, r)
    painter.restore()


def draw_confidence(painter: QPainter, rect: QRect, score: float, track: QColor) -> None:
    """Draw a bar of 4 px whose length and colour say a confidence in [0, 1]."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    bar = QRectF(rect.left(), rect.center().y() - 1.5, rect.width(), 4)
    painter.setBrush(track)
    painter.drawRoundedRect(bar, 2, 2)
    bar.setWidth(max(4.0, bar.width() * score))
    painter.setBrush(QColor(*confidence_color(score)))
    painter.drawRoundedRect(bar, 2, 2)
    painter.restore()


def text_width(text: str, font: QFont) -> int:
    """Return how wide a line of text is, in pixels."""
    return QFontMetrics(font).horizontalAdvance(text)
