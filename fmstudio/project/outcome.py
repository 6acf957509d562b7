"""What became of the engine's points: which wait, which a person found right, which wrong."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.model import Annotation, Corrected, Drawn, Project, Review, Status

BINS = 200
"""Confidences are counted in as many steps of [0, 1]."""
WRONG = 0.1
"""A point is wrong if a person moved it further than this share of the object's longest side."""
_MOVED = 0.5  # pixels: less is a click on a point, no correction


@dataclass(frozen=True, slots=True)
class Points:
    """The proposed points of one annotation; a mask without keypoints counts as one.

    Attributes
    ----------
    confidence : ndarray, (k,)
        Of the engine, in [0, 1].
    is_wrong : ndarray, (k,) bool
        What a person found; all False where nobody looked.
    changed : int
        How many points a person moved, took away or added.
    """

    confidence: NDArray[np.float64]
    is_wrong: NDArray[np.bool_]
    changed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many points there are by their confidence.

    Attributes
    ----------
    points, wrong : ndarray, (BINS,) int64
        All, and those that a person found wrong.
    annotations : int
    squares : int
        Sum over annotations of the square of how many points each has.
    changed : int
        Points that a person changed.
    touched : int
        Annotations with such a change.
    """

    points: NDArray[np.int64]
    wrong: NDArray[np.int64]
    annotations: int = 0
    squares: int = 0
    changed: int = 0
    touched: int = 0

    @classmethod
    def none(cls) -> "Counts":
        """Return no points at all."""
        return cls(np.zeros(BINS, np.int64), np.zeros(BINS, np.int64))

    def __add__(self, other: "Counts") -> "Counts":
        return self._with(other, 1)

    def __sub__(self, other: "Counts") -> "Counts":
        return self._with(other, -1)

    def _with(self, other: "Counts", sign: int) -> "Counts":
        """Return the counts with those of others added or taken off."""
        return Counts(
            self.points + sign * other.points,
            self.wrong + sign * other.wrong,
            self.annotations + sign * other.annotations,
            self.squares + sign * other.squares,
            self.changed + sign * other.changed,
            self.touched + sign * other.touched,
        )

    @property
    def total(self) -> int:
        """Return how many points there are."""
        return int(self.points.sum())

    @property
    def total_wrong(self) -> int:
        """Return how many a person found wrong."""
        return int(self.wrong.sum())

    @property
    def group(self) -> float:
        """Return how many points the annotation of a point has, on average over points; or 1."""
        return self.squares / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The engine's points of a project by what became of them; an immutable value.

    Attributes
    ----------
    waiting : Counts
        Proposed, not looked at.
    unseen : Counts
        Accepted with all that were sure enough, not looked at.
    seen : Counts
        A person decided, going through the queue.
    audited : Counts
        A person decided on the random sample of what was accepted unseen.
    """

    waiting: Counts
    unseen: Counts
    seen: Counts
    audited: Counts

    @classmethod
    def none(cls) -> "Tally":
        """Return the tally of nothing."""
        return cls(*_counted(()))

    @classmethod
    def of(cls, project: Project) -> "Tally":
        """Return the tally of a whole project."""
        return cls(*_counted(project.annotations.values()))

    def follow(self, before: Project, after: Project, diff: ProjectDiff) -> "Tally":
        """Return the tally after an edit; takes time only for what it touched."""
        change = diff.annotations
        gone = _counted(before.annotations[i] for i in (*change.removed, *change.changed))
        come = _counted(after.annotations[i] for i in change.present)
        now = (self.waiting, self.unseen, self.seen, self.audited)
        return Tally(*(n - g + c for n, g, c in zip(now, gone, come, strict=True)))


def points_of(annotation: Annotation) -> Points | None:
    """Return the engine's points of an annotation and what a person found; None without any.

    What a person rejected is wrong in all its points. Of reviewed work from before reasons were
    kept, nothing is known.
    """
    is_decided = annotation.is_reviewed and annotation.review is not Review.UNSEEN
    if isinstance(annotation.provenance, Drawn) or (is_decided and annotation.doubt is None):
        return None
    confidence = _confidences(annotation)
    m = len(confidence)
    labelled = ~np.isnan(confidence)
    if not labelled.any():
        score = np.array([annotation.confidence or 0.0])
        is_changed = isinstance(annotation.provenance, Corrected)
        is_wrong = is_decided and (is_changed or annotation.status is Status.REJECTED)
        return Points(score, np.array([is_wrong]), int(is_decided and is_changed))
    if not is_decided:
        return Points(confidence[labelled], np.zeros(int(labelled.sum()), bool))
    if annotation.status is Status.REJECTED:
        return Points(confidence[labelled], np.ones(int(labelled.sum()), bool))
    doubt, points = annotation.doubt, annotation.keypoints
    assert doubt is not None
    gap, stays = np.full(m, np.inf), np.zeros(m, bool)
    if points is not None and len(points) == m:
        stays = points.labelled
        gap = np.where(stays, np.linalg.norm(points.xy - doubt.xy, axis=1), np.inf)
    is_wrong_point = gap > WRONG * max(doubt.extent_t, 1.0)
    changed = int((labelled & (gap > _MOVED)).sum() + (stays & ~labelled).sum())
    return Points(confidence[labelled], is_wrong_point[labelled], changed)


def _confidences(annotation: Annotation) -> NDArray[np.float64]:
    """Return the engine's confidence of each keypoint, NaN where it labelled none."""
    if annotation.doubt is not None:
        return annotation.doubt.confidence.astype(np.float64)
    points = annotation.keypoints
    return np.zeros(0) if points is None else np.where(points.labelled, points.score, np.nan)


def _place(annotation: Annotation) -> int:
    """Return which of a tally's counts an annotation belongs to."""
    if annotation.status is Status.PROPOSED:
        return 0
    return {Review.UNSEEN: 1, Review.SEEN: 2, Review.AUDITED: 3}[annotation.review]


def _counted(annotations: Iterable[Annotation]) -> tuple[Counts, Counts, Counts, Counts]:
    """Return the counts of annotations, in the order of a tally."""
    confidences: list[list[NDArray[np.float64]]] = [[], [], [], []]
    wrongs: list[list[NDArray[np.bool_]]] = [[], [], [], []]
    sums = [[0, 0, 0, 0] for _ in range(4)]
    for annotation in annotations:
        points = points_of(annotation)
        if points is None:
            continue
        place, size = _place(annotation), len(points.confidence)
        confidences[place].append(points.confidence)
        wrongs[place].append(points.is_wrong)
        figures = (1, size * size, points.changed, int(points.changed > 0))
        sums[place] = [a + b for a, b in zip(sums[place], figures, strict=True)]
    counts = []
    for confidence, wrong, figures4 in zip(confidences, wrongs, sums, strict=True):
        bins = np.concatenate([np.zeros(0), *confidence])
        bins = np.minimum((bins * BINS).astype(np.int64), BINS - 1)
        found = np.concatenate([np.zeros(0, bool), *wrong])
        by_bin = [np.bincount(b, minlength=BINS) for b in (bins, bins[found])]
        counts.append(Counts(by_bin[0], by_bin[1], *figures4))
    return counts[0], counts[1], counts[2], counts[3]
