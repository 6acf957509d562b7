"""What one worker of Ray does: it holds a matcher and the references, and carries to targets.

Runs in a process of its own, perhaps on another machine. It opens no image: pixels come with each
call, or the sentence that says why there are none. What a call returns is packed into bytes, so
that nothing on the other side hangs on Ray's shared memory.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio import __version__
from fmstudio.engine.agreement import summarise
from fmstudio.engine.cache import TensorCache
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.device import choose_device
from fmstudio.engine.keys import CODE_VERSION
from fmstudio.engine.match import ImageAnalysis, Matcher
from fmstudio.engine.propagate import Clock, look_at, propagate_to
from fmstudio.engine.reference_pool import ReferencePool
from fmstudio.engine.requests import Failure, ImageRef, MatchSettings, Progress, Reference
from fmstudio.engine.views import View
from fmstudio.errors import ImageError, MatchError

Opened = NDArray[np.uint8] | str
"""Pixels (H, W, 3), or why an image cannot be opened."""

CODE = f"{__version__}, results {CODE_VERSION}"
"""What two processes must agree on to give the same results."""


class RayWorker:
    """Made an actor by `RayPool`; its calls come one after the other."""

    def __init__(self) -> None:
        self._matcher: Matcher | None = None
        self._references: ReferencePool | None = None
        self._notes: list[str] = []

    def prepare(
        self, code: str, settings: MatchSettings, device: str, cache_dir: Path | None
    ) -> None:
        """Load the networks.

        Parameters
        ----------
        code : str
            The `CODE` of whoever asks.
        settings : MatchSettings
        device : str
            See `choose_device`: of the worker's machine.
        cache_dir : Path or None
            A folder that the worker's machine has; None caches in memory.

        Raises
        ------
        MatchError
            If this machine has another fmstudio, or has no such device.
        WeightsError
            If it lacks the networks' weights.
        """
        if code != CODE:
            raise MatchError(
                f"A worker of Ray has another fmstudio than this machine ({CODE}, and here "
                f"{code}): install the same on all machines."
            )
        try:
            there = choose_device(device)
        except ValueError as error:
            raise MatchError(f"A worker of Ray cannot compute: {error}.") from error
        self._matcher = Matcher(settings, device=there, cache=TensorCache(cache_dir))

    def analyse(self, image: ImageRef, opened: Opened) -> bytes:
        """Return the `ImageAnalysis` of an image on the processor, or a `Failure`, packed."""
        return _packed(self._analysed(image, opened, lambda found: found.to("cpu")))

    def summarise(self, image: ImageRef, opened: Opened) -> bytes:
        """Return the `ImageSummary` of an image, or a `Failure`, packed."""
        settings = self._ready.settings
        return _packed(
            self._analysed(image, opened, lambda found: summarise(found.to("cpu"), settings))
        )

    def take_references(
        self,
        references: Sequence[tuple[Reference, Any, Any]],
        nearest: int,
        notes: Sequence[str],
    ) -> None:
        """Keep what is carried.

        Parameters
        ----------
        references : sequence of (Reference, ObjectRef of its analysis, ObjectRef of its pixels)
            The pixels are fetched only when a part of the image is looked at; or why there are
            none.
        nearest : int
            See `PropagationRequest`.
        notes : sequence of str
            What is true of every proposal.
        """
        fetch = _ray().get
        views = {
            r.image: View(
                fetch(analysis).to(self._ready.device), r.image.key, _opener(pixels, fetch)
            )
            for r, analysis, pixels in references
        }
        self._references = ReferencePool(views.__getitem__, nearest)
        for reference, _, _ in references:
            self._references.add(reference)
        self._notes = list(notes)

    def take_agreed(self, maps: Mapping[tuple[str, str], torch.Tensor]) -> None:
        """Keep maps that were solved together, see `agreed_maps`."""
        self._ready.take_agreed(maps)

    def carry(self, target: ImageRef, opened: Opened) -> bytes:
        """Return the `Proposal` for a target, or a `Failure`, packed."""
        if self._references is None:
            raise RuntimeError("a worker was asked before it had references")
        events = propagate_to(
            target,
            self._ready,
            self._references,
            lambda _: _pixels(opened),
            CancelToken(),
            Clock(1),
            self._notes,
        )
        (outcome,) = (event for event in events if not isinstance(event, Progress))
        return _packed(outcome)

    @property
    def _ready(self) -> Matcher:
        """Return the matcher."""
        if self._matcher is None:
            raise RuntimeError("a worker was asked before it was prepared")
        return self._matcher

    def _analysed(
        self, image: ImageRef, opened: Opened, then: Callable[[ImageAnalysis], object]
    ) -> object:
        """Return what is made of an image's analysis, or the failure."""
        try:
            return then(look_at(self._ready, lambda _: _pixels(opened), image).analysis)
        except ImageError as error:
            return Failure(image, str(error))


def _ray() -> Any:
    """Return the module ray, which is there where a worker runs."""
    return importlib.import_module("ray")


def _packed(value: object) -> bytes:
    """Return a value as bytes, by the pickler with which Ray sends it anyway."""
    data: bytes = _ray().cloudpickle.dumps(value)
    return data


def _pixels(opened: Opened) -> NDArray[np.uint8]:
    """Return the pixels; raises `ImageError` if there are none."""
    if isinstance(opened, str):
        raise ImageError(opened)
    return opened


def _opener(pixels: Any, fetch: Callable[[Any], Opened]) -> Callable[[], NDArray[np.uint8]]:
    """Return a function that fetches pixels whenever they are needed; none are held."""
    return lambda: _pixels(fetch(pixels))
