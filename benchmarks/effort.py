"""How many points a person still has to place: simulated annotators on labelled photos.

``python -m benchmarks.effort DIR`` with a folder of labelled COCO sets; ``--help`` lists what can
be chosen. In each category one image is annotated by hand and carried to the others; the truth
then answers the review queue, most doubtful image first (``--surest-first`` turns that round) and
on it most doubtful point first. A point that is missing, or farther than a tenth of the object's
longest side from where it belongs, is one correction, and goes to its true place; all others stay
where the engine put them. Settled, the other points of the image move after each correction by what
it says of them. With "improve the rest" every reviewed image is a reference for those that are
still to be reviewed: only the most similar one, or the five most similar ones by their consensus.
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.cache import TensorCache
from fmstudio.engine.carry import CarriedMark, vote
from fmstudio.engine.focus import map_object
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import Mark, ProposedMark
from fmstudio.engine.rivals import carry_both
from fmstudio.engine.settle import as_taken, settle
from fmstudio.engine.views import View
from fmstudio.evaluation.benchmark import look_at
from fmstudio.evaluation.datasets import LabelledImage, LabelledSet, find_sets
from fmstudio.geometry.points import NOT_LABELLED, Keypoints, with_point
from fmstudio.session_improve import NEAREST

ALPHA = 0.1


@dataclass(frozen=True)
class Effort:
    """Points to place on some images: all by hand, and in each way of working."""

    images: int = 0
    by_hand: int = 0
    once: int = 0
    settled: int = 0
    nearest: int = 0
    consensus: int = 0
    both: int = 0

    def __add__(self, other: "Effort") -> "Effort":
        pairs = [(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)]
        return Effort(*(a + b for a, b in pairs))


# The ways of working, as `Effort` has them after `by_hand`: how many reviewed images a target
# takes, None for the first one only, and whether corrections move the other points.
WAYS = ((None, False), (None, True), (1, False), (NEAREST, False), (NEAREST, True))


@dataclass
class Words:
    """What a category's images say of each other, each said once.

    Attributes
    ----------
    matcher : Matcher
    views : dict of int to View
        By image id.
    said : dict of (int, int, bytes) to CarriedMark
        By source, target, and where the source's points are.
    """

    matcher: Matcher
    views: dict[int, View]
    said: dict[tuple[int, int, bytes], CarriedMark] = field(default_factory=dict)

    def word(self, mark: Mark, target: int) -> CarriedMark:
        """Return what a reviewed image's mark becomes on a target."""
        assert mark.keypoints is not None
        at = (mark.id, target, mark.keypoints.xy.tobytes())
        if at not in self.said:
            s, t = self.views[mark.id], self.views[target]
            found = map_object(self.matcher, s, t, mark)
            self.said[at] = carry_both(self.matcher, s, t, mark, found, check=lambda: None)
        return self.said[at]

    def alike(self, a: int, b: int) -> float:
        """Return the cosine of two images' mean descriptors."""
        u, v = (self.views[i].analysis.descriptors.mean(dim=0) for i in (a, b))
        return float(u @ v / (u.norm() * v.norm()))


@dataclass
class Annotator:
    """Answers a queue of one category's images from the truth, and remembers what it did.

    Attributes
    ----------
    words : Words
        Shared between annotators.
    nearest : int or None
        How many reviewed images a target takes; None takes the first one only.
    settles : bool
        Whether corrections move the other points.
    is_surest_first : bool
        Whether the least doubtful image comes first.
    done : dict of int to Mark
        Reviewed images, in order of review; a mark's id is its image's.
    """

    words: Words
    nearest: int | None
    settles: bool
    is_surest_first: bool
    done: dict[int, Mark] = field(default_factory=dict)

    def work(self, first: LabelledImage, targets: Sequence[LabelledImage]) -> int:
        """Annotate one image by hand and review the others; return how many points were placed."""
        assert first.keypoints is not None
        self.done[first.id] = Mark(first.id, 0, first.keypoints)
        rest, placed = list(targets), 0
        while rest:
            proposed = {image.id: self.proposal(image) for image in rest}
            first_of = max if self.is_surest_first else min
            following = first_of(rest, key=lambda image: proposed[image.id].quality)
            placed += self.review(following, proposed[following.id])
            rest.remove(following)
        return placed

    def said(self, target: LabelledImage) -> list[CarriedMark]:
        """Return what the reviewed marks that a target takes say of it."""
        marks = list(self.done.values())
        if self.nearest is None:
            marks = marks[:1]
        marks.sort(key=lambda mark: -self.words.alike(mark.id, target.id))
        return [self.words.word(mark, target.id) for mark in marks[: self.nearest]]

    def proposal(self, target: LabelledImage) -> ProposedMark:
        """Return what its references together propose on a target."""
        grid = self.words.views[target.id].analysis.grid
        (proposed,) = vote([[word] for word in self.said(target)], grid)
        return proposed

    def review(self, target: LabelledImage, proposal: ProposedMark) -> int:
        """Correct until all is right, then accept; return how many points had to be placed."""
        assert target.keypoints is not None
        assert proposal.keypoints is not None
        other = proposal.alternative
        said = as_taken(self.said(target), None if other is None else other.taken_pose)
        points, placed = proposal.keypoints, 0
        while (wrong := np.flatnonzero(corrections(target, points))).size:
            index = int(wrong[np.argmin(points.score[wrong])])
            truth = target.keypoints
            seen = int(truth.visibility[index])
            points = with_point(points, len(points), index, truth.xy[index], seen)
            placed += 1
            if self.settles:
                points = settle(said, points, proposal.keypoints)
        visibility = np.where(points.labelled, target.keypoints.visibility, NOT_LABELLED)
        self.done[target.id] = Mark(target.id, 0, Keypoints.drawn(points.xy, visibility))
        return placed


