"""One request to a stream of progress and proposals.

A generator: whoever pulls it decides on which thread it runs, and between any two items the
work can be stopped. What is in memory at once is the references (a dozen of them, where each
target takes those that look most like it), one target and one pair, and the next target's pixels;
with `MatchSettings.consistency` also a summary of each target, some 150 kB at the default settings.
"""

import time
from collections.abc import Callable, Iterator, Sequence, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.agreement import summarise
from fmstudio.engine.cache import TensorCache
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.carry import CarriedMark, vote
from fmstudio.engine.device import choose_device
from fmstudio.engine.focus import map_objects
from fmstudio.engine.keys import request_key
from fmstudio.engine.match import ImageAnalysis, Matcher
from fmstudio.engine.reference_pool import ReferencePool
from fmstudio.engine.relays import Relay, Relays, is_weak, pass_on
from fmstudio.engine.requests import (
    Event,
    Failure,
    ImageRef,
    Mark,
    Phase,
    Progress,
    PropagationRequest,
    Proposal,
)
from fmstudio.engine.rivals import carry_both
from fmstudio.engine.views import View, mean_descriptor
from fmstudio.errors import ImageError, MatchError

Load = Callable[[ImageRef], NDArray[np.uint8]]


def propagate(
    request: PropagationRequest,
    *,
    load: Load,
    token: CancelToken,
    cache_dir: Path | None = None,
    device: str = "auto",
    matcher: Matcher | None = None,
) -> Iterator[Event]:
    """Yield progress, and for every target a proposal or a failure.

    Parameters
    ----------
    request : PropagationRequest
    load : callable
        Opens an image: ``ImageRef -> (H, W, 3) uint8``; raises `ImageError`.
    token : CancelToken
        Looked at between all steps.
    cache_dir : Path or None
        Where features and bases are kept between runs.
    device : str
        See `choose_device`.
    matcher : Matcher or None
        Reuses one that is already loaded; its settings must be the request's.

    Raises
    ------
    Cancelled
        When the token is set.
    MatchError
        If there is nothing to carry, or no reference can be read.
    """
    check_marks(request)
    if matcher is None:
        cache = TensorCache(cache_dir)
        matcher = Matcher(request.settings, device=choose_device(device), cache=cache)
    clock = Clock(len(request.targets))
    references = ReferencePool(partial(look_at, matcher, load), request.nearest)
    notes = []
    for reference in request.references:
        token.check()
        yield clock.progress(Phase.FEATURES)
        try:
            references.add(reference)
        except ImageError as error:
            notes.append(f"Reference left out: {error}")
    check_readable(references, notes)
    if request.settings.consistency > 0:
        yield from _agree(matcher, references, request.targets, load, token, clock)
    relays = Relays(request.settings.through) if request.settings.through else None
    with _Ahead(load, request, matcher) as ahead:
        for target in request.targets:
            ahead.prepare_after(target)
            opened = _kept(ahead.open)
            yield from propagate_to(
                target, matcher, references, opened, token, clock, notes, relays=relays
            )
    if relays is not None:
        yield from _pass_on(relays, matcher, references, load, token, clock, notes)


def check_marks(request: PropagationRequest) -> None:
    """Raise `MatchError` if a request carries nothing."""
    if not any(reference.marks for reference in request.references):
        raise MatchError(
            "There is nothing to carry: accept a keypoint or a mask on a reference image first."
        )


def check_readable(references: Sized, notes: Sequence[str]) -> None:
    """Raise `MatchError`, with the reasons, if no reference is left."""
    if not len(references):
        raise MatchError(f"No reference image can be read. {' '.join(notes)}")


def pairs_to_carry(n_sources: int, n_images: int) -> list[tuple[int, int]]:
    """Return each source with each image after the sources, as indices of all of them."""
    return [(s, t) for s in range(n_sources) for t in range(n_sources, n_images)]


def propagate_to(
    target: ImageRef,
    matcher: Matcher,
    references: ReferencePool,
    load: Load,
    token: CancelToken,
    clock: "Clock",
    notes: list[str],
    *,
    relays: Relays | None = None,
    through: Sequence[Relay] = (),
) -> Iterator[Event]:
    """Yield the progress and the outcome of one target.

    Parameters
    ----------
    target : ImageRef
    matcher : Matcher
    references : ReferencePool
        Of at least one, looked at with the matcher.
    load : callable
        Opens the target and the relays, see `propagate`.
    token : CancelToken
    clock : Clock
        Told when the target is done.
    notes : list of str
        What is true of every proposal of the job.
    relays : Relays or None
        Told what is proposed, where weak targets will be asked again with its help.
    through : sequence of Relay
        Images that pass on to it what was proposed on them; what cannot be read is left out.
    """
    token.check()
    yield clock.progress(Phase.FEATURES)
    try:
        view = look_at(matcher, load, target)
        words, keys = [], []
        for reference, source in references.near(view):
            token.check()
            yield clock.progress(Phase.MATCH)
            words.append(_words(matcher, reference.marks, source, view, token.check))
            keys.append(reference.image.key)
        for relay in through:
            yield clock.progress(Phase.MATCH)
            with suppress(ImageError):  # Said when it was its turn.
                source = look_at(matcher, load, relay.image)
                words.append(pass_on(matcher, relay, source, view, token))
        yield clock.progress(Phase.TRANSFER)
        drawn = view.open if matcher.settings.edges else None
        marks = vote(words, view.analysis.grid, open_target=drawn)
    except ImageError as error:
        clock.finish()
        yield Failure(target, str(error))
        return
    clock.finish()
    key = request_key(tuple(keys), matcher.settings)
    proposal = Proposal(target, marks, key, (*notes, *matcher.take_notes()))
    if relays is not None:
        relays.add(proposal, mean_descriptor(view))
        if is_weak(proposal):
            # Not the last word of these settings, so that a run that is killed now asks again.
            key = request_key(tuple(keys), replace(matcher.settings, through=0))
            proposal = replace(proposal, key=key)
    yield proposal
    yield clock.progress(Phase.TRANSFER)


