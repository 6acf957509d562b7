import numpy as np
import pytest
import torch

from fmstudio.engine.carry import CarriedMark, vote
from fmstudio.engine.consensus import PointScores
from fmstudio.engine.object_map import SoftMask
from fmstudio.engine.requests import Mark
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints

GRID = PatchGrid(ImageSize(320, 240), 15, 20)


def word(mark_id, xy, confidence, *, category=1, visibility=None, soft=None):
    xy = np.array(xy, dtype=float)
    m = len(xy)
    points = Keypoints.drawn(np.ones((m, 2)), visibility or [2] * m) if m else None
    mask = Mask.from_array(np.ones((240, 320), dtype=bool)) if soft is not None else None
    confidence = np.array(confidence, dtype=float)
    mark = Mark(mark_id, category, points, mask)
    soft = None if soft is None else SoftMask((0, 0, 320, 240), soft)
    scores = PointScores((0, 0, 320, 240), GRID, torch.from_numpy(bump(xy))) if m else None
    reasons = {"cycle": np.zeros(m), "margin": np.full(m, 0.1)}
    return CarriedMark(mark, xy, confidence, reasons, soft, scores)


def bump(xy, height=0.4, width=24.0):
    """A score that falls off around each point."""
    gap = np.linalg.norm(GRID.centers()[None] - xy[:, None], axis=2)
    return height * np.exp(-((gap / width) ** 2) / 2)


def test_one_reference_is_taken_at_its_word():
    (mark,) = vote([[word(7, [[10, 20], [200, 90]], [0.9, 0.4])]], GRID)
    assert np.allclose(mark.keypoints.xy, [[10, 20], [200, 90]])
    assert np.allclose(mark.keypoints.score, [0.9, 0.4])
    assert mark.quality == pytest.approx(0.65)
    assert mark.sources == (7,)


def test_an_outlier_among_references_is_outvoted():
    words = [[word(i, [[50 + i, 60], [150, 60]], [0.8, 0.8])] for i in range(4)]
    words.append([word(9, [[300, 200], [150, 60]], [0.8, 0.8])])
    (mark,) = vote(words, GRID)
    assert np.abs(mark.keypoints.xy[0] - [52, 60]).max() <= 16 / 4  # of a patch
    assert mark.keypoints.score[0] < mark.keypoints.score[1]
    assert mark.reasons["spread"][0] > mark.reasons["spread"][1]


def test_two_equal_references_meet_half_way():
    (mark,) = vote([[word(1, [[10, 10]], [0.5])], [word(2, [[20, 30]], [0.5])]], GRID)
    assert np.abs(mark.keypoints.xy - [[15, 20]]).max() <= 16 / 4  # of a patch


def test_a_point_missing_in_one_reference_comes_from_the_others():
    words = [
        [word(1, [[0, 0], [60, 60]], [0.9, 0.9], visibility=[0, 2])],
        [word(2, [[40, 40], [60, 60]], [0.9, 0.9], visibility=[1, 2])],
    ]
    (mark,) = vote(words, GRID)
    assert np.allclose(mark.keypoints.xy[0], [40, 40])
    assert mark.keypoints.visibility.tolist() == [1, 2]


def test_points_never_leave_the_image():
    (mark,) = vote([[word(1, [[-5, 400]], [0.5])]], GRID)
    assert mark.keypoints.xy.tolist() == [[0, 240]]


def test_several_objects_of_a_category_come_from_the_surest_reference():
    two = [word(1, [[10, 10]], [0.9]), word(2, [[90, 90]], [0.8])]
    marks = vote([two, [word(3, [[50, 50]], [0.3])]], GRID)
    assert [mark.sources for mark in marks] == [(1,), (2,)]


def test_categories_are_kept_apart():
    marks = vote([[word(1, [[10, 10]], [0.9], category=2), word(2, [[20, 20]], [0.9])]], GRID)
    assert [(mark.category, mark.sources) for mark in marks] == [(1, (2,)), (2, (1,))]


def test_masks_are_averaged_by_quality():
    left, right = np.zeros((2, 15, 20), dtype=np.float32)
    left[:, :10], right[:, 10:] = 1, 0.6
    (mark,) = vote([[word(1, [], [], soft=left)], [word(2, [], [], soft=right)]], GRID)
    array = mark.mask.to_array()
    assert array[:, :150].all()
    assert not array[:, 170:].any()
    assert mark.keypoints is None
    assert 0.5 < mark.quality <= 1


def test_a_mask_that_finds_nothing_is_no_mask():
    (mark,) = vote([[word(1, [], [], soft=np.zeros((15, 20), dtype=np.float32))]], GRID)
    assert mark.mask is None
    assert mark.quality == 0
