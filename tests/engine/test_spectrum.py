"""Figures against plain numpy; a pair of an image with itself, whose map is known."""

from dataclasses import replace

import numpy as np
import pytest

from fmstudio.engine.live import LivePairs
from fmstudio.engine.questions import BandQuestion, PairQuestion
from fmstudio.engine.requests import ImageRef, Mark
from fmstudio.engine.spectrum import band_energy, diagonal_energy, points_in_band, spectrum_of
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from tests.engine.conftest import SETTINGS

SIZE = ImageSize(256, 192)
POINTS = [[120.0, 80.0], [60.0, 50.0], [150.0, 130.0], [0.0, 0.0]]


def test_energy_near_the_diagonal_is_counted():
    assert diagonal_energy(np.eye(12)) == 1
    away = np.eye(12)
    away[0, 11] = 12**0.5
    assert diagonal_energy(away) == pytest.approx(0.5)
    assert diagonal_energy(np.ones((12, 24))) < 0.5
    assert diagonal_energy(np.zeros((3, 3))) == 0


def test_bands_share_the_energy_of_the_columns():
    C = np.zeros((16, 16))
    C[:, 0] = 1
    C[0, 15] = 4
    assert band_energy(C).tolist() == [0.5, 0, 0, 0, 0, 0, 0, 0.5]
    assert band_energy(np.ones((3, 3))) == pytest.approx([1 / 3] * 3)


def matched(scene, matcher):
    """A pair of an image with itself moved, the matcher, and what was found."""
    moved = np.concatenate([scene[:, 16:], scene[:, :15:-1][:, :16]], axis=1)
    images = {1: scene, 2: np.ascontiguousarray(moved)}
    s, t = (ImageRef(i, f"key{i}", f"{i}.png", SIZE) for i in (1, 2))
    pairs = LivePairs(matcher, lambda image: images[image.id])
    question = PairQuestion(s, t, Mark(1, 1, Keypoints.drawn(POINTS, [2, 2, 1, 0])))
    return question, matcher, pairs.find(s, t, question.mark)


@pytest.fixture
def asked(scene, make_matcher):
    return matched(scene, make_matcher())


def test_a_spectrum_is_that_of_the_map_in_use(asked):
    question, matcher, found = asked
    seen = spectrum_of(question, matcher, found)
    C = found.pair.C_st.double().numpy()
    assert np.allclose(seen.C_st, C)
    assert seen.orthogonality == pytest.approx(((C.T @ C - np.eye(len(C.T))) ** 2).sum() / len(C.T))
    back = matcher.pair(found.part_t, found.part_s).C_st.double().numpy()
    assert seen.bijectivity == pytest.approx(((back @ C - np.eye(len(C.T))) ** 2).sum() / len(C.T))
    assert len(seen.evals_s) == len(seen.functions_s) == C.shape[1]
    assert len(seen.evals_t) == len(seen.functions_t) == C.shape[0]
    assert (np.diff(seen.evals_s) >= -1e-6).all()
    assert seen.bands.sum() == pytest.approx(1)
    grid = found.part_t.grid
    for index, function in enumerate(seen.functions_t):
        assert function.box == found.box_t
        flat = found.part_t.basis.evecs[:, index].numpy()
        assert np.allclose(function.values.ravel() * np.abs(flat).max(), flat, atol=1e-6)
        assert function.values.shape == (grid.rows, grid.cols)


def test_all_functions_leave_the_points_where_they_are_and_few_move_them(asked):
    question, matcher, found = asked
    whole = points_in_band(BandQuestion(question, matcher.settings.k), matcher, found)
    assert np.allclose(whole.xy, found.points(np.array(POINTS[:3])), atol=1e-3)
    assert whole.shift == pytest.approx(0, abs=1e-3)
    few = points_in_band(BandQuestion(question, 3), matcher, found)
    assert few.xy.shape == (3, 2)
    moved = np.linalg.norm(few.xy - whole.xy, axis=1)
    assert few.shift == pytest.approx(np.median(moved), abs=1e-3)
    assert few.shift > 0


def test_all_functions_are_the_pairs_own_map_whatever_is_done_to_descriptors(scene, make_matcher):
    question, matcher, found = matched(scene, make_matcher(replace(SETTINGS, pca_width=8)))
    whole = points_in_band(BandQuestion(question, SETTINGS.k), matcher, found)
    assert whole.shift == pytest.approx(0, abs=1e-3)


def test_without_keypoints_nothing_moves(asked):
    question, matcher, found = asked
    bare = PairQuestion(question.s, question.t, Mark(0, 0))
    answer = points_in_band(BandQuestion(bare, 3), matcher, found)
    assert answer.xy.shape == (0, 2)
    assert answer.shift == 0
