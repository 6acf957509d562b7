"""What the engine sends, on its way into the project: keep, judge, land."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fmstudio.engine.requests import (
    Mark,
    PropagationRequest,
    Proposal,
    ProposedMark,
    covers_something,
)
from fmstudio.errors import ProjectError
from fmstudio.project.doubt import REASONS, Doubt
from fmstudio.project.edits import LandProposals
from fmstudio.project.edits_bulk import blocks
from fmstudio.project.model import Annotation, InboxEntry, Project, Propagated, Status
from fmstudio.project.poses import Choices, as_chosen_before


@dataclass(frozen=True, slots=True)
class LandReport:
    """What became of the inbox.

    Attributes
    ----------
    edit : LandProposals or None
        What was performed; None if there was nothing to land.
    landed : tuple of int
        Ids of the new annotations.
    left_out : tuple of str
        A sentence per proposal that was not landed.
    """

    edit: LandProposals | None
    landed: tuple[int, ...]
    left_out: tuple[str, ...]


def entry_of(
    project: Project, proposal: Proposal, requests: Sequence[PropagationRequest]
) -> InboxEntry | None:
    """Return a proposal as an entry for the inbox, or None if there is nothing to keep.

    Parameters
    ----------
    project : Project
    proposal : Proposal
    requests : sequence of PropagationRequest
        Those that it may answer, oldest first; the latest that fits is taken.

    Raises
    ------
    ProjectError
        If it answers none of them.
    """
    annotations = tuple(
        _proposed(proposal, mark)
        for mark in proposal.marks
        if mark.category in project.categories and covers_something(mark)
    )
    if proposal.target.id not in project.images or not annotations:
        return None
    keys = _source_keys(proposal, requests)
    return InboxEntry(proposal.target.id, annotations, keys, proposal.notes)


def outdated_reason(project: Project, entry: InboxEntry) -> str | None:
    """Return why an entry no longer follows from its sources, or None while it does."""
    for id_, key in entry.source_keys:
        source = project.annotations.get(id_)
        if source is None:
            return f"its source, annotation {id_}, has been removed"
        if source.status is not Status.ACCEPTED:
            return f"its source, annotation {id_}, is no longer accepted"
        if source.content_key() != key:
            return f"its source, annotation {id_}, has changed since"
    return None


def plan_landing(
    project: Project, inbox: Sequence[InboxEntry]
) -> tuple[LandProposals, tuple[str, ...]]:
    """Return the edit that lands an inbox, and a sentence per proposal that it leaves out.

    Of several proposals for one image and category, those of the latest entry count.
    """
    latest: dict[tuple[int, int], list[Annotation]] = {}
    left_out = []
    choices = Choices(project)
    for entry in inbox:
        where = f"The proposal for '{project.images[entry.image_id].path}' was left out"
        reason = outdated_reason(project, entry)
        if reason is not None:
            left_out.append(f"{where}: {reason}.")
            continue
        fresh: dict[tuple[int, int], list[Annotation]] = {}
        for annotation in entry.annotations:
            reason = _obstacle(project, annotation)
            if reason is not None:
                left_out.append(f"{where}: {reason}.")
            else:
                key = (annotation.image_id, annotation.category_id)
                fresh.setdefault(key, []).append(as_chosen_before(project, annotation, choices))
        latest |= fresh
    edit = LandProposals(tuple(a for group in latest.values() for a in group))
    return edit, tuple(left_out)


def confident_proposals(
    project: Project, score: float, ids: Iterable[int] | None
) -> tuple[int, ...]:
    """Return the proposals, of ``ids`` or of all, with at least this confidence, ascending.

    Raises
    ------
    ProjectError
        If the score is outside [0, 1].
    """
    if not 0 <= score <= 1:
        raise ProjectError(f"A confidence lies between 0 and 1: {score} cannot be one.")
    return tuple(
        id_
        for id_ in sorted(project.annotations if ids is None else ids)
        if (annotation := project.annotations.get(id_)) is not None
        and annotation.status is Status.PROPOSED
        and (annotation.confidence or 0.0) >= score
    )


def _obstacle(project: Project, annotation: Annotation) -> str | None:
    """Return why a fresh proposal cannot be landed, or None."""
    image = project.images[annotation.image_id]
    category = project.categories[annotation.category_id]
    keypoints, mask = annotation.keypoints, annotation.mask
    if keypoints is not None and len(keypoints) != len(category.keypoints):
        return f"the keypoints of category '{category.name}' have changed since"
    if mask is not None and mask.size != image.size:
        return "the image has changed its size since"
    if blocks(project.annotations_of(image.id), annotation):
        return f"its '{category.name}' has been reviewed already"
    return None


def _source_keys(
    proposal: Proposal, requests: Sequence[PropagationRequest]
) -> tuple[tuple[int, str], ...]:
    """Return a proposal's sources with their content when they were asked for."""
    sources = {id_ for mark in proposal.marks for id_ in mark.sources}
    for request in reversed(requests):
        marks = {mark.id: mark for r in request.references for mark in r.marks}
        if proposal.target in request.targets and sources <= marks.keys():
            return tuple((id_, _content_key(marks[id_])) for id_ in sorted(sources))
    raise ProjectError(f"The proposal for '{proposal.target.name}' answers no known request.")


def _content_key(mark: Mark) -> str:
    """Return what `Annotation.content_key` was for the annotation of a mark."""
    return Annotation(mark.id, 0, mark.category, mark.keypoints, mark.mask).content_key()


def _proposed(proposal: Proposal, mark: ProposedMark) -> Annotation:
    """Return a mark of the engine as an annotation without a number."""
    return Annotation(
        0,
        proposal.target.id,
        mark.category,
        mark.keypoints,
        mark.mask if mark.mask is not None and mark.mask.area else None,
        Status.PROPOSED,
        Propagated(mark.sources, proposal.key),
        mark.quality,
        doubt=_doubt(mark),
        votes=mark.votes,
        alternative=mark.alternative,
    )


def _doubt(mark: ProposedMark) -> Doubt:
    """Return what the engine said of a mark, in the project's terms."""
    points, mask = mark.keypoints, mark.mask
    m = 0 if points is None else len(points)
    xy, confidence, labelled = np.zeros((m, 2)), np.full(m, np.nan), np.zeros(m, dtype=bool)
    boxes: list[tuple[float, float, float, float] | None] = [None if mask is None else mask.bbox]
    if points is not None:
        labelled = points.labelled
        xy, confidence = points.xy, np.where(labelled, points.score, np.nan)
        boxes.append(points.bbox())
    unknown = np.full(m, np.nan)
    reasons = [np.where(labelled, mark.reasons.get(r, unknown), np.nan) for r in REASONS]
    of_mask = [mark.mask_reasons.get(r, np.nan) for r in REASONS]
    return Doubt(
        xy.astype(np.float32),
        confidence.astype(np.float32),
        np.stack(reasons, axis=1).astype(np.float32),
        np.array(of_mask, dtype=np.float32),
        mark.extent,
        max((max(box[2:]) for box in boxes if box is not None), default=0.0),
    )
