from dataclasses import replace

import numpy as np
import pytest

from fmstudio.engine.carry import carry
from fmstudio.engine.focus import map_object
from fmstudio.engine.landmarks import carry_held, correct, held
from fmstudio.engine.requests import Mark
from fmstudio.engine.views import View
from fmstudio.geometry.points import Keypoints
from fmstudio.spectral.landmarks import Landmarks
from tests.engine.conftest import SETTINGS

WHOLE = replace(SETTINGS, fine_side=0, mirror=False)
MARK = Mark(1, 1, Keypoints.drawn([[120.0, 80.0], [60.0, 50.0], [150.0, 120.0]], [2, 2, 2]))
TRUTH = MARK.keypoints.xy + np.array([8.0, 0.0])


@pytest.fixture
def views(make_matcher, scene):
    matcher = make_matcher(WHOLE)

    def view(rgb, key):
        return View(matcher.analyse(rgb, key), key, lambda: rgb)

    return matcher, view(scene, "s"), view(np.roll(scene, 8, axis=1), "t")


@pytest.fixture
def found(views):
    return map_object(*views, MARK)


def on_target(xy, score, visibility=(2, 2, 2)):
    return Keypoints(np.array(xy), np.array(visibility), np.array(score))


def test_the_map_goes_through_a_landmark(found):
    there = np.array([[90.0, 40.0]])
    anew = held(found, Landmarks(MARK.keypoints.xy[1:2], there))
    at = found.frame_s.enter(MARK.keypoints.xy[1:2])
    assert np.abs(anew.displacement(at) + anew.corner_t - there).max() < 3
    assert anew.pair is found.pair
    assert found.landmarks is None


def test_what_a_person_placed_stays_to_the_pixel(found, views):
    placed = on_target([TRUTH[0], [91.25, 33.5], [10.0, 10.0]], [0.2, 1.0, 0.0])
    points = correct([(found, MARK)], placed, views[2].analysis.grid)
    assert points.xy[1].tolist() == [91.25, 33.5]
    assert points.score[1] == 1
    assert points.placed.tolist() == [False, True, False]
    # The third was nowhere and unsure: it has come to where it belongs.
    assert np.abs(points.xy[2] - TRUTH[2]).max() < 8
    assert 0 < points.score[2] < 1


def test_a_point_that_is_surer_where_it_is_stays(found, views):
    sure = on_target([TRUTH[0], TRUTH[1], [30.0, 30.0]], [0.5, 1.0, 0.999])
    assert correct([(found, MARK)], sure, views[2].analysis.grid).xy[2].tolist() == [30.0, 30.0]


def test_a_point_that_was_taken_away_stays_away(found, views):
    two = on_target([TRUTH[0], TRUTH[1], [0.0, 0.0]], [0.5, 1.0, 0.0], (2, 2, 0))
    assert correct([(found, MARK)], two, views[2].analysis.grid).visibility.tolist() == [2, 2, 0]


def test_without_landmarks_marks_are_carried_as_ever(found):
    unsure = on_target(TRUTH, [0.5, 0.5, 0.5])
    assert np.array_equal(carry_held(found, MARK, unsure).xy, carry(found, MARK).xy)


def test_other_keypoints_are_refused(found):
    with pytest.raises(ValueError, match="same keypoints"):
        carry_held(found, MARK, Keypoints.drawn([[1.0, 1.0]], [2]))
    with pytest.raises(ValueError, match="same keypoints"):
        carry_held(found, replace(MARK, keypoints=None), on_target(TRUTH, [1, 1, 1]))


def test_no_engine_is_as_sure_as_a_person(found, views):
    anew = correct([(found, MARK)], on_target(TRUTH, [0.0, 1.0, 0.0]), views[2].analysis.grid)
    assert anew.score[[0, 2]].max() < 1
