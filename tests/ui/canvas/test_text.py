import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter

from fmstudio.ui.canvas.text import Name, draw_names, draw_note, place_names, small_font

AREA = QRectF(0, 0, 600, 400)


@pytest.fixture
def metrics(qapp):
    return QFontMetricsF(QFont())


def crowd(n, spread):
    """Return names for n points around the middle of the screen."""
    xy = np.random.default_rng(3).normal((300, 200), spread, (n, 2))
    names = [Name((x, y), f"point {i}", (1.0, 0.0)) for i, (x, y) in enumerate(xy.tolist())]
    return names, xy


@pytest.mark.parametrize("spread", [4, 20, 90])
def test_names_cover_no_name_and_no_point(metrics, spread):
    names, marks = crowd(30, spread)
    placed = place_names(names, marks, metrics, AREA)
    assert placed
    for i, item in enumerate(placed):
        assert AREA.contains(item.box)
        assert not any(item.box.intersects(other.box) for other in placed[:i])
        assert not any(item.box.contains(QPointF(x, y)) for x, y in marks)


def test_what_has_no_room_is_left_out(metrics):
    names, marks = crowd(200, 3)
    assert 0 < len(place_names(names, marks, metrics, AREA)) < 200


def test_a_name_that_is_asked_for_is_always_written(metrics):
    names, marks = crowd(200, 3)
    asked = Name(names[7].at, "the one", must=True)
    placed = place_names([*names, asked], marks, metrics, AREA)
    assert placed[0].name is asked
    corner = Name((1.0, 1.0), "a name wider than the screen is" * 9, must=True)
    assert len(place_names([corner], np.zeros((0, 2)), metrics, AREA)) == 1


@pytest.mark.parametrize("outward", [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)])
def test_a_name_lies_outward(metrics, outward):
    name = Name((300.0, 200.0), "nose", outward)
    (placed,) = place_names([name], np.array([[300.0, 200.0]]), metrics, AREA)
    way = placed.box.center() - QPointF(300, 200)
    assert way.x() * outward[0] + way.y() * outward[1] > 10
    assert not placed.is_far


def test_a_name_dodges_the_edge_of_the_screen(metrics):
    name = Name((597.0, 200.0), "left ear tip", (1.0, 0.0))
    (placed,) = place_names([name], np.array([[597.0, 200.0]]), metrics, AREA)
    assert placed.box.right() <= AREA.right()


def test_a_name_that_lies_far_off_has_a_leader(metrics):
    centre = np.array([300.0, 200.0])
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    around = centre + 14 * np.column_stack([np.cos(angle), np.sin(angle)])
    name = Name((300.0, 200.0), "x")
    placed = place_names([name], np.vstack([centre, around]), metrics, AREA)
    assert [item.is_far for item in placed] == [True]
    image = QImage(600, 400, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    draw_names(painter, placed)
    painter.end()
    half_way = (placed[0].box.center() + QPointF(300, 200)) / 2
    near = range(-6, 7)
    colors = {
        image.pixelColor(round(half_way.x()) + dx, round(half_way.y()) + dy).name()
        for dx in near
        for dy in near
    }
    assert colors != {"#ffffff"}


@pytest.mark.parametrize("middle", [QPointF(2, 2), QPointF(598, 398), QPointF(300, 200)])
def test_a_note_stays_on_the_screen(qapp, middle):
    image = QImage(600, 400, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    draw_note(painter, middle, "left ear tip  3/6", AREA)
    painter.end()
    dark = [
        (x, y) for x in range(600) for y in range(400) if image.pixelColor(x, y).lightness() < 200
    ]
    (left, top), (right, bottom) = np.min(dark, axis=0), np.max(dark, axis=0)
    assert left >= 3
    assert top >= 3
    assert right <= 596
    assert bottom <= 396
    assert right - left > 60


def test_small_text_stays_readable(qapp):
    font = QFont()
    font.setPointSizeF(7.5)
    assert small_font(font).pointSizeF() == 7.0
