from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from timm.layers import Conv2dSame

from fmstudio.errors import WeightsError
from fmstudio.features import weights as weights_files
from fmstudio.features.efficientnet import (
    LITES,
    MEAN,
    STD,
    EfficientNetLite,
    load_network,
    padded_axis,
)
from fmstudio.features.fusion import normalise_block
from fmstudio.features.preprocess import SideRule, to_input
from fmstudio.features.tensors import load_tensors
from fmstudio.geometry.grid import ImageSize, PatchGrid

Rgb = NDArray[np.uint8]
Lites = dict[str, EfficientNetLite]
GridOf = Callable[[Rgb, int], PatchGrid]

WIDTHS = {"efficientnet-lite0": (112, 192, 192), "efficientnet-lite2": (120, 208)}
NAMES = tuple(LITES)
TRAINED_AT = {"efficientnet-lite0": 224, "efficientnet-lite2": 260}
CATS = range(281, 288)  # ImageNet's tabby ... lynx
CUPS = (504, 967, 968)  # coffee mug, espresso, cup


def probabilities(
    name: str, rgb: Rgb, mean: tuple[float, ...] = MEAN, std: tuple[float, ...] = STD
) -> torch.Tensor:
    """Return ImageNet probabilities of the photo's middle square, seen as in training."""
    side = min(rgb.shape[:2])
    top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
    square = np.ascontiguousarray(rgb[top : top + side, left : left + side])
    size = ImageSize(TRAINED_AT[name], TRAINED_AT[name])
    network = load_network(name, weights_files.find(name))
    with torch.inference_mode():
        return network(to_input(square, size, mean, std, torch.device("cpu")))[0].softmax(dim=0)


@pytest.mark.parametrize("name", NAMES)
def test_real_photos_are_recognised(name: str, cat: Rgb, coffee: Rgb) -> None:
    assert int(probabilities(name, cat).argmax()) in CATS
    assert int(probabilities(name, coffee).argmax()) in CUPS


OTHER_SCALINGS = {
    "to [0, 1]": ((0.0,) * 3, (255.0,) * 3),
    "none": ((0.0,) * 3, (1.0,) * 3),
    "ImageNet's mean and deviation": ((123.7, 116.3, 103.5), (58.4, 57.1, 57.4)),
    "twice the contrast": ((127.0,) * 3, (64.0,) * 3),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", OTHER_SCALINGS)
def test_the_scaling_is_the_one_of_training(name: str, other: str, cat: Rgb, coffee: Rgb) -> None:
    """Scaled in other ways, all in use elsewhere, the photos are recognised less surely."""
    for rgb, classes in ((cat, list(CATS)), (coffee, list(CUPS))):
        right = float(probabilities(name, rgb)[classes].sum())
        wrong = float(probabilities(name, rgb, *OTHER_SCALINGS[other])[classes].sum())
        assert right > wrong


@pytest.mark.parametrize("name", NAMES)
def test_features_have_the_promised_form(
    name: str, lites: Lites, coffee: Rgb, grid_of: GridOf
) -> None:
    extractor = lites[name]
    grid = grid_of(coffee, 20)
    before = coffee.copy()
    features = extractor.extract(coffee, grid)
    assert features.data.shape == (grid.rows, grid.cols, extractor.spec.width)
    assert features.data.dtype == torch.float32
    assert not features.data.is_inference()
    assert features.key == extractor.spec.key
    assert features.grid == grid
    for block in features.data.split(WIDTHS[name], dim=-1):
        assert torch.allclose(block.norm(dim=-1), torch.ones(grid.rows, grid.cols), atol=1e-5)
    assert np.array_equal(coffee, before)
    assert torch.equal(features.data, extractor.extract(coffee, grid).data)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("width", "height"), [(64, 48), (33, 200), (300, 40)])
def test_small_and_narrow_images_work(
    name: str, width: int, height: int, lites: Lites, coffee: Rgb, grid_of: GridOf
) -> None:
    rgb = np.ascontiguousarray(coffee[:height, :width])
    grid = grid_of(rgb, 8)
    assert torch.isfinite(lites[name].extract(rgb, grid).data).all()


@pytest.mark.parametrize("name", NAMES)
def test_an_image_of_another_grid_is_refused(
    name: str, lites: Lites, cat: Rgb, coffee: Rgb, grid_of: GridOf
) -> None:
    with pytest.raises(ValueError, match="an image for this grid"):
        lites[name].extract(cat, grid_of(coffee, 8))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("patches", [4, 17, 32, 48])
def test_inputs_have_the_networks_parity(
    name: str, patches: int, lites: Lites, coffee: Rgb, grid_of: GridOf
) -> None:
    size = lites[name].input_size(grid_of(coffee, patches))
    for side in (size.width, size.height):
        assert side % 64 == 4 if name == "efficientnet-lite2" else side % 32 == 0


