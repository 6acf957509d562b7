"""What is left to review and how much of it is wrong, over a session; and audit samples."""

import random
from dataclasses import dataclass

from fmstudio.errors import ProjectError
from fmstudio.project.edits import SetStatus
from fmstudio.project.estimate import Calibration, Estimate, Sampled, sampled
from fmstudio.project.model import Project, Propagated, Review, Status
from fmstudio.project.outcome import Tally
from fmstudio.session import Session

__all__ = ["Calibration", "Estimate", "ReviewSummary", "Sampled", "Tally", "draw_audit",
           "summarise_review"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """Where the review of a project stands.

    Attributes
    ----------
    waiting, unseen : Estimate
        Points of proposals, and of what was accepted with all that were sure enough.
    waiting_annotations, unseen_annotations : int
    seen, seen_wrong : int
        Points that a person decided on, and those found wrong.
    shift : float
        Of the log-odds of being wrong against what the confidences say; 0 before any review.
    corrections : int
        Points that a person moved, took away or added.
    reviewed_images : int
        Images on which a person decided on a proposal.
    audit : Sampled
        What the audit sample says of what was accepted unseen.
    audit_waiting : int
        Annotations of the sample that nobody has looked at yet.
    """

    waiting: Estimate
    unseen: Estimate
    waiting_annotations: int
    unseen_annotations: int
    seen: int
    seen_wrong: int
    shift: float
    corrections: int
    reviewed_images: int
    audit: Sampled
    audit_waiting: int

    @property
    def corrections_per_image(self) -> float | None:
        """Return how many points were corrected per reviewed image; None of none."""
        return self.corrections / self.reviewed_images if self.reviewed_images else None


def summarise_review(project: Project, tally: Tally | None = None) -> ReviewSummary:
    """Return where the review of a project stands; ``tally`` of None counts it."""
    tally = tally or Tally.of(project)
    calibration = Calibration.of(tally)
    decided, waiting = set(), 0
    for annotation in project.annotations.values():
        is_proposed = annotation.status is Status.PROPOSED
        waiting += is_proposed and annotation.review is Review.AUDITED
        is_known = annotation.doubt is not None and annotation.review is not Review.UNSEEN
        if not is_proposed and is_known:
            decided.add(annotation.image_id)
    return ReviewSummary(
        calibration.estimate(tally.waiting),
        calibration.estimate(tally.unseen),
        tally.waiting.annotations,
        tally.unseen.annotations,
        tally.seen.total + tally.audited.total,
        tally.seen.total_wrong + tally.audited.total_wrong,
        calibration.shift,
        tally.seen.changed + tally.audited.changed,
        len(decided),
        sampled(tally.audited),
        waiting,
    )


def audit_candidates(project: Project) -> tuple[int, ...]:
    """Return the annotations that were accepted unseen and nobody has changed since, ascending."""
    return tuple(
        id_
        for id_, annotation in sorted(project.annotations.items())
        if annotation.status is Status.ACCEPTED
        and annotation.review is Review.UNSEEN
        and isinstance(annotation.provenance, Propagated)
    )


def plan_audit(project: Project, count: int, seed: int | None = None) -> SetStatus:
    """Return the edit that puts a random sample of what was accepted unseen into the queue.

    Parameters
    ----------
    project : Project
    count : int
        At least 1; all there are where that is more.
    seed : int or None
        The same seed draws the same sample of the same project; None draws any.

    Raises
    ------
    ProjectError
        If the count is below 1, or nothing was accepted unseen.
    """
    if count < 1:
        raise ProjectError(f"An audit sample has at least 1 annotation, not {count}.")
    candidates = audit_candidates(project)
    if not candidates:
        raise ProjectError(
            "There is nothing to audit: no annotation was accepted with all that were sure enough."
        )
    chosen = random.Random(seed).sample(candidates, min(count, len(candidates)))
    return SetStatus(tuple(sorted(chosen)), Status.PROPOSED, Review.AUDITED)


def draw_audit(session: Session, count: int, seed: int | None = None) -> tuple[int, ...]:
    """Put a random sample of what was accepted unseen into the queue; return the ids.

    Parameters and errors as in `plan_audit`.
    """
    edit = plan_audit(session.project, count, seed)
    session.perform(edit)
    return edit.ids
