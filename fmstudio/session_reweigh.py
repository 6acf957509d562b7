"""A proposal as a person weighs its references: what is asked, and what comes of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.keys import request_key
from fmstudio.engine.requests import ImageRef, Mark, Progress, covers_something
from fmstudio.errors import ProjectError
from fmstudio.project.edits_proposals import ReviseProposals, is_pending, swapped
from fmstudio.project.model import Annotation, Project, Propagated, Status
from fmstudio.session_live import Live
from fmstudio.session_requests import image_ref


@dataclass(frozen=True, slots=True)
class ReweighRequest:
    """One proposal, and how much each of its references is to count.

    Attributes
    ----------
    annotation : Annotation
    target : ImageRef
    words : tuple of (ImageRef, Mark, float)
    """

    annotation: Annotation
    target: ImageRef
    words: tuple[tuple[ImageRef, Mark, float], ...]


def reweigh_request(
    project: Project, annotation_id: int, says: Mapping[int, float]
) -> ReweighRequest:
    """Return the question what a proposal becomes as its references are weighed.

    Parameters
    ----------
    project : Project
    annotation_id : int
    says : Mapping of int to float
        For source annotations, what they count: 0 leaves one out; those not named count as before.

    Raises
    ------
    ProjectError
        If it is reviewed, all its references would be left out, or none of them is there any more.
    """
    annotation = project.annotations.get(annotation_id)
    if annotation is None or not is_pending(annotation):
        raise ProjectError(
            "Only a proposal that nobody has reviewed is fused anew: reviewed work is never moved."
        )
    words = words_of(project, annotation, says)
    if not words:
        raise ProjectError(
            "None of the references of this proposal is there and accepted any more: propagate "
            "to this image again."
        )
    if not any(say > 0 for _, _, say in words):
        raise ProjectError("All references would be left out: let at least one of them count.")
    return ReweighRequest(annotation, image_ref(project, annotation.image_id), words)


def words_of(
    project: Project, annotation: Annotation, says: Mapping[int, float] | None = None
) -> tuple[tuple[ImageRef, Mark, float], ...]:
    """Return an annotation's references that are still accepted: image, mark, what it counts."""
    words = []
    for vote in annotation.votes:
        source = project.annotations.get(vote.source)
        if source is None or source.status is not Status.ACCEPTED or not covers_something(source):
            continue
        mark = Mark(source.id, source.category_id, source.keypoints, source.mask)
        say = (says or {}).get(vote.source, vote.say)
        words.append((image_ref(project, source.image_id), mark, say))
    return tuple(words)


def reweighed(
    live: Live, request: ReweighRequest, token: CancelToken
) -> Iterator[Progress | ReviseProposals]:
    """Yield progress, and at last the edit that puts the proposal as it is now in its place.

    A map that a person chose stays the one that is taken. Pulling it imports torch.
    """
    words = live.words()
    from fmstudio.engine.reweigh import Weighed, reweigh

    weighed = [Weighed(*word) for word in request.words]
    heard = tuple(each.image.key for each in weighed if each.say > 0)
    key = request_key(heard, live.settings)
    for item in reweigh(words, request.target, weighed, token):
        if isinstance(item, Progress):
            yield item
        elif covers_something(item):
            old = request.annotation
            fresh = replace(
                old,
                keypoints=item.keypoints,
                mask=item.mask,
                confidence=item.quality,
                provenance=Propagated(item.sources, key),
                votes=item.votes,
                alternative=item.alternative,
            )
            yield ReviseProposals((_as_taken(fresh, old),))


def _as_taken(fresh: Annotation, old: Annotation) -> Annotation:
    """Return a proposal by the map that was taken before, if it is one of the two."""
    before, now = old.alternative, fresh.alternative
    if before is None or now is None:
        return fresh
    if now.taken_pose is not before.taken_pose and now.pose is before.taken_pose:
        return swapped(fresh, is_chosen=before.is_chosen)
    return replace(fresh, alternative=replace(now, is_chosen=before.is_chosen))
