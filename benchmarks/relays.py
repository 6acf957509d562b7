"""What it brings to reach weak targets through other images of the run, and what it costs.

``python -m benchmarks.relays DIR`` with a folder of labelled COCO sets; ``--help`` lists what can
be chosen. In each category one image is carried to the others, directly and then with relays; the
weakest quarter are the targets of the least quality by the direct map, so both ways are measured
on the same pairs. Points count as right within a tenth of the object's longest side.
"""

import argparse
import hashlib
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fmstudio.engine.cache import TensorCache
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.match import Matcher
from fmstudio.engine.propagate import propagate
from fmstudio.engine.relays import quality
from fmstudio.engine.requests import (
    ImageRef,
    Mark,
    MatchSettings,
    PropagationRequest,
    Proposal,
    Reference,
)
from fmstudio.evaluation.datasets import LabelledImage, find_sets
from fmstudio.geometry.metrics import counted_points, iou
from fmstudio.io.images import read_rgb

ALPHA = 0.1


@dataclass(frozen=True)
class Outcome:
    """One target by one way: its quality, and how right it is; nan where it is not labelled."""

    quality: float
    right: float
    share: float


def refs(images: Sequence[LabelledImage]) -> dict[int, ImageRef]:
    """Return the images as the engine knows them, by id."""
    keys = {i.id: hashlib.sha256(i.path.read_bytes()).hexdigest() for i in images}
    return {i.id: ImageRef(i.id, keys[i.id], i.path.name, i.size) for i in images}


def run(
    images: Sequence[LabelledImage], matcher: Matcher, settings: MatchSettings
) -> tuple[dict[int, Outcome], float]:
    """Return what is proposed on all images but the first, which is carried, and the seconds."""
    known, by_id = refs(images), {image.id: image for image in images}
    source = images[0]
    mark = Mark(1, 1, source.keypoints, source.mask)
    targets = tuple(known[image.id] for image in images[1:])
    request = PropagationRequest((Reference(known[source.id], (mark,)),), targets, settings)
    found, start = {}, time.perf_counter()
    for event in propagate(
        request,
        load=lambda ref: read_rgb(by_id[ref.id].path),
        token=CancelToken(),
        matcher=matcher,
    ):
        if isinstance(event, Proposal):
            found[event.target.id] = judged(event, source, by_id[event.target.id])
    return found, time.perf_counter() - start


def judged(proposal: Proposal, source: LabelledImage, target: LabelledImage) -> Outcome:
    """Return how right a proposal is."""
    right = share = float("nan")
    mark = proposal.marks[0] if proposal.marks else None
    if mark is not None and mark.keypoints is not None and target.keypoints is not None:
        assert source.keypoints is not None
        assert target.box is not None
        counted = counted_points(source.keypoints.visibility, target.keypoints.visibility)
        error = np.linalg.norm(mark.keypoints.xy - target.keypoints.xy, axis=1)
        if counted.any():
            right = float((error[counted] <= ALPHA * max(target.box[2:])).mean())
    if mark is not None and mark.mask is not None and target.mask is not None:
        share = iou(mark.mask.to_array(), target.mask.to_array())
    return Outcome(quality(proposal), right, share)


def both_ways(
    folder: Path,
    names: frozenset[str],
    n_targets: int,
    orders: int,
    through: int,
    cache: Path | None,
) -> Iterator[tuple[str, list[tuple[Outcome, Outcome]], list[tuple[Outcome, Outcome]], float]]:
    """Yield of each category its weakest quarter and all targets, directly and with relays.

    And how many times as long it takes with relays: what they add is measured with the features of
    the direct way cached, and put onto its time from nothing (or from ``cache``).
    """
    store = TensorCache(cache, disk_bytes=40 << 30)
    plain = MatchSettings()
    relaying = replace(plain, through=through)
    for labelled in find_sets(folder):
        if names and labelled.name not in names:
            continue
        weakest: list[tuple[Outcome, Outcome]] = []
        whole: list[tuple[Outcome, Outcome]] = []
        seconds = [0.0, 0.0, 0.0]
        for order in range(orders):
            usable = [i for i in labelled.images if i.keypoints is not None or i.mask is not None]
            images = sorted(usable, key=lambda image: image.id)
            random.Random(order).shuffle(images)
            images = images[: n_targets + 1]
            ways = (plain, plain, relaying)
            (direct, cold), (_, warm), (relayed, longer) = (
                run(images, Matcher(way, cache=store), way) for way in ways
            )
            seconds = [a + b for a, b in zip(seconds, (cold, warm, longer), strict=True)]
            pairs = sorted(
                ((direct[i], relayed[i]) for i in direct), key=lambda pair: pair[0].quality
            )
            weakest += pairs[: -(-len(pairs) // 4)]
            whole += pairs
        cold, warm, longer = seconds
        yield labelled.name, weakest, whole, (cold + longer - warm) / cold


def cells(pairs: Sequence[tuple[Outcome, Outcome]]) -> list[float]:
    """Return right points and IoU, directly and with relays, in %."""
    values = np.array([[(o.right, o.share) for o in pair] for pair in pairs])  # (n, 2, 2)
    known = ~np.isnan(values).all(axis=(0, 1))
    means = [np.nanmean(values[..., i], axis=0) if known[i] else [np.nan] * 2 for i in (0, 1)]
    return [100 * float(v) for mean in means for v in mean]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relays")
    parser.add_argument("folder", type=Path, help="of labelled COCO sets")
    parser.add_argument("--categories", default="", help="names, split by commas; else all")
    parser.add_argument("--targets", type=int, default=15, help="images per category")
    parser.add_argument("--orders", type=int, default=1, help="random orders per category")
    parser.add_argument("--through", type=int, default=4, help="relays per weak target")
    parser.add_argument("--cache", type=Path, help="folder where analyses are kept")
    wanted = parser.parse_args()
    names = frozenset(name for name in wanted.categories.split(",") if name)
    print(
        "| | weakest quarter, PCK@0.1 | with relays | IoU | with relays | all, PCK@0.1 |"
        " with relays | IoU | with relays | times as long |\n|---|" + "---:|" * 9
    )
    rows = []
    for name, weakest, whole, ratio in both_ways(
        wanted.folder, names, wanted.targets, wanted.orders, wanted.through, wanted.cache
    ):
        rows.append([*cells(weakest), *cells(whole), ratio])
        print(line(name, rows[-1]), flush=True)
    if rows:
        print(line("mean", list(np.nanmean(np.array(rows), axis=0))))


def line(name: str, row: Sequence[float]) -> str:
    """Return a row of the table."""
    return f"| {name} | {' | '.join(f'{v:.1f}' for v in row[:-1])} | {row[-1]:.2f} |"


if __name__ == "__main__":
    main()
