"""Which image to annotate next, and why: what is asked of a project, and the answer.

Importing this module does not import torch; pulling `next_image` does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import ImageRef, Progress
from fmstudio.errors import MatchError, ProjectError
from fmstudio.project.model import Project, Status
from fmstudio.project.wording import counted
from fmstudio.session_live import Live
from fmstudio.session_requests import image_ref


@dataclass(frozen=True, slots=True)
class NextRequest:
    """The images of a project and where they stand.

    Attributes
    ----------
    images : tuple of ImageRef
    doubt : tuple of float
        Of each image, in [0, 1].
    is_annotated : tuple of bool
        Whether something on it is accepted.
    """

    images: tuple[ImageRef, ...]
    doubt: tuple[float, ...]
    is_annotated: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class NextImage:
    """The image whose annotation would help the rest most.

    Attributes
    ----------
    image_id : int
    covered : tuple of int
        Ids of other unreviewed images that look like it.
    doubt : float
        Mean doubt of all of these, in [0, 1].
    unread : int
        Images that could not be read, and were left out.
    """

    image_id: int
    covered: tuple[int, ...]
    doubt: float
    unread: int = 0

    @property
    def reason(self) -> str:
        """Return why, as one sentence."""
        if not self.covered:
            return f"It looks like no other image; its doubt is {self.doubt:.2f}."
        images = counted(len(self.covered), "unreviewed image")
        verb = "looks" if len(self.covered) == 1 else "look"
        return f"Covers {images} that {verb} like it; mean doubt {self.doubt:.2f}."


def next_request(project: Project) -> NextRequest:
    """Return the question which image to annotate next.

    An image with something accepted counts as annotated. Its doubt is that of its least confident
    proposal; where nothing is proposed, 1 without and 0 with accepted work.

    Raises
    ------
    ProjectError
        If there is no image without accepted work.
    """
    images, doubt, annotated = [], [], []
    for image in project.sorted_images():
        found = project.annotations_of(image.id)
        has_accepted = any(a.status is Status.ACCEPTED for a in found)
        pending = [1 - (a.confidence or 0.0) for a in found if a.status is Status.PROPOSED]
        images.append(image_ref(project, image.id))
        doubt.append(max(pending, default=0.0 if has_accepted else 1.0))
        annotated.append(has_accepted)
    if all(annotated):
        raise ProjectError("Every image has accepted work on it: there is none to annotate next.")
    return NextRequest(tuple(images), tuple(doubt), tuple(annotated))


def next_image(
    live: Live, request: NextRequest, token: CancelToken
) -> Iterator[Progress | NextImage]:
    """Yield progress per image, and at last the one to annotate next.

    Images that are cached are not opened; the others are analysed, for good.

    Raises
    ------
    Cancelled
        When the token is set.
    MatchError
        If no image without accepted work can be read.
    """
    matcher = live.pairs().matcher
    import numpy as np

    from fmstudio.engine.collection import look_over
    from fmstudio.spectral.coverage import best_to_annotate

    kept, descriptors, failures = yield from look_over(request.images, live.load, matcher, token)
    doubt, annotated = np.array(request.doubt)[kept], np.array(request.is_annotated)[kept]
    best = best_to_annotate(descriptors, doubt, annotated) if kept else None
    if best is None:
        raise MatchError("None of the images without accepted work can be read.")
    ids = [request.images[at].id for at in kept]
    covered = tuple(ids[index] for index in best.covered.tolist())
    yield NextImage(ids[best.index], covered, best.doubt, len(failures))
