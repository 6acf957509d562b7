"""The rows of the review queue: what they are, and how one is painted."""

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QRect, Qt
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QStyleOptionViewItem

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.doubt import main_reason_of_all, sentence, short_name
from fmstudio.project.model import Annotation, ImageItem
from fmstudio.project.review import QueueChange, QueueItem, ReviewQueue, review_queue
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.glyphs import caption_font, text_width
from fmstudio.ui.panels.image_rows import (
    THUMBNAIL,
    draw_badge,
    draw_range,
    draw_thumbnail,
    fitting_name,
    halves,
    track_color,
)
from fmstudio.ui.panels.rows import MARGIN, RIGHT, Index, RowDelegate
from fmstudio.ui.panels.thumbnails import Thumbnails
from fmstudio.ui.plain import plain_tip

# So many rows come and go one by one; of more, the queue is sorted anew.
_FEW = 64


class QueueModel(QAbstractListModel):
    """The queue, kept in order edit by edit.

    Parameters
    ----------
    controller : Controller
    """

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._queue = ReviewQueue()
        self.refresh()

    @property
    def queue(self) -> ReviewQueue:
        """Return the proposals in the order of the rows."""
        return self._queue

    def refresh(self) -> None:
        """Sort anew."""
        project = self._controller.project
        self.beginResetModel()
        self._queue = ReviewQueue() if project is None else review_queue(project)
        self.endResetModel()

    def follow(self, diff: ProjectDiff) -> None:
        """Take out and put in what an edit has changed."""
        project = self._controller.project
        change = diff.annotations
        if project is None or len(change.present) + len(change.removed) > _FEW:
            self.refresh()
            return
        step = QueueChange.of(self._queue, project, diff)
        for annotation_id in step.gone:
            row = self._queue.row_of(annotation_id)
            assert row is not None
            self.beginRemoveRows(QModelIndex(), row, row)
            self._queue = self._queue.without(row)
            self.endRemoveRows()
        for item in step.come:
            row = self._queue.place_of(item)
            self.beginInsertRows(QModelIndex(), row, row)
            self._queue = self._queue.with_item(item)
            self.endInsertRows()

    def rowCount(self, parent: Index | None = None) -> int:
        """Return the number of rows."""
        return 0 if parent is not None and parent.isValid() else len(self._queue)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a row in words: for those who hear it, and under the pointer."""
        found = self.parts_at(index)
        if found is None:
            return None
        item, annotation, image = found
        project = self._controller.project
        assert project is not None
        category = project.categories[annotation.category_id].name
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = [image.path, f"{category}, {item.confidence:.2f}", _reason_text(annotation)]
            return plain_tip("\n".join(line for line in lines if line))
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            words = self.tr("{0}, {1}, confidence {2}")
            said = words.format(image.file_name, category, f"{item.confidence:.2f}")
            reason = _reason_text(annotation)
            return f"{said}. {reason}" if reason else said
        return None

    def parts_at(self, index: Index) -> tuple[QueueItem, Annotation, ImageItem] | None:
        """Return what a row is about, or None between an edit and its announcement."""
        project = self._controller.project
        if project is None or not 0 <= index.row() < len(self._queue):
            return None
        item = self._queue[index.row()]
        annotation = project.annotations.get(item.annotation_id)
        image = project.images.get(item.image_id)
        return None if annotation is None or image is None else (item, annotation, image)


def _reason_text(annotation: Annotation) -> str:
    """Return why an annotation may be wrong; nothing where that was never measured."""
    if annotation.doubt is None:
        return ""
    return sentence(main_reason_of_all(annotation.doubt))


class QueueRow(RowDelegate):
    """A thumbnail, the file's name, the main reason of doubt, the confidence as figure and bar.

    Without a reason the category.
    """

    def __init__(
        self, controller: Controller, model: QueueModel, thumbnails: Thumbnails, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._controller, self._model, self._thumbnails = controller, model, thumbnails

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint a row."""
        self.draw_background(painter, option, index)
        found, project = self._model.parts_at(index), self._controller.project
        if found is None or project is None:
            return
        item, annotation, image = found
        area = option.rect.adjusted(MARGIN, 0, -MARGIN, 0)
        place = QRect(area.left(), area.center().y() - THUMBNAIL // 2, THUMBNAIL, THUMBNAIL)
        draw_thumbnail(painter, place, self._thumbnails.pixmap(image))
        if image.id == self._controller.reference_id:
            draw_badge(painter, place, self.tr("R"))
        text = area.adjusted(THUMBNAIL + MARGIN, 6, 0, -12)
        upper, lower = halves(text)
        plain = self.color(option, QPalette.ColorRole.Text)
        muted = self.color(option, QPalette.ColorRole.PlaceholderText)
        small = caption_font(option.font)
        name = fitting_name(image.file_name, option.font, upper.width())
        self.draw_text(painter, upper, name, option.font, plain)
        figure = f"{item.confidence:.2f}"
        self.draw_text(painter, lower, figure, small, plain, RIGHT)
        # In a queue of one kind of thing the reason tells more than the category.
        finding = main_reason_of_all(annotation.doubt)
        category = project.categories[annotation.category_id].name
        words = category if finding is None else short_name(finding)
        beside = lower.adjusted(0, 0, -text_width(figure, small) - 4, 0)
        self.draw_text(painter, beside, words, small, muted)
        bar = QRect(text.left(), option.rect.bottom() - 9, text.width(), 4)
        draw_range(painter, bar, 0.0, item.confidence, track_color(option))