@pytest.mark.parametrize("name", NAMES)
def test_taps_are_the_networks_blocks_and_nothing_runs_after_them(
    name: str, lites: Lites, coffee: Rgb
) -> None:
    """Folded and cut short, the network gives what the whole one gives at these blocks."""
    network = load_network(name, weights_files.find(name))
    blocks = [block for stage in network.blocks for block in stage]
    seen: list[torch.Tensor] = []
    for index in LITES[name].taps:
        blocks[index].register_forward_hook(lambda m, i, out: seen.append(out))
    x = to_input(coffee, ImageSize(132, 100), MEAN, STD, torch.device("cpu"))
    trunk = lites[name]._layers
    with torch.inference_mode():
        network(x)
        tapped = trunk(x)
    assert len(trunk.blocks) == LITES[name].taps[-1] + 1
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in trunk.modules())
    for ours, theirs, width in zip(tapped, seen, WIDTHS[name], strict=True):
        assert ours.shape[1] == width
        assert torch.allclose(ours, theirs, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize("name", NAMES)
def test_the_first_tap_is_the_last_block_at_stride_16(name: str, lites: Lites) -> None:
    blocks = lites[name]._layers.blocks
    strides = [block.conv_dw.stride[0] for block in blocks]
    first = LITES[name].taps[0]
    assert 2 * np.prod(strides[: first + 1]) == 16  # the stem halves too
    assert strides[first + 1] == 2
    assert 2 * np.prod(strides) == 32


@pytest.mark.parametrize("side", [68, 96, 100, 132, 110, 75])
def test_padded_centres_are_those_of_real_convolutions(side: int) -> None:
    """The centre of the input that an interior cell listens to, by its gradient."""
    layers = torch.nn.Sequential(
        *(Conv2dSame(1, 1, kernel, stride=2, bias=False) for kernel in (3, 3, 5, 3))
    )
    for layer in layers:
        torch.nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, side, side, requires_grad=True)
    out = layers(x)
    count = out.shape[-1]
    cells = padded_axis(count, side)
    for cell in range(1, count - 1):
        (grad,) = torch.autograd.grad(out[0, 0, 2, cell], x, retain_graph=True)
        heard = grad[0, 0].sum(dim=0).nonzero().flatten()
        if heard[0] == 0 or heard[-1] == side - 1:
            continue  # cut off by the border, off centre
        centre = (float(heard[0]) + float(heard[-1]) + 1) / 2
        assert (cells.first + cell * cells.step) * side == pytest.approx(centre)


def test_cells_that_no_halving_gives_are_refused() -> None:
    with pytest.raises(ValueError, match="do not come from halving"):
        padded_axis(10, 100)


