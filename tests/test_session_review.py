import pytest

from fmstudio.errors import ProjectError
from fmstudio.project.edits import SetStatus
from fmstudio.project.model import Review, Status
from fmstudio.session import Session
from fmstudio.session_review import draw_audit, summarise_review
from tests.project.test_outcome import project_of, proposal


@pytest.fixture
def session(tmp_path):
    project = project_of(*(proposal(i, image_id=1 + i % 2) for i in range(1, 11)))
    from fmstudio.io.store import Store

    Store.create(tmp_path / "p.fmstudio", project).close()
    with Session.open(tmp_path / "p.fmstudio") as opened:
        yield opened


def test_accepting_above_is_unseen_and_can_be_audited(session):
    assert len(session.accept_above(0.5)) == 10
    assert {a.review for a in session.project.annotations.values()} == {Review.UNSEEN}
    before = summarise_review(session.project)
    assert (before.waiting.points, before.unseen.points, before.unseen_annotations) == (0, 30, 10)
    assert before.corrections_per_image is None
    drawn = draw_audit(session, 4, seed=1)
    assert len(set(drawn)) == 4
    assert session.history.undo_label == "Draw 4 annotations to audit"
    during = summarise_review(session.project)
    assert (during.waiting_annotations, during.audit_waiting) == (4, 4)
    session.perform(SetStatus(drawn[:1], Status.REJECTED))
    session.perform(SetStatus(drawn[1:], Status.ACCEPTED))
    after = summarise_review(session.project)
    assert (after.audit.points, after.audit.wrong, after.audit.annotations) == (12, 3, 4)
    assert after.audit.low < 0.25 < after.audit.high
    assert after.audit_waiting == 0
    assert (after.unseen.points, after.seen, after.seen_wrong) == (18, 12, 3)


def test_a_sample_is_the_same_for_the_same_seed_and_at_most_all(session):
    session.accept_above(0.5)
    first = draw_audit(session, 3, seed=7)
    session.undo()
    assert draw_audit(session, 3, seed=7) == first
    session.undo()
    assert len(draw_audit(session, 99)) == 10


@pytest.mark.parametrize(("count", "words"), [(0, "at least 1"), (3, "nothing to audit")])
def test_a_sample_of_nothing_is_refused(session, count, words):
    with pytest.raises(ProjectError, match=words):
        draw_audit(session, count)


def test_what_was_reviewed_is_still_known_when_the_project_is_opened_again(session):
    session.perform(SetStatus((1, 2), Status.REJECTED))
    known = summarise_review(session.project)
    path = session.path
    session.close()
    with Session.open(path) as again:
        assert summarise_review(again.project) == known


def test_the_command_says_what_is_left(session, command):
    session.accept_above(0.99)
    session.perform(SetStatus((1,), Status.REJECTED))
    session.perform(SetStatus((2, 3), Status.ACCEPTED, Review.UNSEEN))
    path = session.path
    session.close()
    plain = command("review", path)
    assert plain.code == 0
    assert "7 annotations, 21 points; about" in plain.out
    found = command("review", path, "--audit", 2, "--seed", 3, "--json").json()
    assert len(found["drawn"]) == 2
    low, high = found["waiting"]["error_rate_interval"]
    assert low < found["waiting"]["error_rate"] < high
    assert found["reviewed_wrong"] == found["reviewed_points"] == 3
    assert found["audit"]["waiting"] == 2
    assert found["audit"]["error_rate"] is None
    done = command("review", path, "--audit", 5)
    assert done.code == 1
    assert "nothing to audit" in done.err.replace("\n", " ")
