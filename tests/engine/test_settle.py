from dataclasses import replace

import numpy as np
import pytest
import torch

from fmstudio.engine.carry import CarriedMark, Rival, vote
from fmstudio.engine.consensus import PointScores
from fmstudio.engine.requests import Mark
from fmstudio.engine.settle import other_way, settle
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.geometry.points import VISIBLE, Keypoints, with_point
from fmstudio.geometry.votes import Pose

SIZE = ImageSize(200, 160)
GRID = PatchGrid(SIZE, 32, 40)
SHAPE = np.array([[60.0, 40.0], [140.0, 40.0], [140.0, 120.0], [60.0, 120.0], [100.0, 80.0]])
MIRRORED = SHAPE * [-1, 1] + [200, 0]


def word(xy, source=1, peak=1.0):
    """Return a reference's word: each point at a place, `peak` better than elsewhere."""
    xy = np.asarray(xy, dtype=np.float64)
    squares = ((GRID.centers()[None] - xy[:, None]) ** 2).sum(axis=2)
    rows = torch.from_numpy(peak * np.exp(-squares / (2 * 8.0**2))).float()
    mark = Mark(source, 1, Keypoints.drawn(SHAPE, [2] * 5))
    scores = PointScores((0, 0, 200, 160), GRID, rows)
    return CarriedMark(mark, xy, np.full(5, 0.6), {}, None, scores)


def doubled(xy, other, **more):
    """Return a word with a rival that says something else."""
    rival = Rival(word(other), 0.5, 0.55, Pose.MIRRORED, Pose.PLAIN)
    return replace(word(xy, **more), rival=rival)


def proposal(words):
    return vote([[each] for each in words], GRID)[0].keypoints


def with_placed(proposed, index, xy):
    return with_point(proposed, len(proposed), index, xy, VISIBLE)


def test_a_placed_point_stays_to_the_pixel_and_the_right_ones_where_they_are():
    words = [word(SHAPE)]
    proposed = proposal(words)
    placed = with_placed(proposed, 4, [101.25, 83.5])
    settled = settle(words, placed, proposed)
    assert settled.xy[4].tolist() == [101.25, 83.5]
    assert np.array_equal(settled.xy[:4], proposed.xy[:4])
    assert np.array_equal(settled.score, placed.score)


def test_the_map_that_said_where_a_placed_point_is_is_believed():
    words = [doubled(SHAPE, MIRRORED)]
    proposed = proposal(words)
    assert np.abs(proposed.xy - SHAPE).max() < 3
    settled = settle(words, with_placed(proposed, 0, MIRRORED[0]), proposed)
    assert np.abs(settled.xy - MIRRORED).max() < 6


def test_a_point_astray_comes_back_when_its_surroundings_are_placed():
    # The last point's best place is far off, and where it belongs is nearly as good.
    astray = SHAPE.copy()
    astray[4] = [25.0, 130.0]
    mixed = word(SHAPE, peak=0.95)
    mixed.scores.rows[4] = torch.maximum(mixed.scores.rows[4], word(astray).scores.rows[4])
    words = [replace(mixed, xy=astray)]
    proposed = proposal(words)
    placed = proposed
    for index in range(4):
        placed = with_placed(placed, index, SHAPE[index])
    settled = settle(words, placed, proposed)
    assert np.linalg.norm(settled.xy[4] - SHAPE[4]) < 8


def test_what_was_moved_goes_back_when_the_next_placed_point_says_so():
    words = [doubled(SHAPE, MIRRORED)]
    proposed = proposal(words)
    moved = settle(words, with_placed(proposed, 0, MIRRORED[0]), proposed)
    again = with_placed(with_placed(moved, 0, SHAPE[0]), 2, SHAPE[2])
    assert np.abs(settle(words, again, proposed).xy - SHAPE).max() < 6


def test_a_point_that_was_taken_away_stays_away():
    words = [doubled(SHAPE, MIRRORED)]
    proposed = proposal(words)
    placed = with_placed(proposed, 0, MIRRORED[0])
    fewer = Keypoints(placed.xy, [2, 2, 2, 0, 2], placed.score)
    assert settle(words, fewer, proposed).visibility.tolist() == [2, 2, 2, 0, 2]


def test_a_reference_that_is_left_out_says_nothing():
    words = [word(SHAPE), replace(doubled(SHAPE, MIRRORED, source=2), say=0.0)]
    proposed = proposal(words)
    placed = with_placed(proposed, 0, MIRRORED[0])
    alone = settle(words[:1], placed, proposed)
    assert np.array_equal(settle(words, placed, proposed).xy, alone.xy)


def test_nothing_moves_without_a_placed_point_or_beside_them():
    words = [word(SHAPE)]
    proposed = proposal(words)
    assert settle(words, proposed, proposed) is proposed
    drawn = Keypoints.drawn(SHAPE, [2] * 5)
    assert settle(words, drawn, proposed) is drawn


def test_other_keypoints_are_refused():
    words = [word(SHAPE)]
    proposed = proposal(words)
    two = Keypoints.drawn(SHAPE[:2], [2, 2])
    with pytest.raises(ValueError, match="same keypoints"):
        settle(words, two, two)
    with pytest.raises(ValueError, match="same keypoints"):
        settle(words, proposed, two)


def test_the_other_way_and_back_is_the_same_word():
    one = doubled(SHAPE, MIRRORED)
    other = other_way(one)
    assert np.array_equal(other.xy, MIRRORED)
    assert other.rival.pose is Pose.PLAIN
    assert (other.rival.support, other.rival.taken_support) == (0.55, 0.5)
    back = other_way(other)
    assert np.array_equal(back.xy, one.xy)
    assert back.rival.pose is Pose.MIRRORED
    assert other_way(word(SHAPE)).rival is None
