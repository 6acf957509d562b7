"""The whole image set at a glance, before anyone labels: the question, the job, the words.

Importing this module does not import torch; pulling `map_collection` does.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.overview import FEWEST, Outlier, OutlierReason, Overview
from fmstudio.engine.requests import ImageRef, Progress
from fmstudio.errors import ProjectError
from fmstudio.project.model import Project, Status
from fmstudio.session_live import Live
from fmstudio.session_requests import image_ref

__all__ = [
    "FEWEST",
    "CollectionRequest",
    "Outlier",
    "OutlierReason",
    "Overview",
    "annotated_images",
    "collection_request",
    "map_collection",
    "map_quality",
    "outlier_reason",
]

# The median of strangers planted in twelve sets; of those that belong it is 0.025.
_STRANGE = 0.09


@dataclass(frozen=True, slots=True)
class CollectionRequest:
    """The images of a project, and which of them are annotated.

    Attributes
    ----------
    images : tuple of ImageRef
    is_annotated : tuple of bool
        Whether something on it is accepted.
    """

    images: tuple[ImageRef, ...]
    is_annotated: tuple[bool, ...]


def collection_request(project: Project) -> CollectionRequest:
    """Return the question how the images of a project belong together.

    Raises
    ------
    ProjectError
        If there are fewer than three images.
    """
    if len(project.images) < FEWEST:
        raise ProjectError(f"A collection is mapped from {FEWEST} images on.")
    annotated = annotated_images(project)
    images = tuple(image_ref(project, image.id) for image in project.sorted_images())
    return CollectionRequest(images, tuple(image.id in annotated for image in images))


def annotated_images(project: Project) -> frozenset[int]:
    """Return the ids of images that can be references: something on them is accepted."""
    return frozenset(
        a.image_id for a in project.annotations.values() if a.status is Status.ACCEPTED
    )


def map_collection(
    live: Live, request: CollectionRequest, token: CancelToken
) -> Iterator[Progress | Overview]:
    """Yield progress, and at last the overview of a set.

    Raises
    ------
    Cancelled
        When the token is set.
    MatchError
        If fewer than three images can be read, or this machine has no such device.
    WeightsError
        If a network's weights cannot be loaded.
    """
    matcher = live.pairs().matcher
    from fmstudio.engine.collection import overview

    yield from overview(request.images, request.is_annotated, live.load, matcher, token)


def map_quality(error: float) -> float:
    """Return the quality in [0, 1] of maps with an inconsistency; NaN stays NaN.

    1 is consistent, 0 is as inconsistent as the maps of an image that does not belong, or more.
    """
    return error if math.isnan(error) else min(1.0, max(0.0, 1.0 - error / _STRANGE))


def outlier_reason(outlier: Outlier) -> str:
    """Return why an image does not seem to belong to the set, as one sentence."""
    return {
        OutlierReason.BOTH: "It looks unlike the rest, and its maps disagree with theirs.",
        OutlierReason.MAPS: "Its maps disagree with those of the rest.",
        OutlierReason.LOOKS: "It looks unlike the rest.",
    }[outlier.reason]
