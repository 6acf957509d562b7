"""Labelled pairs x methods -> report.

One category is in memory at a time, and of it only the images whose pairs are not all done.
"""

import hashlib
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.engine.agreement import summarise
from fmstudio.engine.cache import TensorCache
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.device import choose_device
from fmstudio.engine.match import ImageAnalysis, Matcher
from fmstudio.engine.requests import MatchSettings, Phase
from fmstudio.errors import DatasetError, MatchError
from fmstudio.evaluation.datasets import Box, LabelledImage, LabelledSet
from fmstudio.evaluation.methods import (
    DEFAULT_METHODS,
    METHODS,
    Analyser,
    CopyTransfer,
    Method,
    PairTransfer,
)
from fmstudio.evaluation.report import METRICS, Report, Scores, mean_of, mean_scores
from fmstudio.geometry.grid import PatchGrid
from fmstudio.geometry.metrics import counted_points, cycle_error, iou, pck, smoothness
from fmstudio.io.images import read_rgb

# Metric to alpha and to what it is a share of.
THRESHOLDS = {"pck@0.05": (0.05, "box"), "pck@0.1": (0.1, "box"), "pck@0.1/image": (0.1, "image")}
PER_POINT = {"pck@0.1/points": "pck@0.1"}

DEFINITIONS = {
    "pairs": "per category all ordered pairs of annotated images in the order of their ids, "
    "shuffled by random.Random(seed), the first N; of several annotations of a category on one "
    "image the first by id",
    "pck@alpha": "share of points with v > 0 in both images that lie within alpha times the "
    "longest side of the target annotation's box; mean over points, then pairs, then categories",
    "pck@0.1/points": "as pck@0.1, but the mean over all points of a category's pairs, so that a "
    "pair with many points counts more; then over categories",
    "pck@0.1/image": "as pck@0.1, but alpha times the longest side of the target image",
    "iou": "intersection over union of the carried and the target's mask; mean over pairs, then "
    "categories with masks",
    "smoothness": "mean norm of first differences, between neighbouring target patches in the "
    "target's box, of the target-to-source displacement from the copied position, in source "
    "patches",
    "cycle": "mean distance of the source's patch centres in the source's box from where they come "
    "back to, as a share of the source image's longer side",
    "ms": "milliseconds: features and basis per image (each image once for all methods), map and "
    "transfer per pair; null where a method has no such stage",
}

ReportProgress = Callable[[int, int], None]


def evaluate(
    sets: Sequence[LabelledSet],
    *,
    pairs: int | None = 30,
    seed: int = 0,
    methods: Sequence[str] = DEFAULT_METHODS,
    settings: MatchSettings | None = None,
    progress: ReportProgress | None = None,
    token: CancelToken | None = None,
    device: str = "auto",
    analyser: Analyser | None = None,
) -> Report:
    """Return what the methods reach on pairs of each set; see `DEFINITIONS` for every number.

    Parameters
    ----------
    sets : sequence of LabelledSet
        One per category, names all different.
    pairs : int or None
        At most this many pairs per category, at least 1; None takes all.
    seed : int
        Of the shuffle; each category starts it anew.
    methods : sequence of str
        Names in `METHODS`.
    settings : MatchSettings or None
        None is the product's default.
    progress : callable or None
        Called with (pairs done, pairs in all), first with 0.
    token : CancelToken or None
        Looked at between images and between pairs.
    device : str
        See `choose_device`.
    analyser : Analyser or None
        Stands in for a `Matcher` of these settings on this device.

    Raises
    ------
    Cancelled
        When the token is set.
    ValueError
        If two sets have one name, or ``pairs`` is below 1.
    DatasetError
        If no set has two images, or an image is not of the size that its file states.
    ImageError
        If an image cannot be read.
    MatchError
        If a method is unknown or none is given.
    WeightsError
        If an extractor's weights cannot be loaded.
    """
    _check_methods(methods)
    if len({s.name for s in sets}) < len(sets):
        raise ValueError("labelled sets that are judged together need different names")
    settings = settings or MatchSettings()
    plan = [(s, select_pairs([image.id for image in s.images], pairs, seed)) for s in sets]
    total = sum(len(chosen) for _, chosen in plan)
    if total == 0:
        raise DatasetError(
            "There is no pair to judge: a category needs at least two annotated images."
        )
    analyser = analyser or _matcher(settings, device)
    run = _Run(analyser, token or CancelToken(), progress or silent, total)
    made = {name: METHODS[name].make(analyser) for name in dict.fromkeys(methods)}
    run.progress(0, total)
    categories = {s.name: run.category(s, chosen, made) for s, chosen in plan}
    mean = {m: mean_scores([scores[m] for scores in categories.values()]) for m in made}
    stated: dict[str, Any] = {
        "pairs": pairs,
        "seed": seed,
        "methods": list(made),
        "match": asdict(settings),
        "definitions": DEFINITIONS,
    }
    return Report(categories, mean, stated)


