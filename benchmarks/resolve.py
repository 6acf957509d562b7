"""One pair solved anew: what a person waits for after moving a point.

``python -m benchmarks.resolve DIR [PAIRS]`` with a folder of labelled COCO sets, and how many pairs
of each (8). Both images' features and bases are there already, of the whole and of the closer look:
the median and the 95th percentile are of the map, the fit and the decoding alone.
"""

import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from fmstudio.engine.carry import carry, vote
from fmstudio.engine.focus import View, map_object
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import Mark
from fmstudio.evaluation.benchmark import look_at, select_pairs
from fmstudio.evaluation.datasets import LabelledImage, LabelledSet, find_sets

PAIRS = 8
# The fastest of so many: what else the machine does meanwhile is no part of it.
TURNS = 3
WHAT = ("keypoints", "mask", "keypoints and mask")


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


def main(folder: Path, count: int) -> None:
    """Print the table."""
    matcher = Matcher()
    found: dict[str, list[float]] = {what: [] for what in WHAT}
    for labelled in find_sets(folder):
        for what, ms in measure(labelled, matcher, count):
            found[what].append(ms)
    print("| carried | pairs | median, ms | 95th percentile, ms |")
    print("|" + " --- |" * 4)
    for what, times in found.items():
        if times:
            middle, slow = np.percentile(times, (50, 95))
            print(f"| {what} | {len(times)} | {middle:.0f} | {slow:.0f} |")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m benchmarks.resolve DIR [PAIRS]")
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else PAIRS)
