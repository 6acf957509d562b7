"""Correct one, move the others: what a correction says of an object's other points."""

from collections.abc import Iterator
from dataclasses import dataclass

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import ImageRef, Mark, Progress
from fmstudio.project.edits_proposals import SettlePoints
from fmstudio.project.model import Annotation, Corrected, Project
from fmstudio.session_live import Live
from fmstudio.session_requests import image_ref
from fmstudio.session_reweigh import words_of


@dataclass(frozen=True, slots=True)
class SettleRequest:
    """A proposal, and what has been placed of it since.

    Attributes
    ----------
    annotation : Annotation
        As it is now.
    proposed : Annotation
        As it was before a person placed the first point.
    target : ImageRef
    words : tuple of (ImageRef, Mark, float)
        Its references, and what each counts.
    """

    annotation: Annotation
    proposed: Annotation
    target: ImageRef
    words: tuple[tuple[ImageRef, Mark, float], ...]


def settle_request(
    project: Project, annotation: Annotation, proposed: Annotation
) -> SettleRequest | None:
    """Return the question what a correction says of the other points; None if it says nothing.

    It does where a person has placed some of the points and not all, and where a reference of the
    proposal is still there and accepted.

    Parameters
    ----------
    project : Project
    annotation : Annotation
        As it is now.
    proposed : Annotation
        As it was before a person placed the first point.
    """
    points, before = annotation.keypoints, proposed.keypoints
    if points is None or before is None or len(points) != len(before):
        return None
    is_corrected = isinstance(annotation.provenance, Corrected)
    if not is_corrected or not points.placed.any() or points.placed.sum() == points.labelled.sum():
        return None
    words = [
        word
        for word in words_of(project, proposed)
        if word[2] > 0 and word[1].keypoints is not None and len(word[1].keypoints) == len(points)
    ]
    if not words:
        return None
    target = image_ref(project, annotation.image_id)
    return SettleRequest(annotation, proposed, target, tuple(words))


def settled(
    live: Live, request: SettleRequest, token: CancelToken
) -> Iterator[Progress | SettlePoints]:
    """Yield progress, and at last the edit that moves the points nobody placed, if any moves.

    Pulling it imports torch; errors as `fmstudio.engine.reweigh.settle_live`.
    """
    words = live.words()
    from fmstudio.engine.reweigh import Correction, Weighed, settle_live

    points, before = request.annotation.keypoints, request.proposed.keypoints
    assert points is not None
    assert before is not None
    other = request.proposed.alternative
    correction = Correction(points, before, None if other is None else other.taken_pose)
    weighed = [Weighed(*word) for word in request.words]
    for item in settle_live(words, request.target, weighed, correction, token):
        if isinstance(item, Progress):
            yield item
        elif item != points:
            yield SettlePoints(request.annotation.id, points, item)


def heard(
    live: Live, project: Project, proposed: Annotation, token: CancelToken
) -> Iterator[Progress]:
    """Yield progress while a proposal's references are matched, so that `settled` needs no time.

    Errors as `settled`.
    """
    chosen = words_of(project, proposed)
    words = live.words()
    from fmstudio.engine.reweigh import Weighed, hear

    target = image_ref(project, proposed.image_id)
    yield from hear(words, target, [Weighed(*word) for word in chosen], token)