def select_pairs(ids: Sequence[int], count: int | None, seed: int) -> list[tuple[int, int]]:
    """Return the pairs (source id, target id) of a category that are judged.

    All ordered pairs of different ids, the ids ascending, shuffled by ``random.Random(seed)``; the
    first ``count``, or all for None.

    Raises
    ------
    ValueError
        If ``count`` is below 1.
    """
    if count is not None and count < 1:
        raise ValueError(f"a benchmark takes at least 1 pair, not {count}")
    ordered = sorted(ids)
    pairs = [(s, t) for s in ordered for t in ordered if s != t]
    random.Random(seed).shuffle(pairs)
    return pairs[:count]


@dataclass(slots=True)
class _Tally:
    """What one method collects over the pairs of one category."""

    values: dict[str, list[float | None]] = field(default_factory=lambda: defaultdict(list))
    points: list[int] = field(default_factory=list)
    map_ms: list[float | None] = field(default_factory=list)
    transfer_ms: list[float | None] = field(default_factory=list)


class _Run:
    """One benchmark under way."""

    def __init__(
        self, analyser: Analyser, token: CancelToken, progress: ReportProgress, total: int
    ) -> None:
        self.progress = progress
        self._analyser = analyser
        self._token = token
        self._total = total
        self._done = 0

    def category(
        self, labelled: LabelledSet, pairs: Sequence[tuple[int, int]], methods: dict[str, Method]
    ) -> dict[str, Scores]:
        """Return every method's scores on one category."""
        tallies = {name: _Tally() for name in methods}
        image_ms: dict[Phase, list[float | None]] = defaultdict(list)
        if self._analyser.settings.consistency > 0:
            self._agree(labelled, pairs)
        for (s, a), (t, b) in self._analysed(labelled, pairs, image_ms):
            for name, method in methods.items():
                self._token.check()
                _judge(method, (s, a), (t, b), tallies[name])
            self._done += 1
            self.progress(self._done, self._total)
        return {
            name: _scores(tally, len(pairs), _stages(name, image_ms))
            for name, tally in tallies.items()
        }

    def _agree(self, labelled: LabelledSet, pairs: Sequence[tuple[int, int]]) -> None:
        """Have the maps of a category's pairs solved together."""
        ids = sorted({i for pair in pairs for i in pair})
        images = {image.id: image for image in labelled.images}
        summaries = []
        for i in ids:
            self._token.check()
            summaries.append(summarise(self._analyse(images[i]), self._analyser.settings))
        places = {id_: place for place, id_ in enumerate(ids)}
        asked = [(places[s], places[t]) for s, t in pairs]
        self._analyser.agree(summaries, asked, self._token.check)

    def _analysed(
        self,
        labelled: LabelledSet,
        pairs: Sequence[tuple[int, int]],
        image_ms: dict[Phase, list[float | None]],
    ) -> Iterator[tuple[tuple[LabelledImage, ImageAnalysis], tuple[LabelledImage, ImageAnalysis]]]:
        """Yield each pair with both analyses: made once, let go after an image's last pair."""
        images = {image.id: image for image in labelled.images}
        left = Counter(i for pair in pairs for i in pair)
        held: dict[int, ImageAnalysis] = {}
        for s, t in pairs:
            for i in (s, t):
                if i not in held:
                    self._token.check()
                    held[i] = self._analyse(images[i])
                    for phase, ms in held[i].ms.items():
                        image_ms[phase].append(ms)
            yield (images[s], held[s]), (images[t], held[t])
            left.subtract((s, t))
            for i in (s, t):
                if left[i] == 0:
                    del held[i]

    def _analyse(self, image: LabelledImage) -> ImageAnalysis:
        """Return the analysis of one image, read from its file."""
        rgb = read_rgb(image.path)
        height, width = rgb.shape[:2]
        if (width, height) != (image.size.width, image.size.height):
            raise DatasetError(
                f"{image.path}: the image is {width} x {height} pixels, its coco.json says "
                f"{image.size.width} x {image.size.height}; correct the one that is wrong."
            )
        return self._analyser.analyse(rgb, hashlib.sha256(image.path.read_bytes()).hexdigest())


def _judge(
    method: Method,
    source: tuple[LabelledImage, ImageAnalysis],
    target: tuple[LabelledImage, ImageAnalysis],
    tally: _Tally,
) -> None:
    """Match one pair by one method and add what it reached."""
    (s, a), (t, b) = source, target
    start = time.perf_counter()
    pair = method.pair(a, b)
    _finish(b.descriptors.device)
    matched = time.perf_counter()
    xy = None if s.keypoints is None else pair.keypoints(s.keypoints.xy)
    mask = None if s.mask is None else pair.mask(s.mask)
    carried = time.perf_counter()
    tally.map_ms.append(1e3 * (matched - start))
    tally.transfer_ms.append(1e3 * (carried - matched))
    counted = _counted(s, t)
    tally.points.append(int(counted.sum()))
    for metric, (alpha, of) in THRESHOLDS.items():
        tally.values[metric].append(None if xy is None else _pck(xy, t, counted, alpha, of))
    overlap = None
    if mask is not None and t.mask is not None:
        overlap = iou(mask.to_array(), t.mask.to_array())
    tally.values["iou"].append(overlap)
    tally.values["smoothness"].append(_smoothness(pair, a.grid, b.grid, t.box))
    tally.values["cycle"].append(_cycle(pair, a.grid, s.box))


