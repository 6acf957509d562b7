import numpy as np
import pytest

from fmstudio.drawing.canvas import text_width
from fmstudio.drawing.figure import Label, Picture
from fmstudio.drawing.page import GAP, MARGIN, ROOM, Box, Page, Panel

WIDE, TALL = np.zeros((60, 90, 3), np.uint8), np.zeros((90, 60, 3), np.uint8)


def test_a_row_fills_the_page_and_keeps_shapes() -> None:
    page = Page("a title", "a subtitle")
    boxes = page.row([Panel(WIDE, "wide"), Panel(TALL, "tall"), Panel(WIDE)])
    assert boxes[-1].left + boxes[-1].width == pytest.approx(MARGIN + ROOM)
    assert len({box.height for box in boxes}) == 1
    for box, aspect in zip(boxes, (1.5, 2 / 3, 1.5), strict=True):
        assert box.width / box.height == pytest.approx(aspect)
    assert page.figure().width == ROOM + 2 * MARGIN


def test_columns_of_one_width_stand_in_line() -> None:
    page = Page("")
    rows = [
        page.row([Panel(image) for image in images], columns=3, aspect=1.5)
        for images in ((WIDE, TALL), (TALL, TALL, WIDE))
    ]
    assert [box.left for box in rows[0]] == [box.left for box in rows[1]][:2]
    assert rows[1][1].top > rows[0][0].top + rows[0][0].height
    assert rows[0][1].left - rows[0][0].left == pytest.approx(rows[0][0].width + GAP)


def test_a_narrow_page_has_no_empty_side() -> None:
    page = Page("short")
    (box,) = page.row([Panel(TALL)], tall=900)
    assert page.figure().width == round(box.left + box.width) + MARGIN


def test_long_texts_stay_within_their_panels_and_the_page() -> None:
    page = Page("a very long title " * 8, "a long subtitle " * 12)
    boxes = page.row([Panel(TALL, "a very long caption " * 3, "a note") for _ in range(5)])
    figure = page.figure()
    for label in (element for element in figure.elements if isinstance(element, Label)):
        is_head = label.at[1] < boxes[0].top
        room = figure.width - 2 * MARGIN if is_head else boxes[0].width
        assert text_width(label.text, label.size) <= room


def test_a_ramp_stands_clear_of_its_words() -> None:
    page = Page("")
    page.ramp("what it stands for", np.zeros((9, 3), np.uint8), "-0.25", "0.25")
    words, low, high = (m for m in page.figure().elements[1:] if isinstance(m, Label))
    (ramp,) = (m for m in page.figure().elements if isinstance(m, Picture))
    assert words.at[0] + text_width(words.text, words.size) < low.at[0] - text_width("-0.25", 12)
    assert low.at[0] < ramp.left < ramp.left + ramp.width < high.at[0]


def test_places_of_a_photo_are_found_on_the_page() -> None:
    assert Box(10, 20, 300, 200).place((75, 25), (150, 100)) == (160, 70)
