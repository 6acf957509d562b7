import numpy as np
import pytest

from fmstudio.drawing.canvas import Canvas
from fmstudio.drawing.figure import (
    Circle,
    Dot,
    Figure,
    Label,
    Picture,
    Segment,
    cells,
    paint,
    render,
)
from fmstudio.geometry.grid import ImageSize

RED, BLACK = (255, 0, 0), (0, 0, 0)


def test_marks_grow_with_the_width() -> None:
    figure = Figure(100, 60, "", (Dot((30.5, 20.5), 5, RED), Circle((70, 30), 9, 2, BLACK)))
    for width, scale in ((100, 1), (300, 3)):
        rgb = render(figure, width)
        assert rgb.shape == (60 * scale, width, 3)
        ys, xs = np.nonzero((rgb == RED).all(axis=-1))
        assert (xs.mean() + 0.5) / scale == pytest.approx(30.5, abs=0.2)
        assert (ys.mean() + 0.5) / scale == pytest.approx(20.5, abs=0.2)
        assert rgb[30 * scale, 79 * scale].max() < 10
        assert (rgb[0] == 255).all()


def test_a_picture_fills_its_box_and_cells_stay_sharp() -> None:
    checks = np.zeros((2, 3, 3), dtype=np.uint8)
    checks[0, 1] = checks[1, 0] = checks[1, 2] = 255
    rgb = render(Figure(80, 60, "", (Picture(10, 20, 30, 20, checks, is_cells=True),), RED))
    assert (rgb[20:40, 10:40] != RED).any(axis=-1).all()
    assert (rgb[:20] == RED).all()
    assert set(np.unique(rgb[20:40, 10:40])) == {0, 255}
    assert np.array_equal(cells(checks, ImageSize(3, 2)), checks)


def test_later_marks_lie_on_top_and_text_is_written() -> None:
    elements = (Segment((0, 10), (40, 10), 6, RED), Segment((20, 0), (20, 20), 6, BLACK))
    canvas = Canvas.plain(120, 40, (255, 255, 255))
    paint(canvas, (*elements, Label((60, 30), "C", 20, BLACK)))
    rgb = canvas.rgb()
    assert np.array_equal(rgb[10, 20], BLACK)
    assert np.array_equal(rgb[10, 5], RED)
    assert (rgb[10:32, 60:76].mean(axis=-1) < 80).sum() > 20
