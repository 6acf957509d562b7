"""One stranger in a set: how often an overview finds it before anyone labels.

``python -m benchmarks.outliers DIR [COUNT]`` with a folder of labelled COCO sets: into the first
COUNT (12) images of each set comes one image of the next set. Printed are, over all sets, by maps,
by looks, and by either: how often the stranger is the first of all, how often it is reported, and
how many of the others are; then how inconsistent the maps are of images that belong and of
strangers, the scale of `map_quality`.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.cache import TensorCache
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.collection import overview
from fmstudio.engine.match import Matcher
from fmstudio.engine.overview import OutlierReason, Overview
from fmstudio.engine.requests import ImageRef, MatchSettings
from fmstudio.evaluation.datasets import LabelledSet, find_sets
from fmstudio.io.images import read_rgb

COUNT = 12
_MEASURES = {
    "maps": (OutlierReason.MAPS, OutlierReason.BOTH),
    "looks": (OutlierReason.LOOKS, OutlierReason.BOTH),
    "both": (OutlierReason.BOTH,),
    "either": tuple(OutlierReason),
}
_QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


def planted(own: LabelledSet, other: LabelledSet, count: int, matcher: Matcher) -> Overview:
    """Return the overview of images of one set and, last, one of another."""
    chosen = [*own.images[:count], other.images[0]]
    files = {image.path.as_posix(): image.path for image in chosen}
    images = [ImageRef(at, i.path.as_posix(), i.path.name, i.size) for at, i in enumerate(chosen)]

    def load(image: ImageRef) -> NDArray[np.uint8]:
        return read_rgb(files[image.key])

    flags = [False] * len(images)
    found = list(overview(images, flags, load, matcher, CancelToken()))[-1]
    assert isinstance(found, Overview)
    return found


def main(sets: Sequence[LabelledSet], count: int) -> None:
    """Print the table."""
    sets = [labelled for labelled in sets if len(labelled.images) >= count]
    scores = {name: np.zeros(3, dtype=int) for name in _MEASURES}
    errors = []
    with tempfile.TemporaryDirectory() as place:
        matcher = Matcher(MatchSettings(), cache=TensorCache(Path(place)))
        for at, own in enumerate(sets):
            found = planted(own, sets[(at + 1) % len(sets)], count, matcher)
            for name, reasons in _MEASURES.items():
                reported = [o.index for o in found.outliers if o.reason in reasons]
                scores[name] += (
                    reported[:1] == [count],
                    count in reported,
                    sum(index != count for index in reported),
                )
            errors.append(found.errors)
            named = [(o.index, o.reason.value) for o in found.outliers]
            print(own.name, named, f"clusters {found.clusters.max() + 1}", flush=True)
    print("| measure | first | reported | others reported |")
    print("| --- | --- | --- | --- |")
    for name, (first, hit, wrong) in scores.items():
        print(f"| {name} | {first}/{len(sets)} | {hit}/{len(sets)} | {wrong}/{count * len(sets)} |")
    print_inconsistency(np.array(errors))


def print_inconsistency(errors: NDArray[np.float64]) -> None:
    """Print quantiles of image errors (sets, count + 1), of which the last is the stranger's."""
    print("| inconsistency |" + "".join(f" {100 * q:.0f} % |" for q in _QUANTILES))
    print("| --- |" + " --- |" * len(_QUANTILES))
    for name, values in (("belongs", errors[:, :-1]), ("stranger", errors[:, -1])):
        row = "".join(f" {value:.3f} |" for value in np.quantile(values, _QUANTILES))
        print(f"| {name} |{row}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m benchmarks.outliers DIR [COUNT]")
    main(find_sets(Path(sys.argv[1])), int(sys.argv[2]) if len(sys.argv) == 3 else COUNT)