def corrections(image: LabelledImage, proposed: Keypoints) -> NDArray[np.bool_]:
    """Return which of an image's labelled points are missing or too far off, (m,)."""
    assert image.keypoints is not None
    assert image.box is not None
    error = np.linalg.norm(proposed.xy - image.keypoints.xy, axis=1)
    is_off = error > ALPHA * max(image.box[2:])
    is_missing = proposed.visibility == NOT_LABELLED
    return np.asarray(image.keypoints.labelled & (is_off | is_missing))


def measure(images: Sequence[LabelledImage], words: Words, surest_first: bool) -> Effort:
    """Return the effort for images of one category, of which the first is annotated by hand."""
    first, targets = images[0], images[1:]
    placed = [
        Annotator(words, nearest, settles, surest_first).work(first, targets)
        for nearest, settles in WAYS
    ]
    labelled = [image.keypoints.labelled.sum() for image in targets if image.keypoints is not None]
    return Effort(len(targets), int(sum(labelled)), *placed)


def of_category(
    labelled: LabelledSet, matcher: Matcher, n_targets: int, orders: int, surest_first: bool
) -> Effort | None:
    """Return the effort for a category over several random orders, None where it has no points."""
    images = [i for i in labelled.images if i.keypoints is not None and i.box is not None]
    if len(images) < 3:
        return None
    total = Effort()
    views: dict[int, View] = {}
    for order in range(orders):
        chosen = sorted(images, key=lambda image: image.id)
        random.Random(order).shuffle(chosen)
        chosen = chosen[: n_targets + 1]
        views |= {i.id: look_at(matcher, i) for i in chosen if i.id not in views}
        total += measure(chosen, Words(matcher, views), surest_first)
    return total


def line(name: str, effort: Effort) -> str:
    """Return a row of the table: points to place per image, and what is saved over ``once``."""
    _, *each = (getattr(effort, f.name) for f in fields(effort))
    cells = [f"{count / effort.images:.2f}" for count in each]
    saved = [100 * (1 - count / effort.once) if effort.once else 0.0 for count in each[2:]]
    return f"| {name} | {' | '.join(cells)} | {' / '.join(f'{share:.0f}' for share in saved)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.effort")
    parser.add_argument("folder", type=Path, help="of labelled COCO sets")
    parser.add_argument("--categories", default="", help="names, split by commas; else all")
    parser.add_argument("--targets", type=int, default=10, help="images per category")
    parser.add_argument("--orders", type=int, default=1, help="random orders per category")
    parser.add_argument("--surest-first", action="store_true", help="least doubtful image first")
    parser.add_argument("--cache", type=Path, help="folder where analyses are kept")
    wanted = parser.parse_args()
    names = frozenset(name for name in wanted.categories.split(",") if name)
    matcher = Matcher(cache=TensorCache(wanted.cache))
    head = (
        "by hand",
        "propagation only",
        "settled",
        "improved by the nearest",
        "by consensus",
        "and settled",
        "saved by these, %",
    )
    print(f"| points to place per image | {' | '.join(head)} |\n|---|{'---:|' * len(head)}")
    total = Effort()
    for labelled in find_sets(wanted.folder):
        if names and labelled.name not in names:
            continue
        effort = of_category(labelled, matcher, wanted.targets, wanted.orders, wanted.surest_first)
        if effort is not None:
            total += effort
            print(line(labelled.name, effort), flush=True)
    if total.images:
        print(line("all", total))


if __name__ == "__main__":
    main()