def match_errors(a: torch.Tensor, b: torch.Tensor, grid: PatchGrid) -> NDArray[np.float64]:
    """Return for each patch of ``a`` where it is found in ``b``, (rows, cols, 2) xy pixels."""
    score = normalise_block(a).flatten(0, 1) @ normalise_block(b).flatten(0, 1).T
    best = score.argmax(dim=1)
    rows, cols = best // grid.cols, best % grid.cols
    at = torch.arange(grid.n)
    near = ((at // grid.cols)[None] - rows[:, None]).abs().le(2) & (
        (at % grid.cols)[None] - cols[:, None]
    ).abs().le(2)
    share = (score / 0.03).masked_fill(~near, -torch.inf).softmax(dim=1)
    rc = torch.stack([share @ (at // grid.cols).float(), share @ (at % grid.cols).float()], dim=-1)
    return grid.rc_to_xy(rc.double().numpy()).reshape(grid.rows, grid.cols, 2)


def mirror_bias(extractor: EfficientNetLite, rgb: Rgb, grid: PatchGrid) -> float:
    """Return by how many pixels matches in the mirror image lie to the right of the truth."""
    mirrored = np.ascontiguousarray(rgb[:, ::-1])
    xy = match_errors(
        extractor.extract(rgb, grid).data, extractor.extract(mirrored, grid).data, grid
    )
    truth = grid.size.width - grid.centers().reshape(grid.rows, grid.cols, 2)[..., 0]
    return float(np.median((xy[..., 0] - truth)[3:-3, 3:-3]))


@pytest.mark.parametrize("name", NAMES)
def test_features_lie_where_their_patches_are(
    name: str, lites: Lites, cat: Rgb, coffee: Rgb, window: Callable[..., Rgb]
) -> None:
    """In a mirror a wrong centre shows twice: matches are off by twice the error."""
    photos = [window(coffee, 20, 10, 500, (512, 384)), window(cat, 10, 5, 380, (512, 384))]
    grid = PatchGrid(ImageSize(512, 384), 24, 32)
    right = np.mean([mirror_bias(lites[name], rgb, grid) for rgb in photos])
    assert abs(right) < 4
    shifted = EfficientNetLite(name)
    shifted._lite = replace(shifted._lite, shift=shifted._lite.shift + 8)
    wrong = np.mean([mirror_bias(shifted, rgb, grid) for rgb in photos])
    assert abs(wrong) > abs(right) + 4


@pytest.mark.parametrize("name", NAMES)
def test_a_shift_moves_the_features(
    name: str, lites: Lites, coffee: Rgb, window: Callable[..., Rgb]
) -> None:
    grid = PatchGrid(ImageSize(320, 256), 16, 20)
    a = lites[name].extract(window(coffee, 100, 60, 320, (320, 256)), grid).data
    b = lites[name].extract(window(coffee, 164, 92, 320, (320, 256)), grid).data
    inner = (slice(4, -4), slice(4, -4))
    moved = (a[2:, 4:][inner] * b[:-2, :-4][inner]).sum(dim=-1).mean()
    still = (a[inner] * b[inner]).sum(dim=-1).mean()
    assert moved > still + 0.15 * len(LITES[name].taps)


@pytest.mark.parametrize("name", NAMES)
def test_a_known_zoom_is_followed(
    name: str, lites: Lites, coffee: Rgb, window: Callable[..., Rgb]
) -> None:
    grid = PatchGrid(ImageSize(512, 384), 24, 32)
    a = lites[name].extract(window(coffee, 40, 10, 500, (512, 384)), grid).data
    b = lites[name].extract(window(coffee, 40, 10, 400, (512, 384)), grid).data
    truth = grid.centers().reshape(24, 32, 2) * 1.25
    error = np.linalg.norm(match_errors(a, b, grid) - truth, axis=-1)[2:18, 2:24]
    assert np.median(error) < 8
    assert (error < 16).mean() > 0.85


def corner_bias(extractor: EfficientNetLite, rgb: Rgb, window: Callable[..., Rgb]) -> float:
    """Return how much further right matches lie when zooming to the right than to the left."""
    grid = PatchGrid(ImageSize(512, 384), 24, 32)
    whole = extractor.extract(window(rgb, 40, 10, 500, (512, 384)), grid).data
    centres = grid.centers().reshape(24, 32, 2)[..., 0]
    bias = []
    for left in (0.0, 512 - 512 / 1.4):
        part = window(rgb, 40 + left * 500 / 512, 10, 500 / 1.4, (512, 384))
        truth = (centres - left) * 1.4
        error = match_errors(whole, extractor.extract(part, grid).data, grid)[..., 0] - truth
        seen = (truth > 40) & (truth < 472)
        bias.append(float(np.median(error[:16][seen[:16]])))
    return bias[1] - bias[0]


def test_cells_are_as_far_apart_as_padding_puts_them(
    lites: Lites, coffee: Rgb, window: Callable[..., Rgb]
) -> None:
    """Cells taken to share the side equally pull matches to its middle."""
    name = "efficientnet-lite2"
    equal = EfficientNetLite(name)
    equal._lite = replace(equal._lite, padded=False, shift=-4.0)
    right, wrong = (corner_bias(e, coffee, window) for e in (lites[name], equal))
    assert abs(right) < abs(wrong) - 3


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    return load_tensors(weights_files.find("efficientnet-lite0"))


def test_timms_own_naming_loads_too(tmp_path: Path, lites: Lites, cat: Rgb) -> None:
    name = "efficientnet-lite0"
    path = tmp_path / "lite0.safetensors"
    save_file(load_network(name, weights_files.find(name)).state_dict(), path)
    grid = PatchGrid(ImageSize(451, 300), 5, 8)
    own = EfficientNetLite(name, weights=path)
    assert torch.equal(own.extract(cat, grid).data, lites[name].extract(cat, grid).data)
    assert own.spec.key != lites[name].spec.key
    assert "local file" in own.spec.licence


@pytest.mark.parametrize("fault", ["missing", "left over", "block too many", "shape", "other"])
def test_weights_that_do_not_fit_exactly_are_refused(
    fault: str, tensors: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    bad = {key: tensor.contiguous() for key, tensor in tensors.items()}
    if fault == "missing":
        del bad["_blocks.3._bn1.weight"]
    elif fault == "left over":
        bad["_blocks.3._extra.weight"] = torch.zeros(1)
    elif fault == "block too many":
        bad["_blocks.99._bn1.weight"] = torch.zeros(1)
    elif fault == "shape":
        bad["_conv_stem.weight"] = torch.zeros(32, 3, 5, 5)
    else:
        bad = {"a": torch.zeros(1)}
    path = tmp_path / "bad.safetensors"
    save_file(bad, path)
    with pytest.raises(WeightsError, match="does not fit efficientnet-lite0"):
        load_network("efficientnet-lite0", path)


def test_weights_of_the_other_network_are_refused() -> None:
    path = weights_files.find("efficientnet-lite2")
    with pytest.raises(WeightsError, match="does not fit efficientnet-lite0"):
        EfficientNetLite("efficientnet-lite0", weights=path)


def test_the_side_rules_are_those_of_training() -> None:
    for name, side in TRAINED_AT.items():
        rule: SideRule = LITES[name].sides
        assert rule.nearest(side) == side
