"""What a person's choices between two competing maps say about the rest of a set."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from fmstudio.geometry.votes import Pose
from fmstudio.project.edits_proposals import is_pending, swapped
from fmstudio.project.model import Annotation, Project, Propagated, Status

# So many choices, all the same, settle which way the objects of a set face: a fair coin falls so
# once in four.
_ENOUGH = 3

_Group = tuple[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class PoseEvidence:
    """How often which pose was chosen where two maps competed.

    Attributes
    ----------
    counts : tuple of (Pose, int)
        The most frequent first.
    """

    counts: tuple[tuple[Pose, int], ...]

    @property
    def total(self) -> int:
        """Return how many choices there are."""
        return sum(n for _, n in self.counts)

    @property
    def settled(self) -> Pose | None:
        """Return the pose that all choices took, if there are three or more; else None."""
        is_clear = len(self.counts) == 1 and self.total >= _ENOUGH
        return self.counts[0][0] if is_clear else None


class Choices:
    """The choices that were made in a project, counted once, by what ties a set together.

    A choice is a proposal on which a person chose between the two maps, or that was accepted as it
    was though another map competed. What was corrected by hand says nothing of the map.
    """

    def __init__(self, project: Project) -> None:
        self._counts: defaultdict[_Group, Counter[Pose]] = defaultdict(Counter)
        for annotation in project.annotations.values():
            other, group = annotation.alternative, _group(annotation)
            if other is None or group is None:
                continue
            is_accepted = annotation.status is Status.ACCEPTED
            if is_accepted or (other.is_chosen and annotation.status is Status.PROPOSED):
                self._counts[group][other.taken_pose] += 1

    def evidence(self, annotation: Annotation) -> PoseEvidence:
        """Return the choices made for objects carried from the same sources as this one."""
        group = _group(annotation)
        counts = self._counts.get(group) if group is not None else None
        return PoseEvidence(tuple(counts.most_common()) if counts else ())


def swaps_by_evidence(project: Project, annotation: Annotation) -> tuple[int, ...]:
    """Return the pending proposals like this one whose other map the evidence speaks for.

    Only those on which two maps compete and nobody has chosen yet.
    """
    settled = Choices(project).evidence(annotation).settled
    group = _group(annotation)
    return tuple(
        a.id
        for a in project.annotations.values()
        if settled is not None and _group(a) == group and _could_be(a, settled)
    )


def as_chosen_before(project: Project, fresh: Annotation, choices: Choices) -> Annotation:
    """Return a fresh proposal by the map that a person chose, or that the evidence speaks for.

    What a person chose on the same image and category comes first; then, where two maps compete,
    what all choices of the set agree on.
    """
    if fresh.alternative is None:
        return fresh
    for old in project.annotations_of(fresh.image_id):
        choice = old.alternative
        if choice is None or not choice.is_chosen or _group(old) != _group(fresh):
            continue
        if choice.taken_pose is fresh.alternative.pose is not fresh.alternative.taken_pose:
            return swapped(fresh, is_chosen=True)
        if choice.taken_pose is fresh.alternative.taken_pose:
            return fresh
    settled = choices.evidence(fresh).settled
    if settled is not None and _could_be(fresh, settled):
        return swapped(fresh, is_chosen=False)
    return fresh


def _could_be(annotation: Annotation, pose: Pose) -> bool:
    """Return whether a pending proposal has a competing map of a pose, and nobody has chosen."""
    other = annotation.alternative
    return (
        other is not None
        and is_pending(annotation)
        and other.competes
        and not other.is_chosen
        and other.pose is pose
        and other.taken_pose is not pose
    )


def _group(annotation: Annotation) -> _Group | None:
    """Return what ties the choices of a set together: the category, and whence it was carried."""
    carried = annotation.provenance
    if not isinstance(carried, Propagated):
        return None
    return annotation.category_id, tuple(sorted(carried.sources))
