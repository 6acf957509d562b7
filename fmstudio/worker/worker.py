"""The compute thread's end: one item of one job per turn of the event loop."""

import logging

from PySide6.QtCore import QObject, QSemaphore, Qt, Signal, Slot

from fmstudio.errors import Cancelled, FmstudioError
from fmstudio.worker.jobs import Job, JobHeap

_LOG = logging.getLogger(__name__)

# How long the thread sleeps while the window is behind with what it was sent.
_WAIT_MS = 50


class EngineWorker(QObject):
    """Pulls the items of jobs, most urgent first; lives in the compute thread.

    Between two items the event loop turns, so a job that comes meanwhile is looked at in time.

    Parameters
    ----------
    permits : QSemaphore
        One is taken per item that is sent; whoever receives the item gives it back. Without a
        bound a fast job would fill the window's event queue, and mouse and keys would wait.
    """

    itemReady = Signal(object, object)
    finished = Signal(object)
    failed = Signal(object, object)
    cancelled = Signal(object)
    _turnWanted = Signal()

    def __init__(self, permits: QSemaphore) -> None:
        super().__init__()
        self._permits = permits
        self._jobs = JobHeap()
        self._is_turning = False
        # Queued although it is the same thread: what others have posted is handled in between.
        self._turnWanted.connect(self._turn, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def enqueue(self, job: Job) -> None:
        """Take a job in."""
        self._jobs.push(job)
        self._go_on()

    @Slot()
    def _turn(self) -> None:
        """Pull one item of the job whose turn it is."""
        self._is_turning = False
        if not self._jobs:
            return
        job = self._jobs.first()
        if job.token.is_cancelled:
            self._drop(job)
        elif self._permits.tryAcquire(1, _WAIT_MS) and not self._send_next(job):
            self._permits.release()
        self._go_on()

    def _go_on(self) -> None:
        """Ask for one more turn of the event loop while there is work."""
        if self._jobs and not self._is_turning:
            self._is_turning = True
            self._turnWanted.emit()

    def _send_next(self, job: Job) -> bool:
        """Send a job's next item, or how it ended; return whether an item was sent."""
        try:
            if job.stream is None:
                job.stream = job.make(job.token)
            item = next(job.stream)
        except StopIteration:
            self._jobs.remove(job)
            self.finished.emit(job.ticket)
        except Cancelled:
            self._jobs.remove(job)
            self.cancelled.emit(job.ticket)
        except Exception as error:
            self._jobs.remove(job)
            if not isinstance(error, FmstudioError):
                _LOG.exception("The job '%s' failed.", job.ticket.lane)
            self.failed.emit(job.ticket, error)
        else:
            if not job.token.is_cancelled:
                self.itemReady.emit(job.ticket, item)
                return True
        return False

    def _drop(self, job: Job) -> None:
        """Let go of a cancelled job, so that what it holds is freed on this thread."""
        self._jobs.remove(job)
        close = getattr(job.stream, "close", None)
        if close is not None:
            try:
                close()
            except Exception:
                _LOG.exception("The job '%s' failed while it was stopped.", job.ticket.lane)
        self.cancelled.emit(job.ticket)
