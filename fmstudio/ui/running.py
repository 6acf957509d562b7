"""A stream that a dialog pulls: on the compute thread where there are tasks, else at once."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from fmstudio.errors import Cancelled, FmstudioError
from fmstudio.session import CancelToken
from fmstudio.ui.tasks import Task, Tasks
from fmstudio.worker.service import Make, Priority


class Running(QObject):
    """The one stream of a dialog; a new one takes the place of what is under way.

    Parameters
    ----------
    tasks : Tasks or None
        None pulls each stream to its end at once: for a dialog that stands alone.
    lane : str
    parent : QObject
    """

    stepped = Signal(object)
    """An item that the stream yielded."""
    ended = Signal()
    failed = Signal(object)
    """The exception that ended it."""
    stopped = Signal()
    """It was cancelled, in the dialog or in the list of tasks."""

    def __init__(self, tasks: Tasks | None, lane: str, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks, self._lane = tasks, lane
        self._task: Task | None = None
        self._is_listed = False
        self._generation = 0

    @property
    def is_busy(self) -> bool:
        """Return whether a stream is under way."""
        return self._task is not None

    def start(
        self,
        title: str,
        make: Make,
        *,
        unit: str = "",
        is_listed: bool = False,
        priority: Priority = Priority.INTERACTIVE,
    ) -> None:
        """Pull a stream; the signals tell what comes of it.

        Parameters
        ----------
        title : str
        make : callable
            As for `Tasks.start`.
        unit : str
            What is counted.
        is_listed : bool
            Whether it stays in the list of tasks when it has ended.
        priority : Priority
        """
        self.stop()
        if self._tasks is None:
            self._pull(make)
            return
        mine = self._generation
        self._is_listed = is_listed
        self._task = self._tasks.start(
            title,
            self._lane,
            make,
            priority=priority,
            on_item=lambda item: self._tell(mine, lambda: self.stepped.emit(item)),
            on_done=lambda: self._end(mine, lambda: self.ended.emit()),
            on_error=lambda error: self._end(mine, lambda: self.failed.emit(error)),
            on_cancelled=lambda: self._end(mine, lambda: self.stopped.emit()),
            unit=unit,
        )

    def cancel(self) -> None:
        """Stop what is under way; `stopped` has been sent on return."""
        if self._task is not None and self._tasks is not None:
            self._tasks.cancel(self._task)

    def stop(self) -> None:
        """Let go of what is under way, without a word."""
        self._generation += 1
        if self._task is not None and self._tasks is not None:
            self._tasks.cancel(self._task)
        self._forget()

    # Private

    def _forget(self) -> None:
        """Drop a task that has ended."""
        task, self._task = self._task, None
        if task is not None and self._tasks is not None and not self._is_listed:
            self._tasks.dismiss(task)

    def _tell(self, generation: int, tell: Callable[[], object]) -> None:
        """Pass on what a stream says, if its dialog is still there and waits for it."""
        if isValid(self) and generation == self._generation:
            tell()

    def _end(self, generation: int, tell: Callable[[], object]) -> None:
        """Forget a stream that has ended, and say how."""
        if isValid(self) and generation == self._generation:
            self._forget()
            tell()

    def _pull(self, make: Make) -> None:
        """Pull a stream to its end."""
        try:
            for item in make(CancelToken()):
                self.stepped.emit(item)
        except Cancelled:
            self.stopped.emit()
        except FmstudioError as error:
            self.failed.emit(error)
        else:
            self.ended.emit()
