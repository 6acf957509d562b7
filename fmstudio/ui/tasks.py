"""Long jobs as a person sees them: a title, how far, how fast, how long still, and a way out."""

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from fmstudio.errors import FmstudioError
from fmstudio.worker.service import EngineService, Make, Priority, Ticket

_LOG = logging.getLogger(__name__)

# Ended tasks that are still listed.
_KEPT = 20
# A reader follows ten changes a second; a fast job would otherwise only redraw its own bar.
_PAUSE_S = 0.1
# Over how many steps the rate is taken: enough to be steady, few enough to follow a change.
_WINDOW = 16


class State(StrEnum):
    """Where a task is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@runtime_checkable
class Counted(Protocol):
    """An item that says how far its job has come, such as `fmstudio.session.Progress`."""

    @property
    def done(self) -> int:
        """Return how many steps are done."""
        ...

    @property
    def total(self) -> int:
        """Return how many steps there are."""
        ...


@dataclass(eq=False)
class Task:
    """One long job; only `Tasks` changes it.

    Attributes
    ----------
    title : str
    is_cancellable : bool
    unit : str
        What is counted, for the rate: ``"img"``; ``"B"`` for bytes; empty for none.
    state : State
    phase : str
        What it does now; empty when it does not say.
    done, total : int
        Steps; a total of 0 is not known yet.
    error : str
        The sentence that it failed with.
    """

    title: str
    is_cancellable: bool = True
    unit: str = ""
    state: State = State.WAITING
    phase: str = ""
    done: int = 0
    total: int = 0
    error: str = ""
    _marks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    @property
    def is_active(self) -> bool:
        """Return whether it has not ended yet."""
        return self.state in (State.WAITING, State.RUNNING)

    def rate(self) -> float | None:
        """Return its steps per second lately, or None while unknown.

        The first step is left out as soon as there are others: it also loads what the rest uses.
        """
        marks = list(self._marks)
        if len(marks) > 2 and marks[0][1] == 0:
            marks = marks[1:]
        if len(marks) < 2 or marks[-1][0] <= marks[0][0]:
            return None
        return (marks[-1][1] - marks[0][1]) / (marks[-1][0] - marks[0][0])

    def seconds_left(self, now: float) -> float | None:
        """Return how long it still takes at its rate, seen at ``now``, or None while unknown."""
        rate = self.rate()
        if not rate or self.total <= 0:
            return None
        return max(0.0, (self.total - self.done) / rate - (now - self._marks[-1][0]))

    def mark(self, done: int, total: int, now: float) -> None:
        """Note how far it has come."""
        if not self._marks or done > self._marks[-1][1]:
            self._marks.append((now, done))
        self.done, self.total = done, total


@dataclass(slots=True, eq=False)
class _Running:
    """A task with its ticket and those who wait for it."""

    task: Task
    ticket: Ticket
    on_item: Callable[[object], object] | None
    on_done: Callable[[], object] | None
    on_error: Callable[[Exception], object] | None
    on_cancelled: Callable[[], object] | None


class Tasks(QObject):
    """Starts jobs on the compute thread and keeps the list of them.

    Parameters
    ----------
    service : EngineService
    parent : QObject or None
    clock : callable
        Seconds that only grow.
    """

    taskAdded = Signal(object)
    taskChanged = Signal(object)
    taskRemoved = Signal(object)

    def __init__(
        self,
        service: EngineService,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._service = service
        self._clock = clock
        self._tasks: list[Task] = []
        self._running: dict[str, _Running] = {}
        self._said: float | None = None
        self._unsaid: list[Task] = []
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._say_unsaid)
        service.itemReady.connect(self._on_item)
        service.finished.connect(self._on_finished)
        service.failed.connect(self._on_failed)
        service.cancelled.connect(self._on_cancelled)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Return what runs, waits or ended lately, oldest first."""
        return tuple(self._tasks)

    @property
    def current(self) -> Task | None:
        """Return the task that the status bar shows: what runs, else what waits, oldest first."""
        active = [task for task in self._tasks if task.is_active]
        running = [task for task in active if task.state is State.RUNNING]
        return next(iter(running or active), None)

    def now(self) -> float:
        """Return the time by the clock that tasks are timed with."""
        return self._clock()

    def start(
        self,
        title: str,
        lane: str,
        make: Make,
        *,
        priority: Priority = Priority.BATCH,
        on_item: Callable[[object], object] | None = None,
        on_done: Callable[[], object] | None = None,
        on_error: Callable[[Exception], object] | None = None,
        on_cancelled: Callable[[], object] | None = None,
        cancellable: bool = True,
        unit: str = "",
    ) -> Task:
        """Run a job as a task; what runs in its lane is cancelled.

        All callbacks run in the GUI thread. Without ``on_error`` a failure goes to the log.

        Parameters
        ----------
        title : str
        lane : str
        make : callable
            As for `EngineService.submit`. An item with ``done`` and ``total`` is progress, whatever
            else it is; its ``phase`` is shown if it has one.
        priority : Priority
        on_item : callable or None
            Takes each item, progress too.
        on_done, on_cancelled : callable or None
        on_error : callable or None
            Takes the exception.
        cancellable : bool
            Whether a cancel button is shown.
        unit : str
            See `Task`.
        """
        task = Task(title, cancellable, unit)
        ticket = self._service.submit(lane, make, priority=priority)
        self._running[lane] = _Running(task, ticket, on_item, on_done, on_error, on_cancelled)
        self._tasks.append(task)
        self.taskAdded.emit(task)
        return task

    def cancel(self, task: Task) -> None:
        """Cancel a task; one that has ended stays as it is."""
        for lane, running in self._running.items():
            if running.task is task:
                self._service.cancel(lane)
                return

    def dismiss(self, task: Task) -> None:
        """Take an ended task off the list."""
        if not task.is_active and task in self._tasks:
            self._tasks.remove(task)
            self.taskRemoved.emit(task)

    def clear_ended(self) -> None:
        """Take all ended tasks off the list."""
        for task in self.tasks:
            self.dismiss(task)

    # What the service says

    def _on_item(self, ticket: Ticket, item: object) -> None:
        """Count progress and hand an item on."""
        running = self._find(ticket)
        if running is None:
            return
        task = running.task
        was_waiting = task.state is State.WAITING
        task.state = State.RUNNING
        if was_waiting:
            task.mark(0, task.total, self._clock())
        if isinstance(item, Counted):
            task.mark(item.done, item.total, self._clock())
            task.phase = str(getattr(item, "phase", ""))
        self._say(task, at_once=was_waiting)
        if running.on_item is not None:
            running.on_item(item)

    def _on_finished(self, ticket: Ticket) -> None:
        """End a task that came to its end."""
        running = self._end(ticket, State.DONE)
        if running is not None and running.on_done is not None:
            running.on_done()

    def _on_failed(self, ticket: Ticket, error: Exception) -> None:
        """End a task that raised."""
        running = self._find(ticket)
        if running is None:
            return
        running.task.error = sentence_of(error)
        self._end(ticket, State.FAILED)
        if running.on_error is not None:
            running.on_error(error)
        else:
            _LOG.error("%s: %s", running.task.title, running.task.error)

    def _on_cancelled(self, ticket: Ticket) -> None:
        """End a task that was cancelled."""
        running = self._end(ticket, State.CANCELLED)
        if running is not None and running.on_cancelled is not None:
            running.on_cancelled()

    # Private

    def _find(self, ticket: Ticket) -> _Running | None:
        """Return what runs under a ticket; others use the service beside this."""
        running = self._running.get(ticket.lane)
        return running if running is not None and running.ticket == ticket else None

    def _end(self, ticket: Ticket, state: State) -> _Running | None:
        """Give a task its last state."""
        running = self._find(ticket)
        if running is None:
            return None
        del self._running[ticket.lane]
        running.task.state = state
        self._say(running.task, at_once=True)
        ended = [task for task in self._tasks if not task.is_active]
        for task in ended[: max(0, len(ended) - _KEPT)]:
            self.dismiss(task)
        return running

    def _say(self, task: Task, *, at_once: bool) -> None:
        """Tell that a task has changed, now or when the pause since the last word is over."""
        wait = 0.0 if self._said is None else self._said + _PAUSE_S - self._clock()
        if at_once or wait <= 0:
            if task in self._unsaid:
                self._unsaid.remove(task)
            self._said = self._clock()
            self.taskChanged.emit(task)
        elif task not in self._unsaid:
            self._unsaid.append(task)
            self._pause.start(max(1, round(1000 * wait)))

    def _say_unsaid(self) -> None:
        """Tell what changed in the pause."""
        unsaid, self._unsaid = self._unsaid, []
        self._said = self._clock()
        for task in unsaid:
            self.taskChanged.emit(task)


