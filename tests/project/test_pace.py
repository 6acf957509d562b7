from dataclasses import replace

import pytest

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.edits import AddAnnotation, RemoveAnnotations, SetStatus, apply
from fmstudio.project.model import Drawn, Review, Status
from fmstudio.project.pace import Pace
from tests.project.test_outcome import project_of, proposal


def step(pace, project, edit, now):
    after = apply(project, edit)
    pace.follow(project, after, ProjectDiff.between(project, after), now)
    return after


def test_decisions_are_counted_over_the_time_they_took():
    pace = Pace(0.0)
    project = project_of(*(proposal(i) for i in range(1, 5)))
    project = step(pace, project, SetStatus((1,), Status.ACCEPTED), 30)
    assert pace.per_hour is None
    project = step(pace, project, SetStatus((2,), Status.REJECTED), 60)
    drawn = replace(proposal(0), provenance=Drawn(), status=Status.ACCEPTED)
    step(pace, project, AddAnnotation(drawn), 90)
    assert pace.labels == 3
    assert pace.minutes == pytest.approx(1.5)
    assert pace.per_hour == pytest.approx(120)


def test_a_pause_counts_for_two_minutes_at_most():
    pace = Pace(0.0)
    step(pace, project_of(proposal(1)), SetStatus((1,), Status.ACCEPTED), 7200)
    assert pace.minutes == pytest.approx(2)


def test_what_nobody_looked_at_is_no_label_nor_what_was_taken_back():
    pace = Pace(0.0)
    project = project_of(*(proposal(i) for i in range(1, 5)))
    project = step(pace, project, SetStatus((1, 2), Status.ACCEPTED, Review.UNSEEN), 60)
    assert (pace.labels, pace.minutes) == (0, 0)
    project = step(pace, project, SetStatus((3, 4), Status.ACCEPTED), 60)
    assert pace.labels == 2
    project = step(pace, project, SetStatus((3,), Status.PROPOSED), 61)
    assert pace.labels == 1
    step(pace, project, RemoveAnnotations((4,)), 62)
    assert pace.labels == 0


def test_many_at_once_come_from_no_hand():
    pace = Pace(0.0)
    project = project_of(*(proposal(i) for i in range(1, 81)))
    step(pace, project, SetStatus(tuple(range(1, 81)), Status.ACCEPTED), 60)
    assert pace.labels == 0
