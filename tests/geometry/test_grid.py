import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmstudio.geometry.grid import ImageSize, PatchGrid

grids = st.builds(
    PatchGrid,
    st.builds(ImageSize, st.integers(1, 500), st.integers(1, 500)),
    st.integers(1, 40),
    st.integers(1, 40),
)


@given(grids)
def test_patch_centres_are_whole_patch_coordinates_and_find_their_index(grid: PatchGrid) -> None:
    centers = grid.centers()
    assert centers.shape == (grid.n, 2)
    rows, cols = np.divmod(np.arange(grid.n), grid.cols)
    assert np.allclose(grid.xy_to_rc(centers), np.stack([rows, cols], axis=1), atol=1e-9)
    assert np.array_equal(grid.xy_to_index(centers), np.arange(grid.n))


@given(grids, st.lists(st.tuples(st.floats(-99, 599), st.floats(-99, 599)), min_size=1))
def test_patch_coordinates_go_there_and_back(
    grid: PatchGrid, points: list[tuple[float, float]]
) -> None:
    xy = np.array(points)
    assert np.allclose(grid.rc_to_xy(grid.xy_to_rc(xy)), xy, atol=1e-7)


@given(grids)
def test_a_patch_covers_an_equal_share_of_the_image(grid: PatchGrid) -> None:
    width, height = grid.patch
    assert width * grid.cols == pytest.approx(grid.size.width)
    assert height * grid.rows == pytest.approx(grid.size.height)
    first = grid.rc_to_xy(np.array([0.0, 0.0]))
    assert first == pytest.approx([width / 2, height / 2])


def test_points_outside_go_to_the_nearest_patch() -> None:
    grid = PatchGrid(ImageSize(40, 20), rows=2, cols=4)
    xy = np.array([[-5.0, -5.0], [99.0, 99.0], [40.0, 0.0], [10.0, 9.99], [9.99, 10.0]])
    assert grid.xy_to_index(xy).tolist() == [0, 7, 3, 1, 4]


def test_index_keeps_leading_dimensions() -> None:
    grid = PatchGrid(ImageSize(40, 20), rows=2, cols=4)
    assert grid.xy_to_index(np.zeros((3, 5, 2))).shape == (3, 5)


@pytest.mark.parametrize(
    ("size", "rows", "cols"),
    [
        (ImageSize(640, 480), 24, 32),
        (ImageSize(480, 640), 32, 24),
        (ImageSize(1000, 10), 2, 32),
        (ImageSize(1, 1), 32, 32),
    ],
)
def test_grid_of_a_long_side(size: ImageSize, rows: int, cols: int) -> None:
    grid = PatchGrid.of_long_side(size, 32)
    assert (grid.rows, grid.cols) == (rows, cols)


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        ImageSize(0, 5)
    with pytest.raises(ValueError, match="at least one patch"):
        PatchGrid(ImageSize(5, 5), 0, 3)


def test_long_side() -> None:
    assert ImageSize(3, 8).long_side == 8


def test_an_image_contains_its_border_and_nothing_beyond() -> None:
    xy = np.array([[[0.0, 0.0], [30.0, 20.0]], [[30.1, 5.0], [5.0, -0.1]]])
    assert ImageSize(30, 20).contains(xy).tolist() == [[True, True], [False, False]]
    assert ImageSize(30, 20).contains(np.array([15.0, 20.0]))
