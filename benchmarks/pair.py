"""Stages of one pair with the default settings: what the map costs beside the networks."""

import statistics
import time
from itertools import pairwise

import torch

from benchmarks.photos import cat_photos
from fmstudio.engine.carry import carry
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import Mark, Phase
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.io.images import read_rgb

POINTS = 17


def measure(repeats: int) -> list[tuple[str, ...]]:
    """Return the table: stage, milliseconds a pair, share of the networks' time."""
    matcher = Matcher()
    photos = [read_rgb(path) for path in cat_photos()]
    matcher.analyse(photos[0], "warm-up")
    times: dict[str, list[float]] = {s: [] for s in ("networks", "bases", "map", "transfer")}
    for _ in range(repeats):
        analyses = [matcher.analyse(rgb, str(i)) for i, rgb in enumerate(photos)]
        for rgb, (s, t) in zip(photos, pairwise(analyses), strict=False):
            mark = _mark(rgb)
            start = time.perf_counter()
            pair = matcher.pair(s, t)
            between = time.perf_counter()
            carry(pair, mark)
            times["networks"].append(s.ms[Phase.FEATURES] + t.ms[Phase.FEATURES])
            times["bases"].append(s.ms[Phase.BASIS] + t.ms[Phase.BASIS])
            times["map"].append(1e3 * (between - start))
            times["transfer"].append(1e3 * (time.perf_counter() - between))
    medians = {stage: statistics.median(values) for stage, values in times.items()}
    networks = medians["networks"]
    rows = [(name, f"{ms:.1f}", f"{ms / networks:.3f}") for name, ms in medians.items()]
    rest = sum(medians.values()) - networks
    return [*rows, ("all but the networks", f"{rest:.1f}", f"{rest / networks:.3f}")]


def _mark(rgb: torch.Tensor) -> Mark:
    """Return keypoints and a mask over the middle of a photo."""
    height, width = rgb.shape[:2]
    place = torch.rand(POINTS, 2, generator=torch.Generator().manual_seed(0)).numpy()
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[height // 4 : -height // 4, width // 4 : -width // 4] = True
    points = Keypoints.drawn(place * [width, height], [2] * POINTS)
    return Mark(1, 1, points, Mask.from_array(mask.numpy()))
