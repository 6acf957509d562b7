"""What several references bring over one: labelled targets, each voted on, -> report."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.carry import carry, vote
from fmstudio.engine.focus import map_object
from fmstudio.engine.requests import Mark, MatchSettings, ProposedMark
from fmstudio.engine.views import View
from fmstudio.errors import DatasetError
from fmstudio.evaluation.benchmark import (
    ReportProgress,
    look_at,
    make_matcher,
    select_pairs,
    silent,
)
from fmstudio.evaluation.bootstrap import bootstrap, paired_bootstrap
from fmstudio.evaluation.calibration import calibration_error, reliability
from fmstudio.evaluation.card import spoken
from fmstudio.evaluation.datasets import LabelledImage, LabelledSet
from fmstudio.evaluation.methods import Analyser
from fmstudio.evaluation.report import mean_of, table
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.metrics import counted_points, iou, pck

_ALPHAS = {"pck@0.05": 0.05, "pck@0.1": 0.1}
_METRICS = {"pck@0.05": "PCK@0.05", "pck@0.1": "PCK@0.1", "iou": "IoU"}

DEFINITIONS = {
    "pairs": "as of the benchmark of pairs: each gives the target and the first reference; the "
    "others are drawn from the category's remaining images by random.Random of seed and both ids",
    "pck, iou": "as of the benchmark of pairs, of what the product proposes by the references' "
    "vote",
    "ece": "expected calibration error: ten bins of equal width by a point's confidence, mean "
    "absolute difference between confidence and share of points within 0.1 of the target's box, "
    "weighted by the bins' points; over all points, every category weighing the same",
}

Values = dict[str, list[float | None]]


@dataclass(frozen=True, slots=True)
class Turn:
    """A target and its references.

    Attributes
    ----------
    sources : tuple of LabelledImage
    target : LabelledImage
    """

    sources: tuple[LabelledImage, ...]
    target: LabelledImage


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """Confidence (m,) of points and whether they are right, (m,) bool."""

    confidence: NDArray[np.floating]
    right: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SeveralReport:
    """What one and what several references reached.

    Attributes
    ----------
    values : Mapping of int to Mapping of str to Mapping of str to list
        By number of references, category and metric: one value a pair, None where it does not
        apply.
    ece : Mapping of int to float or None
        Expected calibration error by number of references.
    settings : Mapping of str to Any
        Everything needed to run it again; JSON values.
    """

    values: Mapping[int, Mapping[str, Values]]
    ece: Mapping[int, float | None]
    settings: Mapping[str, Any]

    def groups(self, count: int, metric: str) -> list[list[float | None]]:
        """Return a metric's values by category, for a number of references."""
        return [values[metric] for values in self.values[count].values()]

    def to_json(self) -> str:
        """Return the report as JSON text, keys sorted."""
        document = {
            "values": {str(n): dict(found) for n, found in self.values.items()},
            "ece": {str(n): error for n, error in self.ece.items()},
            "settings": dict(self.settings),
            "definitions": DEFINITIONS,
        }
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """Return the tables: means with intervals and gains, then PCK@0.1 by category."""
        one = min(self.values)
        rows = []
        for n in self.values:
            cells = [spoken(bootstrap(self.groups(n, metric))) for metric in _METRICS]
            gain = paired_bootstrap(self.groups(n, "pck@0.1"), self.groups(one, "pck@0.1"))
            ece = self.ece[n]
            cells += ["" if n == one else spoken(gain, "+"), "-" if ece is None else f"{ece:.3f}"]
            rows.append([str(n), *cells])
        head = ["references", *(f"{name}, %" for name in _METRICS.values())]
        means = table([*head, f"PCK@0.1 over {one}", "calibration error"], rows)
        by_category = [
            [name, *(_percent(mean_of(found[name]["pck@0.1"])) for found in self.values.values())]
            for name in self.values[one]
        ]
        return f"{means}\n{table(['PCK@0.1, %', *map(str, self.values)], by_category)}"


def _percent(value: float | None) -> str:
    """Return a share as shown in a table."""
    return "-" if value is None else f"{100 * value:.1f}"


def evaluate_several(
    sets: Sequence[LabelledSet],
    references: int,
    *,
    pairs: int = 30,
    seed: int = 0,
    settings: MatchSettings | None = None,
    progress: ReportProgress | None = None,
    token: CancelToken | None = None,
    device: str = "auto",
    analyser: Analyser | None = None,
) -> SeveralReport:
    """Return what the product reaches with one and with several references; see `DEFINITIONS`.

    Parameters
    ----------
    sets : sequence of LabelledSet
        One per category; those with too few images are left out.
    references : int
        At least 2.
    pairs, seed, settings, progress, token, device, analyser
        As of `evaluation.benchmark.evaluate`.

    Raises
    ------
    Cancelled
        When the token is set.
    ValueError
        If ``references`` is below 2 or ``pairs`` below 1.
    DatasetError
        If no set has more images than references.
    ImageError
        If an image cannot be read.
    WeightsError
        If an extractor's weights cannot be loaded.
    """
    if references < 2:
        raise ValueError(f"several references are at least 2, not {references}")
    settings = settings or MatchSettings()
    plan = {
        s.name: turns_of(s, references, pairs, seed) for s in sets if len(s.images) > references
    }
    if not plan:
        raise DatasetError(
            f"{references} references need a category of at least {references + 1} annotated "
            "images; take fewer references."
        )
    job = _Job(analyser or make_matcher(settings, device), (1, references))
    token, report = token or CancelToken(), progress or silent
    total, done = sum(len(turns) for turns in plan.values()), 0
    report(0, total)
    for name, turns in plan.items():
        views: dict[int, View] = {}
        for turn in turns:
            token.check()
            job.judge(name, turn, views)
            done += 1
            report(done, total)
    stated = {"references": references, "pairs": pairs, "seed": seed, "match": asdict(settings)}
    return SeveralReport(job.values, {n: job.error(n) for n in job.counts}, stated)


