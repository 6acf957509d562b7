"""The engine at work for a session: where it computes, and how much it may hold and keep.

Importing this module does not import torch; pulling a job does.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.ray_cluster import RayWish
from fmstudio.engine.requests import Event, ImageRef, MatchSettings, PropagationRequest
from fmstudio.errors import MatchError

if TYPE_CHECKING:
    from fmstudio.engine.match import Matcher

Load = Callable[[ImageRef], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """How much of what was computed once per image is held, least recently used out first.

    Attributes
    ----------
    memory_bytes : int
        By a job that runs.
    disk_bytes : int
        In the cache folder of a project, for later jobs.
    """

    memory_bytes: int = 512 << 20
    disk_bytes: int = 8 << 30


@dataclass(frozen=True, slots=True)
class Device:
    """Something that can compute: "cpu", "cuda" or "mps", and its name for a person."""

    kind: str
    name: str


def list_devices(_token: CancelToken) -> Iterator[tuple[Device, ...]]:
    """Yield the devices of this machine once, the one that "auto" takes first."""
    from fmstudio.engine.loading import load_engine

    load_engine()
    from fmstudio.engine.device import DEVICES, choose_device, device_name

    best = choose_device().type
    found = []
    for kind in sorted(DEVICES[1:], key=lambda kind: kind != best):
        try:
            device = choose_device(kind)
        except ValueError:
            continue
        found.append(Device(kind, device_name(device)))
    yield tuple(found)


def events_of(
    request: PropagationRequest,
    load: Load,
    token: CancelToken,
    cache_dir: Path,
    device: str = "auto",
    limits: CacheLimits | None = None,
) -> Iterator[Event]:
    """Yield progress, proposals and failures of a request; see `Session.job`.

    Raises
    ------
    MatchError
        If this machine has no such device, or the request cannot be done.
    """
    from fmstudio.engine.loading import load_engine

    load_engine()
    from fmstudio.engine.propagate import propagate

    kind = available_device(device)
    if limits is None:
        yield from propagate(request, load=load, token=token, cache_dir=cache_dir, device=kind)
    else:
        matcher = make_matcher(request.settings, cache_dir, kind, limits)
        yield from propagate(request, load=load, token=token, matcher=matcher)


def events_over_ray(
    request: PropagationRequest,
    load: Load,
    token: CancelToken,
    cache_dir: Path,
    device: str,
    wish: RayWish,
) -> Iterator[Event]:
    """Yield what `events_of` would, computed by workers of Ray; for `Session.receive` as well.

    Raises
    ------
    MatchError
        If Ray is not installed, cannot be reached or has no such device, or the request cannot be
        done.
    """
    from fmstudio.engine.loading import load_engine

    load_engine()
    from fmstudio.engine.distributed import propagate_over_ray

    yield from propagate_over_ray(
        request, load=load, token=token, wish=wish, cache_dir=cache_dir, device=device
    )


def measure_cache(folder: Path, token: CancelToken) -> Iterator[int | None]:
    """Yield None for every sub-folder of a cache, and at last the bytes in all of it."""
    size = 0
    for place, _, names in os.walk(folder):
        token.check()
        for name in names:
            # What was there a moment ago may be gone: the cache is cleared and trimmed by others.
            with suppress(OSError):
                size += (Path(place) / name).stat().st_size
        yield None
    yield size


def clear_cache(folder: Path, token: CancelToken) -> Iterator[int | None]:
    """Yield None for every part of a cache that is deleted, and at last the bytes that are left."""
    for part in sorted(folder.iterdir()) if folder.is_dir() else ():
        token.check()
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with suppress(OSError):
                part.unlink()
        yield None
    yield from measure_cache(folder, token)


def available_device(device: str) -> str:
    """Return the kind of device that a wish means; raises MatchError if there is none."""
    from fmstudio.engine.device import choose_device

    try:
        return choose_device(device).type
    except ValueError as error:
        text = str(error)
        raise MatchError(f"{text[0].upper()}{text[1:]}.") from error


def make_matcher(
    settings: MatchSettings, cache_dir: Path, device: str, limits: CacheLimits
) -> "Matcher":
    """Return a matcher whose cache keeps to limits; imports torch."""
    from fmstudio.engine.cache import TensorCache
    from fmstudio.engine.match import Matcher

    cache = TensorCache(cache_dir, memory_bytes=limits.memory_bytes, disk_bytes=limits.disk_bytes)
    return Matcher(settings, device=device, cache=cache)
