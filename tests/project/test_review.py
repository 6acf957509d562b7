import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.edits import (
    AddAnnotation,
    RemoveAnnotations,
    RemoveImages,
    SetStatus,
    apply,
)
from fmstudio.project.model import (
    Annotation,
    Category,
    ImageItem,
    ImageState,
    Project,
    Propagated,
    Status,
)
from fmstudio.project.review import (
    QueueChange,
    QueueItem,
    ReviewQueue,
    count_waiting,
    progress_of,
    review_queue,
)

SIZE = ImageSize(64, 48)
POINTS = Keypoints.drawn(np.ones((1, 2)), [2])
WAITING, DONE, WRONG = Status.PROPOSED, Status.ACCEPTED, Status.REJECTED


def annotation(image, status, confidence, id_=0):
    return Annotation(
        id_, image, 1, POINTS, None, status, Propagated((1,), "k"), confidence=confidence
    )


def project_of(*annotations):
    images = [ImageItem(i, f"{i}.jpg", SIZE, "") for i in range(1, 5)]
    made = [annotation(*parts, n) for n, parts in enumerate(annotations, 1)]
    return Project.build("p", images, [Category(1, "cat", keypoints=("nose",))], made)


def test_the_queue_begins_with_the_most_doubtful():
    project = project_of((1, WAITING, 0.9), (2, WAITING, 0.2), (3, DONE, 0.1), (4, WAITING, None))
    assert [item.image_id for item in review_queue(project)] == [4, 2, 1]
    assert review_queue(project)[1] == QueueItem(0.2, 2, 2)
    assert list(review_queue(project)[1:]) == list(review_queue(project))[1:]


def test_after_the_last_comes_the_first_and_after_a_stranger_too():
    queue = review_queue(project_of((1, WAITING, 0.1), (2, WAITING, 0.2)))
    first, second = queue
    assert queue.after(None) == first
    assert queue.after(first.annotation_id) == second
    assert queue.after(second.annotation_id) == first
    assert queue.after(99) == first
    assert ReviewQueue().after(None) is None


def test_of_several_proposals_on_an_image_the_most_doubtful_is_found():
    queue = review_queue(project_of((1, WAITING, 0.9), (2, WAITING, 0.5), (1, WAITING, 0.4)))
    assert queue.on_image(1).annotation_id == 3
    assert queue.on_image(3) is None
    assert queue.on_image(None) is None
    assert queue.row_of(None) is None


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
    assert count_waiting(project) == 2


def test_what_accepting_the_sure_ones_would_cost_is_known_before():
    queue = review_queue(
        project_of((1, WAITING, 0.9), (2, WAITING, 0.8), (3, WAITING, 0.3), (4, DONE, 1.0))
    )
    assert queue.above(0.8) == (2, pytest.approx(0.3))
    assert queue.above(1.0) == (0, 0)
    assert queue.above(0.0) == (3, pytest.approx(queue.expected_corrections))


confidences = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))
statuses = st.sampled_from([WAITING, WAITING, DONE, WRONG])
projects = st.lists(st.tuples(st.integers(1, 4), statuses, confidences), max_size=12).map(
    lambda parts: project_of(*parts)
)


def edits_of(project):
    """Return the edits that a person could make now."""
    images = st.sampled_from([*project.images])
    fresh = st.builds(annotation, images, st.sampled_from([WAITING, DONE]), confidences)
    added = st.builds(AddAnnotation, fresh)
    choices = [added]
    if len(project.images) > 1:
        choices.append(images.map(lambda id_: RemoveImages((id_,))))
    if project.annotations:
        ids = st.lists(st.sampled_from([*project.annotations]), min_size=1, unique=True).map(tuple)
        choices += [ids.map(RemoveAnnotations), st.builds(SetStatus, ids, statuses)]
    return st.one_of(choices)


def followed(queue, change):
    """Return the queue after a change, one step at a time as a list shows it."""
    for id_ in change.gone:
        queue = queue.without(queue.row_of(id_))
    for item in change.come:
        row = queue.place_of(item)
        queue = queue.with_item(item)
        assert queue[row] == item
    return queue


@given(projects, st.data())
def test_following_edits_gives_the_queue_that_sorting_anew_would(project, data):
    queue = review_queue(project)
    for _ in range(3):
        after = apply(project, data.draw(edits_of(project)))
        diff = ProjectDiff.between(project, after)
        queue = followed(queue, QueueChange.of(queue, after, diff))
        assert queue == review_queue(after)
        undone = QueueChange.of(queue, project, ProjectDiff.between(after, project))
        assert followed(queue, undone) == review_queue(project)
        project = after


@given(projects)
def test_the_queue_is_sorted_and_complete(project):
    queue = review_queue(project)
    assert list(queue) == sorted(queue)
    waiting = [a for a in project.annotations.values() if a.status is WAITING]
    assert {item.annotation_id for item in queue} == {a.id for a in waiting}
    assert len(queue) == len(waiting) == progress_of(project).waiting
    for row, item in enumerate(queue):
        assert queue.row_of(item.annotation_id) == queue.place_of(item) == row


@given(projects, st.floats(0, 1))
def test_counting_above_a_limit_agrees_with_looking_at_each(project, limit):
    sure = [item.confidence for item in review_queue(project) if item.confidence >= limit]
    assert review_queue(project).above(limit) == (
        len(sure),
        pytest.approx(sum(1 - confidence for confidence in sure)),
    )