def _words(
    matcher: Matcher,
    marks: Sequence[Mark],
    source: View,
    target: View,
    check: Callable[[], object],
) -> list[CarriedMark]:
    """Return what a reference's marks become on a target; raises as `map_object`."""
    found = map_objects(matcher, source, target, marks, check=check)
    return [carry_both(matcher, source, target, mark, each, check=check) for mark, each in found]


def _pass_on(
    relays: Relays,
    matcher: Matcher,
    references: ReferencePool,
    load: Load,
    token: CancelToken,
    clock: "Clock",
    notes: list[str],
) -> Iterator[Event]:
    """Yield a better proposal for every weak target that is reached through other images."""
    reached = relays.reached()
    clock.extend(len(reached))
    for target, through in reached:
        opened = _kept(load)
        yield from propagate_to(
            target, matcher, references, opened, token, clock, notes, through=through
        )


def _agree(
    matcher: Matcher,
    references: ReferencePool,
    targets: Sequence[ImageRef],
    load: Load,
    token: CancelToken,
    clock: "Clock",
) -> Iterator[Event]:
    """Yield the progress of looking at all images and solving their maps together."""
    images = [summarise(view.analysis, matcher.settings) for view in references.views()]
    for target in targets:
        token.check()
        yield clock.progress(Phase.FEATURES)
        # What cannot be read is said when its turn comes.
        with suppress(ImageError):
            images.append(summarise(_analyse(matcher, target, load), matcher.settings))
    pairs = pairs_to_carry(len(references), len(images))
    if pairs:
        yield clock.progress(Phase.MATCH)
        matcher.agree(images, pairs, token.check)


def look_at(matcher: Matcher, load: Load, image: ImageRef) -> View:
    """Return an image as matching looks at it."""
    return View(_analyse(matcher, image, load), image.key, lambda: load(image))


def _kept(load: Load) -> Load:
    """Return a loader that keeps the image it opened last: several looks, one decoding."""
    held: dict[int, NDArray[np.uint8]] = {}

    def open_once(image: ImageRef) -> NDArray[np.uint8]:
        if image.id not in held:
            held.clear()
            held[image.id] = load(image)
        return held[image.id]

    return open_once


class _Ahead:
    """Opens the next target on a thread of its own while the present one is matched.

    Two opened images are held at most. What will be opened is what the cache does not know, and
    every target of a mask that is drawn to edges.
    """

    def __init__(self, load: Load, request: PropagationRequest, matcher: Matcher) -> None:
        self._load = load
        self._matcher = matcher
        self._after = dict(zip(request.targets, request.targets[1:], strict=False))
        self._draws = matcher.settings.edges and any(
            mark.mask is not None for reference in request.references for mark in reference.marks
        )
        self._thread = ThreadPoolExecutor(1, "fmstudio-ahead")
        self._opening: dict[int, Future[NDArray[np.uint8]]] = {}

    def __enter__(self) -> "_Ahead":
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the thread without waiting for an image that nobody needs any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def prepare_after(self, target: ImageRef) -> None:
        """Begin to open the image after a target, where it will be needed."""
        following = self._after.get(target)
        # What was opened for nothing, as all of it was cached after all, is let go.
        near = {target.id} if following is None else {target.id, following.id}
        self._opening = {i: opening for i, opening in self._opening.items() if i in near}
        if following is None or following.id in self._opening:
            return
        if self._draws or not self._matcher.knows(following.key):
            self._opening[following.id] = self._thread.submit(self._load, following)

    def open(self, image: ImageRef) -> NDArray[np.uint8]:
        """Return an image's pixels; raises what loading it raised."""
        opening = self._opening.pop(image.id, None)
        return self._load(image) if opening is None else opening.result()


def _analyse(matcher: Matcher, image: ImageRef, load: Load) -> ImageAnalysis:
    """Return an image's analysis; opens the image only when the cache does not know it."""
    return matcher.recall(image.size, image.key) or matcher.analyse(load(image), image.key)


class Clock:
    """Counts targets and guesses the time that is left."""

    def __init__(self, total: int) -> None:
        self._start = time.monotonic()
        self._done = 0
        self._total = total

    def extend(self, count: int) -> None:
        """Count so many targets once more."""
        self._total += count

    def finish(self) -> None:
        """Count one target as done."""
        self._done += 1

    def progress(self, phase: Phase) -> Progress:
        """Return where the job stands."""
        eta = None
        if self._done:
            spent = time.monotonic() - self._start
            eta = spent / self._done * (self._total - self._done)
        return Progress(phase, self._done, self._total, eta)
