"""The tasks panel: every long job with its bar, its pace and its way out."""

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.ui.icons import icon, icon_pixmap
from fmstudio.ui.panels.glyphs import caption_font
from fmstudio.ui.plain import PlainLabel, plain_tip
from fmstudio.ui.tasks import State, Task, Tasks, count_text, pace_text
from fmstudio.ui.theme import tokens

# How often the time that is left is counted down.
_TICK_MS = 1000
_SIGNS = {
    State.DONE: "accept",
    State.FAILED: "error",
    State.CANCELLED: "stop",
    State.WAITING: "more",
    State.RUNNING: "tasks",
}


class ElidedLabel(PlainLabel):
    """A label that shortens its text in the middle instead of asking for more room."""

    def __init__(self) -> None:
        super().__init__()
        self._full = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def say(self, text: str) -> None:
        """Show a text; the tip has it whole when there is no room for it."""
        if text != self._full:
            self._full = text
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the text to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Show as much as there is room for."""
        metrics = QFontMetrics(self.font())
        shown = metrics.elidedText(self._full, Qt.TextElideMode.ElideMiddle, self.width())
        self.setText(shown)
        self.setToolTip(plain_tip("" if shown == self._full else self._full))
        self.setAccessibleName(self._full)


class TaskRow(QFrame):
    """One task: a sign, its title, its pace or how it ended, a bar while it runs, a button."""

    def __init__(self, task: Task, tasks: Tasks) -> None:
        super().__init__()
        self._task = task
        self._tasks = tasks
        self._sign = PlainLabel()
        self._sign.setFixedSize(16, 16)
        self.title = ElidedLabel()
        self.title.say(task.title)
        self.words = ElidedLabel()
        self.words.setFont(caption_font(self.font()))
        self.words.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.bar.setAccessibleName(task.title)
        self.button = QToolButton()
        self.button.setIcon(icon("close"))
        self.button.setIconSize(QSize(14, 14))
        self.button.setAutoRaise(True)
        self.button.setFixedSize(28, 28)
        self.button.clicked.connect(self._leave)
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 4, 4, 4)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._sign, 0, 0)
        grid.addWidget(self.title, 0, 1)
        grid.addWidget(self.words, 1, 1)
        grid.addWidget(self.bar, 2, 1)
        grid.addWidget(self.button, 0, 2, 2, 1)
        self.refresh()

    def refresh(self) -> None:
        """Show the task as it is now."""
        task = self._task
        self.words.say(self._text())
        self.bar.setVisible(task.state is State.RUNNING)
        self.bar.setRange(0, task.total)
        self.bar.setValue(task.done)
        colors = tokens()
        color = {State.DONE: colors.ok, State.FAILED: colors.error}.get(task.state, colors.muted)
        ratio = self.devicePixelRatioF()
        self._sign.setPixmap(icon_pixmap(_SIGNS[task.state], 16, color, ratio))
        self.button.setVisible(task.is_cancellable or not task.is_active)
        what = self.tr("Cancel '{0}'") if task.is_active else self.tr("Take '{0}' off the list")
        self.button.setToolTip(plain_tip(what.format(task.title)))
        self.button.setAccessibleName(what.format(task.title))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the scheme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.refresh()

    def _text(self) -> str:
        """Return what is said under the title."""
        task = self._task
        if task.state is State.WAITING:
            return self.tr("waiting")
        if task.state is State.DONE:
            return self.tr("done")
        if task.state is State.FAILED:
            return task.error
        if task.state is State.CANCELLED:
            done = self.tr("cancelled after {0} of {1}").format(f"{task.done:,}", f"{task.total:,}")
            return done if task.total else self.tr("cancelled")
        pace = pace_text(task, self._tasks.now())
        count = count_text(task) if task.total else self.tr("under way")
        return f"{count} \u00b7 {pace}" if pace else count

    def _leave(self) -> None:
        """Cancel what runs; take what has ended off the list."""
        if self._task.is_active:
            self._tasks.cancel(self._task)
        else:
            self._tasks.dismiss(self._task)


class TasksPanel(QWidget):
    """Lists the tasks, the newest first."""

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._rows: dict[Task, TaskRow] = {}
        self.setAccessibleName(self.tr("Tasks"))
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        tasks.taskAdded.connect(self._add)
        tasks.taskChanged.connect(self._change)
        tasks.taskRemoved.connect(self._remove)
        for task in tasks.tasks:
            self._add(task)
        self._follow()

    def row(self, task: Task) -> TaskRow:
        """Return the row of a task."""
        return self._rows[task]

    # Private

    def _build(self) -> None:
        """Make the list, and what stands there while it is empty."""
        self.list = QWidget()
        self._column = QVBoxLayout(self.list)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(self.list)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName(self.tr("Tasks"))
        self.empty_label = PlainLabel(self.tr("Nothing is running."))
        self.empty_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty_label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._pages = QStackedWidget()
        self._pages.addWidget(scroll)
        self._pages.addWidget(self.empty_label)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)

    def _add(self, task: Task) -> None:
        """Put a new task at the top."""
        self._rows[task] = TaskRow(task, self._tasks)
        self._column.insertWidget(0, self._rows[task])
        self._follow()

    def _change(self, task: Task) -> None:
        """Show a task as it is now."""
        self._rows[task].refresh()
        self._follow()

    def _remove(self, task: Task) -> None:
        """Take a row away."""
        row = self._rows.pop(task)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._follow()

    def _follow(self) -> None:
        """Show the list if there is anything in it; count down while anything runs."""
        self._pages.setCurrentIndex(0 if self._rows else 1)
        is_running = any(task.state is State.RUNNING for task in self._rows)
        if is_running and not self._timer.isActive():
            self._timer.start()
        elif not is_running:
            self._timer.stop()

    def _tick(self) -> None:
        """Count the time that is left down."""
        for task, row in self._rows.items():
            if task.state is State.RUNNING:
                row.refresh()
