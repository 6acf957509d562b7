"""Objects of a video's first frame carried to the others x methods -> report."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import Mark, MatchSettings
from fmstudio.engine.views import View
from fmstudio.errors import DatasetError
from fmstudio.evaluation.benchmark import ReportProgress, check_methods, make_matcher, silent
from fmstudio.evaluation.datasets.davis import VideoSequence, numbers_of
from fmstudio.evaluation.methods import DEFAULT_METHODS, METHODS, Analyser, Method
from fmstudio.evaluation.report import mean_of, table
from fmstudio.geometry.boundary import boundary_f
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.metrics import iou
from fmstudio.io.images import read_rgb

DEFINITIONS = {
    "J": "intersection over union of an object's mask with the truth, 1 where both are empty; mean "
    "over its judged frames",
    "F": "F-measure of the outlines within 0.008 of the image's diagonal; mean over its frames",
    "J&F": "mean of J and F; all three are means over all objects of all sequences",
    "frames": "all but the first, which is given, and the last",
    "objects": "carried from the first frame, each by itself; a pixel that several claim is the "
    "smallest one's",
}


@dataclass(frozen=True, slots=True)
class ObjectScores:
    """What a method reached on one object of a sequence: means over its judged frames."""

    sequence: str
    number: int
    j: float
    f: float


@dataclass(frozen=True, slots=True)
class VideoReport:
    """What methods reached on videos.

    Attributes
    ----------
    scores : Mapping of str to tuple of ObjectScores
        By method.
    settings : Mapping of str to Any
        Everything needed to run it again; JSON values.
    """

    scores: Mapping[str, tuple[ObjectScores, ...]]
    settings: Mapping[str, Any]

    def mean(self, method: str) -> dict[str, float | None]:
        """Return a method's means over all objects."""
        j = mean_of([s.j for s in self.scores[method]])
        f = mean_of([s.f for s in self.scores[method]])
        return {"J": j, "F": f, "J&F": mean_of([j, f]) if None not in (j, f) else None}

    def to_json(self) -> str:
        """Return the report as JSON text, keys sorted."""
        document = {
            "mean": {method: self.mean(method) for method in self.scores},
            "objects": {m: [asdict(s) for s in found] for m, found in self.scores.items()},
            "settings": dict(self.settings),
            "definitions": DEFINITIONS,
        }
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """Return the table of means."""
        rows = [[m, *(_percent(v) for v in self.mean(m).values())] for m in self.scores]
        return table(["mean over objects", "J, %", "F, %", "J&F, %"], rows)


def evaluate_videos(
    sequences: Sequence[VideoSequence],
    *,
    methods: Sequence[str] = DEFAULT_METHODS,
    settings: MatchSettings | None = None,
    progress: ReportProgress | None = None,
    token: CancelToken | None = None,
    device: str = "auto",
    analyser: Analyser | None = None,
) -> VideoReport:
    """Return what methods reach on videos; see `DEFINITIONS`. Two frames are in memory at a time.

    Parameters
    ----------
    sequences : sequence of VideoSequence
    methods, settings, progress, token, device, analyser
        As of `evaluation.benchmark.evaluate`; progress counts judged frames.

    Raises
    ------
    Cancelled
        When the token is set.
    DatasetError
        If an annotation cannot be read or is not of its frame's size.
    ImageError
        If a frame cannot be read.
    MatchError
        If a method is unknown or none is given.
    WeightsError
        If an extractor's weights cannot be loaded.
    """
    check_methods(methods)
    settings = settings or MatchSettings()
    analyser = analyser or make_matcher(settings, device)
    made = {name: METHODS[name].make(analyser) for name in dict.fromkeys(methods)}
    found: dict[str, list[ObjectScores]] = {name: [] for name in made}
    report, token = progress or silent, token or CancelToken()
    total, done = sum(len(s.judged) for s in sequences), 0
    report(0, total)
    for sequence in sequences:
        objects = sequence.objects(0)
        numbers = numbers_of(objects)
        masks = {n: Mask.from_array(objects == n) for n in numbers}
        first = _view(analyser, sequence.frames[0], objects)
        values: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for frame in sequence.judged:
            truth = sequence.objects(frame)
            view = _view(analyser, sequence.frames[frame], truth)
            for name, method in made.items():
                token.check()
                carried = _carried(method, first, view, masks)
                for n in numbers:
                    scores = _judged(carried == n, truth == n)
                    values.setdefault((name, n), []).append(scores)
            done += 1
            report(done, total)
        for (name, n), pairs in values.items():
            j, f = np.mean(pairs, axis=0)
            found[name].append(ObjectScores(sequence.name, n, float(j), float(f)))
    stated = {
        "match": asdict(settings),
        "methods": list(made),
        "sequences": [sequence.name for sequence in sequences],
    }
    return VideoReport({name: tuple(scores) for name, scores in found.items()}, stated)


def _carried(
    method: Method, first: View, view: View, masks: Mapping[int, Mask]
) -> NDArray[np.int64]:
    """Return the number of the object that each pixel of a frame is carried from, 0 for none."""
    made = {
        n: method.pair(first, view, Mark(n, n, mask=mask)).mask(mask) for n, mask in masks.items()
    }
    owner = np.zeros((view.size.height, view.size.width), dtype=np.int64)
    # The smallest last, on top: a small object before a large one hides part of it.
    for n in sorted(made, key=lambda n: -made[n].area):
        owner[made[n].to_array()] = n
    return owner


def _judged(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[float, float]:
    """Return J and F of one object in one frame."""
    j = iou(mask, truth)
    return (1.0 if j is None else j), boundary_f(mask, truth)


def _view(analyser: Analyser, path: Path, objects: NDArray[np.uint8]) -> View:
    """Return a frame as matching looks at it."""
    rgb = read_rgb(path)
    if rgb.shape[:2] != objects.shape:
        raise DatasetError(
            f"{path}: the frame is {rgb.shape[1]} x {rgb.shape[0]} pixels, its annotation "
            f"{objects.shape[1]} x {objects.shape[0]}; fetch them anew."
        )
    key = hashlib.sha256(path.read_bytes()).hexdigest()
    return View(analyser.analyse(rgb, key), key, lambda: rgb)


def _percent(value: float | None) -> str:
    """Return a share as shown in a table."""
    return "-" if value is None else f"{100 * value:.1f}"
