import cv2
import numpy as np
import pytest

from fmstudio.errors import Cancelled
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.session import CancelToken
from fmstudio.ui.canvas.assistant import Marked, assist, find_masks
from fmstudio.ui.canvas.draft import Stroke

SIZE = ImageSize(480, 360)


def scene(*discs):
    """Return a dark photo with bright discs (x, y, radius), and the mask of the first."""
    rng = np.random.default_rng(1)
    rgb = rng.integers(10, 70, (SIZE.height, SIZE.width, 3)).astype(np.uint8)
    rows, cols = np.mgrid[: SIZE.height, : SIZE.width] + 0.5
    masks = [np.hypot(cols - x, rows - y) <= radius for x, y, radius in discs]
    for mask in masks:
        rgb[mask] = rng.integers(170, 250, (int(mask.sum()), 3))
    return rgb, masks[0]


def stroke(*places, radius=8.0, is_erasing=False):
    return Stroke(np.array(places, dtype=float), radius, is_erasing)


def last(rgb, **marked):
    *_, mask = find_masks(rgb, Marked(**marked))
    return mask


def test_a_box_holds_all_of_the_object_and_nothing_outside_belongs_to_it():
    rgb, truth = scene((200, 180, 60), (330, 180, 40))
    mask = last(rgb, box=(130.0, 110.0, 140.0, 140.0))
    assert mask.iou(Mask.from_array(truth)) > 0.95


def test_what_is_marked_belongs_to_it_and_what_is_marked_off_does_not():
    rgb, _ = scene((200, 180, 60), (200, 180, 20))
    on, off = stroke((170, 180), (230, 180)), stroke((200, 140), (200, 150), is_erasing=True)
    mask = last(rgb, strokes=(on, off)).to_array()
    assert mask[178:182, 170:230].all()
    assert not mask[140:150, 198:202].any()


def test_crumbs_are_dropped_and_pinholes_filled():
    rgb, truth = scene((200, 180, 60))
    rgb[176:179, 200:203] = 20
    rgb[100:103, 255:258] = 240
    mask = last(rgb, box=(130.0, 90.0, 140.0, 160.0))
    assert (mask.n_parts, mask.n_holes) == (1, 0)
    assert mask.iou(Mask.from_array(truth)) > 0.95


def test_a_mask_that_is_there_keeps_what_no_stroke_speaks_against():
    # A second disc far off, and a rim finer than what the assistant works on.
    rgb, first = scene((120, 180, 50), (360, 180, 50), (190, 180, 25))
    rows, cols = np.mgrid[: SIZE.height, : SIZE.width] + 0.5
    second = np.hypot(cols - 360, rows - 180) <= 50
    start = first | second
    mask = last(rgb, strokes=(stroke((180, 180), (200, 180)),), start=Mask.from_array(start))
    grown = mask.to_array()
    assert grown[175:185, 175:210].all()
    assert (grown[:, 250:] != start[:, 250:]).mean() < 0.001


def test_a_large_photo_is_worked_on_small_and_answered_in_its_own_pixels():
    rgb, truth = scene((200, 180, 60))
    large = cv2.resize(rgb, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    mask = last(large, box=(650.0, 550.0, 700.0, 700.0))
    assert mask.size == ImageSize(5 * SIZE.width, 5 * SIZE.height)
    wanted = cv2.resize(truth.astype(np.uint8), None, fx=5, fy=5, interpolation=cv2.INTER_NEAREST)
    assert mask.iou(Mask.from_array(wanted.astype(bool))) > 0.95


@pytest.mark.parametrize("is_erasing", [True, False])
def test_strokes_beside_the_image_find_nothing_and_break_nothing(is_erasing):
    rgb, _ = scene((200, 180, 60))
    beside = stroke((-90, -90), (-60, -80), is_erasing=is_erasing)
    assert last(rgb, strokes=(beside,)).size == SIZE


def test_the_job_shows_something_early_and_gives_up_when_cancelled():
    rgb, _ = scene((200, 180, 60))
    token = CancelToken()
    job = assist(rgb, Marked(box=(130.0, 110.0, 140.0, 140.0)))(token)
    assert next(job).area
    token.cancel()
    with pytest.raises(Cancelled):
        next(job)
