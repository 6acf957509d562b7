"""The review queue: proposals, the most doubtful first."""

from collections.abc import Callable

from PySide6.QtCore import QItemSelectionModel, QSignalBlocker, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDoubleSpinBox,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.estimate import LEVEL
from fmstudio.project.model import Project
from fmstudio.project.review import QueueItem
from fmstudio.project.wording import counted
from fmstudio.ui.controller import Controller
from fmstudio.ui.panels.empty_page import EmptyPage
from fmstudio.ui.panels.image_rows import ROW
from fmstudio.ui.panels.queue_model import QueueModel, QueueRow
from fmstudio.ui.panels.row_view import RowView
from fmstudio.ui.panels.rows import MARGIN, Index
from fmstudio.ui.panels.thumbnails import Thumbnails
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.review import ReviewMeter


class QueuePanel(QWidget):
    """Goes through the proposals one by one.

    Parameters
    ----------
    controller : Controller
    thumbnails : Thumbnails
    """

    exportRequested = Signal()
    """Everything is reviewed, and the person wants it in a file."""
    propagateRequested = Signal()
    """Nothing waits, and the person wants what is accepted on the images that have nothing."""

    def __init__(
        self, controller: Controller, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self.meter = ReviewMeter(controller, self)
        self.model = QueueModel(controller, self)
        self.view = RowView(ROW, self)
        self.view.setModel(self.model)
        self.view.setItemDelegate(QueueRow(controller, self.model, thumbnails, self.view))
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.setAccessibleName(self.tr("Proposals to review"))
        self._empty = EmptyPage(self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.view)
        self._pages.addWidget(self._empty)
        self._sure = _AcceptAbove(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, MARGIN)
        layout.setSpacing(4)
        layout.addWidget(self._build_counters())
        layout.addWidget(self._pages, 1)
        layout.addWidget(self._sure)
        self.view.selectionModel().currentRowChanged.connect(self._on_current)
        self.view.clicked.connect(self._on_clicked)
        self._empty.pressed.connect(self._on_pressed)
        self._sure.limit.valueChanged.connect(self._say_cost)
        self._sure.accepted.connect(self.accept_above)
        thumbnails.arrived.connect(self._on_thumbnail)
        controller.sessionChanged.connect(self._on_session)
        controller.projectChanged.connect(self._on_project)
        controller.selectionChanged.connect(self._mark_current)
        self._on_session()

    @property
    def limit(self) -> QDoubleSpinBox:
        """Return the field with the confidence from which all are accepted."""
        return self._sure.limit

    # Reviewing

    def show_next(self) -> None:
        """Show the proposal after the selected one, centred on both canvases."""
        item = self.model.queue.after(self._controller.selection.annotation_id)
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
        before, limit = session.project, self.limit.value()
        accepted: list[int] = []
        if not self._controller.attempt(lambda: accepted.extend(session.accept_above(limit))):
            return
        self._controller.announce(ProjectDiff.between(before, session.project))
        if accepted:
            self._controller.notify(
                self.tr("{0} accepted.").format(counted(len(accepted), "proposal")),
                action=self.tr("Undo"),
                run=self._controller.undo,
            )

    def _decide(self, decide: Callable[[list[int]], None]) -> None:
        """Decide on what is selected, else on the target's most doubtful proposal, and go on."""
        queue, current = self.model.queue, self._controller.selection.annotation_id
        if current is None:
            here = queue.on_image(self._controller.target_id)
            current = here.annotation_id if here else None
        if current is None:
            return
        was_waiting, follower = queue.row_of(current) is not None, queue.after(current)
        decide([current])
        is_waiting = self.model.queue.row_of(current) is not None
        if was_waiting and not is_waiting and follower and follower.annotation_id != current:
            self._show(follower)

    def _show(self, item: QueueItem) -> None:
        """Show a proposal on the target canvas."""
        self._controller.show_target(item.image_id)
        self._controller.select(item.annotation_id)
        self._controller.focusRequested.emit(item.annotation_id)

    def _on_current(self, index: Index) -> None:
        """Show the proposal that a person moves to."""
        if index.isValid():
            self._show(self.model.queue[index.row()])

    def _on_clicked(self, index: Index) -> None:
        """Show the proposal again that is current already: the person may have looked elsewhere."""
        item = self.model.queue[index.row()]
        if self._controller.target_id != item.image_id or (
            self._controller.selection.annotation_id != item.annotation_id
        ):
            self._show(item)

    # Following the project

    def _on_session(self) -> None:
        """Show another project's queue."""
        self.model.refresh()
        self.setEnabled(self._controller.project is not None)
        self._count()
        self._mark_current()

    def _on_project(self, diff: ProjectDiff) -> None:
        """Follow an edit."""
        if diff.annotations:
            with QSignalBlocker(self.view.selectionModel()):
                # Else Qt makes the next row current, and the canvas jumps before it is asked to.
                self.view.selectionModel().clear()
            self.model.follow(diff)
            self._count()
            self._mark_current()
        elif diff.categories or diff.images:
            self.view.viewport().update()

    def _on_thumbnail(self, _key: str) -> None:
        """Paint a thumbnail that has come."""
        self.view.viewport().update()

    def _mark_current(self) -> None:
        """Mark the selected proposal's row."""
        row = self.model.queue.row_of(self._controller.selection.annotation_id)
        chosen = self.view.selectionModel()
        with QSignalBlocker(chosen):
            if row is None:
                chosen.clear()
            elif not chosen.isRowSelected(row, self.view.rootIndex()):
                flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
                chosen.setCurrentIndex(self.model.index(row), flag)
        if row is not None:
            self.view.scrollTo(self.model.index(row))
        self.view.viewport().update()

    # Counters

    def _build_counters(self) -> QWidget:
        """Return the lines above the queue: how much is done, how much is left."""
        head = QWidget(self)
        self._reviewed = PlainLabel(head)
        self._left = PlainLabel(head)
        self._left.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        self._bar = QProgressBar(head)
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(4)
        self._bar.setAccessibleName(self.tr("Reviewed"))
        layout = QVBoxLayout(head)
        layout.setContentsMargins(MARGIN, 4, MARGIN, 4)
        layout.setSpacing(4)
        for widget in (self._reviewed, self._bar, self._left):
            layout.addWidget(widget)
        return head

    def _count(self) -> None:
        """Say how much is done and how much is left."""
        project, queue = self._controller.project, self.model.queue
        total = 0 if project is None else len(project.annotations)
        done = total - len(queue)
        self._bar.setRange(0, max(1, total))
        self._bar.setValue(done)
        found = self.meter.waiting
        self._reviewed.setText(self.tr("{0} of {1} done").format(f"{done:,}", f"{total:,}"))
        self._reviewed.setToolTip(
            self.tr("{0} reviewed, {1} left.").format(
                counted(done, "annotation"), counted(len(queue), "proposal")
            )
        )
        low, high = found.rates
        self._left.setText(
            self.tr("~{0} wrong ({1}\u2013{2}\u00a0%)").format(
                f"{found.wrong:,.0f}", f"{100 * low:.0f}", f"{100 * high:.0f}"
            )
        )
        self._left.setToolTip(
            self.tr(
                "Of {0} in the queue about {1} are wrong, {2}; in {3} of 100 cases {4} to {5}. "
                "Learnt from what you have reviewed."
            ).format(
                counted(found.points, "point"), f"{found.wrong:,.0f}", f"{found.rate:.1%}",
                round(100 * LEVEL), f"{found.low:,}", f"{found.high:,}",
            )
        )  # fmt: skip
        self._bar.setVisible(total > 0)
        self._reviewed.setVisible(total > 0)
        self._left.setVisible(bool(queue))
        self._sure.setVisible(bool(queue))
        bare = _without_annotations(project)
        if total and bare:
            text = self.tr("Nothing waits for review. Nothing is marked on {0} yet.")
            self._empty.say(text.format(counted(bare, "image")), self.tr("Propagate\u2026"))
        elif total:
            self._empty.say(self.tr("Everything is reviewed."), self.tr("Export\u2026"))
        else:
            self._empty.say(
                self.tr("Annotate one image, then press Ctrl+B to carry it to the others.")
            )
        self._pages.setCurrentWidget(self.view if queue else self._empty)
        self._say_cost()

    def _on_pressed(self) -> None:
        """Ask for what the empty list offers."""
        if _without_annotations(self._controller.project):
            self.propagateRequested.emit()
        else:
            self.exportRequested.emit()

    def _say_cost(self) -> None:
        """Say what accepting all above the limit would do."""
        self._sure.say_cost(*self.meter.above(self.model.queue, self.limit.value()))


def _without_annotations(project: Project | None) -> int:
    """Return on how many images of a project nothing is marked."""
    return 0 if project is None else len(project.images) - len(project.of_image)


class _AcceptAbove(QWidget):
    """Accepts all that is sure enough; says before what that would do."""

    accepted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.limit = _CalmSpinBox(self)
        self.limit.setRange(0.0, 1.0)
        self.limit.setSingleStep(0.05)
        self.limit.setValue(0.8)
        self.limit.setPrefix("\u2265 ")
        self.limit.setAccessibleName(self.tr("Accept proposals with at least this confidence"))
        self._accept = QPushButton(self.tr("Accept"), self)
        self._accept.clicked.connect(self.accepted)
        self._cost = PlainLabel(self)
        self._cost.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.limit)
        line.addWidget(self._accept, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 4, MARGIN, 0)
        layout.setSpacing(4)
        layout.addLayout(line)
        layout.addWidget(self._cost)

    def say_cost(self, count: int, points: int, wrong: float) -> None:
        """Say how many would be accepted, and how many of their points are likely wrong."""
        all_of_them = self.tr("Accept {0}").format(counted(count, "proposal"))
        self._accept.setEnabled(count > 0)
        self._accept.setAccessibleName(all_of_them)
        self._cost.setText(
            self.tr("{0}: ~{1} wrong").format(f"{count:,}", counted(round(wrong), "point"))
            if count
            else self.tr("None is that sure.")
        )
        self._cost.setToolTip(
            self.tr("{0} with {1}, of which about {2} are wrong; nobody looks at them.").format(
                counted(count, "annotation"), counted(points, "point"), f"{wrong:,.0f}"
            )
            if count
            else ""
        )
        self._accept.setToolTip(self._cost.toolTip())


class _CalmSpinBox(QDoubleSpinBox):
    """A number that the wheel does not change while the person scrolls past it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to whatever scrolls."""
        event.ignore()
