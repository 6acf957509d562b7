"""Edits of what the engine proposed: another map, other weights, what a correction says."""

from dataclasses import dataclass, replace

from fmstudio.errors import ProjectError
from fmstudio.geometry.points import Keypoints
from fmstudio.project.changes import Changes
from fmstudio.project.model import Annotation, Corrected, Propagated, Status
from fmstudio.project.wording import counted


def is_pending(annotation: Annotation) -> bool:
    """Return whether it is as the engine proposed it, and nobody has decided on it."""
    is_guess = isinstance(annotation.provenance, Propagated)
    return annotation.status is Status.PROPOSED and is_guess


@dataclass(frozen=True, slots=True)
class SwapAlternatives:
    """Take the other of two competing maps, with all of its keypoints and its mask.

    The one that was taken becomes the alternative. Flip pairs are not exchanged: by the other map
    each keypoint keeps its name and lies elsewhere.

    Attributes
    ----------
    ids : tuple of int
        Proposals with an alternative that nobody has reviewed.
    is_chosen : bool
        Whether a person has looked and decided.
    """

    ids: tuple[int, ...]
    is_chosen: bool = True

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        if len(self.ids) == 1:
            return "Take the other map"
        return f"Take the other map on {counted(len(self.ids), 'proposal')}"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        for id_ in self.ids:
            old = changes.annotation(id_)
            if old.alternative is None:
                raise ProjectError(f"No second map is known for annotation {id_}.")
            if not is_pending(old):
                raise ProjectError(
                    f"Annotation {id_} has been reviewed, and reviewed work is never moved: put "
                    "it back to review first."
                )
            changes.put_annotation(swapped(old, is_chosen=self.is_chosen))


def swapped(annotation: Annotation, *, is_chosen: bool) -> Annotation:
    """Return a proposal by its other map; it must have one."""
    other = annotation.alternative
    assert other is not None
    return replace(
        annotation,
        keypoints=other.keypoints,
        mask=other.mask,
        confidence=other.quality,
        votes=other.votes,
        alternative=replace(
            other,
            keypoints=annotation.keypoints,
            mask=annotation.mask,
            quality=annotation.confidence or 0.0,
            support=other.taken_support,
            taken_support=other.support,
            pose=other.taken_pose,
            taken_pose=other.pose,
            votes=annotation.votes,
            is_chosen=is_chosen,
        ),
    )


@dataclass(frozen=True, slots=True)
class ReviseProposals:
    """Put what the engine says now in place of what it said before; reviewed work stays.

    Attributes
    ----------
    annotations : tuple of Annotation
        Pending, under the ids of pending ones on the same images.
    label : str
        What a menu calls it.
    """

    annotations: tuple[Annotation, ...]
    label: str = "Weigh the references anew"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        for annotation in self.annotations:
            old = changes.annotation(annotation.id)
            if not (is_pending(old) and is_pending(annotation)):
                raise ProjectError(
                    f"Annotation {annotation.id} has been reviewed meanwhile: it stays as it is."
                )
            if annotation != old:
                changes.put_annotation(annotation)


@dataclass(frozen=True, slots=True)
class SettlePoints:
    """Put the points that nobody placed where they lie by those that a person did.

    Attributes
    ----------
    id : int
        Of an annotation that a person has corrected.
    before, after : Keypoints
        As they are, and as they are to be: what a person placed stays.
    """

    id: int
    before: Keypoints
    after: Keypoints

    @property
    def label(self) -> str:
        """Return what a menu calls it."""
        return "Move points after a correction"

    def make(self, changes: Changes) -> None:
        """Make the change."""
        old = changes.annotation(self.id)
        if not isinstance(old.provenance, Corrected) or old.keypoints != self.before:
            raise ProjectError(
                f"Annotation {self.id} has been changed meanwhile: it stays as it is."
            )
        placed = self.before.placed
        if (self.after.xy[placed] != self.before.xy[placed]).any():
            raise ProjectError(f"A point that a person placed on annotation {self.id} never moves.")
        if self.after != self.before:
            changes.put_annotation(replace(old, keypoints=self.after))
