import numpy as np
import pytest

from fmstudio.spectral.displacement import fit_displacement
from fmstudio.spectral.landmarks import Landmarks, taken_rows
from tests.spectral.test_displacement import GRID, affine, inner, score_of

PLACES = np.array([[120.0, 100.0], [350.0, 110.0], [230.0, 270.0]])


def beside(xy):
    return affine(xy) + np.array([90, 0])


def test_landmarks_are_pairs_of_finite_places():
    with pytest.raises(ValueError, match="2 source places cannot have 1"):
        Landmarks(np.zeros((2, 2)), np.zeros((1, 2)))
    with pytest.raises(ValueError, match="finite"):
        Landmarks(np.array([[np.nan, 0.0]]), np.zeros((1, 2)))
    assert len(Landmarks(np.zeros((0, 2)), np.zeros((0, 2)))) == 0
    assert not Landmarks(PLACES, PLACES).xy_s.flags.writeable


def test_a_fit_goes_through_landmarks_and_the_rest_comes_nearer():
    # Two objects that look alike, and the score prefers the one that is not meant.
    score = score_of(beside) + 0.9 * score_of(affine)
    free = fit_displacement(score, GRID, GRID, inner())
    known = Landmarks(PLACES, affine(PLACES))
    held = fit_displacement(score, GRID, GRID, inner(), landmarks=known)
    at = GRID.centers()[inner() > 0]
    astray, right = (np.linalg.norm(fit(at) - affine(at), axis=1).mean() for fit in (free, held))
    assert np.linalg.norm(held(PLACES) - affine(PLACES), axis=1).max() < 6
    assert right < 0.8 * astray


def test_no_landmarks_are_no_constraint():
    score, none = score_of(affine), Landmarks(np.zeros((0, 2)), np.zeros((0, 2)))
    fits = [fit_displacement(score, GRID, GRID, inner(), landmarks=lm) for lm in (None, none)]
    assert np.array_equal(fits[0].theta, fits[1].theta)


def test_a_place_that_is_taken_is_taken_for_others_only():
    known = Landmarks(PLACES[:1], PLACES[1:2])
    loss = taken_rows(known, PLACES, PLACES, 300.0, 300.0).numpy()
    assert loss.shape == (3, 3)
    assert loss.max() <= 0
    # The landmark's own row loses nothing; others lose at its place, and only there.
    assert np.abs(loss[0]).max() == 0
    assert loss[1:, 1] == pytest.approx(-0.1, abs=1e-6)
    assert np.abs(loss[1:, [0, 2]]).max() < 1e-6
    none = Landmarks(np.zeros((0, 2)), np.zeros((0, 2)))
    assert not taken_rows(none, PLACES, PLACES, 300.0, 300.0).numpy().any()
