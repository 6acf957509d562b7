import numpy as np
import pytest

from fmstudio.evaluation.heat import gaussian_heat, heat_scores
from fmstudio.geometry.grid import ImageSize

SIZE = ImageSize(80, 60)


def test_a_gaussian_is_one_at_its_point_and_falls_off_as_it_should() -> None:
    heat = gaussian_heat(SIZE, [(30.5, 20.5)], 4.0)
    assert heat.shape == (60, 80)
    assert heat[20, 30] == 1.0
    assert heat[20, 34] == pytest.approx(np.exp(-0.5))
    assert heat[23, 26] == pytest.approx(np.exp(-25 / 32))


def test_of_several_points_the_nearest_counts() -> None:
    points = [(10.5, 10.5), (50.5, 40.5)]
    both = gaussian_heat(SIZE, points, 6.0)
    single = [gaussian_heat(SIZE, [point], 6.0) for point in points]
    assert np.array_equal(both, np.maximum(*single))


@pytest.mark.parametrize(("xy", "sigma"), [([], 1.0), ([(1, 2)], 0.0), ([(1, 2, 3)], 1.0)])
def test_no_heat_without_a_point_and_a_width(xy: list[tuple[float, ...]], sigma: float) -> None:
    with pytest.raises(ValueError, match="a heat map needs points"):
        gaussian_heat(SIZE, xy, sigma)


def test_scores_of_known_maps() -> None:
    truth = gaussian_heat(SIZE, [(30.5, 20.5)], 8.0)
    assert heat_scores(truth, truth) == (0.0, pytest.approx(1.0))
    mse, correlation = heat_scores(0.5 * truth + 0.25, truth)
    assert mse == pytest.approx(float(((0.25 - 0.5 * truth.astype(float)) ** 2).mean()))
    assert correlation == pytest.approx(1.0)
    assert heat_scores(1 - truth, truth)[1] == pytest.approx(-1.0)
    assert heat_scores(np.zeros((60, 80)), truth)[1] is None


def test_the_correlation_is_pearsons() -> None:
    a, b = np.random.default_rng(0).random((2, 9, 7))
    expected = np.corrcoef(a.ravel(), b.ravel())[0, 1]
    assert heat_scores(a, b)[1] == pytest.approx(expected)


@pytest.mark.parametrize("other", [np.zeros((3, 4)), np.full((4, 3), np.nan)])
def test_maps_that_cannot_be_compared_are_refused(other: np.ndarray) -> None:
    with pytest.raises(ValueError, match="of one shape"):
        heat_scores(np.zeros((4, 3)), other)
