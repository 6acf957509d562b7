from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from fmstudio.engine.requests import Proposal
from fmstudio.errors import ProjectError
from fmstudio.project.edits import ChangeAnnotation, RemoveAnnotations, SetStatus
from fmstudio.project.model import Corrected, Propagated, Status
from fmstudio.session import Session
from fmstudio.session_improve import (
    NEAREST,
    Improvement,
    improve_request,
    improvement,
    land_improvement,
)
from tests.test_session import folder, job, points, propagate, session

__all__ = ["folder", "session"]


@pytest.fixture
def waiting(session: Session) -> Iterator[Session]:
    """Proposals on the second to the fourth image; that on the second is accepted."""
    propagate(session)
    session.land()
    session.perform(SetStatus(session.project.of_image[2], Status.ACCEPTED))
    return session


def proposals(session: Session, x: float, quality: float = 0.8) -> list[Proposal]:
    events = job(improve_request(session), x, quality)
    return [event for event in events if isinstance(event, Proposal)]


def test_what_is_accepted_is_carried_to_what_waits(waiting: Session) -> None:
    request = improve_request(waiting)
    assert [r.image.id for r in request.references] == [1, 2]
    assert [t.id for t in request.targets] == [3, 4]
    assert request.nearest == NEAREST
    assert improve_request(waiting, nearest=0).nearest == 0


def test_a_guess_never_becomes_a_reference(waiting: Session) -> None:
    marks = [m.id for r in improve_request(waiting).references for m in r.marks]
    accepted = {i for i, a in waiting.project.annotations.items() if a.status is Status.ACCEPTED}
    assert set(marks) == accepted


def test_a_preview_counts_and_changes_nothing(waiting: Session) -> None:
    before = waiting.project
    found = improvement(before, proposals(waiting, 9.5))
    assert found == Improvement(2, 4, 4, pytest.approx(0.6), pytest.approx(0.8))
    near = improvement(before, proposals(waiting, 7.6))
    assert (near.points, near.moved) == (4, 0)
    assert improvement(before, []) == Improvement(0, 0, 0, 0.0, 0.0)
    assert waiting.project is before
    assert waiting.inbox == ()


def test_landing_is_one_step_and_reviewed_work_never_moves(waiting: Session) -> None:
    before = waiting.project
    fresh = proposals(waiting, 9.5)
    report = land_improvement(waiting, improve_request(waiting), fresh)
    assert len(report.landed) == 2
    for id_ in (1, 2):
        assert waiting.project.annotations_of(id_) == before.annotations_of(id_)
    (third,) = waiting.project.annotations_of(3)
    assert third.status is Status.PROPOSED
    assert third.keypoints is not None
    assert third.keypoints.xy[0, 0] == 9.5
    assert waiting.history.undo_label == "Improve 2 images"
    waiting.undo()
    assert waiting.project is before


def test_what_is_reviewed_meanwhile_stays(waiting: Session) -> None:
    request, fresh = improve_request(waiting), proposals(waiting, 9.5)
    (id_,) = waiting.project.of_image[3]
    waiting.perform(ChangeAnnotation(id_, points(2.5), None))
    report = land_improvement(waiting, request, fresh)
    assert [waiting.project.annotations[i].image_id for i in report.landed] == [4]
    assert waiting.project.annotations_of(3)[0].id == id_


def test_what_a_person_corrected_and_put_back_is_not_replaced(waiting: Session) -> None:
    (id_,) = waiting.project.of_image[3]
    waiting.perform(ChangeAnnotation(id_, points(2.5), None))
    waiting.perform(SetStatus((id_,), Status.PROPOSED))
    assert [t.id for t in improve_request(waiting).targets] == [4]
    propagate(waiting, x=9.5)
    waiting.land()
    (kept,) = waiting.project.annotations_of(3)
    assert kept.provenance == Corrected(Propagated((1,), "key"))


def test_without_anything_accepted_or_waiting_it_says_so(session: Session) -> None:
    with pytest.raises(ProjectError, match="Nothing waits for review"):
        improve_request(session)
    session.perform(RemoveAnnotations((1,)))
    with pytest.raises(ProjectError, match="Nothing is accepted yet"):
        improve_request(session)


def test_points_of_several_objects_are_not_compared(waiting: Session) -> None:
    (first, *_) = proposals(waiting, 9.5)
    twice = replace(first, marks=first.marks * 2)
    assert improvement(waiting.project, [twice]) == Improvement(1, 0, 0, 0.0, 0.0)


def test_a_point_that_only_one_side_labels_does_not_move(waiting: Session) -> None:
    (first, *_) = proposals(waiting, 9.5)
    (mark,) = first.marks
    assert mark.keypoints is not None
    half = replace(mark.keypoints, visibility=np.array([2, 0]))
    one = replace(first, marks=(replace(mark, keypoints=half),))
    found = improvement(waiting.project, [one])
    assert (found.points, found.moved) == (1, 1)
