"""What each reason of doubt tells: how often points are wrong where it is strong.

``python -m benchmarks.doubt DIR [PAIRS]`` with a folder of labelled COCO sets, as for
``fmstudio evaluate``, and how many pairs of each are carried (12). By it the
thresholds of `fmstudio.project.doubt` and the correlation of `fmstudio.project.estimate` can be
judged.
"""

import random
import sys
from functools import partial
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.carry import carry
from fmstudio.engine.focus import map_object
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import Mark
from fmstudio.engine.views import View
from fmstudio.evaluation.datasets import LabelledImage, LabelledSet, find_sets
from fmstudio.io.images import read_rgb
from fmstudio.spectral.reasons import REASONS

PAIRS = 12
ALPHA = 0.1
_SHARES = (50, 75, 90, 95)


def collect(labelled: LabelledSet, matcher: Matcher, pairs: int) -> list[NDArray[np.float64]]:
    """Return, for each pair, its points (m, 2 + reasons): confidence, wrong or not, reasons.

    "cycle" is a share of the object's longest side here.
    """
    usable = [i for i in labelled.images if i.keypoints is not None and i.box is not None]
    chosen = list(permutations(usable, 2))
    random.Random(1).shuffle(chosen)
    return [rows for s, t in chosen[:pairs] if len(rows := _judge(s, t, matcher))]


def _judge(s: LabelledImage, t: LabelledImage, matcher: Matcher) -> NDArray[np.float64]:
    """Return the points that both images label."""
    assert s.keypoints is not None
    assert t.keypoints is not None
    assert t.box is not None
    views = []
    for image in (s, t):
        key = str(image.path)
        rgb = read_rgb(image.path)
        views.append(View(matcher.analyse(rgb, key), key, partial(read_rgb, image.path)))
    mark = Mark(0, 0, s.keypoints, s.mask)
    word = carry(map_object(matcher, *views, mark), mark)
    both = s.keypoints.labelled & t.keypoints.labelled
    gap = np.linalg.norm(word.xy - t.keypoints.xy, axis=1)
    wrong = gap > ALPHA * max(t.box[2:])
    shares = [word.reasons[n] / (word.extent if n == "cycle" else 1.0) for n in REASONS]
    return np.stack([word.confidence, wrong, *shares], axis=1)[both]


def correlation(pairs: list[NDArray[np.float64]]) -> float:
    """Return how far points of one object err together, beyond their confidences.

    The mean product of two points' residuals (wrong less expected), over their mean square.
    """
    within, scale = [], []
    for rows in pairs:
        p = 1 - rows[:, 0]
        z = (rows[:, 1] - p) / np.sqrt(np.clip(p * (1 - p), 1e-3, None))
        if len(z) > 1:
            within.append((z.sum() ** 2 - (z**2).sum()) / (len(z) * (len(z) - 1)))
            scale.append((z**2).mean())
    return float(np.mean(within) / np.mean(scale))


def report(pairs: list[NDArray[np.float64]]) -> None:
    """Print how often points are wrong above quantiles of each reason's strength."""
    rows = np.concatenate(pairs)
    wrong = rows[:, 1]
    print(f"{len(rows)} points of {len(pairs)} pairs, {wrong.mean():.3f} wrong")
    print(f"correlation within an object {correlation(pairs):.3f}")
    print("| reason | " + " | ".join(f"top {100 - q} %" for q in _SHARES) + " |")
    print("|---|" + "---:|" * len(_SHARES))
    for name, values in zip(REASONS, rows[:, 2:].T, strict=True):
        strength = -values if name in ("margin", "coverage") else values
        if name == "stretch":
            strength = np.where(values <= 0, 20.0, np.abs(np.log2(np.maximum(values, 1e-6))))
        cells = []
        for q in _SHARES:
            limit = np.percentile(strength, q)
            cells.append(f"{limit:.3f}: {wrong[strength >= limit].mean():.2f}")
        print(f"| {name} | " + " | ".join(cells) + " |")
    folded = rows[:, 2 + REASONS.index("stretch")] < 0
    print(f"folded {folded.mean():.3f} of points, {wrong[folded].mean():.2f} of them wrong")


def main(folder: Path, pairs: int) -> None:
    """Print what the reasons tell over all sets with keypoints."""
    matcher = Matcher()
    report([rows for labelled in find_sets(folder) for rows in collect(labelled, matcher, pairs)])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else PAIRS)
