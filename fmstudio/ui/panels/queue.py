"""The review queue: proposals, the most doubtful first."""

from collections.abc import Callable

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QObject,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter, QPalette, QWheelEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QStackedWidget,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.review import (
    QueueItem,
    confident_above,
    next_in_queue,
    progress_of,
    review_queue,
)
from fmstudio.project.wording import counted
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.glyphs import caption_font, draw_confidence
from fmstudio.ui.panels.image_rows import THUMBNAIL, draw_thumbnail
from fmstudio.ui.panels.rows import MARGIN, RIGHT, Index, RowDelegate
from fmstudio.ui.panels.thumbnails import Thumbnails

_ROW = 56


class _CalmSpinBox(QDoubleSpinBox):
    """A number that the wheel does not change while the person scrolls past it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to whatever scrolls."""
        event.ignore()


class QueueModel(QAbstractListModel):
    """The queue's items."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.items: tuple[QueueItem, ...] = ()

    def show(self, items: tuple[QueueItem, ...]) -> None:
        """Make these the rows."""
        if items != self.items:
            self.beginResetModel()
            self.items = items
            self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        """Return the number of rows."""
        return 0 if parent is not None and parent.isValid() else len(self.items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a row's annotation, for those who read the list aloud."""
        if role == Qt.ItemDataRole.AccessibleTextRole and index.row() < len(self.items):
            return f"confidence {self.items[index.row()].confidence:.2f}"
        return None


