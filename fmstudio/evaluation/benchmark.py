"""Labelled pairs x methods -> report.

One category is in memory at a time, and of it only the images whose pairs are not all done.
"""

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from fmstudio.engine.agreement import summarise
from fmstudio.engine.cache import TensorCache
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.device import choose_device
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import MatchSettings, Phase
from fmstudio.engine.views import View
from fmstudio.errors import DatasetError, MatchError
from fmstudio.evaluation.datasets import LabelledImage, LabelledSet
from fmstudio.evaluation.judge import DEFINITIONS, Tally, judge, scores_of
from fmstudio.evaluation.methods import (
    DEFAULT_METHODS,
    METHODS,
    Analyser,
    Method,
)
from fmstudio.evaluation.report import Report, Scores, mean_of, mean_scores
from fmstudio.io.images import read_rgb

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
        At most this many pairs per category, at least 1; None takes all. A set's own pairs are
        taken in their order.
    seed : int
        Of the shuffle where a set has no pairs of its own; each category starts it anew.
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
    check_methods(methods)
    if len({s.name for s in sets}) < len(sets):
        raise ValueError("labelled sets that are judged together need different names")
    settings = settings or MatchSettings()
    plan = [(s, _pairs_of(s, pairs, seed)) for s in sets]
    total = sum(len(chosen) for _, chosen in plan)
    if total == 0:
        raise DatasetError(
            "There is no pair to judge: a category needs at least two annotated images."
        )
    analyser = analyser or make_matcher(settings, device)
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
        "threshold": {s.name: s.threshold for s in sets},
        "definitions": DEFINITIONS,
    }
    return Report(categories, mean, stated)


def _pairs_of(labelled: LabelledSet, count: int | None, seed: int) -> list[tuple[int, int]]:
    """Return the pairs of a set that are judged: its own, else drawn."""
    if labelled.pairs is not None:
        return list(labelled.pairs[:count])
    return select_pairs([image.id for image in labelled.images], count, seed)


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
        tallies = {name: Tally() for name in methods}
        image_ms: dict[Phase, list[float | None]] = defaultdict(list)
        if self._analyser.settings.consistency > 0:
            self._agree(labelled, pairs)
        for (s, a), (t, b) in self._analysed(labelled, pairs, image_ms):
            for name, method in methods.items():
                self._token.check()
                judge(method, (s, a), (t, b), tallies[name], labelled.threshold)
            self._done += 1
            self.progress(self._done, self._total)
        return {
            name: scores_of(tally, len(pairs), _stages(name, image_ms))
            for name, tally in tallies.items()
        }

    def _agree(self, labelled: LabelledSet, pairs: Sequence[tuple[int, int]]) -> None:
        """Have the maps of a category's pairs solved together."""
        ids = sorted({i for pair in pairs for i in pair})
        images = {image.id: image for image in labelled.images}
        summaries = []
        for i in ids:
            self._token.check()
            summaries.append(
                summarise(look_at(self._analyser, images[i]).analysis, self._analyser.settings)
            )
        places = {id_: place for place, id_ in enumerate(ids)}
        asked = [(places[s], places[t]) for s, t in pairs]
        self._analyser.agree(summaries, asked, self._token.check)

    def _analysed(
        self,
        labelled: LabelledSet,
        pairs: Sequence[tuple[int, int]],
        image_ms: dict[Phase, list[float | None]],
    ) -> Iterator[tuple[tuple[LabelledImage, View], tuple[LabelledImage, View]]]:
        """Yield each pair with both analyses: made once, let go after an image's last pair."""
        images = {image.id: image for image in labelled.images}
        left = Counter(i for pair in pairs for i in pair)
        held: dict[int, View] = {}
        for s, t in pairs:
            for i in (s, t):
                if i not in held:
                    self._token.check()
                    held[i] = look_at(self._analyser, images[i])
                    for phase, ms in held[i].analysis.ms.items():
                        image_ms[phase].append(ms)
            yield (images[s], held[s]), (images[t], held[t])
            left.subtract((s, t))
            for i in (s, t):
                if left[i] == 0:
                    del held[i]


def look_at(analyser: Analyser, image: LabelledImage) -> View:
    """Return a labelled image, read from its file, as matching looks at it.

    Raises
    ------
    DatasetError
        If it is not of the size that its annotations state.
    ImageError
        If it cannot be read.
    """
    rgb = read_rgb(image.path)
    height, width = rgb.shape[:2]
    if (width, height) != (image.size.width, image.size.height):
        raise DatasetError(
            f"{image.path}: the image is {width} x {height} pixels, its annotations say "
            f"{image.size.width} x {image.size.height}; correct the one that is wrong."
        )
    key = hashlib.sha256(image.path.read_bytes()).hexdigest()
    return View(analyser.analyse(rgb, key), key, lambda: read_rgb(image.path))


def _stages(method: str, image_ms: dict[Phase, list[float | None]]) -> dict[str, float | None]:
    """Return the mean times per image of the stages that a method needs."""
    needed = METHODS[method].stages
    return {
        phase.value: mean_of(image_ms[phase]) if phase in needed else None
        for phase in (Phase.FEATURES, Phase.BASIS)
    }


def check_methods(methods: Sequence[str]) -> None:
    """Raise `MatchError` unless every method is known and there is one."""
    unknown = [name for name in methods if name not in METHODS]
    if unknown or not methods:
        what = f'There is no method "{unknown[0]}"' if unknown else "No method is given"
        raise MatchError(f"{what}; choose among {', '.join(METHODS)}.")


def make_matcher(settings: MatchSettings, device: str) -> Matcher:
    """Return a matcher; where images are looked at twice, one that remembers them."""
    cache = TensorCache(None) if settings.consistency > 0 else None
    return Matcher(settings, device=choose_device(device), cache=cache)


def silent(done: int, total: int) -> None:
    """Report nothing."""
