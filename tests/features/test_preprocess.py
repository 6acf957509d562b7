import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fmstudio.features.preprocess import (
    CellAxis,
    SideRule,
    check_rgb,
    half_precision,
    resample,
    resize,
    to_input,
)
from fmstudio.geometry.grid import ImageSize, PatchGrid


def grid(width: int, height: int, rows: int, cols: int) -> PatchGrid:
    return PatchGrid(ImageSize(width, height), rows, cols)


@given(st.integers(1, 4000))
def test_a_side_is_of_its_rule_and_no_other_is_nearer(pixels: int) -> None:
    rule = SideRule(64, 4, 68)
    side = rule.nearest(pixels)
    assert side % 64 == 4
    assert side >= 68
    assert side == 68 or abs(side - pixels) <= 32


@given(st.integers(1, 40), st.integers(2, 40))
def test_interpolation_weights_are_shares(count: int, patches: int) -> None:
    weights = CellAxis.even(count).weights(patches)
    assert weights.shape == (patches, count)
    assert (weights >= 0).all()
    assert torch.allclose(weights.sum(dim=1), torch.ones(patches))


def test_equal_cells_and_patches_are_left_alone() -> None:
    assert torch.allclose(CellAxis.even(7).weights(7), torch.eye(7), atol=1e-6)


@pytest.mark.parametrize(("rows", "cols"), [(6, 8), (12, 16), (9, 5), (3, 4)])
def test_a_linear_ramp_keeps_its_place(rows: int, cols: int) -> None:
    """A block that holds its cells' centres gives the patches' centres back."""
    size = ImageSize(640, 480)
    down, across = CellAxis.in_pixels(15, 3.5, 32.0, 480), CellAxis.in_pixels(20, 10.0, 32.0, 640)
    ys = (down.first + down.step * torch.arange(15)) * size.height
    xs = (across.first + across.step * torch.arange(20)) * size.width
    block = torch.stack(torch.meshgrid(ys, xs, indexing="ij")).float()  # (2, 15, 20): y, x
    at = resample(block, down, across, PatchGrid(size, rows, cols))
    xy = at.flip(-1).reshape(-1, 2).double().numpy()
    centres = PatchGrid(size, rows, cols).centers()
    low = np.array([10.0, 3.5])
    high = np.array([10.0 + 19 * 32, 3.5 + 14 * 32])
    np.testing.assert_allclose(xy, centres.clip(low, high), atol=1e-3)


def test_beyond_the_outermost_centres_cells_continue() -> None:
    weights = CellAxis.in_pixels(2, 50.0, 10.0, 100).weights(10)
    assert torch.equal(weights[0], torch.tensor([1.0, 0.0]))
    assert torch.equal(weights[9], torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize("size", [(40, 30), (200, 150), (40, 150), (200, 30), (100, 75)])
def test_resizing_keeps_the_centre_of_mass(size: tuple[int, int]) -> None:
    """The pixel-centre rule: positions scale by the ratio of the sizes, with no offset."""
    rgb = np.zeros((75, 100, 3), np.uint8)
    rgb[30:40, 20:50] = 200
    out = resize(rgb, ImageSize(*size)).astype(float)[..., 0]
    assert out.shape == (size[1], size[0])
    ys, xs = np.mgrid[: size[1], : size[0]] + 0.5
    assert (xs * out).sum() / out.sum() / size[0] == pytest.approx(35 / 100, abs=4e-3)
    assert (ys * out).sum() / out.sum() / size[1] == pytest.approx(35 / 75, abs=4e-3)


def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((64, 640, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize(stripes, ImageSize(91, 64))
    assert small.min() > 100
    assert small.max() < 155


def test_input_is_scaled_and_channels_last() -> None:
    rgb = np.zeros((8, 12, 3), np.uint8)
    rgb[..., 1] = 255
    x = to_input(rgb, ImageSize(12, 8), (127.0,) * 3, (128.0,) * 3, torch.device("cpu"))
    assert x.shape == (1, 3, 8, 12)
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert x[0, :, 0, 0].tolist() == [-127 / 128, 1.0, -127 / 128]


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((30, 40), np.uint8),
        np.zeros((40, 30, 3), np.uint8),
        np.zeros((30, 40, 4), np.uint8),
        np.zeros((30, 40, 3), np.float32),
    ],
)
def test_an_image_of_another_grid_is_refused(rgb: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"uint8 of shape \(30, 40, 3\)"):
        check_rgb(rgb, grid(40, 30, 3, 4))


def test_only_cuda_computes_in_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    with half_precision(torch.device("cpu")):
        assert not torch.is_autocast_enabled("cpu")
    # torch itself warns of CUDA where there is none.
    monkeypatch.setattr(torch, "autocast", lambda *asked: asked)
    assert half_precision(torch.device("cuda")) == ("cuda", torch.float16)
