"""Workers of Ray, and images handed out to them.

Bounded everywhere: so many images are opened or on their way as the workers can begin with, and
no result waits for more than a few others. A worker that ends is replaced, and what it had is
given to another.
"""

import heapq
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.ray_cluster import RayCluster
from fmstudio.engine.ray_worker import Opened, RayWorker
from fmstudio.engine.requests import Failure, ImageRef
from fmstudio.errors import ImageError, MatchError

Load = Callable[[ImageRef], NDArray[np.uint8]]

# Of each worker: the image that it works on, and the next.
_DEPTH = 2
# Results that may wait for an earlier one, per worker.
_AHEAD = 4
# How often an image is tried on workers that end, and how many may end in a row before they begin.
_TRIES = 3
_OPENERS = 2
# Seconds between two looks at the token.
_POLL = 0.1
_START_MINUTES = 10


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one image.

    Attributes
    ----------
    image : ImageRef
    value : object
        What the worker returned, or a `Failure`.
    opened : ObjectRef or None
        Its pixels, or why there are none, in Ray's store.
    """

    image: ImageRef
    value: Any
    opened: Any


@dataclass(slots=True, order=True)
class _Piece:
    """An image to hand out; the earlier one first."""

    index: int
    image: ImageRef = field(compare=False)
    tries: int = field(default=0, compare=False)
    opened: Any = field(default=None, compare=False)


@dataclass(slots=True, eq=False)
class _Worker:
    """An actor, its preparations that are not done, and its images, oldest first."""

    actor: Any
    preparations: list[Any] = field(default_factory=list)
    pieces: deque[tuple[Any, _Piece]] = field(default_factory=deque)

    @property
    def replies(self) -> list[Any]:
        """Return what is waited for."""
        return [*self.preparations, *(reply for reply, _ in self.pieces)]


class RayPool:
    """Some workers of a cluster; a context manager that ends them.

    Parameters
    ----------
    cluster : RayCluster
        That is up.
    count : int
        Workers, at least 1.
    has_gpu : bool
        Whether each gets a GPU.
    """

    def __init__(self, cluster: RayCluster, count: int, *, has_gpu: bool = False) -> None:
        self._cluster = cluster
        self._ray = cluster.ray
        self._kind = cluster.ray.remote(RayWorker).options(
            num_cpus=1,
            num_gpus=1 if has_gpu else 0,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
        )
        self._count = count
        self._told: list[tuple[str, tuple[Any, ...]]] = []
        self._workers: list[_Worker] = []
        self._bad_starts = 0
        self._is_open = True
        self._waiting_since = time.monotonic()
        self._threads = ThreadPoolExecutor(_OPENERS, "fmstudio-open")

    def __enter__(self) -> Self:
        self._workers = [self._start() for _ in range(self._count)]
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers, whatever they do, and open nothing more."""
        self._is_open = False
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            self._ray.kill(worker.actor)
        self._workers = []

    def tell(self, method: str, *args: object) -> None:
        """Call a method on every worker, and on those that replace one; errors come in `each`."""
        self._told.append((method, args))
        for worker in self._workers:
            worker.preparations.append(getattr(worker.actor, method).remote(*args))

    def each(
        self, method: str, images: Sequence[ImageRef], load: Load, token: CancelToken
    ) -> Iterator[Done | None]:
        """Yield what a method returns for each image, in their order; None while nothing is new.

        Parameters
        ----------
        method : str
            Of `RayWorker`, that takes an image and its pixels and returns bytes.
        images : sequence of ImageRef
        load : callable
            Opens an image, on a thread of its own; raises `ImageError`.
        token : CancelToken
            Looked at about ten times a second; what was finished out of order is yielded first.

        Raises
        ------
        Cancelled
            When the token is set.
        MatchError
            If no worker starts.
        FmstudioError, ValueError, ...
            What the method raised; a worker that ends is no error.
        """
        todo = [_Piece(index, image) for index, image in enumerate(images)]
        opening: dict[Future[Any], _Piece] = {}
        finished: dict[int, Done] = {}
        following = 0
        while following < len(images):
            if token.is_cancelled:
                yield from (finished[index] for index in sorted(finished))
            token.check()
            self._open_some(todo, opening, load, following)
            self._hand_out(method, opening)
            for piece, value in self._collect(opening):
                if value is None:
                    heapq.heappush(todo, piece)
                else:
                    finished[piece.index] = Done(piece.image, value, piece.opened)
            yield None
            while following in finished:
                yield finished.pop(following)
                following += 1

    def _start(self) -> _Worker:
        """Return a new worker that does what all have been told."""
        worker = _Worker(self._kind.remote())
        for method, args in self._told:
            worker.preparations.append(getattr(worker.actor, method).remote(*args))
        return worker

    @property
    def _ready(self) -> list[_Worker]:
        """Return the workers that have done all that they were told."""
        return [worker for worker in self._workers if not worker.preparations]

    def _open_some(
        self, todo: list[_Piece], opening: dict[Future[Any], _Piece], load: Load, following: int
    ) -> None:
        """Begin to open the next images, as many as there is work and room for."""
        ready = len(self._ready)
        room = _DEPTH * ready - len(opening) - sum(len(w.pieces) for w in self._workers)
        # The earliest one may always go: everything else waits for it.
        last = following + _AHEAD * max(ready, 1)
        while room > 0 and todo and todo[0].index < last:
            piece = heapq.heappop(todo)
            opening[self._threads.submit(self._opened, piece.image, load)] = piece
            room -= 1

    def _opened(self, image: ImageRef, load: Load) -> Any:
        """Return an image's pixels, or why there are none, in Ray's store."""
        opened: Opened
        try:
            opened = load(image)
        except ImageError as error:
            opened = str(error)
        # Without a connection Ray would make one.
        return self._ray.put(opened) if self._is_open else None

    def _hand_out(self, method: str, opening: dict[Future[Any], _Piece]) -> None:
        """Give opened images to the workers that have least to do."""
        for future in [future for future in opening if future.done()]:
            if not self._ready:
                return
            piece = opening.pop(future)
            piece.opened = future.result()
            worker = min(self._ready, key=lambda worker: len(worker.pieces))
            reply = getattr(worker.actor, method).remote(piece.image, piece.opened)
            worker.pieces.append((reply, piece))

    def _collect(self, opening: Collection[Future[Any]]) -> Iterator[tuple[_Piece, Any]]:
        """Yield images with what came of them; None for those that are to be tried again."""
        for reply, worker in self._arrived(opening):
            if worker not in self._workers:
                continue
            value, is_alive = self._reply(reply)
            if not is_alive:
                yield from self._replace(worker)
            elif reply in worker.preparations:
                worker.preparations.remove(reply)
                self._bad_starts *= bool(worker.preparations)
            else:
                piece = next(piece for known, piece in worker.pieces if known == reply)
                worker.pieces.remove((reply, piece))
                yield piece, self._ray.cloudpickle.loads(value)
        if self._ready:
            self._waiting_since = time.monotonic()
        elif time.monotonic() - self._waiting_since > 60 * _START_MINUTES:
            raise MatchError(
                f"No worker of Ray has started on {self._cluster.name} for {_START_MINUTES} "
                "minutes: see whether its processors and its memory are free."
            )

    def _arrived(self, opening: Collection[Future[Any]]) -> list[tuple[Any, _Worker]]:
        """Return the replies that are there, with their workers, after a short wait for one."""
        of_reply = {reply: worker for worker in self._workers for reply in worker.replies}
        if not of_reply:
            wait(opening, _POLL, FIRST_COMPLETED)
            return []
        replies = list(of_reply)
        ready, _ = self._ray.wait(replies, timeout=_POLL / 5 if opening else _POLL)
        if ready:
            ready, _ = self._ray.wait(replies, num_returns=len(replies), timeout=0)
        return [(reply, of_reply[reply]) for reply in ready]

    def _reply(self, reply: Any) -> tuple[Any, bool]:
        """Return a worker's reply, and whether it is one; raises what the worker raised."""
        errors = self._ray.exceptions
        try:
            return self._ray.get(reply), True
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, errors.RayError):  # Its pixels were lost on their way.
                return None, False
            raise (cause if isinstance(cause, Exception) else error) from None
        except errors.RayError:
            return None, False

    def _replace(self, worker: _Worker) -> Iterator[tuple[_Piece, Any]]:
        """Put a new worker in the place of one that ended; yield what that one had.

        Raises
        ------
        MatchError
            If too many have ended before they began.
        """
        self._ray.kill(worker.actor)
        self._bad_starts += bool(worker.preparations)
        if self._bad_starts >= _TRIES:
            raise MatchError(
                f"The workers of Ray end before they begin on {self._cluster.name}: see whether "
                "its memory suffices, and what Ray's logs say."
            )
        self._workers[self._workers.index(worker)] = self._start()
        for place, (_, piece) in enumerate(worker.pieces):
            # Only the oldest was worked on.
            piece.tries += place == 0
            if piece.tries < _TRIES:
                yield piece, None
            else:
                yield piece, Failure(piece.image, _given_up(piece.image))


def _given_up(image: ImageRef) -> str:
    """Return why an image is not tried again."""
    return (
        f"'{image.name}' was given up: {_TRIES} workers of Ray ended while they worked on it; see "
        "whether their memory suffices."
    )
