"""How a row of the image list is painted."""

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QStyleOptionViewItem

from fmstudio.project.model import ImageState, Status
from fmstudio.ui import theme
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.glyphs import caption_font
from fmstudio.ui.panels.image_model import ImageModel
from fmstudio.ui.panels.rows import MARGIN, Index, RowDelegate
from fmstudio.ui.panels.thumbnails import Thumbnails

ROW = 56
THUMBNAIL = 44


class ImageRow(RowDelegate):
    """A thumbnail, the file's name, and where the image stands, by shape and word."""

    def __init__(
        self, controller: Controller, model: ImageModel, thumbnails: Thumbnails, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._controller, self._model, self._thumbnails = controller, model, thumbnails

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return one height for all rows."""
        return QSize(120, ROW)

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
        text = area.adjusted(THUMBNAIL + MARGIN, 8, 0, -8)
        name = QRect(text.left(), text.top(), text.width(), text.height() // 2)
        self.draw_text(
            painter, name, image.file_name, option.font, self.color(option, QPalette.ColorRole.Text)
        )
        state = project.image_state(image.id)
        second = QRect(text.left(), name.bottom(), text.width(), text.height() // 2)
        on = self.color(option, QPalette.ColorRole.Text) if self.is_selected(option) else None
        draw_state(painter, QRect(second.left(), second.top(), 12, second.height()), state, on)
        waiting = [
            a.confidence or 0.0
            for a in project.annotations_of(image.id)
            if a.status is Status.PROPOSED
        ]
        words = (f"{min(waiting):.2f}  " if waiting else "") + self._words(state)
        self.draw_text(
            painter,
            second.adjusted(18, 0, 0, 0),
            words,
            caption_font(option.font),
            self.color(option, QPalette.ColorRole.PlaceholderText),
        )

    def _words(self, state: ImageState) -> str:
        """Return a state in words."""
        words = {
            ImageState.NONE: self.tr("nothing yet"),
            ImageState.PROPOSED: self.tr("proposed"),
            ImageState.PARTLY_REVIEWED: self.tr("partly reviewed"),
            ImageState.ACCEPTED: self.tr("accepted"),
            ImageState.REJECTED: self.tr("rejected"),
        }
        return words[state]


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
