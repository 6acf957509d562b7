"""The job of `propagate` over Ray: many processes, perhaps on many machines, one result.

References are analysed once, by whichever worker is free, and shared through Ray's store; each
target is carried to by one worker. The images are opened here. Outcomes come in the order of the
targets, so that what lands does not depend on who was faster; see docs/adr/0014.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fmstudio.engine.agreement import ImageSummary, agreed_maps, summarise
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.propagate import (
    Clock,
    Load,
    check_marks,
    check_readable,
    pairs_to_carry,
)
from fmstudio.engine.ray_cluster import RayCluster, RayWish
from fmstudio.engine.ray_pool import Done, RayPool
from fmstudio.engine.ray_worker import CODE
from fmstudio.engine.requests import (
    Event,
    Failure,
    ImageRef,
    Phase,
    PropagationRequest,
    Reference,
)
from fmstudio.errors import MatchError

# Seconds between two looks at the token.
_POLL = 0.1

_NOT_THROUGH = (
    "Over Ray weak images are not reached through others: each is carried to by one worker alone."
)

Shared = tuple[Reference, Any, Any]
"""A reference, and where in Ray's store its analysis and its pixels are."""


def propagate_over_ray(
    request: PropagationRequest,
    *,
    load: Load,
    token: CancelToken,
    wish: RayWish,
    cache_dir: Path | None = None,
    device: str = "auto",
) -> Iterator[Event]:
    """Yield progress, and for every target a proposal or a failure, in the targets' order.

    Parameters
    ----------
    request : PropagationRequest
    load : callable
        Opens an image on this machine, on a thread of its own: ``ImageRef -> (H, W, 3) uint8``;
        raises `ImageError`.
    token : CancelToken
        Looked at about ten times a second, whatever the workers do.
    wish : RayWish
    cache_dir : Path or None
        Where features and bases are kept between runs; of workers on this machine only.
    device : str
        See `choose_device`; chosen by each worker, on its machine.

    Raises
    ------
    Cancelled
        When the token is set; what was finished is yielded before.
    MatchError
        If Ray is not installed or cannot be reached, its workers do not start, there is nothing
        to carry, or no reference can be read.
    """
    check_marks(request)
    clock = Clock(len(request.targets))
    with RayCluster(wish) as cluster:
        while not cluster.is_up(_POLL):
            token.check()
            yield clock.progress(Phase.FEATURES)
        count, has_gpu = _size(cluster, wish, device, request)
        with RayPool(cluster, count, has_gpu=has_gpu) as pool:
            folder = cache_dir if cluster.is_local else None
            settings = replace(request.settings, through=0)
            pool.tell("prepare", CODE, settings, device, folder)
            yield from _Job(request, pool, cluster.ray, load, token, clock).events()


def _size(
    cluster: RayCluster, wish: RayWish, device: str, request: PropagationRequest
) -> tuple[int, bool]:
    """Return how many workers there shall be, and whether each gets a GPU."""
    n_gpus = cluster.count("GPU") if device in ("auto", "cuda") else 0
    if device == "cuda" and not n_gpus:
        raise MatchError(f"Ray knows of no GPU on {cluster.name}: choose the device cpu.")
    most = n_gpus or cluster.count("CPU")
    images = max(len(request.targets), len(request.references))
    return max(1, min(most, images, wish.workers or most)), bool(n_gpus)


class _Job:
    """One request on its way through the workers of a pool."""

    def __init__(
        self,
        request: PropagationRequest,
        pool: RayPool,
        ray: Any,
        load: Load,
        token: CancelToken,
        clock: Clock,
    ) -> None:
        self._request = request
        self._pool = pool
        self._ray = ray
        self._load = load
        self._token = token
        self._clock = clock

    def events(self) -> Iterator[Event]:
        """Yield the job's events; errors as in `propagate_over_ray`."""
        shared: list[Shared] = []
        summaries: list[ImageSummary] = []
        notes: list[str] = [_NOT_THROUGH] if self._request.settings.through else []
        settings = self._request.settings
        images = tuple(reference.image for reference in self._request.references)
        for done in self._each("analyse", images):
            if done is None:
                yield self._clock.progress(Phase.FEATURES)
            elif isinstance(done.value, Failure):
                notes.append(f"Reference left out: {done.value.message}")
            else:
                reference = next(r for r in self._request.references if r.image == done.image)
                shared.append((reference, self._ray.put(done.value), done.opened))
                if settings.consistency > 0:
                    summaries.append(summarise(done.value, settings))
        check_readable(shared, notes)
        self._pool.tell("take_references", shared, self._request.nearest, notes)
        if settings.consistency > 0:
            yield from self._agree(summaries)
        yield from self._carry()

    def _agree(self, sources: Sequence[ImageSummary]) -> Iterator[Event]:
        """Yield the progress of solving the maps of all images together."""
        summaries = list(sources)
        for done in self._each("summarise", self._request.targets):
            if done is None:
                yield self._clock.progress(Phase.FEATURES)
            elif not isinstance(done.value, Failure):  # Said when its turn comes.
                summaries.append(done.value)
        pairs = pairs_to_carry(len(sources), len(summaries))
        if pairs:
            yield self._clock.progress(Phase.MATCH)
            maps = agreed_maps(summaries, pairs, self._request.settings, self._token.check)
            self._pool.tell("take_agreed", self._ray.put(maps))

    def _carry(self) -> Iterator[Event]:
        """Yield the outcome of every target."""
        for done in self._each("carry", self._request.targets):
            if done is not None:
                self._clock.finish()
                yield done.value
            yield self._clock.progress(Phase.MATCH)

    def _each(self, method: str, images: Sequence[ImageRef]) -> Iterator[Done | None]:
        """Yield what a method of the workers returns for each image; see `RayPool.each`."""
        return self._pool.each(method, images, self._load, self._token)
