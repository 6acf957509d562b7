"""What is left to review, the most doubtful first."""

from dataclasses import dataclass

from fmstudio.project.model import Annotation, ImageState, Project, Status


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A proposal that waits for a person.

    Attributes
    ----------
    annotation_id, image_id : int
    confidence : float
        In [0, 1]; 0 where the engine gave none.
    """

    annotation_id: int
    image_id: int
    confidence: float


@dataclass(frozen=True, slots=True)
class ReviewProgress:
    """How far the review of a project has come.

    Attributes
    ----------
    images : dict of ImageState to int
        How many images stand where.
    reviewed, waiting : int
        Annotations that a person has decided on, and proposals.
    expected_corrections : float
        How many of the waiting proposals are wrong, if their confidences tell the truth.
    """

    images: dict[ImageState, int]
    reviewed: int
    waiting: int
    expected_corrections: float


def queue_item(annotation: Annotation) -> QueueItem:
    """Return an annotation's place in the queue."""
    return QueueItem(annotation.id, annotation.image_id, annotation.confidence or 0.0)


def review_queue(project: Project) -> tuple[QueueItem, ...]:
    """Return the proposals of a project by ascending confidence, then by id."""
    waiting = [queue_item(a) for a in project.annotations.values() if a.status is Status.PROPOSED]
    return tuple(sorted(waiting, key=lambda item: (item.confidence, item.annotation_id)))


def next_in_queue(queue: tuple[QueueItem, ...], annotation_id: int | None) -> QueueItem | None:
    """Return what to review after an annotation: the next in the queue, at its end the first.

    Parameters
    ----------
    queue : tuple of QueueItem
    annotation_id : int or None
        One that is not in the queue, or None, gives the first.
    """
    ids = [item.annotation_id for item in queue]
    if not queue:
        return None
    at = ids.index(annotation_id) + 1 if annotation_id in ids else 0
    return queue[at % len(queue)]


def progress_of(project: Project) -> ReviewProgress:
    """Return how far the review of a project has come."""
    images = dict.fromkeys(ImageState, 0)
    for image_id in project.of_image:
        images[project.image_state(image_id)] += 1
    images[ImageState.NONE] = len(project.images) - sum(
        count for state, count in images.items() if state is not ImageState.NONE
    )
    waiting = [a for a in project.annotations.values() if a.status is Status.PROPOSED]
    return ReviewProgress(
        images,
        len(project.annotations) - len(waiting),
        len(waiting),
        sum(1.0 - (a.confidence or 0.0) for a in waiting),
    )


def confident_above(project: Project, score: float) -> tuple[int, float]:
    """Return how many proposals are at least this sure, and how many of them are likely wrong."""
    sure = [
        a.confidence
        for a in project.annotations.values()
        if a.status is Status.PROPOSED and a.confidence is not None and a.confidence >= score
    ]
    return len(sure), sum(1.0 - confidence for confidence in sure)
