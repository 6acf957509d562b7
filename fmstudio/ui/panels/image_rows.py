"""How a row of the image list is painted."""

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QLinearGradient, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QStyleOptionViewItem

from fmstudio.drawing.colors import confidence_color
from fmstudio.project.model import ImageState, Status
from fmstudio.ui import theme
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.glyphs import caption_font, text_width
from fmstudio.ui.panels.image_model import ImageModel, state_words
from fmstudio.ui.panels.rows import MARGIN, Index, RowDelegate
from fmstudio.ui.panels.thumbnails import Thumbnails

ROW = 56
THUMBNAIL = 44


class ImageRow(RowDelegate):
    """A thumbnail, the file's name, and where the image stands: by shape, word and confidence."""

    def __init__(
        self, controller: Controller, model: ImageModel, thumbnails: Thumbnails, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._controller, self._model, self._thumbnails = controller, model, thumbnails

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint a row."""
        self.draw_background(painter, option, index)
        image, project = self._model.image_at(index), self._controller.project
        if image is None or project is None:
            return
        area = option.rect.adjusted(MARGIN, 0, -MARGIN, 0)
        place = QRect(area.left(), area.center().y() - THUMBNAIL // 2, THUMBNAIL, THUMBNAIL)
        draw_thumbnail(painter, place, self._thumbnails.pixmap(image))
        if image.id == self._controller.reference_id:
            draw_badge(painter, place, self.tr("R"))
        if image.id == self._controller.target_id:
            draw_target(painter, option.rect, self.is_selected(option))
        text = area.adjusted(THUMBNAIL + MARGIN, 6, 0, -12)
        name, second = halves(text)
        plain = self.color(option, QPalette.ColorRole.Text)
        shown = fitting_name(image.file_name, option.font, name.width())
        self.draw_text(painter, name, shown, option.font, plain)
        state = project.image_state(image.id)
        dot = QRect(second.left(), second.top(), 10, second.height())
        draw_state(painter, dot, state, plain if self.is_selected(option) else None)
        waiting = [
            a.confidence or 0.0
            for a in project.annotations_of(image.id)
            if a.status is Status.PROPOSED
        ]
        beside = second.adjusted(16, 0, 0, 0)
        font = caption_font(option.font)
        muted = self.color(option, QPalette.ColorRole.PlaceholderText)
        self.draw_text(painter, beside, _said(state, waiting, font, beside), font, muted)
        if waiting:
            bar = QRect(text.left(), option.rect.bottom() - 9, text.width(), 4)
            draw_range(painter, bar, min(waiting), max(waiting), track_color(option))


def _said(state: ImageState, waiting: list[float], font: QFont, place: QRect) -> str:
    """Return a state and the worst and best confidence, or as much of both as has room."""
    words = state_words(state)
    if not waiting:
        return words
    low, high = f"{min(waiting):.2f}", f"{max(waiting):.2f}"
    figures = low if low == high else f"{low}\u2013{high}"
    both = f"{words}  {figures}"
    return both if text_width(both, font) <= place.width() else figures


def track_color(option: QStyleOptionViewItem) -> QColor:
    """Return the colour of what a bar of confidence leaves empty in this row."""
    palette: QPalette = option.palette
    if not RowDelegate.is_selected(option):
        return palette.color(QPalette.ColorRole.Mid)
    color = QColor(palette.color(QPalette.ColorRole.HighlightedText))
    color.setAlphaF(0.3)
    return color


def fitting_name(name: str, font: QFont, width: int) -> str:
    """Return a file's name, without its ending where that makes the difference."""
    stem = name.rpartition(".")[0] or name
    return name if text_width(name, font) <= width else stem


def halves(text: QRect) -> tuple[QRect, QRect]:
    """Return the upper and the lower line of a row's text."""
    half = text.height() // 2
    upper = QRect(text.left(), text.top(), text.width(), half)
    return upper, upper.translated(0, half)


def draw_thumbnail(painter: QPainter, place: QRect, pixmap: QPixmap | None) -> None:
    """Draw the middle of a thumbnail into a square; an empty one while it is on its way."""
    tokens = theme.tokens()
    if pixmap is None or pixmap.isNull():
        painter.fillRect(place, tokens.raised)
        if pixmap is not None:
            painter.setPen(QPen(tokens.error, 1.5))
            painter.drawLine(place.topLeft(), place.bottomRight())
        return
    side = min(pixmap.width(), pixmap.height())
    part = QRect((pixmap.width() - side) // 2, (pixmap.height() - side) // 2, side, side)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawPixmap(place, pixmap, part)


def draw_range(painter: QPainter, place: QRect, low: float, high: float, track: QColor) -> None:
    """Draw a bar of 4 px on which a range of confidences in [0, 1] is coloured."""
    left, right = (place.left() + score * place.width() for score in (low, high))
    width = max(4.0, right - left)
    part = QRectF(min(left, place.left() + place.width() - width), place.top(), width, 4)
    colors = QLinearGradient(part.topLeft(), part.topRight())
    for share in (0.0, 0.5, 1.0):
        colors.setColorAt(share, QColor(*confidence_color(low + share * (high - low))))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(track)
    painter.drawRoundedRect(QRectF(place.left(), place.top(), place.width(), 4), 2, 2)
    # The ramp begins near black and ends near yellow: the rim keeps both apart from the ground.
    painter.setPen(QPen(QColor(128, 128, 128), 1))
    painter.setBrush(colors)
    painter.drawRoundedRect(part.adjusted(-0.5, -0.5, 0.5, 0.5), 2.5, 2.5)
    painter.restore()


def draw_target(painter: QPainter, row: QRect, is_selected: bool) -> None:
    """Draw a mark at the left edge of the row whose image is on the target canvas."""
    tokens = theme.tokens()
    color = tokens.on_accent if is_selected else tokens.accent
    painter.fillRect(QRect(row.left(), row.top() + 4, 3, row.height() - 8), color)


def draw_badge(painter: QPainter, place: QRect, letter: str) -> None:
    """Draw a letter in a thumbnail's lower corner: this is the reference."""
    tokens = theme.tokens()
    box = QRect(place.right() - 15, place.bottom() - 15, 16, 16)
    painter.save()
    painter.fillRect(box, tokens.accent)
    painter.setPen(tokens.on_accent)
    painter.setFont(caption_font(painter.font()))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, letter)
    painter.restore()


def draw_state(painter: QPainter, place: QRect, state: ImageState, on: QColor | None) -> None:
    """Draw where an image stands, 10 px: a ring, dashed if proposed, half or full if reviewed.

    ``on`` replaces the colours where the row is selected.
    """
    tokens = theme.tokens()
    centre, r = QRectF(place).center(), 4.5
    color = on or {
        ImageState.ACCEPTED: tokens.ok,
        ImageState.PROPOSED: tokens.warn,
        ImageState.PARTLY_REVIEWED: tokens.warn,
        ImageState.REJECTED: tokens.error,
    }.get(state, tokens.muted)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(color, 1.5)
    if state is ImageState.PROPOSED:
        pen.setDashPattern([1.6, 1.5])
    painter.setPen(pen)
    if state is ImageState.ACCEPTED:
        painter.setBrush(color)
    painter.drawEllipse(centre, r, r)
    if state is ImageState.PARTLY_REVIEWED:
        painter.setBrush(color)
        painter.drawPie(QRectF(centre.x() - r, centre.y() - r, 2 * r, 2 * r), -90 * 16, 180 * 16)
    elif state is ImageState.REJECTED:
        for dy in (-1, 1):
            painter.drawLine(centre + QPointF(-2, 2 * dy), centre + QPointF(2, -2 * dy))
    painter.restore()
