"""What waits for the compute thread, and in which order it gets a turn."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from fmstudio.engine.cancel import CancelToken

Make = Callable[[CancelToken], Iterator[object]]
"""Called on the compute thread; returns the stream of a job's items."""


class Priority(IntEnum):
    """Who goes first: the smaller number, and of equals the one that came first."""

    PREVIEW = 0
    INTERACTIVE = 10
    BATCH = 20


@dataclass(frozen=True, slots=True)
class Ticket:
    """One submission to a lane.

    Attributes
    ----------
    lane : str
    generation : int
        Grows with every submission; in a lane only the latest is live.
    """

    lane: str
    generation: int


@dataclass(slots=True, eq=False)
class Job:
    """A ticket with the work that it stands for.

    ``stream`` is None until the compute thread has begun.
    """

    ticket: Ticket
    make: Make
    priority: Priority
    token: CancelToken = field(default_factory=CancelToken)
    stream: Iterator[object] | None = None


class JobHeap:
    """Jobs by priority, then by arrival."""

    def __init__(self) -> None:
        self._heap: list[tuple[Priority, int, Job]] = []
        self._arrivals = 0

    def __bool__(self) -> bool:
        return bool(self._heap)

    def push(self, job: Job) -> None:
        """Add a job behind those of its priority."""
        self._arrivals += 1
        heapq.heappush(self._heap, (job.priority, self._arrivals, job))

    def first(self) -> Job:
        """Return the job whose turn it is; it stays."""
        return self._heap[0][2]

    def remove(self, job: Job) -> None:
        """Take a job out, wherever it stands."""
        self._heap = [entry for entry in self._heap if entry[2] is not job]
        heapq.heapify(self._heap)
