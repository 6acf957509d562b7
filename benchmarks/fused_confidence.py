"""Fit the confidence of points that several references vote on, and say how well it is calibrated.

``python -m benchmarks.fused_confidence DIR``, as `benchmarks.confidence`, whose model of single
references must be fitted first: theirs is the word that is weighed here.
"""

import sys
from pathlib import Path

import numpy as np

from benchmarks.confidence import ALPHA, Points, report
from fmstudio.engine.carry import carry, vote
from fmstudio.engine.focus import map_object
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import Mark
from fmstudio.engine.views import View
from fmstudio.evaluation.benchmark import look_at
from fmstudio.evaluation.datasets import LabelledSet, find_sets
from fmstudio.evaluation.several import Turn, turns_of
from fmstudio.geometry.metrics import counted_points
from fmstudio.spectral.confidence import agreement

COUNTS = (2, 3, 5)
PAIRS = 10


def collect(labelled: LabelledSet, matcher: Matcher) -> Points | None:
    """Return the points of one category, voted on by several references, or None without any."""
    views: dict[int, View] = {}
    found = []
    for count in COUNTS:
        for turn in turns_of(labelled, count, PAIRS, count):
            if turn.target.keypoints is not None and turn.target.box is not None:
                found.append(_judge(turn, views, matcher))
    if not sum(len(points.is_right) for points in found):
        return None
    return Points(
        np.concatenate([p.inputs for p in found]), np.concatenate([p.is_right for p in found])
    )


def _judge(turn: Turn, views: dict[int, View], matcher: Matcher) -> Points:
    """Return the model's inputs for one target and which points came out right."""
    assert turn.target.keypoints is not None
    assert turn.target.box is not None
    for image in (*turn.sources, turn.target):
        if image.id not in views:
            views[image.id] = look_at(matcher, image)
    target = views[turn.target.id]
    words = []
    for source in turn.sources:
        mark = Mark(source.id, 0, source.keypoints)
        words.append(carry(map_object(matcher, views[source.id], target, mark), mark))
    (proposed,) = vote([[word] for word in words], target.analysis.grid)
    assert proposed.keypoints is not None
    xy = proposed.keypoints.xy
    points = [source.keypoints for source in turn.sources if source.keypoints is not None]
    labelled = np.stack([p.labelled for p in points])
    gap = np.linalg.norm(np.stack([word.xy for word in words]) - xy, axis=2)
    confidence = np.stack([word.confidence for word in words])
    inputs = agreement(confidence, labelled, gap / float(np.ptp(xy, axis=0).max()))
    counted = counted_points(points[0].visibility, turn.target.keypoints.visibility)
    error = np.linalg.norm(xy - turn.target.keypoints.xy, axis=1)
    rows = np.column_stack([np.ones(len(xy)), inputs])
    return Points(rows[counted], (error <= ALPHA * max(turn.target.box[2:]))[counted])


def main(folder: Path, figure: Path | None = None) -> None:
    """Print the model of points that several references vote on."""
    matcher = Matcher()
    found = [collect(labelled, matcher) for labelled in find_sets(folder)]
    sets = [points for points in found if points is not None]
    report(sets, ["confidence", "agreement", "agreeing"], figure)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m benchmarks.fused_confidence DIR [FIGURE.svg]")
    main(*map(Path, sys.argv[1:]))
