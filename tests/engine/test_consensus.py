import numpy as np
import pytest
import torch

from fmstudio.engine.consensus import PointScores, fuse_scores
from fmstudio.geometry.grid import ImageSize, PatchGrid


def scores(box, bumps, cells=20):
    """One point's score on a part of a target: bumps of (x, y, height), in the target's pixels."""
    size = ImageSize(box[2] - box[0], box[3] - box[1])
    grid = PatchGrid.of_long_side(size, cells)
    at = grid.centers() + np.array(box[:2])
    row = np.zeros(grid.n)
    for x, y, height in bumps:
        gap = np.linalg.norm(at - [x, y], axis=1)
        row = np.maximum(row, height * np.exp(-((gap / 20) ** 2) / 2))
    return PointScores(box, grid, torch.from_numpy(row)[None].float())


WHOLE = (0, 0, 320, 240)


def test_a_second_best_that_all_hold_outvotes_each_ones_best():
    words = [
        scores(WHOLE, [(60, 60, 0.32), (200, 120, 0.30)]),
        scores(WHOLE, [(280, 60, 0.32), (200, 120, 0.30)]),
        scores(WHOLE, [(60, 200, 0.32), (200, 120, 0.30)]),
    ]
    (xy,) = fuse_scores(words, np.ones((3, 1)))
    assert xy == pytest.approx([200, 120], abs=3)


def test_the_heavier_word_decides_between_two():
    words = [scores(WHOLE, [(60, 60, 0.3)]), scores(WHOLE, [(200, 120, 0.3)])]
    assert fuse_scores(words, np.array([[0.3], [0.7]]))[0] == pytest.approx([200, 120], abs=3)
    assert fuse_scores(words, np.array([[0.7], [0.3]]))[0] == pytest.approx([60, 60], abs=3)


def test_parts_of_different_places_and_sizes_meet_in_the_targets_pixels():
    words = [
        scores((100, 50, 300, 200), [(180, 120, 0.3)], cells=28),
        scores((40, 0, 320, 240), [(180, 120, 0.3)], cells=17),
    ]
    (xy,) = fuse_scores(words, np.ones((2, 1)))
    assert xy == pytest.approx([180, 120], abs=3)


def test_weights_are_relative():
    words = [scores(WHOLE, [(60, 60, 0.3)]), scores(WHOLE, [(90, 60, 0.3)])]
    few = fuse_scores(words, np.array([[1e-6], [2e-6]]))
    assert few == pytest.approx(fuse_scores(words, np.array([[1.0], [2.0]])))
