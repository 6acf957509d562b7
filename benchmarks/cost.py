"""What propagating costs as the grid, the basis, the collection and the references grow."""

import statistics
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.collection import Spent, Timed
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
from fmstudio.evaluation.datasets import LabelledImage, find_sets
from fmstudio.features.base import Extractor
from fmstudio.features.registry import make_extractor
from fmstudio.io.images import read_rgb
from fmstudio.resources import resource

HEADS = (
    "what",
    "value",
    "networks, ms an image",
    "the rest, ms an image",
    "all, times the default",
)
SIDES = (256, 384, 512, 768)
BASES = (20, 40, 80, 160)
REFERENCES = (1, 2, 4)
TARGETS = (4, 16, 64)


@dataclass(frozen=True)
class Case:
    """One line of the table: what is changed, to which value, and what that makes."""

    what: str
    value: int
    settings: MatchSettings
    references: int = 1
    targets: int = TARGETS[0]


def cases(*, is_quick: bool) -> list[Case]:
    """Return the default first, and what is compared with it."""
    usual = MatchSettings()
    looks = [
        Case("pixels of the longer side, both looks", side, _at(usual, side)) for side in SIDES
    ]
    bases = [Case("basis functions", k, replace(usual, k=k)) for k in BASES]
    votes = [Case("references", count, usual, references=count) for count in REFERENCES]
    sizes = [Case("target images", count, usual, targets=count) for count in TARGETS]
    groups = [[group[0]] if is_quick else group for group in (looks, bases, votes, sizes)]
    return [Case("the default", 1, usual), *(case for group in groups for case in group)]


def measure(repeats: int, *, is_quick: bool) -> list[tuple[str, ...]]:
    """Return the table: medians over turns that all cases take side by side."""
    (cats,) = find_sets(resource("sample/cats"))
    photos = [read_rgb(image.path) for image in cats.images]
    every = cases(is_quick=is_quick)
    _run(every[0], cats.images, photos)
    found: list[list[tuple[float, float]]] = [[] for _ in every]
    for _ in range(repeats):
        for turns, case in zip(found, every, strict=True):
            turns.append(_run(case, cats.images, photos))
    medians = [tuple(map(statistics.median, zip(*turns, strict=True))) for turns in found]
    usual = sum(medians[0])
    return [
        (
            case.what,
            f"{case.value}",
            f"{networks:.0f}",
            f"{rest:.0f}",
            f"{(networks + rest) / usual:.2f}",
        )
        for case, (networks, rest) in zip(every, medians, strict=True)
    ]


def _at(settings: MatchSettings, side: int) -> MatchSettings:
    """Return settings of another resolution, the closer look in its usual proportion."""
    fine = round(side * settings.fine_side / settings.long_side / 16) * 16
    return replace(settings, long_side=side, fine_side=fine)


def _run(
    case: Case, images: tuple[LabelledImage, ...], photos: list[NDArray[np.uint8]]
) -> tuple[float, float]:
    """Return the milliseconds an image of the networks and of the rest; nothing is cached."""
    spent = Spent()

    def make(name: str, *, device: torch.device | str) -> Extractor:
        return Timed(make_extractor(name, device=device), spent, case.settings.long_side // 16)

    references = tuple(
        Reference(
            ImageRef(i, f"{i}", image.path.name, image.size),
            (Mark(i + 1, 1, image.keypoints, image.mask),),
        )
        for i, image in enumerate(images[: case.references])
    )
    targets = tuple(
        ImageRef(i, f"{i}", f"{i}", images[i % len(images)].size)
        for i in range(len(images), len(images) + case.targets)
    )
    matcher = Matcher(case.settings, extractors=make)
    request = PropagationRequest(references, targets, case.settings)
    start = time.perf_counter()
    events = propagate(
        request,
        load=lambda image: photos[image.id % len(photos)],
        token=CancelToken(),
        matcher=matcher,
    )
    done = sum(isinstance(event, Proposal) for event in events)
    if done != case.targets:
        raise RuntimeError(f"{done} of {case.targets} targets were carried to")
    milliseconds = 1e3 * (time.perf_counter() - start)
    networks = 1e3 * (spent.whole + spent.closer)
    looked = case.targets + case.references
    return networks / looked, (milliseconds - networks) / looked
