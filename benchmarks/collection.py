"""Whole collections from one reference each: what propagating costs beside the networks.

``python -m benchmarks.collection DIR [COUNT]`` with a folder of labelled COCO sets. Photos are
scaled to 640 pixels; in each set the first annotated photo's marks are carried to the others,
until COUNT targets (200) are done: cold, then with features and bases cached on disk.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from fmstudio.engine.cache import TensorCache
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.match import Matcher
from fmstudio.engine.propagate import propagate
from fmstudio.engine.requests import (
    ImageRef,
    Mark,
    MatchSettings,
    PropagationRequest,
    Proposal,
    Reference,
)
from fmstudio.evaluation.datasets import LabelledSet, find_sets
from fmstudio.evaluation.environment import peak_memory
from fmstudio.features.base import Extractor, ExtractorSpec, FeatureMap
from fmstudio.features.registry import make_extractor
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.geometry.points import Keypoints
from fmstudio.io.images import read_rgb

LONG_SIDE = 640
COUNT = 200


@dataclass
class Spent:
    """Seconds in the networks, of whole images and of closer looks."""

    whole: float = 0.0
    closer: float = 0.0


class Timed:
    """An extractor that says how long it took."""

    def __init__(self, extractor: Extractor, spent: Spent, whole: int) -> None:
        self._extractor = extractor
        self._spent = spent
        self._whole = whole

    @property
    def spec(self) -> ExtractorSpec:
        """Return the extractor's own."""
        return self._extractor.spec

    def extract(self, rgb: NDArray[np.uint8], grid: PatchGrid) -> FeatureMap:
        """Return the features of an image."""
        start = time.perf_counter()
        found = self._extractor.extract(rgb, grid)
        seconds = time.perf_counter() - start
        if max(grid.rows, grid.cols) == self._whole:
            self._spent.whole += seconds
        else:
            self._spent.closer += seconds
        return found


@dataclass(frozen=True)
class Collection:
    """A reference and its targets, as files of 640 pixels."""

    request: PropagationRequest
    files: dict[str, Path]

    def load(self, image: ImageRef) -> NDArray[np.uint8]:
        """Return an image's pixels."""
        return read_rgb(self.files[image.key])


def scaled(labelled: LabelledSet, folder: Path, settings: MatchSettings) -> Collection | None:
    """Return a set as a collection, its photos written at 640 pixels; None without a reference."""
    marked = [i for i in labelled.images if i.keypoints is not None]
    if not marked:
        return None
    files: dict[str, Path] = {}
    refs: dict[int, ImageRef] = {}
    for image in labelled.images:
        path = folder / f"{labelled.name}-{image.id}.jpg"
        photo = Image.fromarray(read_rgb(image.path))
        share = LONG_SIDE / max(photo.size)
        size = (round(photo.width * share), round(photo.height * share))
        photo.resize(size, Image.Resampling.LANCZOS).save(path, quality=92)
        refs[image.id] = ImageRef(image.id, path.name, path.name, ImageSize(*size))
        files[path.name] = path
    first = marked[0]
    assert first.keypoints is not None
    share = LONG_SIDE / first.size.long_side
    points = Keypoints.drawn(first.keypoints.xy * share, first.keypoints.visibility)
    reference = Reference(refs[first.id], (Mark(1, 1, points),))
    targets = tuple(ref for id_, ref in refs.items() if id_ != first.id)
    return Collection(PropagationRequest((reference,), targets, settings), files)


def run(collections: Sequence[Collection], cache: Path, settings: MatchSettings) -> tuple[str, ...]:
    """Carry every reference's marks; return a row of the table."""
    spent = Spent()
    whole = settings.long_side // 16

    def make(name: str, *, device: torch.device | str) -> Extractor:
        return Timed(make_extractor(name, device=device), spent, whole)

    matcher = Matcher(settings, cache=TensorCache(cache), extractors=make)
    done, start = 0, time.perf_counter()
    for collection in collections:
        events = propagate(
            collection.request, load=collection.load, token=CancelToken(), matcher=matcher
        )
        done += sum(isinstance(event, Proposal) for event in events)
    seconds = time.perf_counter() - start
    networks = spent.whole + spent.closer
    return (
        f"{done}",
        f"{seconds:.1f}",
        f"{60 * done / seconds:.0f}",
        f"{spent.whole:.1f}",
        f"{spent.closer:.1f}",
        f"{seconds / networks:.2f}" if networks else "-",
        f"{seconds / spent.whole:.2f}" if spent.whole else "-",
    )


def main(folder: Path, count: int) -> None:
    """Print the table."""
    settings = MatchSettings()
    heads = ("run", "targets", "s", "images a minute", "networks, whole, s")
    heads += ("networks, closer, s", "all over networks", "all over networks, whole")
    print("| " + " | ".join(heads) + " |")
    print("|" + " --- |" * len(heads))
    with tempfile.TemporaryDirectory() as place:
        cache = Path(place) / "cache"
        collections: list[Collection] = []
        for labelled in find_sets(folder):
            if sum(len(c.request.targets) for c in collections) < count:
                made = scaled(labelled, Path(place), settings)
                collections += [made] if made is not None else []
        for name in ("cold", "warm"):
            print("| " + " | ".join((name, *run(collections, cache, settings))) + " |", flush=True)
    held = peak_memory(torch.device("cpu"))
    print(", ".join(f"{what} {size / 2**20:.0f} MiB" for what, size in held.items()))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m benchmarks.collection DIR [COUNT]")
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else COUNT)
