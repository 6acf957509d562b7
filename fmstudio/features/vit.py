"""Any Vision Transformer that timm knows: DINOv2, DINOv3, EVA, SigLIP ...

Dosovitskiy et al. 2021, arXiv:2010.11929; the facets are those of Amir et al. 2021, "Deep ViT
Features as Dense Visual Descriptors", arXiv:2112.05814.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from timm.data.config import resolve_model_data_config
from torch import nn
from torch.nn.functional import linear

from fmstudio.errors import WeightsError
from fmstudio.features import weights as weights_files
from fmstudio.features.base import ExtractorSpec, FeatureMap, resolve_layers
from fmstudio.features.fusion import normalise_block
from fmstudio.features.preprocess import check_rgb, half_precision, to_input
from fmstudio.features.tensors import load_tensors
from fmstudio.geometry.grid import ImageSize, PatchGrid

# Raise when the same weights would give other features.
CODE_VERSION = 1

FACETS = ("token", "query", "key", "value")


@dataclass(frozen=True, slots=True)
class ViTOptions:
    """Which of a transformer's tensors are the features.

    Attributes
    ----------
    layers : tuple of int
        Blocks, counted from 0, or from -1 backwards; each is one feature block.
    facet : str
        "token" (a block's output after the network's final norm), or "query", "key", "value"
        (a block's attention inputs, all heads, before any rotary embedding).
    """

    layers: tuple[int, ...] = (-1,)
    facet: str = "token"

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("at least one layer is needed")
        if self.facet not in FACETS:
            raise ValueError(f'a facet is one of {", ".join(FACETS)}, not "{self.facet}"')


class ViT:
    """Features of a timm Vision Transformer at some of its blocks.

    The network sees exactly one of its patches per patch of the grid, so nothing is resampled.

    Parameters
    ----------
    name : str
        Registry name; what is after "vit:", or the short name's entry, tells timm's name.
    timm_name : str
        Of the architecture, such as "vit_small_patch14_dinov2.lvd142m".
    options : ViTOptions
    device : torch.device or str
        Where it runs, and where its feature maps stay.
    weights : Path or None
        A local file; None takes the local hub cache's.

    Raises
    ------
    WeightsError
        If timm has no such transformer, or the weights are missing, damaged or do not fit.
    ValueError
        If a layer is out of range.
    """

    def __init__(
        self,
        name: str,
        timm_name: str,
        options: ViTOptions,
        *,
        device: torch.device | str = "cpu",
        weights: Path | None = None,
    ) -> None:
        network = create_network(timm_name)
        depth = len(network.blocks)
        self._layers = resolve_layers(options.layers, depth)
        self._facet = options.facet
        path = weights_files.find(name, weights)
        digest = weights_files.verify(name, path)
        load_into(network, path)
        self._device = torch.device(device)
        self._network = network.to(self._device)
        self._scaling = _scaling(network)
        layers = "+".join(str(i) for i in self._layers)
        precision = ":half" if self._device.type == "cuda" else ""
        self._spec = ExtractorSpec(
            name=name,
            key=f"{timm_name}:{digest[:12]}:{layers}:{options.facet}{precision}:v{CODE_VERSION}",
            licence=weights_files.licence_of(name, weights),
            width=len(self._layers) * self._block_width(),
            blocks=(self._block_width(),) * len(self._layers),
        )

    @property
    def spec(self) -> ExtractorSpec:
        """Return what it is."""
        return self._spec

    def input_size(self, grid: PatchGrid) -> ImageSize:
        """Return the input size at which the network's patches are the grid's."""
        height, width = self._network.patch_embed.patch_size
        return ImageSize(grid.cols * width, grid.rows * height)

    def extract(self, rgb: NDArray[np.uint8], grid: PatchGrid) -> FeatureMap:
        """Return the features of ``rgb`` (H, W, 3) at the centres of ``grid``'s patches.

        Raises
        ------
        ValueError
            If ``rgb`` is not the (H, W, 3) uint8 array that the grid describes.
        """
        check_rgb(rgb, grid)
        with torch.inference_mode():
            x = to_input(rgb, self.input_size(grid), *self._scaling, self._device)
            x = x.contiguous()
            with half_precision(self._device):
                blocks = self._tokens(x) if self._facet == "token" else self._attention_inputs(x)
            on_grid = [
                normalise_block(block[0].float().reshape(grid.rows, grid.cols, -1))
                for block in blocks
            ]
            data = torch.cat(on_grid, dim=-1)
        # Copied outside inference mode: such tensors cannot enter a refinement's gradients.
        return FeatureMap(data.clone(), grid, self._spec.key)

    def _tokens(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the layers' patch tokens (1, n, d), normed as the network norms its last."""
        tokens: list[torch.Tensor] = self._network.forward_intermediates(
            x,
            indices=list(self._layers),
            norm=True,
            stop_early=True,
            output_fmt="NLC",
            intermediates_only=True,
        )
        return tokens

    def _attention_inputs(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the layers' queries, keys or values (1, n, d) of the patches."""
        seen: dict[int, torch.Tensor] = {}
        hooks = [
            self._network.blocks[i].attn.register_forward_pre_hook(partial(_remember, seen, i))
            for i in self._layers
        ]
        try:
            self._tokens(x)
        finally:
            for hook in hooks:
                hook.remove()
        prefix = self._network.num_prefix_tokens
        return [
            facet_of(self._network.blocks[i].attn, self._facet, seen[i])[:, prefix:]
            for i in self._layers
        ]

    def _block_width(self) -> int:
        """Return the channels of one layer's features."""
        if self._facet == "token":
            return int(self._network.embed_dim)
        attention = self._network.blocks[self._layers[0]].attn
        one = torch.zeros(1, 1, self._network.embed_dim, device=self._device)
        return facet_of(attention, self._facet, one).shape[-1]


def create_network(timm_name: str) -> Any:
    """Return a transformer without weights, ready for any input size of whole patches.

    Raises
    ------
    WeightsError
        If timm has no Vision Transformer of this name.
    """
    unknown = WeightsError(
        f'timm has no Vision Transformer "{timm_name}" that fmstudio can use; '
        "give a name such as vit_small_patch14_dinov2.lvd142m"
    )
    if not timm_name or not timm.is_model(timm_name):
        raise unknown
    try:
        network = timm.create_model(
            timm_name, pretrained=False, num_classes=0, dynamic_img_size=True
        )
    except (TypeError, RuntimeError) as error:
        # A convolutional network does not know the option.
        raise unknown from error
    wanted = ("blocks", "patch_embed", "num_prefix_tokens", "forward_intermediates")
    if not all(hasattr(network, name) for name in wanted):
        raise unknown
    return network.eval().requires_grad_(False)


def load_into(network: Any, path: Path) -> None:
    """Load a weights file, in timm's naming or one that timm can translate, into a network.

    The classifier is left out; everything else has to fit exactly.

    Raises
    ------
    WeightsError
        If a tensor is missing, left over or of the wrong shape.
    """
    head = network.default_cfg.get("classifier") or "head"
    expected = network.state_dict()
    tensors = _without(load_tensors(path), head)
    if tensors.keys() != expected.keys():
        # Meta's own files name things differently; timm's module of each family knows how.
        translate = getattr(sys.modules[type(network).__module__], "checkpoint_filter_fn", None)
        if translate is not None:
            tensors = _without(translate(tensors, network), head)
    odd = sorted(tensors.keys() ^ expected.keys()) or [
        key for key, value in tensors.items() if value.shape != expected[key].shape
    ]
    if odd:
        raise WeightsError(
            f'the weights file "{path}" does not fit the network: {len(odd)} tensors are missing, '
            f'left over or of another shape, "{odd[0]}" among them'
        )
    network.load_state_dict(tensors, strict=True)


def facet_of(attention: Any, facet: str, x: torch.Tensor) -> torch.Tensor:
    """Return an attention layer's queries, keys or values for its input.

    Parameters
    ----------
    attention : Module
        timm's, with a fused ``qkv`` or separate ``q_proj``, ``k_proj``, ``v_proj``.
    facet : str
        "query", "key" or "value".
    x : Tensor, (b, n, d)

    Returns
    -------
    Tensor, (b, n, d')
        The heads side by side.
    """
    part = ("query", "key", "value").index(facet)
    letter = "qkv"[part]
    if getattr(attention, "qkv", None) is None:
        projected: torch.Tensor = getattr(attention, f"{letter}_proj")(x)
        return projected
    weight = attention.qkv.weight.chunk(3)[part]
    if attention.qkv.bias is not None:
        bias = attention.qkv.bias.chunk(3)[part]
    else:
        bias = getattr(attention, f"{letter}_bias", None)
    return linear(x, weight, bias)


def _remember(
    seen: dict[int, torch.Tensor], layer: int, module: nn.Module, inputs: tuple[torch.Tensor, ...]
) -> None:
    """Keep the input of a layer's attention: a forward pre-hook."""
    del module
    seen[layer] = inputs[0]


def _without(tensors: Mapping[str, torch.Tensor], head: str) -> dict[str, torch.Tensor]:
    """Return the tensors that do not belong to the classifier."""
    return {k: v for k, v in tensors.items() if not k.startswith(f"{head}.")}


def _scaling(
    network: Any,
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Return the mean and standard deviation of the training images, in [0, 255]."""
    config = resolve_model_data_config(network)  # type: ignore[no-untyped-call]
    r, g, b = (255.0 * v for v in config["mean"])
    sr, sg, sb = (255.0 * v for v in config["std"])
    return (r, g, b), (sr, sg, sb)
