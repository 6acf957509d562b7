import numpy as np
import pytest

from fmstudio.evaluation.dense import judge_dense
from fmstudio.geometry.grid import ImageSize, PatchGrid

GRID = PatchGrid(ImageSize(160, 120), 6, 8)
ALL = np.ones(48, dtype=bool)


def test_the_truth_itself_is_perfect_and_a_shift_is_as_far_as_it_is():
    true = GRID.centers() * 1.1
    perfect = judge_dense(true, true, ALL, GRID, GRID)
    assert (perfect.epe, perfect.pck05, perfect.pck1) == (0, 1, 1)
    assert perfect.smoothness == perfect.smoothness_true == pytest.approx(0.1)
    moved = judge_dense(true + np.array([12.0, 0.0]), true, ALL, GRID, GRID)
    assert moved.epe == pytest.approx(12 / 160)
    assert (moved.pck05, moved.pck1) == (0, 1)
    assert moved.smoothness == pytest.approx(moved.smoothness_true)


def test_only_valid_patches_count():
    true = GRID.centers()
    found = true.copy()
    found[:8] += 100
    assert judge_dense(found, true, np.arange(48) >= 8, GRID, GRID).epe == 0
    nothing = judge_dense(found, true, ~ALL, GRID, GRID)
    assert nothing.epe is nothing.pck1 is nothing.smoothness is None
