"""From what a person names to a frozen request for the engine."""

from collections.abc import Iterable

from fmstudio.engine.requests import (
    ImageRef,
    Mark,
    MatchSettings,
    PropagationRequest,
    Reference,
    covers_something,
)
from fmstudio.errors import ProjectError
from fmstudio.project.model import Annotation, ImageState, Project, Status

_FREE = (ImageState.NONE, ImageState.REJECTED)


def choose_targets(project: Project, which: str | Iterable[str]) -> tuple[int, ...]:
    """Return image ids: of "all" images, of "unlabelled" ones, or of names.

    Unlabelled is an image with nothing accepted and nothing that waits for review.

    Raises
    ------
    ProjectError
        If a name fits no image, or several.
    """
    if which == "all":
        return tuple(sorted(project.images))
    if which == "unlabelled":
        return tuple(id_ for id_ in sorted(project.images) if project.image_state(id_) in _FREE)
    names = [which] if isinstance(which, str) else which
    return tuple(image.id for image in project.find_images(names))


def build_request(
    project: Project,
    reference_ids: Iterable[int],
    target_ids: Iterable[int],
    settings: MatchSettings | None,
) -> PropagationRequest:
    """Return a request to carry what is accepted on the references to the other images.

    Raises
    ------
    ProjectError
        If a reference has nothing accepted, or no target is left.
    """
    sources = tuple(dict.fromkeys(reference_ids))
    targets = [id_ for id_ in dict.fromkeys(target_ids) if id_ not in sources]
    if not sources:
        raise ProjectError("Name at least one annotated image to propagate from.")
    references = tuple(_reference(project, id_) for id_ in sources)
    if not targets:
        raise ProjectError("There is no image to propagate to besides the references.")
    refs = tuple(image_ref(project, id_) for id_ in targets)
    return PropagationRequest(references, refs, settings or MatchSettings())


def reviewed_targets(project: Project, request: PropagationRequest) -> frozenset[int]:
    """Return the targets on which each of the categories to carry has been accepted already."""
    wanted = {mark.category for reference in request.references for mark in reference.marks}
    return frozenset(
        target.id
        for target in request.targets
        if wanted
        <= {a.category_id for a in project.annotations_of(target.id) if a.status is Status.ACCEPTED}
    )


def image_ref(project: Project, image_id: int) -> ImageRef:
    """Return an image as the engine knows it; raises ProjectError if there is no such image."""
    image = project.images.get(image_id)
    if image is None:
        raise ProjectError(f"There is no image {image_id} in the project.")
    return ImageRef(image.id, image.sha256, image.path, image.size)


def can_be_carried(annotation: Annotation) -> bool:
    """Return whether an annotation can be a reference: accepted, one object, not empty."""
    is_accepted = annotation.status is Status.ACCEPTED
    return is_accepted and not annotation.is_crowd and covers_something(annotation)


def _reference(project: Project, image_id: int) -> Reference:
    """Return an image with its accepted annotations as marks."""
    ref = image_ref(project, image_id)
    marks = tuple(
        Mark(a.id, a.category_id, a.keypoints, a.mask)
        for a in project.annotations_of(image_id)
        if can_be_carried(a)
    )
    if not marks:
        raise ProjectError(
            f"'{ref.name}' has no accepted keypoints or mask to propagate: annotate it, or "
            "accept a proposal on it first."
        )
    return Reference(ref, marks)
