"""Pairs with a dense truth x methods -> report."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import Mark, MatchSettings
from fmstudio.engine.views import View
from fmstudio.evaluation.benchmark import ReportProgress, check_methods, make_matcher, silent
from fmstudio.evaluation.bootstrap import bootstrap
from fmstudio.evaluation.card import spoken
from fmstudio.evaluation.datasets.dense import DensePair
from fmstudio.evaluation.dense import DenseScores, judge_dense
from fmstudio.evaluation.methods import DEFAULT_METHODS, METHODS, Analyser
from fmstudio.evaluation.report import mean_of, table

DEFINITIONS = {
    "epe": "mean end-point error of the target's judged patch centres, as a share of the source's "
    "longer side",
    "pck": "share of judged patch centres within alpha of that side; box: within 0.05 of the "
    "longer side of the source object's box, where the pair has an object",
    "smoothness": "mean norm of first differences between neighbouring judged patches of the "
    "displacement, in source patches",
    "over truth": "smoothness over that of the true displacement; of a mirror as of a copy, whose "
    "displacement changes from patch to patch",
    "smoother than nn": "smoothness of nn over the method's",
}
_NN = "nn"
# Below it a field does not change at all: a copy, up to rounding.
_STILL = 1e-6


@dataclass(frozen=True, slots=True)
class DenseReport:
    """What methods reached where the truth is dense.

    Attributes
    ----------
    scores : Mapping of str to Mapping of str to tuple of DenseScores
        By kind, then by method: one a pair.
    settings : Mapping of str to Any
        Everything needed to run it again; JSON values.
    """

    scores: Mapping[str, Mapping[str, tuple[DenseScores, ...]]]
    settings: Mapping[str, Any]

    def summary(self, kind: str, method: str) -> dict[str, float | None]:
        """Return a method's means on a kind of pairs, and its two ratios of smoothness."""
        pairs = self.scores[kind][method]
        mean = {name: mean_of([getattr(p, name) for p in pairs]) for name in DenseScores.__slots__}
        rough, true = mean["smoothness"], mean["smoothness_true"]
        mean["over_truth"] = rough / true if rough is not None and true else None
        mean["smoother_than_nn"] = None
        if _NN in self.scores[kind] and rough is not None and rough > _STILL:
            plain = mean_of([p.smoothness for p in self.scores[kind][_NN]])
            mean["smoother_than_nn"] = None if plain is None else plain / rough
        return mean

    def to_json(self) -> str:
        """Return the report as JSON text, keys sorted."""
        kinds = {k: {m: self.summary(k, m) for m in methods} for k, methods in self.scores.items()}
        document = {"kinds": kinds, "settings": dict(self.settings), "definitions": DEFINITIONS}
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """Return a table for each kind of pairs."""
        head = ["", "EPE, %", "PCK@0.05, %", "by box, %", "PCK@0.1, %", "smoothness"]
        head += ["over truth", "smoother than nn"]
        parts = []
        for kind, methods in self.scores.items():
            rows = [[method, *self._cells(kind, method)] for method in methods]
            count = len(next(iter(methods.values())))
            parts.append(f"### {kind} ({count} pairs)\n\n{table(head, rows)}")
        return "\n".join(parts)

    def _cells(self, kind: str, method: str) -> list[str]:
        """Return a row's numbers; PCK@0.1 with its bootstrap interval."""
        mean = self.summary(kind, method)
        interval = bootstrap([[p.pck1 for p in self.scores[kind][method]]])
        return [
            _number(mean["epe"], 100),
            _number(mean["pck05"], 100),
            _number(mean["pck05_box"], 100),
            spoken(interval),
            _number(mean["smoothness"]),
            _number(mean["over_truth"]),
            _number(mean["smoother_than_nn"]),
        ]


def evaluate_dense(
    pairs: Iterable[DensePair],
    total: int,
    *,
    methods: Sequence[str] = DEFAULT_METHODS,
    settings: MatchSettings | None = None,
    progress: ReportProgress | None = None,
    token: CancelToken | None = None,
    device: str = "auto",
    analyser: Analyser | None = None,
) -> DenseReport:
    """Return what methods reach on pairs with a dense truth; see `DEFINITIONS`.

    Nothing is marked on these pairs: the whole image is the object.

    Parameters
    ----------
    pairs : iterable of DensePair
        One is in memory at a time.
    total : int
        How many they are, for the progress.
    methods, settings, progress, token, device, analyser
        As of `evaluation.benchmark.evaluate`.

    Raises
    ------
    Cancelled
        When the token is set.
    MatchError
        If a method is unknown or none is given.
    WeightsError
        If an extractor's weights cannot be loaded.
    """
    check_methods(methods)
    settings = settings or MatchSettings()
    token, report = token or CancelToken(), progress or silent
    analyser = analyser or make_matcher(settings, device)
    made = {name: METHODS[name].make(analyser) for name in dict.fromkeys(methods)}
    found: dict[str, dict[str, list[DenseScores]]] = defaultdict(lambda: defaultdict(list))
    report(0, total)
    for done, pair in enumerate(pairs, start=1):
        s, t = _view(analyser, pair.source), _view(analyser, pair.target)
        truth, valid = pair.truth(t.analysis.grid)
        for name, method in made.items():
            token.check()
            field = method.pair(s, t, Mark(0, 0)).field()
            grids = s.analysis.grid, t.analysis.grid
            scores = judge_dense(field, truth, valid, *grids, object_side=pair.object_side)
            found[pair.kind][name].append(scores)
        report(done, total)
    stated = {"match": asdict(settings), "methods": list(made), "pairs": total}
    scores_of = {k: {m: tuple(v) for m, v in methods_.items()} for k, methods_ in found.items()}
    return DenseReport(scores_of, stated)


def _view(analyser: Analyser, rgb: NDArray[np.uint8]) -> View:
    """Return an image as matching looks at it."""
    key = hashlib.sha256(rgb.tobytes()).hexdigest()
    return View(analyser.analyse(rgb, key), key, lambda: rgb)


def _number(value: float | None, scale: float = 1.0) -> str:
    """Return a number as shown in a table."""
    return "-" if value is None else f"{scale * value:.2f}"
