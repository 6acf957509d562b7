"""Competing maps: what the runner-up says is carried too, and fused like the rest."""

from dataclasses import replace

import numpy as np
import pytest

from fmstudio.engine.carry import CarriedMark, Rival, vote
from fmstudio.engine.consensus import PointScores
from fmstudio.engine.focus import map_object
from fmstudio.engine.object_map import Alternative
from fmstudio.engine.requests import Mark
from fmstudio.engine.rivals import carry_both
from fmstudio.engine.views import View
from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import Pose
from tests.engine.conftest import SETTINGS
from tests.engine.test_carry import GRID, word

PLAIN = replace(SETTINGS, fine_side=0, mirror=False)
MARK = Mark(1, 1, Keypoints.drawn([[120.0, 80.0], [60.0, 50.0]], [2, 2]))


def go_on():
    """Let the work go on."""


def rivalled(mark_id, at, other, support=0.28, taken=0.3):
    (said,) = (word(mark_id, at, [0.8, 0.8]),)
    rival = Rival(word(mark_id, other, [0.6, 0.6]), support, taken, Pose.MIRRORED, Pose.PLAIN)
    return replace(said, rival=rival)


def test_the_other_maps_of_all_references_are_fused():
    here, there = [[50, 60], [150, 60]], [[150, 60], [50, 60]]
    (mark,) = vote([[rivalled(1, here, there)], [rivalled(2, here, there)]], GRID)
    other = mark.alternative
    assert np.abs(mark.keypoints.xy - here).max() < 4
    assert np.abs(other.keypoints.xy - there).max() < 4
    assert (other.support, other.taken_support) == (pytest.approx(0.28), pytest.approx(0.3))
    assert (other.pose, other.taken_pose) == (Pose.MIRRORED, Pose.PLAIN)
    assert {v.source for v in other.votes} == {1, 2}


def test_without_a_second_map_for_every_reference_there_is_no_alternative():
    here, there = [[50, 60], [150, 60]], [[150, 60], [50, 60]]
    (mark,) = vote([[rivalled(1, here, there)], [word(2, here, [0.8, 0.8])]], GRID)
    assert mark.alternative is None
    (mark,) = vote([[rivalled(1, here, there, support=0.1)]], GRID)
    assert mark.alternative is None


def test_each_reference_keeps_its_own_word():
    words = [[word(i, [[50 + 10 * i, 60]], [0.2 + 0.2 * i])] for i in range(3)]
    (mark,) = vote(words, GRID)
    assert [v.source for v in mark.votes] == [2, 1, 0]
    assert np.allclose(sum(v.weight for v in mark.votes), 1.0)
    assert np.allclose(mark.votes[0].xy, [[70, 60]])
    assert np.allclose(mark.votes[0].confidence, [0.6])


def test_a_reference_that_is_left_out_still_has_its_say_on_record():
    words = [
        [word(1, [[50, 60]], [0.8])],
        [replace(word(2, [[200, 200]], [0.9]), say=0.0)],
    ]
    (mark,) = vote(words, GRID)
    assert np.abs(mark.keypoints.xy - [[50, 60]]).max() < 1e-6
    assert mark.sources == (1,)
    left_out = next(v for v in mark.votes if v.source == 2)
    assert left_out.say == 0
    assert left_out.weight[0] == 0


def test_what_counts_double_outvotes_its_equal():
    def at(say):
        words = [
            [word(1, [[60, 60]], [0.8])],
            [replace(word(2, [[200, 180]], [0.8]), say=say)],
        ]
        return vote(words, GRID)[0].keypoints.xy[0]

    assert np.abs(at(2.0) - [200, 180]).max() < 8
    assert np.abs(at(0.5) - [60, 60]).max() < 8


def test_a_map_that_competes_is_carried_and_one_that_does_not_is_not(make_matcher, scene):
    matcher = make_matcher(PLAIN)
    s, t = (
        View(matcher.analyse(rgb, key), key, lambda rgb=rgb: rgb)
        for key, rgb in (("s", scene), ("t", np.roll(scene, 8, axis=1)))
    )
    found = map_object(matcher, s, t, MARK)
    assert carry_both(matcher, s, t, MARK, found, check=go_on).rival is None
    mirrored = replace(found, is_mirrored=True)
    close = replace(found, alternative=Alternative(mirrored, 0.0))
    rival = carry_both(matcher, s, t, MARK, close, check=go_on).rival
    assert (rival.pose, rival.taken_pose) == (Pose.MIRRORED, Pose.PLAIN)
    assert isinstance(rival.word, CarriedMark)
    assert isinstance(rival.word.scores, PointScores)
    far = replace(found, alternative=Alternative(mirrored, 10.0))
    assert carry_both(matcher, s, t, MARK, far, check=go_on).rival is None
