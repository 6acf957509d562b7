"""What the rows of all lists in the panels have in common."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

Index = QModelIndex | QPersistentModelIndex
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
MARGIN = 8


class RowDelegate(QStyledItemDelegate):
    """What all these rows have in common: a background, colours for text, elided text."""

    def draw_background(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """Draw selection, hover and focus as the style does, without a text."""
        self.initStyleOption(option, index)
        option.text = ""
        widget = option.widget
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)

    @staticmethod
    def is_selected(option: QStyleOptionViewItem) -> bool:
        """Return whether a row stands on the selection's colour."""
        return bool(option.state & QStyle.StateFlag.State_Selected)

    def color(self, option: QStyleOptionViewItem, role: QPalette.ColorRole) -> QColor:
        """Return a text colour that can be read in this row."""
        palette: QPalette = option.palette
        if not self.is_selected(option):
            return palette.color(role)
        color = QColor(palette.color(QPalette.ColorRole.HighlightedText))
        if role is QPalette.ColorRole.PlaceholderText:
            color.setAlphaF(0.8)
        return color

    @staticmethod
    def draw_text(
        painter: QPainter,
        rect: QRect,
        text: str,
        font: QFont,
        color: QColor,
        align: Qt.AlignmentFlag = LEFT,
    ) -> None:
        """Draw one line, elided in its middle if it is too long: both ends tell names apart."""
        painter.setFont(font)
        painter.setPen(color)
        elided = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideMiddle, rect.width())
        painter.drawText(rect, align, elided)
