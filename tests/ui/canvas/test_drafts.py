import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QTransform

from fmstudio.ui.canvas.draft import DraftView, Stroke
from fmstudio.ui.canvas.drafts import draw_draft
from fmstudio.ui.canvas.loupe import RADIUS, loupe_middle
from fmstudio.ui.canvas.pyramid import Pyramid

SIDE = 300
AREA = QRectF(0, 0, SIDE, SIDE)


def changed(draft, scale=1.0, pyramid=None):
    """Return which pixels a draft draws on, (SIDE, SIDE)."""
    image = QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
    image.fill(QColor(128, 128, 128))
    painter = QPainter(image)
    draw_draft(painter, draft, QTransform.fromScale(scale, scale), pyramid, AREA)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(SIDE, SIDE, 4)
    return (rows[..., :3] != 128).any(axis=2)


def box_of(drawn):
    rows, cols = np.nonzero(drawn)
    return cols.min(), rows.min(), cols.max(), rows.max()


RING = np.array([[50.0, 50.0], [200.0, 60.0], [150.0, 200.0]])
DRAFTS = {
    "ring": DraftView(ring=RING),
    "handles": DraftView(handles=RING),
    "box": DraftView(box=(50.0, 50.0, 100.0, 80.0)),
    "brush": DraftView(brush=(100.0, 100.0, 30.0)),
    "stroke": DraftView(strokes=(Stroke(RING, 10.0),)),
    "dot": DraftView(strokes=(Stroke(RING[:1], 10.0),)),
    "hint": DraftView(hint="left ear tip", at=(50.0, 50.0)),
}


@pytest.mark.parametrize("name", DRAFTS)
def test_every_part_of_a_draft_is_drawn_where_it_is(qapp, name):
    found = changed(DRAFTS[name])
    assert 20 < found.sum() < SIDE * SIDE / 3
    left, top, right, bottom = box_of(found)
    assert left >= 30
    assert top >= 30
    assert right <= 240
    assert bottom <= 240


def test_nothing_is_drawn_of_an_empty_draft(qapp):
    assert not changed(DraftView()).any()
    assert not changed(DraftView(strokes=(Stroke(np.zeros((0, 2)), 3.0),))).any()


def test_a_brush_is_as_large_as_what_it_paints(qapp):
    for scale in (0.5, 1.0, 2.0):
        left, _, right, _ = box_of(changed(DraftView(brush=(60.0, 60.0, 30.0)), scale))
        assert right - left == pytest.approx(60 * scale, abs=5)


def test_the_corner_that_goes_with_the_pointer_has_no_handle(qapp):
    fixed, moving = (changed(DraftView(ring=RING, at=at)).sum() for at in (None, (150.0, 200.0)))
    assert moving < fixed


@pytest.fixture
def board():
    """Return a chequered picture of fields of one pixel."""
    return Pyramid(
        (np.indices((200, 200, 1)).sum(axis=0) % 2 * 255).repeat(3, axis=2).astype(np.uint8)
    )


@pytest.mark.parametrize("at", [(150.0, 150.0), (5.0, 5.0), (195.0, 5.0), (5.0, 195.0)])
def test_the_loupe_lies_on_the_screen_and_beside_the_point(qapp, at):
    screen = QRectF(0, 0, 400, 200)
    middle = loupe_middle(QPointF(*at), screen)
    assert np.hypot(middle.x() - at[0], middle.y() - at[1]) > RADIUS + 10
    disc = QRectF(middle.x() - RADIUS, middle.y() - RADIUS, 2 * RADIUS, 2 * RADIUS)
    assert screen.contains(disc)


def test_the_loupe_magnifies_four_times(qapp, board):
    image = QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
    image.fill(QColor(128, 128, 128))
    painter = QPainter(image)
    draw_draft(painter, DraftView(loupe=(50.0, 150.0)), QTransform(), board, AREA)
    painter.end()
    middle = loupe_middle(QPointF(50, 150), AREA)
    row = [
        image.pixelColor(round(middle.x()) + dx, round(middle.y()) - 34).value() for dx in range(32)
    ]
    edges = np.flatnonzero(np.abs(np.diff(row)) > 128)
    assert set(np.diff(edges)) == {4}


def test_a_loupe_says_only_the_place_where_pixels_are_large_already(qapp, board):
    near, far = (changed(DraftView(loupe=(5.0, 5.0)), scale, board) for scale in (20, 2))
    assert 0 < near.sum() < far.sum() / 3


def test_a_hint_gives_way_to_the_loupe(qapp, board):
    with_hint = changed(DraftView(hint="nose", at=(60.0, 150.0), loupe=(60.0, 150.0)), 1, board)
    assert np.array_equal(with_hint, changed(DraftView(loupe=(60.0, 150.0)), 1, board))