def _counted(s: LabelledImage, t: LabelledImage) -> NDArray[np.bool_]:
    """Return which keypoints are judged, (m,) bool; none where either image has none."""
    if s.keypoints is None or t.keypoints is None:
        return np.zeros(0, dtype=bool)
    return counted_points(s.keypoints.visibility, t.keypoints.visibility)


def _pck(
    xy: NDArray[np.float64],
    t: LabelledImage,
    counted: NDArray[np.bool_],
    alpha: float,
    of: str,
) -> float | None:
    """Return the PCK of carried points; None where the target has no points or no such length."""
    length = t.size.long_side if of == "image" else max(t.box[2:]) if t.box else None
    if t.keypoints is None or length is None:
        return None
    return pck(xy, t.keypoints.xy, counted, alpha=alpha, length=length)


def _smoothness(
    pair: PairTransfer, grid_s: PatchGrid, grid_t: PatchGrid, box_t: Box | None
) -> float | None:
    """Return the smoothness of a pair's displacement in the target's box."""
    copied = CopyTransfer(grid_s, grid_t).field()
    displacement = grid_s.xy_to_rc(pair.field()) - grid_s.xy_to_rc(copied)
    shape = (grid_t.rows, grid_t.cols)
    inside = _inside(grid_t, box_t).reshape(shape)
    return smoothness(displacement.reshape(*shape, 2), inside)


def _cycle(pair: PairTransfer, grid_s: PatchGrid, box_s: Box | None) -> float | None:
    """Return the cycle error of the patch centres in the source's box."""
    xy = grid_s.centers()[_inside(grid_s, box_s)]
    if len(xy) == 0:
        return None
    back = pair.keypoints_back(pair.keypoints(xy))
    return cycle_error(xy, back, long_side=grid_s.size.long_side)


def _inside(grid: PatchGrid, box: Box | None) -> NDArray[np.bool_]:
    """Return which patch centres lie in a box, (n,) bool; all of them without one."""
    if box is None:
        return np.ones(grid.n, dtype=bool)
    x, y, width, height = box
    low, high = np.array([x, y]), np.array([x + width, y + height])
    centers = grid.centers()
    return np.asarray(((centers >= low) & (centers <= high)).all(axis=1))


def _scores(tally: _Tally, pairs: int, image_ms: dict[str, float | None]) -> Scores:
    """Return the means of a method over the pairs of a category."""
    ms = {**image_ms, "map": mean_of(tally.map_ms), "transfer": mean_of(tally.transfer_ms)}
    by_pair = {name: tuple(values) for name, values in tally.values.items()}
    values = {name: mean_of(by_pair[name]) for name in by_pair}
    for name, of in PER_POINT.items():
        values[name] = _mean_by_points(by_pair[of], tally.points)
    return Scores({metric: values[metric] for metric in METRICS}, pairs, ms, by_pair)


def _mean_by_points(values: Sequence[float | None], points: Sequence[int]) -> float | None:
    """Return the mean of pairs' values, each weighted by its points; None without a point."""
    judged = [(value, n) for value, n in zip(values, points, strict=True) if value is not None]
    total = sum(n for _, n in judged)
    return sum(value * n for value, n in judged) / total if total else None


def _stages(method: str, image_ms: dict[Phase, list[float | None]]) -> dict[str, float | None]:
    """Return the mean times per image of the stages that a method needs."""
    needed = METHODS[method].stages
    return {
        phase.value: mean_of(image_ms[phase]) if phase in needed else None
        for phase in (Phase.FEATURES, Phase.BASIS)
    }


def _check_methods(methods: Sequence[str]) -> None:
    """Raise `MatchError` unless every method is known and there is one."""
    unknown = [name for name in methods if name not in METHODS]
    if unknown or not methods:
        what = f'There is no method "{unknown[0]}"' if unknown else "No method is given"
        raise MatchError(f"{what}; choose among {', '.join(METHODS)}.")


def _finish(device: torch.device) -> None:
    """Wait for a GPU, so that a stage is charged with its own work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _matcher(settings: MatchSettings, device: str) -> Matcher:
    """Return a matcher; where images are looked at twice, one that remembers them."""
    cache = TensorCache(None) if settings.consistency > 0 else None
    return Matcher(settings, device=choose_device(device), cache=cache)


def silent(done: int, total: int) -> None:
    """Report nothing."""
