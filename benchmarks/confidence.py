"""Fit the confidence model of `fmstudio.spectral.confidence` and say how well it is calibrated.

``python -m benchmarks.confidence DIR [FIGURE.svg]`` with a folder of labelled COCO sets, as for
``fmstudio evaluate``. Every category weighs the same; the expected calibration error is that of
categories that the fit did not see.
"""

import random
import sys
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from fmstudio.drawing.svg import to_svg
from fmstudio.engine.focus import map_object
from fmstudio.engine.match import Matcher
from fmstudio.engine.reasons import decoded
from fmstudio.engine.requests import Mark
from fmstudio.engine.views import View
from fmstudio.evaluation.calibration import calibration_error, reliability
from fmstudio.evaluation.datasets import LabelledImage, LabelledSet, find_sets
from fmstudio.evaluation.plots import reliability_plot
from fmstudio.io.images import read_rgb

PAIRS = 40
ALPHA = 0.1


@dataclass(frozen=True)
class Points:
    """Carried points of one category: inputs (m, p) with a leading 1, and what came out (m,)."""

    inputs: NDArray[np.float64]
    is_right: NDArray[np.bool_]


def collect(labelled: LabelledSet, matcher: Matcher) -> Points | None:
    """Return the points of random pairs of one category, or None where it has no keypoints."""
    pairs = list(
        permutations(
            [i for i in labelled.images if i.keypoints is not None and i.box is not None], 2
        )
    )
    random.Random(1).shuffle(pairs)
    views: dict[int, View] = {}
    for image in {i.id: i for pair in pairs[:PAIRS] for i in pair}.values():
        rgb, key = read_rgb(image.path), str(image.path)
        views[image.id] = View(matcher.analyse(rgb, key), key, partial(read_rgb, image.path))
    inputs, right = [], []
    for s, t in pairs[:PAIRS]:
        rows, is_right = _judge(s, t, views[s.id], views[t.id], matcher)
        inputs.append(rows)
        right.append(is_right)
    if not sum(map(len, right)):
        return None
    return Points(np.concatenate(inputs), np.concatenate(right))


def _judge(
    s: LabelledImage, t: LabelledImage, a: View, b: View, matcher: Matcher
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the model's inputs and whether each point that both images label came out right."""
    assert s.keypoints is not None
    assert t.keypoints is not None
    assert s.box is not None
    assert t.box is not None
    both = s.keypoints.labelled & t.keypoints.labelled
    xy = s.keypoints.xy[both]
    found, doubt = decoded(map_object(matcher, a, b, Mark(0, 0, s.keypoints, s.mask)), xy)
    cycle = np.log(doubt.cycle / max(s.box[2:]) + 0.01)
    error = np.linalg.norm(found - t.keypoints.xy[both], axis=1)
    columns = [np.ones(len(xy)), cycle, doubt.margin, doubt.peak, np.full(len(xy), doubt.support)]
    return np.stack(columns, axis=1), error <= ALPHA * max(t.box[2:])


def fit(sets: list[Points]) -> NDArray[np.float64]:
    """Return the logistic regression's weights (p,), every category weighing the same."""
    inputs, right, weight = joined(sets)

    def loss(w: NDArray[np.float64]) -> float:
        logit = inputs @ w
        return float((weight * (np.logaddexp(0, logit) - right * logit)).sum())

    return np.asarray(minimize(loss, np.zeros(inputs.shape[1]), method="BFGS").x)


def joined(
    sets: list[Points],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """Return all inputs, all outcomes, and weights by which every category counts the same."""
    weight = [np.full(len(p.is_right), 1 / len(p.is_right)) for p in sets]
    return (
        np.concatenate([p.inputs for p in sets]),
        np.concatenate([p.is_right for p in sets]),
        np.concatenate(weight),
    )


def auc(logit: NDArray[np.float64], is_right: NDArray[np.bool_]) -> float:
    """Return how often a right point has the higher confidence than a wrong one."""
    good, bad = logit[is_right], logit[~is_right]
    return float((good[:, None] > bad[None, :]).mean()) if len(good) and len(bad) else float("nan")


def report(sets: list[Points], names: list[str], figure: Path | None = None) -> None:
    """Print the fitted weights, and calibration and ranking of categories left out of the fit.

    The reliability diagram goes to ``figure``, an SVG file.
    """
    weights = fit(sets)
    print(f"{sum(len(p.is_right) for p in sets)} points of {len(sets)} categories")
    named = zip(["bias", *names], weights, strict=True)
    print(", ".join(f"{name} {value:.2f}" for name, value in named))
    # Each category by weights that were fitted without it.
    logits = [p.inputs @ fit([other for other in sets if other is not p]) for p in sets]
    _, right, weight = joined(sets)
    bins = reliability(1 / (1 + np.exp(-np.concatenate(logits))), right, weight)
    error = calibration_error(bins)
    print(f"left-out expected calibration error {error:.3f}")
    ranks = [auc(logit, p.is_right) for logit, p in zip(logits, sets, strict=True)]
    print(f"left-out area under the ROC curve, mean {np.nanmean(ranks):.3f}")
    print("| confidence | share of points | mean confidence | right |\n|---|---:|---:|---:|")
    for b in bins:
        if b.confidence is not None and b.right is not None:
            print(f"| {b.low:.1f} to {b.high:.1f} ", end="")
            print(f"| {b.share:.3f} | {b.confidence:.3f} | {b.right:.3f} |")
    if figure is not None:
        said = f"{len(right)} points, each judged without its category; mean gap {error:.3f}"
        figure.write_bytes(to_svg(reliability_plot("What a confidence means", said, bins)))


def main(folder: Path, figure: Path | None = None) -> None:
    """Print the model of points that one reference carries."""
    matcher = Matcher()
    found = [collect(labelled, matcher) for labelled in find_sets(folder)]
    sets = [points for points in found if points is not None]
    report(sets, ["cycle", "margin", "peak", "support"], figure)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m benchmarks.confidence DIR [FIGURE.svg]")
    main(*map(Path, sys.argv[1:]))