def sentence_of(error: BaseException) -> str:
    """Return what a person reads of an error."""
    if isinstance(error, FmstudioError):
        return str(error)
    name = type(error).__name__
    detail = next(iter(str(error).splitlines()), "").rstrip(".")
    what = f"{name}: {detail}" if detail else name
    return _tr("Something in fmstudio went wrong ({0}); the log has the details.").format(what)


def count_text(task: Task) -> str:
    """Return how far a task has come: ``"features 214/300"``; its title while it does not say."""
    if task.total <= 0:
        return task.title
    if task.unit == "B":
        return f"{task.title} {_megabytes(task.done)}/{_megabytes(task.total)} MB"
    return f"{task.phase or task.title} {task.done:,}/{task.total:,}"


def pace_text(task: Task, now: float) -> str:
    """Return how fast a task is and how long it takes: ``"3.1 img/s, 28 s left"``."""
    rate, left = task.rate(), task.seconds_left(now)
    words = []
    if rate and task.unit:
        words.append(_rate_text(rate, task.unit))
    # A step that takes longer than the rate says would stand there as "0 s left".
    if left is not None and left >= 0.5:
        words.append(_tr("{0} left").format(duration_text(left)))
    return ", ".join(words)


def duration_text(seconds: float) -> str:
    """Return a duration as a person says it: ``"28 s"``, ``"4 min"``, ``"1 h 20 min"``."""
    whole = round(seconds)
    if whole < 100:
        return _tr("{0} s").format(whole)
    minutes = round(seconds / 60)
    if minutes < 60:
        return _tr("{0} min").format(minutes)
    return _tr("{0} h {1} min").format(*divmod(minutes, 60))


def _rate_text(rate: float, unit: str) -> str:
    """Return a rate in its unit; slow ones the other way round, so that they are no 0.0."""
    if unit == "B":
        return f"{_megabytes(rate)} MB/s"
    if rate >= 10:
        return f"{rate:,.0f} {unit}/s"
    return f"{rate:.1f} {unit}/s" if rate >= 0.1 else f"{1 / rate:.0f} s/{unit}"


def _megabytes(count: float) -> str:
    """Return a number of bytes in megabytes."""
    return f"{count / 1e6:,.1f}"


def _tr(text: str) -> str:
    """Return a text in the person's language."""
    return QCoreApplication.translate("Tasks", text)
