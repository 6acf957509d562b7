"""The status bar: where the pointer is, how far the one long job has come, and that all is well."""

from math import floor

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFontMetrics, QIcon, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QStatusBar,
    QToolButton,
    QWidget,
)

from fmstudio.ui.controller import Controller
from fmstudio.ui.icons import icon, icon_pixmap
from fmstudio.ui.panels.glyphs import tabular
from fmstudio.ui.panels.log_model import LogModel
from fmstudio.ui.plain import PlainLabel, plain_tip
from fmstudio.ui.tasks import State, Task, Tasks, count_text, pace_text
from fmstudio.ui.theme import tokens

_HEIGHT = 28
_BAR_WIDTH = 120
# A job that is over sooner is not worth a flicker.
_PATIENCE_MS = 200
_TICK_MS = 1000


class ProgressStrip(QWidget):
    """What the one long job does, how fast, and a cancel; not there when nothing runs."""

    detailsWanted = Signal()
    """The person wants to see all the tasks."""

    def __init__(self, tasks: Tasks, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._shown: tuple[Task | None, bool] = (None, False)
        self._build()
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_PATIENCE_MS)
        self._patience.timeout.connect(self._appear)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._refresh)
        for signal in (tasks.taskAdded, tasks.taskChanged, tasks.taskRemoved):
            signal.connect(self._refresh)
        self.hide()
        self._refresh()

    def _build(self) -> None:
        """Make the widgets."""
        self.words = PlainLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(_BAR_WIDTH, 8)
        self.pace = PlainLabel()
        self.others = QToolButton()
        self.others.setAutoRaise(True)
        self.others.clicked.connect(self.detailsWanted)
        self.button = QToolButton()
        self.button.setIcon(icon("close"))
        self.button.setIconSize(QSize(14, 14))
        self.button.setAutoRaise(True)
        self.button.setFixedSize(24, 24)
        self.button.clicked.connect(self._cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for label in (self.words, self.pace):
            label.setFont(tabular(label.font()))
        for widget in (self.words, self.bar, self.pace, self.button, self.others):
            row.addWidget(widget)

    def _refresh(self) -> None:
        """Show the one task that matters most now."""
        task = self._tasks.current
        if task is None:
            self._patience.stop()
            self._timer.stop()
            self.hide()
            return
        if self.isHidden() and not self._patience.isActive():
            self._patience.start()
        if not self._timer.isActive():
            self._timer.start()
        self._show_task(task)

    def _show_task(self, task: Task) -> None:
        """Show a task's words and its bar."""
        is_known = task.state is State.RUNNING and task.total > 0
        if self._shown != (task, is_known):
            self._shown = (task, is_known)
            for label in (self.words, self.pace):
                label.setMinimumWidth(0)
        for label, text in (
            (self.words, count_text(task)),
            (self.pace, pace_text(task, self._tasks.now())),
        ):
            label.setText(text)
            # Only ever wider, so that the button does not move away under the pointer.
            label.setMinimumWidth(max(label.minimumWidth(), label.sizeHint().width()))
        self.bar.setRange(0, task.total if is_known else 0)
        self.bar.setValue(task.done)
        self.bar.setAccessibleName(task.title)
        self.setToolTip(plain_tip(task.title))
        self.button.setVisible(task.is_cancellable)
        tip = self.tr("Cancel '{0}'").format(task.title)
        self.button.setToolTip(tip)
        self.button.setAccessibleName(tip)
        count = sum(other.is_active for other in self._tasks.tasks) - 1
        self.others.setVisible(count > 0)
        self.others.setText(self.tr("+{0} more").format(count))
        self.others.setToolTip(self.tr("Show all tasks"))

    def _appear(self) -> None:
        """Come into sight if the job still runs."""
        self.setVisible(self._tasks.current is not None)

    def _cancel(self) -> None:
        """Cancel what is shown."""
        task = self._tasks.current
        if task is not None:
            self._tasks.cancel(task)


class StatusBar(QStatusBar):
    """The line at the bottom of the window.

    Parameters
    ----------
    controller : Controller
    tasks : Tasks
    log : LogModel
    parent : QWidget or None
    """

    logWanted = Signal()
    """The person wants to see the errors."""
    tasksWanted = Signal()
    """The person wants to see all the tasks."""

    def __init__(
        self, controller: Controller, tasks: Tasks, log: LogModel, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._log = log
        self.setSizeGripEnabled(False)
        self.setAccessibleName(self.tr("Status"))
        self._build(ProgressStrip(tasks))
        controller.sessionChanged.connect(self._show_saved)
        log.errorsChanged.connect(self._show_errors)
        self._show_saved()
        self._show_errors()

    def show_pixel(self, xy: tuple[float, float] | None) -> None:
        """Show the pixel of the image under the pointer; None when there is none."""
        self.pixel.setText("" if xy is None else f"{floor(xy[0])}, {floor(xy[1])} px")

    def show_zoom(self, scale: float | None) -> None:
        """Show the zoom in screen pixels per image pixel; None when no image is shown."""
        self.zoom.setText("" if scale is None else f"{100 * scale:.0f} %")

    def show_device(self, text: str) -> None:
        """Show where is computed."""
        self.device.setText(text)

    # Private

    def _build(self, strip: ProgressStrip) -> None:
        """Make the parts, in one row that passing messages do not cover."""
        self.progress = strip
        strip.detailsWanted.connect(self.tasksWanted)
        self.pixel = self._label("00000, 00000 px", self.tr("Pixel under the pointer"))
        self.zoom = self._label("0000 %", self.tr("Zoom"))
        self.device = self._label("", self.tr("Where is computed"))
        self.saved = self._label("", self.tr("Saved"))
        self.errors = QToolButton()
        self.errors.setAutoRaise(True)
        self.errors.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.errors.setFixedHeight(24)
        self.errors.clicked.connect(self.logWanted)
        line = QWidget()
        line.setFixedHeight(_HEIGHT)
        row = QHBoxLayout(line)
        row.setContentsMargins(8, 0, 4, 0)
        row.setSpacing(16)
        for widget in (self.pixel, self.zoom, self.device, self.progress):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.saved)
        row.addWidget(self.errors)
        self.addPermanentWidget(line, 1)

    @staticmethod
    def _label(widest: str, name: str) -> QLabel:
        """Return a muted label that does not change its width with its figures."""
        label = PlainLabel()
        label.setFont(tabular(label.font()))
        label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        label.setMinimumWidth(QFontMetrics(label.font()).horizontalAdvance(widest))
        label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        label.setToolTip(name)
        return label

    def _show_saved(self) -> None:
        """Say that what was done is in the file, and in which."""
        session = self._controller.session
        self.saved.setText("" if session is None else self.tr("saved"))
        if session is not None:
            tip = self.tr("Every edit is written at once, to {0}").format(session.path)
            self.saved.setToolTip(plain_tip(tip))

    def _show_errors(self) -> None:
        """Count the errors; colour and sign only when there are any."""
        count = self._log.errors
        one, many = self.tr("1 error"), self.tr("{0} errors").format(f"{count:,}")
        self.errors.setText(one if count == 1 else many)
        self.errors.setToolTip(self.tr("Show the log"))
        self.errors.setAccessibleName(self.errors.text())
        palette = QPalette(self.palette())
        color: QColor = tokens().error if count else tokens().muted
        for role in (QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
            palette.setColor(role, color)
        self.errors.setPalette(palette)
        pixmap = icon_pixmap("error", 16, color, self.devicePixelRatioF())
        self.errors.setIcon(QIcon(pixmap) if count else QIcon())

    def changeEvent(self, event: QEvent) -> None:
        """Follow the scheme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "errors"):
            self._show_errors()
