"""What the window asks of a session after a correction."""

from dataclasses import replace

import pytest

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import MatchSettings, Phase, Progress
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import AlternativeMark, Pose, Vote
from fmstudio.project.edits import ChangeAnnotation, SetStatus, SettlePoints, apply
from fmstudio.project.model import Annotation, Category, ImageItem, Project, Propagated, Status
from fmstudio.session_settle import heard, settle_request, settled

PROPOSED = Keypoints([[10, 5], [20, 5]], [2, 2], [0.4, 0.5])
PLACED = Keypoints([[12, 8], [20, 5]], [2, 2], [1.0, 0.5])


class FakeLive:
    settings = MatchSettings()

    def words(self):
        return None


@pytest.fixture
def project():
    images = [ImageItem(i, f"{i}.png", ImageSize(100, 50), f"{i:064x}") for i in range(1, 4)]
    votes = tuple(Vote(i, PROPOSED.xy, [0.5, 0.5], [0.5, 0.5], float(i - 1)) for i in (1, 2))
    other = AlternativeMark(PLACED, None, 0.3, 0.3, 0.31, Pose.PLAIN, Pose.MIRRORED, votes)
    guess = Annotation(
        3, 3, 1, PROPOSED, None, Status.PROPOSED, Propagated((1, 2), "k"), 0.4,
        votes=votes, alternative=other,
    )  # fmt: skip
    drawn = [Annotation(i, i, 1, Keypoints.drawn(PROPOSED.xy, [2, 2]), None) for i in (1, 2)]
    return Project.build("p", images, [Category(1, "c", keypoints=("a", "b"))], [*drawn, guess])


@pytest.fixture
def corrected(project):
    return apply(project, ChangeAnnotation(3, PLACED, None))


def test_references_that_count_are_asked(project, corrected):
    request = settle_request(corrected, corrected.annotations[3], project.annotations[3])
    assert request.target.id == 3
    # The first was left out by its say of 0.
    assert [(ref.id, mark.id, say) for ref, mark, say in request.words] == [(2, 2, 1.0)]


def test_where_a_correction_says_nothing_there_is_no_request(project, corrected):
    proposed, now = project.annotations[3], corrected.annotations[3]
    assert settle_request(project, proposed, proposed) is None
    all_placed = replace(now, keypoints=Keypoints(PLACED.xy, [2, 2], [1.0, 1.0]))
    assert settle_request(corrected, all_placed, proposed) is None
    hidden = replace(now, keypoints=Keypoints(PLACED.xy, [2, 0], [1.0, 0.5]))
    assert settle_request(corrected, hidden, proposed) is None
    bare = replace(now, keypoints=None)
    assert settle_request(corrected, bare, proposed) is None
    gone = apply(corrected, SetStatus((2,), Status.REJECTED))
    assert settle_request(gone, now, proposed) is None


def test_the_edit_holds_what_moves(project, corrected, monkeypatch):
    moved = Keypoints([[12, 8], [25, 9]], [2, 2], [1.0, 0.5])
    asked, answer = [], [moved]

    def fake(_words, _target, _weighed, correction, _token):
        asked.append(correction)
        yield Progress(Phase.MATCH, 0, 1)
        yield answer[0]

    monkeypatch.setattr("fmstudio.engine.reweigh.settle_live", fake)
    request = settle_request(corrected, corrected.annotations[3], project.annotations[3])
    *_, edit = settled(FakeLive(), request, CancelToken())
    assert edit == SettlePoints(3, PLACED, moved)
    assert asked[0].proposed == PROPOSED
    assert asked[0].pose is Pose.MIRRORED
    answer[0] = PLACED
    assert all(isinstance(i, Progress) for i in settled(FakeLive(), request, CancelToken()))


def test_references_are_matched_ahead(project, monkeypatch):
    asked = []

    def fake(_words, target, weighed, _token):
        asked.append((target.id, [each.mark.id for each in weighed]))
        yield Progress(Phase.MATCH, 0, 1)
        return []

    monkeypatch.setattr("fmstudio.engine.reweigh.hear", fake)
    assert len(list(heard(FakeLive(), project, project.annotations[3], CancelToken()))) == 1
    assert asked == [(3, [1, 2])]
