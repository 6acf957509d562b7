import numpy as np
import pytest

from fmstudio.drawing.colors import ACCENT, CANVAS
from fmstudio.drawing.sheet import (
    GAP,
    MARGIN,
    Role,
    TileView,
    confidence_text,
    contact_sheet,
    error_text,
)
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints

PHOTO = np.full((120, 160, 3), (250, 40, 40), dtype=np.uint8)


def _tile(role: Role = "accepted", side: int = 80, score: float = 1.0) -> TileView:
    covered = np.zeros((120, 160), dtype=bool)
    covered[20 : 20 + side, 30 : 30 + side] = True
    xy = np.array([[40.0, 30.0], [60.0, 50.0]])
    points = Keypoints(xy, np.array([2, 1]), np.full(2, score))
    return TileView(
        PHOTO,
        points,
        Mask.from_array(covered),
        ("eye", "nose"),
        ((0, 1),),
        "cat.jpg",
        role,
        ("IoU 0.90",),
        Keypoints.drawn(xy + np.array([3.0, 4.0]), [2, 2]) if role == "proposed" else None,
    )


def test_tiles_stand_in_rows_and_columns() -> None:
    bare = TileView(PHOTO)
    sheet = contact_sheet([bare] * 5, columns=3, tile_width=160, legend=False)
    assert sheet.shape[1] == 2 * MARGIN + 3 * 160 + 2 * GAP
    is_photo = (sheet == PHOTO[0, 0]).all(axis=-1)
    assert is_photo.sum() == 5 * 160 * 120
    tops = np.flatnonzero(np.diff(is_photo[:, MARGIN + 80].astype(int)) == 1)
    lefts = np.flatnonzero(np.diff(is_photo[MARGIN + 60].astype(int)) == 1)
    assert len(tops) == 2
    assert (lefts + 1).tolist() == [MARGIN + column * (160 + GAP) for column in range(3)]


def test_a_photo_keeps_its_shape_and_is_centred() -> None:
    tall = TileView(np.full((300, 100, 3), (0, 250, 0), dtype=np.uint8))
    sheet = contact_sheet([TileView(PHOTO), tall, TileView(PHOTO)], tile_width=160, legend=False)
    rows, cols = np.nonzero((sheet == (0, 250, 0)).all(axis=-1))
    height, width = np.ptp(rows) + 1, np.ptp(cols) + 1
    assert height / width == pytest.approx(3, rel=0.03)
    middle = (cols.min() + cols.max() + 1) / 2
    assert middle == pytest.approx(MARGIN + 160 + GAP + 80, abs=1)


def test_captions_never_lie_on_the_photo() -> None:
    plain = TileView(PHOTO)
    said = TileView(PHOTO, caption="a_rather_long_file_name_0001.jpg", details=("PCK 0.71",))
    with_text, without = (contact_sheet([t], tile_width=160, legend=False) for t in (said, plain))
    changed = (with_text != without).any(axis=-1)
    is_photo = (without == PHOTO[0, 0]).all(axis=-1)
    assert changed.any()
    assert not (changed & is_photo).any()


def test_the_reference_is_told_apart() -> None:
    accent = [
        (contact_sheet([_tile(role)], tile_width=200) == ACCENT).all(axis=-1).sum()
        for role in ("reference", "proposed")
    ]
    assert accent[0] > 200
    assert accent[1] == 0


def test_title_and_legend_take_room_of_their_own() -> None:
    tiles = [_tile("proposed", score=0.8)]
    bare = contact_sheet(tiles, legend=False)
    titled = contact_sheet(tiles, legend=False, title="cats", subtitle="4 proposed")
    full = contact_sheet(tiles, title="cats", subtitle="4 proposed")
    assert bare.shape[0] < titled.shape[0] < full.shape[0]
    assert (full[:MARGIN, :MARGIN] == CANVAS).all()
    assert np.array_equal(titled[: -2 * MARGIN], full[: titled.shape[0] - 2 * MARGIN])


def test_a_small_subject_is_magnified_in_a_corner() -> None:
    small = contact_sheet([_tile(side=24)], tile_width=320, legend=False)
    large = contact_sheet([_tile(side=80)], tile_width=320, legend=False)

    def white(sheet: np.ndarray) -> int:
        return int((sheet == 255).all(axis=-1).sum())

    assert white(small) > white(large) + 400


@pytest.mark.parametrize("corner", [(0, 0), (96, 136)])
def test_a_small_subject_at_the_border_is_magnified_too(corner: tuple[int, int]) -> None:
    covered = np.zeros((120, 160), dtype=bool)
    covered[corner[0] : corner[0] + 24, corner[1] : corner[1] + 24] = True
    tile = TileView(PHOTO, mask=Mask.from_array(covered))
    sheet = contact_sheet([tile], tile_width=320, legend=False)
    assert (sheet == 255).all(axis=-1).sum() > 400


def test_what_is_known_is_said() -> None:
    tile = _tile("proposed", score=0.625)
    assert confidence_text(tile) in ("confidence 0.62", "confidence 0.63")
    assert error_text(tile) == "error 5.0 px"
    assert confidence_text(_tile("reference")) is None
    assert error_text(_tile("reference")) is None
    assert error_text(TileView(PHOTO)) is None


def test_the_same_tiles_give_the_same_picture() -> None:
    tiles = [_tile("reference"), _tile("proposed", score=0.3)]
    assert np.array_equal(contact_sheet(tiles, title="a"), contact_sheet(tiles, title="a"))


def test_one_pixel_photos_are_no_trouble() -> None:
    dot = TileView(np.zeros((1, 1, 3), dtype=np.uint8), caption="dot.png")
    assert contact_sheet([dot]).shape[2] == 3


@pytest.mark.parametrize("wrong", [{"columns": 0}, {"tile_width": 50}])
def test_numbers_that_make_no_page_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a sheet needs"):
        contact_sheet([_tile()], **wrong)


def test_no_tiles_no_sheet() -> None:
    with pytest.raises(ValueError, match="a sheet needs"):
        contact_sheet([])
