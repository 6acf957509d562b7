"""What a person waits for after moving a point: on the reference, and on a proposal.

``python -m benchmarks.resolve DIR [PAIRS]`` with a folder of labelled COCO sets, and how many pairs
of each (8). On the reference, one pair is solved anew: both images' features and bases are there
already, of the whole and of the closer look; it is the map, the fit and the decoding alone. On a
proposal, its other points are settled by what five references have said of it already.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from fmstudio.engine.carry import CarriedMark, carry, vote
from fmstudio.engine.focus import View, map_object
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import Mark
from fmstudio.engine.rivals import carry_both
from fmstudio.engine.settle import settle
from fmstudio.evaluation.benchmark import look_at, select_pairs
from fmstudio.evaluation.datasets import LabelledImage, LabelledSet, find_sets
from fmstudio.geometry.points import VISIBLE, Keypoints, with_point

PAIRS = 8
# The fastest of so many: what else the machine does meanwhile is no part of it.
TURNS = 3
WHAT = ("keypoints", "mask", "keypoints and mask")
REFERENCES = 5


def marks_of(image: LabelledImage) -> dict[str, Mark]:
    """Return what can be carried of an image, by the names of the table's rows."""
    points, mask = image.keypoints, image.mask
    found = {}
    if points is not None:
        found[WHAT[0]] = Mark(1, 1, points)
    if mask is not None:
        found[WHAT[1]] = Mark(1, 1, mask=mask)
    if points is not None and mask is not None:
        found[WHAT[2]] = Mark(1, 1, points, mask)
    return found


def measure(labelled: LabelledSet, matcher: Matcher, count: int) -> Iterator[tuple[str, float]]:
    """Yield what was carried and the milliseconds it took, for pairs of one set."""
    images = {image.id: image for image in labelled.images}
    views: dict[int, View] = {}
    for pair in select_pairs(list(images), count, 0):
        for id_ in set(pair) - set(views):
            views[id_] = look_at(matcher, images[id_])
            # The window has opened its photos already, too.
            views[id_].open = cache(views[id_].open)
        s, t = (views[id_] for id_ in pair)
        for what, mark in marks_of(images[pair[0]]).items():
            # The first turn looks closer, which is what the others find done.
            _solve(matcher, s, t, mark)
            yield what, min(_solve(matcher, s, t, mark) for _ in range(TURNS))


def _solve(matcher: Matcher, s: View, t: View, mark: Mark) -> float:
    """Return the milliseconds of a pair from its analyses to what is proposed."""
    start = time.perf_counter()
    carried = carry(map_object(matcher, s, t, mark), mark)
    vote([[carried]], t.analysis.grid, open_target=t.open)
    return 1e3 * (time.perf_counter() - start)


def measure_settling(labelled: LabelledSet, matcher: Matcher, count: int) -> Iterator[float]:
    """Yield the milliseconds of settling a target's points, for targets of one set."""
    images = [i for i in labelled.images if i.keypoints is not None][: REFERENCES + count]
    views = [look_at(matcher, image) for image in images]
    marks = [marks_of(image)[WHAT[0]] for image in images[:REFERENCES]]
    for t in views[REFERENCES:]:
        said = []
        for s, mark in zip(views, marks, strict=False):
            found = map_object(matcher, s, t, mark)
            said.append(carry_both(matcher, s, t, mark, found, check=lambda: None))
        proposed = vote([[word] for word in said], t.analysis.grid)[0].keypoints
        assert proposed is not None
        index = int(np.argmin(proposed.score))
        middle = proposed.xy.mean(axis=0)
        points = with_point(proposed, len(proposed), index, middle, VISIBLE)
        yield min(_settle(said, points, proposed) for _ in range(TURNS))


def _settle(said: Sequence[CarriedMark], points: Keypoints, proposed: Keypoints) -> float:
    """Return the milliseconds from a point that is placed to where the others go."""
    start = time.perf_counter()
    settle(said, points, proposed)
    return 1e3 * (time.perf_counter() - start)


def main(folder: Path, count: int) -> None:
    """Print the table."""
    matcher = Matcher()
    placed = f"a point placed, {REFERENCES} references"
    found: dict[str, list[float]] = {what: [] for what in (*WHAT, placed)}
    for labelled in find_sets(folder):
        for what, ms in measure(labelled, matcher, count):
            found[what].append(ms)
        found[placed].extend(measure_settling(labelled, matcher, count))
    print("| carried | times | median, ms | 95th percentile, ms |")
    print("|" + " --- |" * 4)
    for what, times in found.items():
        if times:
            middle, slow = np.percentile(times, (50, 95))
            print(f"| {what} | {len(times)} | {middle:.0f} | {slow:.0f} |")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m benchmarks.resolve DIR [PAIRS]")
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else PAIRS)
