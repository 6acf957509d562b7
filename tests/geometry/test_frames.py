import numpy as np
import pytest

from fmstudio.geometry.frames import Frame
from fmstudio.geometry.grid import ImageSize

BOX = (16, 8, 80, 56)


@pytest.mark.parametrize("turn", [0, 45, -90, 180, 135])
def test_leaving_a_frame_undoes_entering_it(turn):
    xy = np.random.default_rng(0).uniform(0, 100, (20, 2))
    frame = Frame(BOX, turn)
    assert frame.leave(frame.enter(xy)) == pytest.approx(xy)
    assert frame.enter(np.array([48.0, 32.0])) == pytest.approx(
        [frame.size.width / 2, frame.size.height / 2]
    )


def test_a_frame_that_is_not_turned_counts_from_its_corner():
    xy = np.array([[20.0, 30.5], [16.0, 8.0]])
    assert Frame(BOX).enter(xy) == pytest.approx(xy - [16, 8])


def test_sizes_and_names():
    sizes = {turn: Frame(BOX, turn).size for turn in (0, 90, 180, 45)}
    assert sizes == {
        0: ImageSize(64, 48),
        90: ImageSize(48, 64),
        180: ImageSize(64, 48),
        45: ImageSize(64, 64),
    }
    assert len({Frame(BOX, turn).name for turn in (0, 90, -90, 180, 45)}) == 5


@pytest.mark.parametrize(("turn", "quarters"), [(90, -1), (180, 2), (-90, 1)])
def test_quarter_turns_move_pixels_and_change_none(turn, quarters):
    image = np.random.default_rng(1).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    cut = Frame(BOX, turn).cut(image)
    assert np.array_equal(cut, np.rot90(image[8:56, 16:80], quarters))


def test_a_point_stays_on_what_it_marks_at_any_turn():
    image = np.zeros((64, 96), dtype=np.uint8)
    image[30:33, 52:55] = 255  # its middle is (53.5, 31.5)
    for turn in (0, 45, -45, 90, 135, 180):
        frame = Frame(BOX, turn)
        cut = frame.cut(image).astype(float)
        rows, cols = np.mgrid[: cut.shape[0], : cut.shape[1]] + 0.5
        seen = np.array([(cols * cut).sum(), (rows * cut).sum()]) / cut.sum()
        assert seen == pytest.approx(frame.enter(np.array([53.5, 31.5])), abs=0.1)


def test_what_lies_outside_of_the_image_is_its_mirror():
    image = np.full((64, 64, 3), 200, dtype=np.uint8)
    assert (Frame((0, 0, 64, 64), 45).cut(image) == 200).all()
