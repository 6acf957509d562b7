import numpy as np
import pytest

from fmstudio.drawing.canvas import Canvas
from fmstudio.drawing.colors import OKABE_ITO
from fmstudio.drawing.overlay import Overlay, draw_mark, draw_overlay, mark_radius, resize
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints

GREY = np.full((200, 300, 3), 128, dtype=np.uint8)


def _points(
    scores: list[float] | None = None, visibility: tuple[int, ...] = (2, 2, 2)
) -> Keypoints:
    xy = np.array([[60.5, 50.5], [200.5, 60.5], [150.5, 150.5]])
    return Keypoints(xy, np.array(visibility), np.ones(3) if scores is None else np.array(scores))


def _square() -> Mask:
    covered = np.zeros((200, 300), dtype=bool)
    covered[40:160, 50:210] = True
    return Mask.from_array(covered)


def test_nothing_to_draw_leaves_the_photo_as_it_is() -> None:
    assert np.array_equal(draw_overlay(GREY, Overlay()), GREY)


def test_visible_points_wear_their_own_colour() -> None:
    drawn = draw_overlay(GREY, Overlay(_points()))
    for (x, y), color in zip(_points().xy, OKABE_ITO, strict=False):
        assert tuple(drawn[int(y), int(x)]) == color


def test_points_not_labelled_are_not_drawn() -> None:
    points = Keypoints.drawn([[60.5, 50.5], [0, 0]], [2, 0])
    drawn = draw_overlay(GREY, Overlay(points, skeleton=((0, 1),)))
    assert np.array_equal(drawn[:30, :30], GREY[:30, :30])
    assert not np.array_equal(drawn[45:56, 55:66], GREY[45:56, 55:66])


def test_points_follow_the_size_asked_for() -> None:
    drawn = draw_overlay(GREY, Overlay(_points()), size=ImageSize(600, 400))
    assert drawn.shape == (400, 600, 3)
    assert tuple(drawn[101, 121]) == OKABE_ITO[0]


@pytest.mark.parametrize(
    ("is_hidden", "score", "is_filled"),
    [(False, None, True), (False, 0.9, True), (False, 0.2, False), (True, None, False)],
)
def test_shapes_carry_the_meaning(is_hidden: bool, score: float | None, is_filled: bool) -> None:
    canvas = Canvas(GREY)
    draw_mark(canvas, (100.5, 100.5), 10, (255, 0, 0), is_hidden=is_hidden, score=score)
    drawn = canvas.rgb()
    # Off the middle and off the slash: inside the mark, between centre and rim.
    assert (tuple(drawn[97, 97]) == (255, 0, 0)) is is_filled
    assert (tuple(drawn[100, 100]) == (255, 0, 0)) is (is_filled or is_hidden)
    assert tuple(drawn[100, 110]) == (255, 0, 0) or is_filled


def test_confidence_shows_as_a_ring_on_proposals_only() -> None:
    doubtful, sure = _points([0.0, 0.6, 0.6]), _points([0.0, 0.6, 1.0])
    drawn = [
        draw_overlay(GREY, Overlay(points, is_proposed=is_proposed))
        for points in (doubtful, sure)
        for is_proposed in (True, False)
    ]
    assert not np.array_equal(drawn[0], drawn[2])
    assert np.array_equal(drawn[1], drawn[3])


def test_mask_is_filled_lightly_and_outlined() -> None:
    drawn = draw_overlay(GREY, Overlay(mask=_square())).astype(int)
    change = np.abs(drawn - 128).sum(axis=-1)
    assert 0 < change[100, 130] < 60
    assert change[100, 50] > 2 * change[100, 130]
    assert change[20, 20] == 0


def test_outline_of_a_proposal_is_dashed() -> None:
    solid, dashed = (
        np.abs(draw_overlay(GREY, Overlay(mask=_square(), is_proposed=p)).astype(int) - 128)
        for p in (False, True)
    )
    along = slice(60, 200)
    assert (solid[40, along].sum(axis=-1) > 60).mean() > 0.95
    assert 0.35 < (dashed[40, along].sum(axis=-1) > 60).mean() < 0.9


def test_an_empty_mask_draws_nothing() -> None:
    overlay = Overlay(mask=Mask.empty(ImageSize(300, 200)))
    assert np.array_equal(draw_overlay(GREY, overlay), GREY)


def test_truth_is_marked_where_it_is() -> None:
    truth = Keypoints.drawn([[90.5, 50.5], [200.5, 60.5], [150.5, 150.5]], [2, 2, 2])
    drawn = draw_overlay(GREY, Overlay(_points(), truth=truth))
    assert drawn[50, 90].min() > 200
    assert drawn[50, 75].min() > 200


def test_names_are_written_off_the_subject() -> None:
    names = ("left eye", "right eye", "nose")
    with_names = draw_overlay(GREY, Overlay(_points(), _square(), names, has_labels=True))
    without = draw_overlay(GREY, Overlay(_points(), _square(), names))
    changed = (with_names != without).any(axis=-1)
    assert changed[~_square().to_array()].any()
    assert changed[_square().to_array()].mean() < 0.05  # thin leader lines at most


def test_marks_shrink_for_a_small_subject() -> None:
    size = ImageSize(300, 200)
    small = np.zeros((200, 300), dtype=bool)
    small[10:40, 10:40] = True
    large = mark_radius(Overlay(mask=_square()), size, size)
    assert mark_radius(Overlay(mask=Mask.from_array(small)), size, size) < large


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        (Overlay(mask=Mask.empty(ImageSize(200, 300))), "does not fit"),
        (Overlay(_points(), skeleton=((0, 3),)), "not there"),
        (Overlay(_points(), truth=Keypoints.drawn([[1, 1]], [2])), "the truth has 1"),
        (Overlay(_points(), names=("nose",), has_labels=True), "1 names"),
    ],
)
def test_parts_that_do_not_fit_are_refused(overlay: Overlay, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_overlay(GREY, overlay)


def test_a_grey_photo_is_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        draw_overlay(np.zeros((5, 5), dtype=np.uint8), Overlay())


def test_the_photo_itself_is_not_changed() -> None:
    photo = GREY.copy()
    draw_overlay(photo, Overlay(_points(), _square()))
    assert np.array_equal(photo, GREY)


def test_resizing_keeps_the_mean() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    small = resize(photo, ImageSize(40, 30))
    assert small.shape == (30, 40, 3)
    assert small.mean() == pytest.approx(photo.mean(), abs=0.6)
