"""How rows of annotations and keypoints are drawn, and where in them one can click."""

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPalette
from PySide6.QtWidgets import QListView, QStyleOptionViewItem

from fmstudio.geometry.points import NOT_LABELLED
from fmstudio.project.model import Annotation, Status
from fmstudio.ui.panels import glyphs
from fmstudio.ui.panels.annotation_models import ITEM_ROLE, AnnotationModel, KeypointRow
from fmstudio.ui.panels.rows import MARGIN, RIGHT, Index, RowDelegate

_BAR = 36
_NARROW = 220


class AnnotationDelegate(RowDelegate):
    """Two lines: status, category and confidence; provenance."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        """Return the size of a row."""
        return QSize(160, 44)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        self.draw_background(painter, option, index)
        annotation: Annotation = index.data(ITEM_ROLE)
        model = index.model()
        assert isinstance(model, AnnotationModel)
        text = self.color(option, QPalette.ColorRole.Text)
        muted = self.color(option, QPalette.ColorRole.PlaceholderText)
        box: QRect = option.rect.adjusted(MARGIN, 4, -MARGIN, -4)
        font: QFont = option.font
        upper = QRect(box.left(), box.top(), box.width(), 18)
        lower = QRect(box.left() + 24, box.top() + 18, box.width() - 24, 18)
        on = text if self.is_selected(option) else None
        glyphs.draw_status(painter, QRect(box.left(), box.top() + 2, 16, 16), annotation, on)
        category = model.category_of(annotation)
        swatch = QRect(box.right() - 14, box.top() + 2, 16, 16)
        glyphs.draw_swatch(painter, swatch, glyphs.category_rgb(category))
        right = swatch.left() - 4
        if annotation.confidence is not None:
            number = QRect(right - 32, upper.top(), 32, 18)
            self.draw_text(
                painter,
                number,
                f"{annotation.confidence:.2f}",
                glyphs.tabular(font),
                text if annotation.status is Status.PROPOSED else muted,
                RIGHT,
            )
            right = number.left() - 4
        name = QRect(lower.left(), upper.top(), right - lower.left(), 18)
        self.draw_text(painter, name, category.name, font, text)
        caption = glyphs.caption_font(font)
        self.draw_text(painter, lower, model.provenance_text(annotation), caption, muted)


class KeypointDelegate(RowDelegate):
    """Swatch, visibility, name, confidence as number and bar."""

    glyphClicked = Signal(int)
    """The visibility of a row was clicked."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        """Return the size of a row."""
        return QSize(160, 28)

    @staticmethod
    def glyph_rect(row: QRect) -> QRect:
        """Return where a row's visibility is, as large as a finger's worth of a click."""
        return QRect(row.left() + MARGIN + 16, row.top(), 24, row.height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        self.draw_background(painter, option, index)
        row: KeypointRow = index.data(ITEM_ROLE)
        rect: QRect = option.rect
        font: QFont = option.font
        text = self.color(option, QPalette.ColorRole.Text)
        muted = self.color(option, QPalette.ColorRole.PlaceholderText)
        color = muted if row.visibility == NOT_LABELLED else text
        swatch = QRect(rect.left() + MARGIN, rect.top(), 16, rect.height())
        glyphs.draw_swatch(painter, swatch, row.color)
        glyph = self.glyph_rect(rect)
        glyphs.draw_visibility(painter, glyph, row.visibility, color)
        right = rect.right() - MARGIN
        if row.score is not None:
            bar = QRect(right - _BAR, rect.top(), _BAR, rect.height())
            if rect.width() < _NARROW:
                # The name says more than the bar beside its own figure.
                bar.setLeft(right + 6)
            else:
                track = QColor(muted)
                track.setAlphaF(0.3)
                glyphs.draw_confidence(painter, bar, row.score, track)
            number = QRect(bar.left() - 38, rect.top(), 32, rect.height())
            self.draw_text(painter, number, f"{row.score:.2f}", glyphs.tabular(font), text, RIGHT)
            right = number.left() - 4
        left = glyph.right() + 4
        name = QRect(left, rect.top(), right - left, rect.height())
        self.draw_text(painter, name, row.name, font, color)

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        """Take a click on the visibility."""
        is_click = event.type() == QEvent.Type.MouseButtonRelease
        if is_click and isinstance(event, QMouseEvent):
            at: QPoint = event.position().toPoint()
            rect: QRect = option.rect
            is_left = event.button() == Qt.MouseButton.LeftButton
            if is_left and self.glyph_rect(rect).contains(at):
                self.glyphClicked.emit(index.row())
                return True
        return super().editorEvent(event, model, option, index)


class KeypointList(QListView):
    """The list of keypoints; Return does what a click on the visibility does."""

    cycleAsked = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Return; all other keys are the list's own."""
        is_return = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_return and self.currentIndex().isValid():
            self.cycleAsked.emit(self.currentIndex().row())
        else:
            super().keyPressEvent(event)
