"""The feature map, and the protocol that every extractor follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.geometry.grid import PatchGrid


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMap:
    """Features of one image on a patch grid.

    Attributes
    ----------
    data : Tensor, (rows, cols, d) float32
        Concatenated blocks, each L2-normalised over its channels.
    grid : PatchGrid
        Where the rows and columns lie in the image.
    key : str
        The extractor's `ExtractorSpec.key`.
    """

    data: torch.Tensor
    grid: PatchGrid
    key: str

    def __post_init__(self) -> None:
        if self.data.shape[:2] != (self.grid.rows, self.grid.cols):
            raise ValueError(
                f"features {tuple(self.data.shape)} do not fit a grid of "
                f"{self.grid.rows} x {self.grid.cols}"
            )

    def flat(self) -> torch.Tensor:
        """Return the features as (n, d), row-major."""
        return self.data.reshape(self.grid.n, -1)


@dataclass(frozen=True, slots=True)
class ExtractorSpec:
    """What a person and a cache need to know of an extractor.

    Attributes
    ----------
    name : str
        Registry name.
    key : str
        Changes whenever the output could: network, weights' hash, blocks, facet, code version.
    licence : str
        Licence of the weights, SPDX where there is one.
    width : int
        d, the channels of its feature maps.
    blocks : tuple of int
        Channels of each feature block, in order; empty where there is one block of all.
    """

    name: str
    key: str
    licence: str
    width: int
    blocks: tuple[int, ...] = ()


class Extractor(Protocol):
    """A network that turns an image into features on the grid it is asked for."""

    @property
    def spec(self) -> ExtractorSpec:
        """Return what it is."""
        ...

    def extract(self, rgb: NDArray[np.uint8], grid: PatchGrid) -> FeatureMap:
        """Return the features of ``rgb`` (H, W, 3) at the centres of ``grid``'s patches.

        ``grid.size`` is the image's size. The extractor chooses the input size that its network
        likes and that resolves the grid, and brings every block to the grid by the pixel-centre
        rule.

        Raises
        ------
        ValueError
            If ``rgb`` is not the (H, W, 3) uint8 array that the grid describes.
        """
        ...


def resolve_layers(layers: Sequence[int], depth: int) -> tuple[int, ...]:
    """Return layer indices counted from 0, ascending and each once.

    Raises
    ------
    ValueError
        If one is not in [-depth, depth).
    """
    for layer in layers:
        if not -depth <= layer < depth:
            raise ValueError(f"layer {layer} does not exist in a network of {depth} layers")
    return tuple(sorted({layer % depth for layer in layers}))
