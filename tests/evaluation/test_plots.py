import numpy as np
import pytest

from fmstudio.drawing.figure import Dot, Segment
from fmstudio.evaluation.calibration import reliability
from fmstudio.evaluation.plots import reliability_plot


def test_dots_of_true_confidences_lie_on_the_diagonal():
    said = np.repeat([0.25, 0.5, 0.75], 100)
    right = np.concatenate([np.arange(100) < 100 * c for c in (0.25, 0.5, 0.75)])
    figure = reliability_plot("title", "subtitle", reliability(said, right))
    dots = [e for e in figure.elements if isinstance(e, Dot)]
    (diagonal,) = [
        e for e in figure.elements if isinstance(e, Segment) and 0 not in np.subtract(e.a, e.b)
    ][:1]
    assert len(dots) == 3
    for dot, share in zip(dots, (0.25, 0.5, 0.75), strict=True):
        on = np.array(diagonal.a) + share * np.subtract(diagonal.b, diagonal.a)
        assert dot.at == pytest.approx(tuple(on))


def test_bins_without_points_have_no_dot():
    figure = reliability_plot("title", "subtitle", reliability([0.95], [True]))
    assert sum(isinstance(e, Dot) for e in figure.elements) == 1