class QueueRow(RowDelegate):
    """A thumbnail, the file's name, the category, the confidence as figure and bar."""

    def __init__(
        self, controller: Controller, model: QueueModel, thumbnails: Thumbnails, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._controller, self._model, self._thumbnails = controller, model, thumbnails

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Return one height for all rows."""
        return QSize(120, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint a row."""
        self.draw_background(painter, option, index)
        project = self._controller.project
        if project is None or index.row() >= len(self._model.items):
            return
        item = self._model.items[index.row()]
        annotation = project.annotations.get(item.annotation_id)
        image = project.images.get(item.image_id)
        if annotation is None or image is None:
            return
        area = option.rect.adjusted(MARGIN, 0, -MARGIN, 0)
        place = QRect(area.left(), area.center().y() - THUMBNAIL // 2, THUMBNAIL, THUMBNAIL)
        draw_thumbnail(painter, place, self._thumbnails.pixmap(image))
        text = area.adjusted(THUMBNAIL + MARGIN, 8, 0, -12)
        half = text.height() // 2
        name = QRect(text.left(), text.top(), text.width() - 36, half)
        plain = self.color(option, QPalette.ColorRole.Text)
        muted = self.color(option, QPalette.ColorRole.PlaceholderText)
        self.draw_text(painter, name, image.file_name, option.font, plain)
        figure = QRect(text.right() - 34, text.top(), 35, half)
        small = caption_font(option.font)
        self.draw_text(painter, figure, f"{item.confidence:.2f}", small, plain, RIGHT)
        second = QRect(text.left(), text.top() + half, text.width(), half)
        category = project.categories[annotation.category_id].name
        self.draw_text(painter, second, category, small, muted)
        bar = QRect(text.left(), option.rect.bottom() - 8, text.width(), 4)
        track = option.palette.color(QPalette.ColorRole.Mid)
        draw_confidence(painter, bar, item.confidence, track)


class QueuePanel(QWidget):
    """Goes through the proposals one by one.

    Parameters
    ----------
    controller : Controller
    thumbnails : Thumbnails
    """

    exportRequested = Signal()
    """Everything is reviewed, and the person wants it in a file."""

    def __init__(
        self, controller: Controller, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self.model = QueueModel(self)
        self._counters = QLabel(self)
        self._counters.setWordWrap(True)
        self._counters.setContentsMargins(MARGIN, 4, MARGIN, 0)
        self._view = QListView(self)
        self._view.setModel(self.model)
        self._view.setItemDelegate(QueueRow(controller, self.model, thumbnails, self._view))
        self._view.setUniformItemSizes(True)
        self._view.setFrameShape(QListView.Shape.NoFrame)
        self._view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view.setAccessibleName(self.tr("Proposals to review"))
        self._view.clicked.connect(self._on_clicked)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self._view)
        self._stack.addWidget(self._build_empty())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, MARGIN)
        layout.setSpacing(4)
        layout.addWidget(self._counters)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self._build_accept_above())
        thumbnails.arrived.connect(self._on_thumbnail)
        controller.sessionChanged.connect(self.refresh)
        controller.projectChanged.connect(self._on_project)
        controller.selectionChanged.connect(self._mark_current)
        self.refresh()

    # Reviewing

    def show_next(self) -> None:
        """Show the proposal after the selected one, centred on both canvases."""
        current = self._controller.selection.annotation_id
        item = next_in_queue(self.model.items, current)
        if item is not None:
            self._show(item)

    def accept_current(self) -> None:
        """Accept what is shown and go to the next."""
        self._decide(self._controller.accept)

    def reject_current(self) -> None:
        """Reject what is shown and go to the next."""
        self._decide(self._controller.reject)

    def accept_above(self) -> None:
        """Accept all proposals that are at least as sure as the limit says, as one edit."""
        session = self._controller.session
        if session is None:
            return
        before = session.project
        limit = self._limit.value()
        if self._controller.attempt(lambda: session.accept_above(limit)):
            self._controller.announce(ProjectDiff.between(before, session.project))

    @property
    def limit(self) -> QDoubleSpinBox:
        """Return the field with the confidence from which all are accepted."""
        return self._limit

    def refresh(self) -> None:
        """Sort the queue and count anew."""
        project = self._controller.project
        self.model.show(() if project is None else review_queue(project))
        self._count()
        self._mark_current()

    def _decide(self, decide: Callable[[list[int]], None]) -> None:
        """Decide on the selected proposal, or the target's only ones, and go on."""
        current = self._controller.selection.annotation_id
        ids = [item.annotation_id for item in self.model.items]
        if current not in ids:
            here = [i for i in self.model.items if i.image_id == self._controller.target_id]
            current = here[0].annotation_id if here else None
        if current is None:
            return
        follower = next_in_queue(self.model.items, current)
        decide([current])
        if follower is not None and follower.annotation_id != current:
            self._show(follower)

    def _show(self, item: QueueItem) -> None:
        """Show a proposal on the target canvas."""
        self._controller.show_target(item.image_id)
        self._controller.select(item.annotation_id)
        self._controller.focusRequested.emit(item.annotation_id)

    def _on_clicked(self, index: Index) -> None:
        """Show the proposal that was clicked."""
        self._show(self.model.items[index.row()])

    def _on_project(self, diff: ProjectDiff) -> None:
        """Sort anew when annotations have changed."""
        if diff.annotations or diff.images:
            self.refresh()

    def _on_thumbnail(self, _key: str) -> None:
        """Paint a thumbnail that has come."""
        self._view.viewport().update()

    def _mark_current(self) -> None:
        """Mark the selected proposal's row."""
        ids = [item.annotation_id for item in self.model.items]
        current = self._controller.selection.annotation_id
        if current in ids:
            index = self.model.index(ids.index(current))
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self._view.selectionModel().setCurrentIndex(index, flag)
            self._view.scrollTo(index)
        else:
            self._view.clearSelection()

    # Counters

    def _count(self) -> None:
        """Say how much is done and how much is left."""
        project = self._controller.project
        self.setEnabled(project is not None)
        if project is None:
            self._counters.clear()
            return
        progress = progress_of(project)
        if progress.waiting:
            text = self.tr("{0} to review, {1} done. About {2} to expect.").format(
                f"{progress.waiting:,}",
                f"{progress.reviewed:,}",
                counted(round(progress.expected_corrections), "correction"),
            )
        else:
            text = self.tr("{0} reviewed").format(counted(progress.reviewed, "annotation"))
        self._counters.setText(text)
        self._stack.setCurrentIndex(0 if progress.waiting else 1)
        self._say_empty(is_anything=progress.reviewed > 0)
        self._say_cost()

    def _build_empty(self) -> QWidget:
        """Return what is shown when nothing waits."""
        page = QWidget(self)
        self._empty = QLabel(page)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._export = QPushButton(self.tr("Export…"), page)
        self._export.clicked.connect(self.exportRequested)
        layout = QVBoxLayout(page)
        layout.addStretch()
        layout.addWidget(self._empty)
        layout.addWidget(self._export, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch()
        return page

    def _say_empty(self, *, is_anything: bool) -> None:
        """Say what to do when nothing waits."""
        if is_anything:
            self._empty.setText(self.tr("Nothing waits for review."))
        else:
            self._empty.setText(
                self.tr("Annotate one image, then press Ctrl+B to carry it to the others.")
            )
        self._export.setVisible(is_anything)

    def _build_accept_above(self) -> QWidget:
        """Return the row that accepts all that is sure enough."""
        row = QWidget(self)
        self._limit = _CalmSpinBox(row)
        self._limit.setRange(0.0, 1.0)
        self._limit.setSingleStep(0.05)
        self._limit.setValue(0.8)
        self._limit.setAccessibleName(self.tr("Accept proposals with at least this confidence"))
        self._accept = QPushButton(row)
        self._accept.clicked.connect(self.accept_above)
        self._cost = QLabel(row)
        self._cost.setWordWrap(True)
        layout = QVBoxLayout(row)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.setSpacing(4)
        line = QHBoxLayout()
        line.addWidget(QLabel(self.tr("From"), row))
        line.addWidget(self._limit, 1)
        layout.addLayout(line)
        layout.addWidget(self._accept)
        layout.addWidget(self._cost)
        self._limit.valueChanged.connect(self._say_cost)
        return row

    def _say_cost(self) -> None:
        """Say what accepting all above the limit would do."""
        project = self._controller.project
        count, wrong = (
            (0, 0.0) if project is None else confident_above(project, self._limit.value())
        )
        self._accept.setEnabled(count > 0)
        self._accept.setText(self.tr("Accept {0}").format(f"{count:,}"))
        self._cost.setText(
            self.tr("About {0} of them wrong.").format(round(wrong))
            if count
            else self.tr("No proposal is that sure.")
        )
