"""The window's door to the compute thread: submit, supersede, cancel, shut down."""

import logging
import time

from PySide6.QtCore import QObject, QSemaphore, QThread, QTimer, Signal, Slot

from fmstudio.worker.jobs import Job, Make, Priority, Ticket
from fmstudio.worker.worker import EngineWorker

__all__ = ["EngineService", "Make", "Priority", "Ticket"]

_LOG = logging.getLogger(__name__)

# Two, so that the worker computes one item while the window shows the other.
_IN_FLIGHT = 2

# A thread that outlives its service: Qt aborts the process when such an object is collected.
_STUCK: set[tuple[QThread, EngineWorker]] = set()


class EngineService(QObject):
    """Runs jobs on the one compute thread; lives in the GUI thread, as do its signals.

    A lane holds one live job: submitting to it supersedes what is there. Each ticket ends with
    exactly one of `finished`, `failed` and `cancelled`, and nothing of it comes after that.
    Cancelling answers at once: the step that is being computed ends by itself, unheard.

    Connect bound methods of QObjects: Qt runs a lambda on the thread that sends.
    """

    itemReady = Signal(object, object)
    """Ticket, item: one per item that a live job yields."""
    finished = Signal(object)
    """Ticket: the job ended by itself."""
    failed = Signal(object, object)
    """Ticket, Exception."""
    cancelled = Signal(object)
    """Ticket: by `cancel`, by a later job in the lane, or because the job gave up itself."""
    _submitted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._generation = 0
        self._live: dict[str, Job] = {}
        self._permits = QSemaphore(_IN_FLIGHT)
        self._received = 0
        # Permits go back by a timer, not where an item is received: so Qt handles mouse, keys and
        # painting between every two items, however fast they come.
        self._turned = QTimer(self)
        self._turned.setSingleShot(True)
        self._turned.timeout.connect(self._give_permits_back)
        self._thread = QThread()
        self._thread.setObjectName("fmstudio-compute")
        self._worker = EngineWorker(self._permits)
        self._worker.moveToThread(self._thread)
        self._submitted.connect(self._worker.enqueue)
        self._worker.itemReady.connect(self._on_item)
        self._worker.finished.connect(self._on_finished)
        self._worker.failed.connect(self._on_failed)
        self._worker.cancelled.connect(self._on_cancelled)
        self._is_open = True
        self._thread.start(QThread.Priority.LowPriority)

    @property
    def is_open(self) -> bool:
        """Return whether jobs are taken: until `shutdown`."""
        return self._is_open

    def submit(self, lane: str, make: Make, *, priority: Priority = Priority.BATCH) -> Ticket:
        """Run a job; what runs or waits in its lane is cancelled.

        Parameters
        ----------
        lane : str
        make : callable
            ``make(token)`` is called on the compute thread and returns an iterator, which is
            pulled there too: one item per turn.
        priority : Priority
            A more urgent job overtakes at the next item of the one that runs.

        Raises
        ------
        RuntimeError
            After `shutdown`.
        """
        if not self._is_open:
            raise RuntimeError("the compute thread is shut down")
        self.cancel(lane)
        self._generation += 1
        job = Job(Ticket(lane, self._generation), make, priority)
        self._live[lane] = job
        self._submitted.emit(job)
        return job.ticket

    def cancel(self, lane: str) -> None:
        """Cancel what runs or waits in a lane; `cancelled` has been sent on return."""
        job = self._live.pop(lane, None)
        if job is not None:
            job.token.cancel()
            self.cancelled.emit(job.ticket)

    def is_live(self, ticket: Ticket) -> bool:
        """Return whether a ticket has not ended yet."""
        job = self._live.get(ticket.lane)
        return job is not None and job.ticket == ticket

    def is_busy(self, lane: str | None = None) -> bool:
        """Return whether anything runs or waits, in a lane or at all."""
        return bool(self._live) if lane is None else lane in self._live

    def shutdown(self, timeout_ms: int = 1000) -> bool:
        """Cancel everything and end the thread; may be called again.

        Never terminates the thread by force, which would leave locks held: when the step that it
        computes outlasts the time, whoever ends the process must leave by ``os._exit``.

        Returns
        -------
        has_ended : bool
            Whether the thread ended in time.
        """
        self._is_open = False
        started = time.monotonic()
        for lane in list(self._live):
            self.cancel(lane)
        self._thread.quit()
        has_ended = self._thread.wait(timeout_ms)
        if not has_ended:
            _STUCK.add((self._thread, self._worker))
            _LOG.info("The compute thread runs on after %.1f s.", time.monotonic() - started)
        return has_ended

    # What the compute thread sends

    @Slot(object, object)
    def _on_item(self, ticket: Ticket, item: object) -> None:
        """Pass an item on if anyone still waits for it."""
        self._received += 1
        self._turned.start(0)
        if self.is_live(ticket):
            self.itemReady.emit(ticket, item)

    @Slot()
    def _give_permits_back(self) -> None:
        """Let the compute thread send as many items as have been received."""
        self._permits.release(self._received)
        self._received = 0

    @Slot(object)
    def _on_finished(self, ticket: Ticket) -> None:
        """End a job that came to its end."""
        if self._end(ticket):
            self.finished.emit(ticket)

    @Slot(object, object)
    def _on_failed(self, ticket: Ticket, error: Exception) -> None:
        """End a job that raised."""
        if self._end(ticket):
            self.failed.emit(ticket, error)

    @Slot(object)
    def _on_cancelled(self, ticket: Ticket) -> None:
        """End a job that gave up; one that `cancel` stopped has ended already."""
        if self._end(ticket):
            self.cancelled.emit(ticket)

    def _end(self, ticket: Ticket) -> bool:
        """Forget a ticket; return whether it was live."""
        if not self.is_live(ticket):
            return False
        del self._live[ticket.lane]
        return True
