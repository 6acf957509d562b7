"""Stages of one pair with the default settings: what the map costs beside the networks."""

import statistics
import time
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.carry import carry, vote
from fmstudio.engine.focus import map_object
from fmstudio.engine.match import ImageAnalysis, Matcher
from fmstudio.engine.requests import Mark, Phase
from fmstudio.engine.views import View
from fmstudio.evaluation.datasets import LabelledImage, find_sets
from fmstudio.io.images import read_rgb
from fmstudio.resources import resource

STAGES = ("networks", "networks, closer look", "bases", "map", "transfer")


def measure(repeats: int) -> list[tuple[str, ...]]:
    """Return the table: stage, milliseconds a pair, share of the networks' time, both looks.

    Medians over all ordered pairs of the sample's cats and all repeats; the shares are medians of
    each pair's own. What is carried are the reference's keypoints and mask, placed by hand.
    """
    matcher = Matcher()
    (cats,) = find_sets(resource("sample/cats"))
    photos = [read_rgb(image.path) for image in cats.images]
    matcher.analyse(photos[0], "warm-up")
    found: list[dict[str, float]] = []
    for _ in range(repeats):
        views = [_view(matcher, rgb, str(i)) for i, rgb in enumerate(photos)]
        for (image, s), (_, t) in permutations(zip(cats.images, views, strict=True), 2):
            found.append(_time_pair(matcher, s, t, image))
    rows = [_row(stage, found, (stage,)) for stage in STAGES]
    return [*rows, _row("all but the networks", found, STAGES[2:])]


def _view(matcher: Matcher, rgb: NDArray[np.uint8], key: str) -> View:
    """Return a photo as matching looks at it."""
    return View(matcher.analyse(rgb, key), key, lambda: rgb)


def _time_pair(matcher: Matcher, s: View, t: View, image: LabelledImage) -> dict[str, float]:
    """Return the milliseconds of each stage of one pair; ``image`` is the source.

    Every pair is charged with its own look at both parts, as a collection's first target is.
    """
    mark = Mark(1, 1, image.keypoints, image.mask)
    for view in (s, t):
        view.parts.clear()
    start = time.perf_counter()
    found = map_object(matcher, s, t, mark)
    between = time.perf_counter()
    vote([[carry(found, mark)]], t.analysis.grid, open_target=t.open)
    end = time.perf_counter()
    parts = [*s.parts.values(), *t.parts.values()]
    looked = {phase: _sum(parts, phase) for phase in (Phase.FEATURES, Phase.BASIS)}
    whole = [s.analysis, t.analysis]
    return {
        "networks": _sum(whole, Phase.FEATURES),
        "networks, closer look": looked[Phase.FEATURES],
        "bases": _sum(whole, Phase.BASIS) + looked[Phase.BASIS],
        "map": 1e3 * (between - start) - sum(looked.values()),
        "transfer": 1e3 * (end - between),
    }


def _sum(analyses: list[ImageAnalysis], phase: Phase) -> float:
    """Return the milliseconds of a stage of several images."""
    return sum(analysis.ms[phase] for analysis in analyses)


def _row(name: str, found: list[dict[str, float]], stages: tuple[str, ...]) -> tuple[str, ...]:
    """Return one line of the table: the sum of some stages."""
    sums = [sum(times[stage] for stage in stages) for times in found]
    networks = [sum(times[stage] for stage in STAGES[:2]) for times in found]
    shares = [ms / both for ms, both in zip(sums, networks, strict=True)]
    return name, f"{statistics.median(sums):.1f}", f"{statistics.median(shares):.3f}"
