import numpy as np
import pytest

from fmstudio.drawing.colors import (
    OKABE_ITO,
    cividis,
    confidence_color,
    diverging,
    keypoint_colors,
    parse_hex,
    position_colors,
)


def test_cividis_runs_from_blue_to_yellow_and_clips() -> None:
    assert cividis(0).tolist() == [0, 34, 78]
    assert cividis(1).tolist() == [254, 232, 56]
    assert cividis([-3.0, 7.0]).tolist() == [[0, 34, 78], [254, 232, 56]]
    assert cividis(np.zeros((2, 5))).shape == (2, 5, 3)
    assert confidence_color(1.0) == (254, 232, 56)


def test_cividis_gets_lighter_all_the_way() -> None:
    light = cividis(np.linspace(0, 1, 256)).astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light) > -0.8).all()  # rounding to whole numbers, no more
    assert light[-1] - light[0] > 180


def test_first_keypoint_colours_are_the_schemas() -> None:
    colors = keypoint_colors(3, ("#102030",))
    assert colors[0] == (16, 32, 48)
    assert colors[1:] == OKABE_ITO[1:3]


def test_many_keypoints_have_different_colours() -> None:
    assert len(set(keypoint_colors(24))) == 24
    assert keypoint_colors(0) == ()


@pytest.mark.parametrize("text", ["", "#12345", "red", "#12345g", "#-12345", "0x1234"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="#rrggbb"):
        parse_hex(text)


def test_position_colours_tell_sides_apart() -> None:
    corners = np.array([[1, 1], [99, 1], [1, 49], [99, 49]], dtype=float)
    colors = position_colors(corners, 100, 50).astype(float)
    apart = np.abs(colors[:, None] - colors[None]).sum(axis=-1)
    assert (apart[~np.eye(4, dtype=bool)] > 100).all()


def test_position_colours_outside_are_those_of_the_border() -> None:
    outside = position_colors([[-40.0, 10.0]], 100, 50)
    assert outside.tolist() == position_colors([[0.0, 10.0]], 100, 50).tolist()


def test_position_colours_carry_a_checkerboard() -> None:
    row = np.column_stack([np.linspace(0.5, 99.5, 100), np.full(100, 5.0)])
    light = position_colors(row, 100, 50).sum(axis=1).astype(float)
    assert (np.abs(np.diff(light)) > 60).sum() == 7  # eight squares along the longer side


def test_position_colours_without_squares_are_smooth() -> None:
    row = np.column_stack([np.linspace(0, 100, 200), np.full(200, 10.0)])
    smooth = position_colors(row, 100, 50, has_squares=False).astype(int)
    assert np.abs(np.diff(smooth, axis=0)).max() <= 2
    assert np.abs(np.diff(position_colors(row, 100, 50).astype(int), axis=0)).max() > 30


def test_diverging_colours_are_blue_white_red_and_clip() -> None:
    assert diverging([-1, 0, 1]).tolist() == [[5, 48, 97], [247, 247, 247], [103, 0, 31]]
    assert diverging([-9.0, 9.0]).tolist() == diverging([-1, 1]).tolist()
    assert diverging(np.zeros((2, 5))).shape == (2, 5, 3)


def test_diverging_colours_get_darker_to_both_sides() -> None:
    light = diverging(np.linspace(-1, 1, 257)).astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light[:129]) > -0.8).all()
    assert (np.diff(light[128:]) < 0.8).all()
