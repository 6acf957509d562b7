import numpy as np
import pytest

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from fmstudio.project.model import Annotation, Category, ImageItem, ImageState, Project, Status
from fmstudio.project.review import (
    confident_above,
    next_in_queue,
    progress_of,
    review_queue,
)

SIZE = ImageSize(64, 48)


def project_of(*annotations):
    images = [ImageItem(i, f"{i}.jpg", SIZE, "") for i in range(1, 5)]
    points = Keypoints.drawn(np.ones((1, 2)), [2])
    made = [
        Annotation(n, image, 1, points, None, status, confidence=confidence)
        for n, (image, status, confidence) in enumerate(annotations, 1)
    ]
    return Project.build("p", images, [Category(1, "cat", keypoints=("nose",))], made)


WAITING, DONE, WRONG = Status.PROPOSED, Status.ACCEPTED, Status.REJECTED


def test_the_queue_begins_with_the_most_doubtful():
    project = project_of((1, WAITING, 0.9), (2, WAITING, 0.2), (3, DONE, 0.1), (4, WAITING, None))
    assert [item.image_id for item in review_queue(project)] == [4, 2, 1]


def test_after_the_last_comes_the_first_and_after_a_stranger_too():
    queue = review_queue(project_of((1, WAITING, 0.1), (2, WAITING, 0.2)))
    first, second = queue
    assert next_in_queue(queue, None) == first
    assert next_in_queue(queue, first.annotation_id) == second
    assert next_in_queue(queue, second.annotation_id) == first
    assert next_in_queue(queue, 99) == first
    assert next_in_queue((), None) is None


def test_progress_counts_images_and_expected_corrections():
    project = project_of((1, WAITING, 0.9), (1, DONE, None), (2, WAITING, 0.4), (3, WRONG, 0.1))
    progress = progress_of(project)
    assert progress.images == {
        ImageState.NONE: 1,
        ImageState.PROPOSED: 1,
        ImageState.PARTLY_REVIEWED: 1,
        ImageState.ACCEPTED: 0,
        ImageState.REJECTED: 1,
    }
    assert (progress.reviewed, progress.waiting) == (2, 2)
    assert progress.expected_corrections == pytest.approx(0.7)


def test_what_accepting_the_sure_ones_would_cost_is_known_before():
    project = project_of((1, WAITING, 0.9), (2, WAITING, 0.8), (3, WAITING, 0.3), (4, DONE, 1.0))
    assert confident_above(project, 0.8) == (2, pytest.approx(0.3))
    assert confident_above(project, 1.0) == (0, 0)
