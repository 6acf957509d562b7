import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QWheelEvent

from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.model import Annotation
from fmstudio.ui.canvas.pyramid import Pyramid
from fmstudio.ui.canvas.viewport import Steer, Viewport


@pytest.fixture
def show(qtbot):
    """Return a function that shows a picture of a size on a viewport of 600 x 400."""

    def show(width, height):
        view = Viewport()
        qtbot.addWidget(view)
        view.resize(600, 400)
        view.show()
        view._pyramid = Pyramid(np.full((height, width, 3), 200, np.uint8))
        view.fit()
        return view

    return show


def turn(view, at, steps):
    event = QWheelEvent(
        at, view.mapToGlobal(at), QPoint(), QPoint(0, 120 * steps), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    view.wheelEvent(event)


def middle(view):
    centre = view.view_rect().center()
    return centre.x(), centre.y()


@pytest.mark.parametrize("size", [(3000, 2000), (40, 4000), (12, 9), (1, 1)])
def test_a_whole_image_fits_with_a_margin(show, size):
    view = show(*size)
    corners = view.map_from_image(0, 0), view.map_from_image(*size)
    assert all(view.viewport().rect().contains(corner.toPoint()) for corner in corners)
    spare = [600 - (corners[1] - corners[0]).x(), 400 - (corners[1] - corners[0]).y()]
    assert 0 < min(spare) < 40


def test_places_map_there_and_back(show):
    view = show(900, 700)
    view.zoom_by(3.3, QPointF(77, 210))
    for x, y in ((0.0, 0.0), (12.25, 480.5), (899.9, 3.0)):
        assert view.map_to_image(view.map_from_image(x, y)) == pytest.approx((x, y), abs=1e-6)


def test_the_wheel_keeps_what_is_under_the_cursor(show):
    view = show(3000, 2000)
    at = QPointF(123, 301)
    before = view.map_to_image(at)
    for steps in (1, 5, 9, -3, 0.25):
        turn(view, at, steps)
        assert view.map_to_image(at) == pytest.approx(before, abs=0.01)


@pytest.mark.parametrize("size", [(3000, 2000), (4, 4)])
def test_the_scale_has_limits(show, size):
    view = show(*size)
    view.zoom_by(1e9)
    assert view.scale == pytest.approx(max(64, view.fit_scale()), rel=1e-3)
    view.zoom_by(1e-9)
    assert view.scale == pytest.approx(min(1, view.fit_scale()) / 4, rel=1e-3)


def test_a_resize_keeps_scale_and_place(show):
    view = show(3000, 2000)
    view.zoom_to(1.0)
    view.pan(QPointF(0, 0), QPointF(40, 30))
    before = middle(view)
    view.resize(820, 310)
    assert view.scale == pytest.approx(1.0, rel=1e-3)
    assert middle(view) == pytest.approx(before, abs=0.6)


def test_a_resize_keeps_a_whole_image_whole(show):
    view = show(3000, 2000)
    view.resize(300, 500)
    assert view.scale == pytest.approx(view.fit_scale(), rel=1e-3)


def test_only_the_persons_doing_is_told(show):
    view = show(1000, 800)
    told = []
    view.steered.connect(told.append)
    view.set_view_rect(QRectF(10, 10, 300, 200))
    view.follow(Steer(2.0, (0.1, 0.0)))
    view.resize(500, 300)
    assert told == []
    view.fit()
    view.zoom_by(2.0)
    view.pan(QPointF(100, 100), QPointF(50, 100))
    assert told[0].is_fit
    assert told[1].factor == pytest.approx(2.0)
    assert told[1].shift == pytest.approx((0, 0), abs=1e-6)
    assert told[2].factor == 1.0
    assert told[2].shift == pytest.approx((50 / view.scale / 1000, 0), abs=1e-6)


def test_what_is_told_can_be_done_to_an_image_of_another_size(show):
    one, other = show(1000, 800), show(2000, 1600)
    one.steered.connect(other.follow)
    turn(one, QPointF(150, 90), 4)
    one.pan(QPointF(0, 0), QPointF(31, -12))
    assert middle(other) == pytest.approx([2 * v for v in middle(one)], abs=1)
    assert other.scale == pytest.approx(one.scale / 2, rel=1e-3)
    one.fit()
    assert other.scale == pytest.approx(other.fit_scale(), rel=1e-3)


def annotation(keypoints=None, mask=None, bbox=None):
    return Annotation(1, 1, 1, keypoints, mask, bbox=bbox)


def test_a_focus_shows_all_of_an_annotation(show):
    view = show(1000, 800)
    array = np.zeros((800, 1000), bool)
    array[300:340, 500:520] = True
    points = Keypoints.drawn([[450, 310], [0, 0]], [2, 0])
    view.focus_on(annotation(points, Mask.from_array(array)))
    assert view.view_rect().contains(QRectF(450, 300, 70, 40))
    assert not view.view_rect().contains(QRectF(200, 300, 300, 40))


def test_a_focus_on_a_single_point_shows_what_is_around_it(show):
    view = show(1000, 800)
    view.focus_on(annotation(Keypoints.drawn([[700, 200]], [2])))
    assert middle(view) == pytest.approx((700, 200), abs=1)
    assert view.fit_scale() < view.scale < 20


def test_a_focus_never_makes_an_image_smaller_than_whole(show):
    view = show(1000, 800)
    view.focus_on(annotation(bbox=(1.0, 1.0, 998.0, 798.0)))
    assert view.scale == pytest.approx(view.fit_scale(), rel=1e-3)
    view.zoom_by(3)
    view.focus_on(annotation())
    assert view.scale == pytest.approx(view.fit_scale(), rel=1e-3)


def test_without_an_image_nothing_moves(qtbot):
    view = Viewport()
    qtbot.addWidget(view)
    before = view.view_rect()
    turn(view, QPointF(10, 10), 2)
    view.pan(QPointF(0, 0), QPointF(9, 9))
    view.follow(Steer(2.0))
    view.fit()
    assert view.view_rect() == before
    assert view.image_rect().isEmpty()
