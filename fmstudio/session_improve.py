"""Improve the rest: what was accepted meanwhile becomes a reference for what waits for review."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from fmstudio.engine.requests import MatchSettings, PropagationRequest, Proposal
from fmstudio.errors import ProjectError
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits_proposals import is_pending
from fmstudio.project.model import Annotation, Project
from fmstudio.project.wording import counted
from fmstudio.session import Session
from fmstudio.session_inbox import LandReport
from fmstudio.session_requests import can_be_carried

NEAREST = 5
"""References that an image takes unless said otherwise: those that look most like it."""
# Of the object's longest side: what moves less was hardly wrong.
_MOVED = 0.1


@dataclass(frozen=True, slots=True)
class Improvement:
    """What landing some proposals would change of those that wait for review.

    Attributes
    ----------
    images : int
        On which something would be replaced.
    points, moved : int
        Keypoints that are labelled before and after, and those of them that would move by more
        than a tenth of their object's longest side.
    before, after : float
        Mean confidence of the annotations, in [0, 1]; 0 where there are none.
    """

    images: int
    points: int
    moved: int
    before: float
    after: float


def improve_request(
    session: Session, settings: MatchSettings | None = None, nearest: int = NEAREST
) -> PropagationRequest:
    """Return a request to carry all that is accepted to the images with proposals.

    Only accepted annotations are carried, so a guess never becomes a reference. Images with
    something accepted on them are references and no targets.

    Parameters
    ----------
    session : Session
    settings : MatchSettings or None
    nearest : int
        How many references each image takes, those that look most like it; 0 takes all.

    Raises
    ------
    ProjectError
        If nothing is accepted that could be carried, or nothing of it waits for review elsewhere.
    """
    project = session.project
    accepted = [a for a in project.annotations.values() if can_be_carried(a)]
    if not accepted:
        raise ProjectError(
            "Nothing is accepted yet: only what a person has accepted becomes a reference."
        )
    references = {a.image_id for a in accepted}
    categories = {a.category_id for a in accepted}
    waiting = {
        a.image_id
        for a in project.annotations.values()
        if is_pending(a) and a.category_id in categories and a.image_id not in references
    }
    if not waiting:
        raise ProjectError("Nothing waits for review that the accepted images could improve.")
    request = session.request(sorted(references), sorted(waiting), settings)
    return replace(request, nearest=nearest)


def improvement(project: Project, proposals: Iterable[Proposal]) -> Improvement:
    """Return what landing proposals would change.

    Where an image has several objects of a category, nothing says which replaces which: they
    count as images only.
    """
    images, before, after, points, moved = set(), [], [], 0, 0
    for proposal in proposals:
        images.add(proposal.target.id)
        for old, keypoints, quality in _replaced(project, proposal):
            before.append(old.confidence or 0.0)
            after.append(quality)
            if old.keypoints is not None and keypoints is not None:
                count, far = _moved(old.keypoints, keypoints)
                points, moved = points + count, moved + far
    return Improvement(len(images), points, moved, _mean(before), _mean(after))


def land_improvement(
    session: Session, request: PropagationRequest, proposals: Iterable[Proposal]
) -> LandReport:
    """Replace what waits for review by proposals, as one edit; reviewed work never moves.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    kept = [session.receive(proposal, request) for proposal in proposals]
    count = sum(entry is not None for entry in kept)
    return session.land(f"Improve {counted(count, 'image')}")


def _replaced(
    project: Project, proposal: Proposal
) -> Iterator[tuple[Annotation, Keypoints | None, float]]:
    """Yield each annotation that one mark would replace, with the mark's points and quality."""
    there = project.annotations_of(proposal.target.id)
    for mark in proposal.marks:
        old = [a for a in there if a.category_id == mark.category and is_pending(a)]
        if len(old) == 1 and sum(m.category == mark.category for m in proposal.marks) == 1:
            yield old[0], mark.keypoints, mark.quality


def _moved(old: Keypoints, new: Keypoints) -> tuple[int, int]:
    """Return how many points are labelled before and after, and how many of them move far."""
    box = old.bbox()
    if box is None or len(old) != len(new):
        return 0, 0
    both = old.labelled & new.labelled
    far = np.linalg.norm(new.xy - old.xy, axis=1) > _MOVED * max(box[2], box[3], 1.0)
    return int(both.sum()), int((both & far).sum())


def _mean(values: list[float]) -> float:
    """Return the mean, 0 of nothing."""
    return float(np.mean(values)) if values else 0.0
