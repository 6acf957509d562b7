import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmstudio.drawing.canvas import Canvas, elide, printable, text_width

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def _ink(canvas: Canvas) -> np.ndarray:
    return canvas.rgb()[..., 0] / 255.0


def _centre(ink: np.ndarray) -> tuple[float, float]:
    ys, xs = np.mgrid[0 : ink.shape[0], 0 : ink.shape[1]] + 0.5
    return float((xs * ink).sum() / ink.sum()), float((ys * ink).sum() / ink.sum())


@settings(deadline=None, max_examples=50)
@given(st.floats(8, 24), st.floats(8, 24), st.floats(1.5, 6))
def test_a_disc_lies_where_it_is_put_and_is_as_large_as_asked(x: float, y: float, r: float) -> None:
    canvas = Canvas.plain(32, 32, BLACK)
    canvas.disc((x, y), r, WHITE)
    ink = _ink(canvas)
    assert _centre(ink) == pytest.approx((x, y), abs=0.05)
    assert ink.sum() == pytest.approx(np.pi * r**2, rel=0.08)


def test_a_disc_at_a_pixel_centre_is_symmetric() -> None:
    canvas = Canvas.plain(21, 21, BLACK)
    canvas.disc((10.5, 10.5), 4, WHITE)
    ink = _ink(canvas)
    assert np.array_equal(ink, ink[::-1])
    assert np.array_equal(ink, ink[:, ::-1])


def test_a_ring_is_empty_inside() -> None:
    canvas = Canvas.plain(41, 41, BLACK)
    canvas.ring((20.5, 20.5), 12, 3, WHITE)
    ink = _ink(canvas)
    assert ink[20, 20] == 0
    assert ink[20, 20 + 12] == 1
    assert ink.sum() == pytest.approx(2 * np.pi * 12 * 3, rel=0.02)


def test_a_line_covers_length_times_width() -> None:
    canvas = Canvas.plain(80, 60, BLACK)
    canvas.line((10, 10), (60, 40), 2, WHITE)
    length = np.hypot(50, 30)
    assert _ink(canvas).sum() == pytest.approx(length * 2 + np.pi, rel=0.03)
    assert _centre(_ink(canvas)) == pytest.approx((35, 25), abs=0.05)


def test_a_line_without_length_is_a_dot() -> None:
    canvas = Canvas.plain(20, 20, BLACK)
    canvas.line((10, 10), (10, 10), 4, WHITE)
    assert _ink(canvas).sum() == pytest.approx(np.pi * 4, rel=0.08)


def test_a_box_with_round_corners_is_full_but_for_them() -> None:
    canvas = Canvas.plain(40, 30, BLACK)
    canvas.box(5, 5, 30, 20, WHITE, 6)
    ink = _ink(canvas)
    assert ink.sum() == pytest.approx(600 - (4 - np.pi) * 36, rel=0.01)
    assert ink[5, 5] == 0
    assert ink[15, 5] == ink[15, 34] == 1
    assert ink[15, 4] == ink[15, 35] == 0


def test_shapes_outside_change_nothing() -> None:
    canvas = Canvas.plain(20, 20, BLACK)
    canvas.disc((-50, 10), 5, WHITE)
    canvas.line((100, 100), (200, 120), 3, WHITE)
    canvas.paste(np.full((4, 4, 3), 255, np.uint8), 40, 40)
    canvas.text((-400, 10), "far away", 12, WHITE)
    assert _ink(canvas).sum() == 0


def test_pasting_is_cut_at_the_border() -> None:
    canvas = Canvas.plain(10, 10, BLACK)
    canvas.paste(np.full((6, 6, 3), 255, np.uint8), -2, 7)
    ink = _ink(canvas)
    assert ink.sum() == 4 * 3
    assert (ink[7:, :4] == 1).all()


def test_alpha_mixes() -> None:
    canvas = Canvas.plain(20, 20, BLACK)
    canvas.disc((10, 10), 6, WHITE, 0.5)
    assert canvas.rgb()[10, 10, 0] == pytest.approx(128, abs=1)


def test_text_stands_on_its_baseline_and_is_as_wide_as_measured() -> None:
    canvas = Canvas.plain(200, 40, BLACK)
    canvas.text((10, 30), "cat face", 16, WHITE)
    rows, cols = np.nonzero(_ink(canvas) > 0.3)
    assert rows.max() in (28, 29, 30)
    assert cols.min() >= 9
    assert cols.max() + 1 == pytest.approx(10 + text_width("cat face", 16), abs=2.5)


def test_text_ends_at_its_place_when_anchored_right() -> None:
    canvas = Canvas.plain(200, 40, BLACK)
    canvas.text((150, 30), "0.93", 16, WHITE, "rs")
    assert np.nonzero(_ink(canvas) > 0.3)[1].max() in (147, 148, 149, 150)


@settings(deadline=None, max_examples=50)
@given(st.text(min_size=0, max_size=60), st.integers(20, 200))
def test_shortened_text_fits_and_is_printable(text: str, width: int) -> None:
    short = elide(text, 12, width)
    assert text_width(short, 12) <= width
    assert all(sign.isascii() or sign in "·°…" for sign in short)


def test_long_names_lose_their_middle_and_keep_their_ends() -> None:
    short = elide("a_very_long_folder_name_indeed_IMG_0042.jpg", 12, 120)
    assert short.startswith("a_")
    assert short.endswith(".jpg")
    assert "…" in short
    assert elide("short.jpg", 12, 120) == "short.jpg"


def test_signs_that_the_font_lacks_become_their_base() -> None:
    assert printable("Stéfan Åsa") == "Stefan Asa"
    assert printable("a → b") == "a > b"
    assert printable("猫\n") == "??"


def test_empty_text_paints_nothing() -> None:
    canvas = Canvas.plain(40, 20, BLACK)
    canvas.text((5, 15), "", 12, WHITE)
    assert _ink(canvas).sum() == 0
