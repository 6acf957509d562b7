"""The log panel: warnings and errors, to be searched, read and copied."""

import logging
import time

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QFontDatabase,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPalette,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QSplitter,
    QStackedWidget,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.ui.icons import icon, icon_pixmap
from fmstudio.ui.panels.glyphs import caption_font
from fmstudio.ui.panels.log_model import ENTRY_ROLE, LogEntry, LogFilter, LogModel
from fmstudio.ui.panels.rows import MARGIN, RIGHT, Index, RowDelegate
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.theme import tokens

_ROW_HEIGHT = 24
_ICON = 16


class LogDelegate(RowDelegate):
    """A sign for the level, the sentence, and how often, where and when."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002
        """Return the size of a row."""
        return QSize(160, _ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        entry: LogEntry = index.data(ENTRY_ROLE)
        self.draw_background(painter, option, index)
        rect: QRect = option.rect
        self._draw_sign(painter, option, entry)
        caption = caption_font(option.font)
        muted = self.color(option, QPalette.ColorRole.PlaceholderText)
        right = rect.right() - MARGIN
        for text, width in self._captions(entry, rect.width()):
            place = QRect(right - width, rect.top(), width, rect.height())
            self.draw_text(painter, place, text, caption, muted, RIGHT)
            right -= width + MARGIN
        left = rect.left() + 2 * MARGIN + _ICON
        place = QRect(left, rect.top(), right - left, rect.height())
        # A sentence says the most at its beginning.
        metrics = QFontMetrics(option.font)
        text = metrics.elidedText(index.data(), Qt.TextElideMode.ElideRight, place.width())
        color = self.color(option, QPalette.ColorRole.Text)
        self.draw_text(painter, place, text, option.font, color)

    def _draw_sign(self, painter: QPainter, option: QStyleOptionViewItem, entry: LogEntry) -> None:
        """Draw the sign of a level; the shape tells it, the colour repeats it."""
        rect: QRect = option.rect
        color = tokens().error if entry.is_error else tokens().warn
        if self.is_selected(option):
            color = self.color(option, QPalette.ColorRole.Text)
        name = "error" if entry.is_error else "warning"
        ratio = painter.device().devicePixelRatioF()
        corner = QPoint(rect.left() + MARGIN, rect.center().y() - _ICON // 2 + 1)
        painter.drawPixmap(corner, icon_pixmap(name, _ICON, color, ratio))

    @staticmethod
    def _captions(entry: LogEntry, width: int) -> list[tuple[str, int]]:
        """Return what stands at the right, from the edge inwards, with widths in pixels."""
        times = f"\u00d7{entry.count}" if entry.count > 1 else ""
        captions = [(time.strftime("%H:%M:%S", time.localtime(entry.when)), 56)]
        if width > 420:
            captions.append((f"{entry.source} {times}".rstrip(), 144))
        elif times:
            captions.append((times, 40))
        return captions


class LogList(QListView):
    """A list that copies whole entries where others copy one cell."""

    copyWanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ask for a copy on the system's key for it."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copyWanted.emit()
        else:
            super().keyPressEvent(event)


class LogPanel(QWidget):
    """Shows a log: filter at the top, the list, and what is selected in full beside it."""

    def __init__(self, model: LogModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._shown = LogFilter(model, self)
        self.setAccessibleName(self.tr("Log"))
        self._build_head()
        self._build_list()
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.details.setFrameShape(QFrame.Shape.NoFrame)
        self.details.setAccessibleName(self.tr("The selected entry in full"))
        self.details.hide()
        self._splitter = QSplitter()
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self._pages)
        self._splitter.addWidget(self.details)
        self._splitter.setStretchFactor(0, 3)
        self._splitter.setStretchFactor(1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._head)
        column.addWidget(self._splitter, 1)
        self.setFocusProxy(self.list)
        shown = self._shown
        for changed in (
            model.rowsInserted,
            shown.rowsInserted,
            shown.rowsRemoved,
            shown.modelReset,
            shown.layoutChanged,
        ):
            changed.connect(self._follow)
        self._follow()

    def copy(self) -> None:
        """Copy what is selected, or all that is shown, as text."""
        chosen = sorted(self.list.selectionModel().selectedIndexes(), key=lambda i: i.row())
        shown = (self._shown.index(row, 0) for row in range(self._shown.rowCount()))
        texts = [index.data(ENTRY_ROLE).as_text() for index in chosen or shown]
        QGuiApplication.clipboard().setText("\n".join(texts))

    def show_errors(self) -> None:
        """Show errors alone, the last one in full."""
        self.level.setCurrentIndex(1)
        self.search.clear()
        last = self._shown.index(self._shown.rowCount() - 1, 0)
        self.list.setCurrentIndex(last)
        self.list.scrollTo(last)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the details beside the list, or below it in a narrow and high panel."""
        super().resizeEvent(event)
        is_wide = self.width() > 1.5 * self.height()
        wide, high = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        self._splitter.setOrientation(wide if is_wide else high)

    # Private

    def _build_head(self) -> None:
        """Make the row with filter and buttons."""
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search the log"))
        self.search.setAccessibleName(self.tr("Search the log"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._shown.set_text)
        self.level = QComboBox()
        self.level.setAccessibleName(self.tr("What is shown"))
        self.level.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.level.setMinimumContentsLength(8)
        self.level.addItem(self.tr("Warnings and errors"), logging.WARNING)
        self.level.addItem(self.tr("Errors only"), logging.ERROR)
        self.level.currentIndexChanged.connect(self._choose_level)
        self.copy_button = _button("copy", self.tr("Copy what is selected, or all that is shown"))
        self.copy_button.clicked.connect(self.copy)
        self.clear_button = _button("trash", self.tr("Clear the log"))
        self.clear_button.clicked.connect(self._model.clear)
        self._head = QHBoxLayout()
        self._head.setContentsMargins(MARGIN, 4, MARGIN, 0)
        self._head.setSpacing(4)
        self._head.addWidget(self.search, 2)
        self._head.addWidget(self.level, 1)
        self._head.addWidget(self.copy_button)
        self._head.addWidget(self.clear_button)

    def _build_list(self) -> None:
        """Make the list, and what stands there while it is empty."""
        self.list = LogList()
        self.list.setModel(self._shown)
        self.list.setItemDelegate(LogDelegate(self.list))
        self.list.setAccessibleName(self.tr("Warnings and errors"))
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.selectionModel().currentChanged.connect(self._show_details)
        self.list.copyWanted.connect(self.copy)
        copy = QAction(self.tr("Copy"), self.list)
        copy.triggered.connect(self.copy)
        self.list.addAction(copy)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.empty_label = PlainLabel()
        self.empty_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty_label.setWordWrap(True)
        self.empty_label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.list)
        self._pages.addWidget(self.empty_label)

    def _choose_level(self, row: int) -> None:
        """Show the entries of the chosen levels."""
        self._shown.set_level(self.level.itemData(row))

    def _show_details(self, index: Index) -> None:
        """Show an entry in full, if its line does not say all."""
        entry = index.data(ENTRY_ROLE) if index.isValid() else None
        has_more = entry is not None and bool(entry.trace or entry.text != entry.summary)
        self.details.setVisible(has_more)
        self.details.setPlainText(entry.as_text() if entry is not None and has_more else "")

    def _follow(self) -> None:
        """Say so when nothing is shown, and keep the newest in sight."""
        bar = self.list.verticalScrollBar()
        was_at_end = bar.value() >= bar.maximum() - _ROW_HEIGHT
        has_any, is_shown = self._model.rowCount() > 0, self._shown.rowCount() > 0
        self._pages.setCurrentIndex(0 if is_shown else 1)
        self.empty_label.setText(
            self.tr("Nothing in the log fits the search.")
            if has_any
            else self.tr("Nothing has gone wrong.")
        )
        self.copy_button.setEnabled(is_shown)
        self.clear_button.setEnabled(has_any)
        if not is_shown:
            self.details.hide()
        if was_at_end:
            self.list.scrollToBottom()


def _button(name: str, tip: str) -> QToolButton:
    """Return a flat button with an icon."""
    button = QToolButton()
    button.setIcon(icon(name))
    button.setAutoRaise(True)
    button.setFixedSize(28, 28)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    return button
