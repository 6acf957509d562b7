"""References weighed anew: what was matched stays matched."""

from dataclasses import replace

import numpy as np
import pytest

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.live import LivePairs
from fmstudio.engine.requests import ImageRef, Mark, Progress, ProposedMark
from fmstudio.engine.reweigh import Correction, LiveWords, Weighed, hear, reweigh, settle_live
from fmstudio.errors import Cancelled, MatchError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from tests.engine.conftest import SETTINGS

WHOLE = replace(SETTINGS, fine_side=0, mirror=False)


def ref(number):
    return ImageRef(number, f"key-{number}", f"{number}.png", ImageSize(256, 192))


def mark(number):
    xy = np.array([[120.0, 80.0], [60.0, 50.0]]) + np.array([8 * number, 0])
    return Mark(10 + number, 1, Keypoints.drawn(xy, [2, 2]))


@pytest.fixture
def words(make_matcher, scene):
    return LiveWords(
        LivePairs(make_matcher(WHOLE), lambda image: np.roll(scene, 8 * image.id, axis=1))
    )


def asked(words, says):
    weighed = [Weighed(ref(i), mark(i), say) for i, say in enumerate(says)]
    return list(reweigh(words, ref(3), weighed, CancelToken()))


def test_a_second_question_matches_nothing(words, monkeypatch):
    *steps, both = asked(words, [1.0, 1.0])
    assert all(isinstance(step, Progress) for step in steps)
    assert isinstance(both, ProposedMark)
    monkeypatch.setattr(words.pairs, "find", None)
    *_, one = asked(words, [1.0, 0.0])
    assert one.sources == (10,)
    assert {v.source: v.say for v in one.votes} == {10: 1.0, 11: 0.0}
    assert np.abs(one.keypoints.xy - both.keypoints.xy).max() < 16


def test_somebody_has_to_count(words):
    with pytest.raises(MatchError, match="left out"):
        asked(words, [0.0, 0.0])


def test_it_can_be_stopped(words):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        list(reweigh(words, ref(3), [Weighed(ref(0), mark(0), 1.0)], token))


def test_after_a_correction_nothing_is_matched_and_what_was_placed_stays(words, monkeypatch):
    weighed = [Weighed(ref(0), mark(0), 1.0), Weighed(ref(1), mark(1), 1.0)]
    assert all(isinstance(step, Progress) for step in hear(words, ref(3), weighed, CancelToken()))
    monkeypatch.setattr(words.pairs, "find", None)
    *_, proposed = asked(words, [1.0, 1.0])
    before = proposed.keypoints
    xy, score = before.xy.copy(), before.score.copy()
    xy[1], score[1] = [70.0, 90.0], 1.0
    points = Keypoints(xy, before.visibility, score)
    correction = Correction(points, before)
    *steps, settled = settle_live(words, ref(3), weighed, correction, CancelToken())
    assert [step.done for step in steps] == [0, 1, 2]
    assert settled.xy[1].tolist() == [70.0, 90.0]
    assert np.array_equal(settled.visibility, before.visibility)
