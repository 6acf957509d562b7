"""Stages of one pair with the default settings: what the map costs beside the networks."""

import statistics
import time
from itertools import permutations

from fmstudio.engine.carry import carry
from fmstudio.engine.match import ImageAnalysis, Matcher
from fmstudio.engine.requests import Mark, Phase
from fmstudio.evaluation.datasets import LabelledImage, find_sets
from fmstudio.io.images import read_rgb
from fmstudio.resources import resource

STAGES = ("networks", "bases", "map", "transfer")


def measure(repeats: int) -> list[tuple[str, ...]]:
    """Return the table: stage, milliseconds a pair, share of the networks' time.

    Medians over all ordered pairs of the sample's cats and all repeats; the shares are medians of
    each pair's own. What is carried are the reference's keypoints and mask, placed by hand.
    """
    matcher = Matcher()
    (cats,) = find_sets(resource("sample/cats"))
    photos = [read_rgb(image.path) for image in cats.images]
    matcher.analyse(photos[0], "warm-up")
    found: list[dict[str, float]] = []
    for _ in range(repeats):
        analyses = [matcher.analyse(rgb, str(i)) for i, rgb in enumerate(photos)]
        for (image, s), (_, t) in permutations(zip(cats.images, analyses, strict=True), 2):
            found.append(_time_pair(matcher, s, t, image))
    rows = [_row(stage, found, (stage,)) for stage in STAGES]
    return [*rows, _row("all but the networks", found, STAGES[1:])]


def _time_pair(
    matcher: Matcher, s: ImageAnalysis, t: ImageAnalysis, image: LabelledImage
) -> dict[str, float]:
    """Return the milliseconds of each stage of one pair; ``image`` is the source."""
    mark = Mark(1, 1, image.keypoints, image.mask)
    start = time.perf_counter()
    pair = matcher.pair(s, t)
    between = time.perf_counter()
    carry(pair, mark)
    end = time.perf_counter()
    return {
        "networks": s.ms[Phase.FEATURES] + t.ms[Phase.FEATURES],
        "bases": s.ms[Phase.BASIS] + t.ms[Phase.BASIS],
        "map": 1e3 * (between - start),
        "transfer": 1e3 * (end - between),
    }


def _row(name: str, found: list[dict[str, float]], stages: tuple[str, ...]) -> tuple[str, ...]:
    """Return one line of the table: the sum of some stages."""
    sums = [sum(times[stage] for stage in stages) for times in found]
    shares = [ms / times["networks"] for ms, times in zip(sums, found, strict=True)]
    return name, f"{statistics.median(sums):.1f}", f"{statistics.median(shares):.3f}"
