import numpy as np
import pytest

from fmstudio.drawing.colors import cividis
from fmstudio.drawing.pair import (
    Matches,
    Query,
    paint_heat,
    paint_patches,
    pair_sheet,
    rebuild_target,
)
from fmstudio.geometry.grid import ImageSize, PatchGrid

SIZE = ImageSize(160, 120)


@pytest.fixture
def photo() -> np.ndarray:
    ys, xs = np.mgrid[0:120, 0:160]
    bands = [xs * 255 / 159, ys * 255 / 119, 128 + 100 * np.sin(xs / 9) * np.cos(ys / 7)]
    return np.stack(bands, axis=-1).astype(np.uint8)


def _identity(rows: int = 30, cols: int = 40) -> np.ndarray:
    return PatchGrid(SIZE, rows, cols).centers().reshape(rows, cols, 2)


def test_the_identity_map_rebuilds_the_photo(photo: np.ndarray) -> None:
    rebuilt = rebuild_target(photo, _identity(120, 160), SIZE)
    assert np.abs(rebuilt.astype(int) - photo).max() <= 1
    coarse = rebuild_target(photo, _identity(), SIZE).astype(int)
    assert np.abs(coarse - photo)[4:-4, 4:-4].mean() < 1.5


def test_a_mirror_map_rebuilds_the_mirrored_photo(photo: np.ndarray) -> None:
    places = _identity(120, 160) * [-1, 1] + [160, 0]
    rebuilt = rebuild_target(photo, places, SIZE)
    assert np.abs(rebuilt.astype(int) - photo[:, ::-1]).max() <= 1


def test_heat_is_brightest_where_it_is_greatest(photo: np.ndarray) -> None:
    heat = np.zeros((12, 16))
    heat[3, 10] = 5.0
    painted = paint_heat(photo, heat, opacity=1.0)
    ys, xs = np.nonzero((np.abs(painted.astype(int) - cividis(1.0)).sum(axis=-1)) < 12)
    assert xs.mean() == pytest.approx(105, abs=2)
    assert ys.mean() == pytest.approx(35, abs=2)
    assert np.ptp(painted[100, 20].astype(int)) == 0  # grey far away


def test_even_heat_leaves_the_photo_grey(photo: np.ndarray) -> None:
    painted = paint_heat(photo, np.full((4, 4), 0.3)).astype(int)
    assert np.ptp(painted, axis=-1).max() == 0


def test_patch_colours_tint_the_right_places(photo: np.ndarray) -> None:
    colors = np.zeros((2, 2, 3))
    colors[0, 1] = 255, 0, 0
    painted = paint_patches(photo, colors, opacity=1.0).astype(int)
    assert painted[5, 155, 0] > painted[5, 155, 1] + 60
    assert painted[115, 5].max() < 6  # cubic steps overshoot a little
    assert np.array_equal(paint_patches(photo, colors, opacity=0.0), photo)


def test_rows_appear_as_data_is_given(photo: np.ndarray) -> None:
    matches = Matches(np.array([[10.0, 10.0]]), np.array([[20.0, 30.0]]), np.array([0.9]))
    query = Query((30.0, 40.0), np.random.default_rng(0).random((12, 16)), (50.0, 60.0))
    heights = [
        pair_sheet(photo, photo, height=120).shape[0],
        pair_sheet(photo, photo, height=120, matches=matches, query=query).shape[0],
        pair_sheet(
            photo, photo, height=120, matches=matches, source_xy=_identity(), query=query
        ).shape[0],
    ]
    assert heights == sorted(set(heights))


def test_a_match_is_drawn_from_its_place_to_its_place() -> None:
    black = np.zeros((120, 160, 3), dtype=np.uint8)
    ends = np.array([[40.5, 60.5]]), np.array([[120.5, 20.5]])
    sheet = pair_sheet(black, black, height=120, matches=Matches(*ends, np.ones(1)))
    top, left_s, left_t = 24, 24, 24 + 160 + 16
    yellow = cividis(1.0)
    assert np.array_equal(sheet[top + 60, left_s + 40], yellow)
    assert np.array_equal(sheet[top + 20, left_t + 120], yellow)
    assert not sheet[top + 100, left_s + 20].any()


def test_photos_of_other_sizes_stand_side_by_side(photo: np.ndarray) -> None:
    tall = np.full((300, 100, 3), 90, dtype=np.uint8)
    sheet = pair_sheet(photo, tall, names=("a.jpg", "b.jpg"), title="a to b", height=150)
    assert (sheet == 90).all(axis=-1).sum() == 150 * 50


def test_the_photos_themselves_are_not_changed(photo: np.ndarray) -> None:
    kept = photo.copy()
    query = Query((30.0, 40.0), np.ones((3, 4)))
    pair_sheet(photo, photo, query=query, source_xy=_identity())
    assert np.array_equal(photo, kept)


def test_wrong_shapes_are_refused(photo: np.ndarray) -> None:
    with pytest.raises(ValueError, match="do not match"):
        Matches(np.zeros((3, 2)), np.zeros((2, 2)), np.ones(3))
    with pytest.raises(ValueError, match="places per patch"):
        pair_sheet(photo, photo, source_xy=np.zeros((3, 4)))
    with pytest.raises(ValueError, match="finite"):
        paint_heat(photo, np.array([[np.nan, 1.0]]))
    with pytest.raises(ValueError, match="patch colours"):
        paint_patches(photo, np.zeros((3, 4)))
    with pytest.raises(ValueError, match="80 px"):
        pair_sheet(photo, photo, height=20)