def turns_of(labelled: LabelledSet, references: int, pairs: int, seed: int) -> list[Turn]:
    """Return the targets of a category with their references, the pair's own first.

    Parameters
    ----------
    labelled : LabelledSet
        With more images than references.
    references, pairs, seed : int
        See `evaluate_several`.
    """
    images = {image.id: image for image in labelled.images}
    turns = []
    for s, t in select_pairs(list(images), pairs, seed):
        others = [i for i in sorted(images) if i not in (s, t)]
        random.Random(f"{seed} {s} {t}").shuffle(others)
        chosen = [s, *others[: references - 1]]
        turns.append(Turn(tuple(images[i] for i in chosen), images[t]))
    return turns


class _Job:
    """A judgement under way."""

    def __init__(self, analyser: Analyser, counts: tuple[int, ...]) -> None:
        self.counts = counts
        self.values: dict[int, dict[str, Values]] = {n: {} for n in counts}
        self._points: dict[int, dict[str, list[_Judged]]] = {n: {} for n in counts}
        self._analyser = analyser

    def judge(self, category: str, turn: Turn, views: dict[int, View]) -> None:
        """Judge what is proposed on one target; ``views`` keeps the category's images."""
        for image in (*turn.sources, turn.target):
            if image.id not in views:
                views[image.id] = look_at(self._analyser, image)
        target = views[turn.target.id]
        words = []
        for source in turn.sources:
            mark = Mark(source.id, 0, source.keypoints, source.mask)
            found = map_object(self._analyser, views[source.id], target, mark)
            words.append([carry(found, mark)])
        opened = target.open if self._analyser.settings.edges else None
        for n in self.counts:
            (proposed,) = vote(words[:n], target.analysis.grid, open_target=opened)
            values = self.values[n].setdefault(category, {metric: [] for metric in _METRICS})
            for metric, value in _scores(proposed, turn).items():
                values[metric].append(value)
            self._points[n].setdefault(category, []).append(_judged(proposed, turn))

    def error(self, count: int) -> float | None:
        """Return the expected calibration error for a number of references."""
        groups = [
            (
                np.concatenate([j.confidence for j in found]),
                np.concatenate([j.right for j in found]),
            )
            for found in self._points[count].values()
        ]
        groups = [group for group in groups if len(group[0])]
        if not groups:
            return None
        said, right = (np.concatenate(parts) for parts in zip(*groups, strict=True))
        weight = np.concatenate([np.full(len(group[0]), 1 / len(group[0])) for group in groups])
        return calibration_error(reliability(said, right, weight))


def _counted(turn: Turn) -> NDArray[np.bool_]:
    """Return which points are judged: those that the pair's own source and the target label."""
    source, target = turn.sources[0].keypoints, turn.target.keypoints
    if source is None or target is None:
        return np.zeros(0, dtype=bool)
    return counted_points(source.visibility, target.visibility)


def _scores(mark: ProposedMark, turn: Turn) -> dict[str, float | None]:
    """Return every metric of one proposal, None where it does not apply."""
    target, counted = turn.target, _counted(turn)
    scores: dict[str, float | None] = dict.fromkeys(_METRICS)
    if mark.keypoints is not None and target.keypoints is not None and target.box is not None:
        length = max(target.box[2:])
        for metric, alpha in _ALPHAS.items():
            scores[metric] = pck(
                mark.keypoints.xy, target.keypoints.xy, counted, alpha=alpha, length=length
            )
    if turn.sources[0].mask is not None and target.mask is not None:
        made = mark.mask or Mask.empty(target.size)
        scores["iou"] = iou(made.to_array(), target.mask.to_array())
    return scores


def _judged(mark: ProposedMark, turn: Turn) -> _Judged:
    """Return the confidence of each judged point of a proposal and whether it is right."""
    target, points = turn.target, mark.keypoints
    if points is None or points.score is None or target.keypoints is None or target.box is None:
        return _Judged(np.zeros(0), np.zeros(0, dtype=bool))
    counted = _counted(turn)
    error = np.linalg.norm(points.xy - target.keypoints.xy, axis=1)
    is_right = error <= _ALPHAS["pck@0.1"] * max(target.box[2:])
    return _Judged(points.score[counted], is_right[counted])
