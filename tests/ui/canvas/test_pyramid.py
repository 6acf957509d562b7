import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter, qRgb

from fmstudio.ui.canvas.pyramid import Pyramid


def drawn(pyramid, seen, scale, size):
    """Return what is drawn of a part of the image, (rows, cols, 3)."""
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(qRgb(255, 0, 255))
    painter = QPainter(image)
    painter.scale(scale, scale)
    painter.translate(-seen.x(), -seen.y())
    pyramid.draw(painter, seen, scale)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(size[1], size[0], 4)
    return rows[..., 2::-1].astype(int)


@pytest.fixture
def ramp():
    """Return a picture whose red grows to the right and whose green grows downwards."""
    rgb = np.zeros((1000, 2000, 3), np.uint8)
    rgb[..., 0] = np.linspace(0, 255, 2000)[None]
    rgb[..., 1] = np.linspace(0, 255, 1000)[:, None]
    return rgb


def test_levels_end_at_the_size_of_a_small_canvas(ramp):
    pyramid = Pyramid(ramp)
    assert (pyramid.width, pyramid.height) == (2000, 1000)
    assert pyramid.n_levels == 3
    assert ramp.nbytes < pyramid.n_bytes < 1.6 * ramp.nbytes
    assert Pyramid(np.zeros((1, 3000, 3), np.uint8)).n_levels == 1


@pytest.mark.parametrize(("scale", "level"), [(8, 0), (1, 0), (0.51, 0), (0.5, 1), (0.01, 2)])
def test_a_level_has_a_pixel_for_every_pixel_of_the_screen(ramp, scale, level):
    assert Pyramid(ramp).level_for(scale) == level


@pytest.mark.parametrize("scale", [0.1, 0.37, 0.9, 1.0, 1.7, 3.0])
def test_every_level_shows_the_same_place(qapp, ramp, scale):
    seen = QRectF(400, 300, 60 / scale, 40 / scale)
    found = drawn(Pyramid(ramp), seen, scale, (60, 40))
    x = np.clip(400 + (np.arange(60) + 0.5) / scale, 0, 1999)
    y = np.clip(300 + (np.arange(40) + 0.5) / scale, 0, 999)
    is_inside = (x[None] < 1990) & (y[:, None] < 990)
    expected = ramp[y.astype(int)[:, None], x.astype(int)[None]]
    assert np.abs(found - expected)[is_inside].max() <= 6


def test_pixels_have_sharp_edges_when_they_are_large(qapp):
    board = np.indices((4, 4)).sum(axis=0) % 2 * 255
    found = drawn(
        Pyramid(np.dstack([board] * 3).astype(np.uint8)), QRectF(0, 0, 4, 4), 10, (40, 40)
    )
    assert set(np.unique(found)) == {0, 255}


def test_nothing_is_drawn_where_nothing_is_seen(qapp, ramp):
    found = drawn(Pyramid(ramp), QRectF(), 1.0, (8, 8))
    assert (found == [255, 0, 255]).all()


def test_the_pixels_are_those_that_were_given(ramp):
    assert Pyramid(ramp).pixels is ramp
