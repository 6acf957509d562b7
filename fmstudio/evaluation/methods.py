"""The methods that a benchmark compares, each a way to carry marks from one image to another.

All but "identity" are scores between source and target patches, decoded by one and the same code
(`spectral.transfer`): window soft-argmax for points, soft transport for masks. So a difference
between two of them is a difference between their scores and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from fmstudio.engine.match import ImageAnalysis, PairMap
from fmstudio.engine.requests import Phase
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.geometry.masks import Mask
from fmstudio.spectral.convert import soft_argmax
from fmstudio.spectral.transfer import mask_from_soft, transfer_keypoints, transfer_mask

# Of the bilateral filter: in patches, in patches, and in cosine similarity.
_SIGMA = 1.0
_RADIUS = 2
_RANGE = 0.2


class Analyser(Protocol):
    """What the benchmark asks of `engine.match.Matcher`."""

    def analyse(self, rgb: NDArray[np.uint8], key: str) -> ImageAnalysis:
        """Return features and basis of an image (H, W, 3)."""
        ...

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairMap:
        """Return the product's map of a pair."""
        ...


class PairTransfer(Protocol):
    """One pair matched by one method."""

    def keypoints(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return target pixels (m, 2) of source pixels (m, 2)."""
        ...

    def keypoints_back(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return source pixels (m, 2) of target pixels (m, 2)."""
        ...

    def mask(self, mask: Mask) -> Mask:
        """Return a source mask on the target."""
        ...

    def field(self) -> NDArray[np.float64]:
        """Return the source pixels (n_t, 2) of the target's patch centres, row-major."""
        ...


class Method(Protocol):
    """A way to match two images."""

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairTransfer:
        """Return a pair matched."""
        ...


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """A method as a table and a person know it.

    Attributes
    ----------
    description : str
        One line.
    make : callable
        From an `Analyser` to the method.
    stages : frozenset of Phase
        Which of an image's stages it needs; the time of the others is not its own.
    """

    description: str
    make: Callable[[Analyser], Method]
    stages: frozenset[Phase]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTransfer:
    """A pair matched by a score between patches.

    Attributes
    ----------
    score : Tensor, (n_s, n_t)
        Higher is better; of the scale of a cosine, for which the decoder's temperature is made.
    grid_s, grid_t : PatchGrid
    """

    score: torch.Tensor
    grid_s: PatchGrid
    grid_t: PatchGrid

    def keypoints(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return target pixels (m, 2) of source pixels (m, 2)."""
        return transfer_keypoints(self.score, self.grid_s, self.grid_t, xy)

    def keypoints_back(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return source pixels (m, 2) of target pixels (m, 2)."""
        return transfer_keypoints(self.score.T, self.grid_t, self.grid_s, xy)

    def mask(self, mask: Mask) -> Mask:
        """Return a source mask on the target, by soft transport."""
        soft = transfer_mask(self.score, self.grid_s, self.grid_t, mask)
        return mask_from_soft(soft, self.grid_t)

    def field(self) -> NDArray[np.float64]:
        """Return the source pixels (n_t, 2) of the target's patch centres, row-major."""
        return soft_argmax(self.score.T, self.grid_s)


@dataclass(frozen=True, slots=True)
class CopyTransfer:
    """A pair "matched" by copying the relative position; uses no pixel."""

    grid_s: PatchGrid
    grid_t: PatchGrid

    def keypoints(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return target pixels (m, 2) of source pixels (m, 2)."""
        return _rescaled(xy, self.grid_s.size, self.grid_t.size)

    def keypoints_back(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return source pixels (m, 2) of target pixels (m, 2)."""
        return _rescaled(xy, self.grid_t.size, self.grid_s.size)

    def mask(self, mask: Mask) -> Mask:
        """Return a source mask at the target's size: each pixel takes the nearest."""
        size = self.grid_t.size
        rows = (np.arange(size.height) + 0.5) * mask.size.height / size.height
        cols = (np.arange(size.width) + 0.5) * mask.size.width / size.width
        at = np.ix_(np.floor(rows).astype(np.int64), np.floor(cols).astype(np.int64))
        return Mask.from_array(mask.to_array()[at])

    def field(self) -> NDArray[np.float64]:
        """Return the source pixels (n_t, 2) of the target's patch centres, row-major."""
        return self.keypoints_back(self.grid_t.centers())


class Identity:
    """Copies the relative position: what one gets for nothing."""

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairTransfer:
        """Return a pair matched."""
        return CopyTransfer(s.grid, t.grid)


class NearestNeighbour:
    """Scores by the cosine similarity of the fused descriptors, nothing else."""

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairTransfer:
        """Return a pair matched."""
        return ScoreTransfer(s.descriptors @ t.descriptors.T, s.grid, t.grid)


class SmoothedNearestNeighbour:
    """Scores by the similarity volume, smoothed over the target by a joint bilateral filter.

    Each target patch's column of the volume becomes the mean of its neighbours' columns, weighted
    by nearness (Gaussian, sigma one patch, window 5 x 5) and by likeness of the target's own
    features (Gaussian on the cosine distance, sigma 0.2): coherence without any map, and without
    blurring across the edges of objects.

    References
    ----------
    Petschnigg et al. 2004, "Digital photography with flash and no-flash image pairs",
    doi:10.1145/1015706.1015777, section 4.1 (joint bilateral filter).
    """

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairTransfer:
        """Return a pair matched."""
        # The volume is linear in the target's descriptors: smoothing them smooths every row of it.
        smooth = bilateral(t.descriptors, t.descriptors, t.grid)
        return ScoreTransfer(s.descriptors @ smooth.T, s.grid, t.grid)


class LowPassNearestNeighbour:
    """Scores by the cosine of descriptors that each image's own basis has band-limited: no map.

    What the basis alone contributes; the difference to "map" is the functional map's.
    """

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairTransfer:
        """Return a pair matched."""
        low_s = normalize(s.basis.low_pass(s.descriptors), dim=1)
        low_t = normalize(t.basis.low_pass(t.descriptors), dim=1)
        return ScoreTransfer(low_s @ low_t.T, s.grid, t.grid)


class ProductMap:
    """Scores by the product's default, whatever that is: `Matcher.pair`."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairTransfer:
        """Return a pair matched."""
        return ScoreTransfer(self._analyser.pair(s, t).score, s.grid, t.grid)


def bilateral(functions: torch.Tensor, guide: torch.Tensor, grid: PatchGrid) -> torch.Tensor:
    """Return functions (n, p) smoothed over the grid where the guide is alike.

    ``f_i <- sum_j w_ij f_j / sum_j w_ij`` with
    ``w_ij = exp(-|rc_i - rc_j|^2 / (2 sigma^2) - (1 - cos_ij)^2 / (2 range^2))`` in a window.

    Parameters
    ----------
    functions : Tensor, (n, p)
    guide : Tensor, (n, d)
        Unit rows; cos_ij is their product.
    grid : PatchGrid
        Of n patches.
    """
    shape = (grid.rows, grid.cols)
    values, unit = functions.reshape(*shape, -1), guide.reshape(*shape, -1)
    total = torch.zeros_like(values)
    weights = torch.zeros((*shape, 1), dtype=values.dtype, device=values.device)
    for down in range(-_RADIUS, _RADIUS + 1):
        for right in range(-_RADIUS, _RADIUS + 1):
            here, there = _overlap(down, right)
            distance = 1 - (unit[here] * unit[there]).sum(dim=2, keepdim=True)
            near = (down**2 + right**2) / (2 * _SIGMA**2)
            weight = torch.exp(-near - distance.square() / (2 * _RANGE**2))
            total[here] += weight * values[there]
            weights[here] += weight
    return (total / weights).reshape(functions.shape)


def _overlap(down: int, right: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where a grid and the same grid moved by (down, right) overlap, in either's indices."""

    def span(step: int) -> tuple[slice, slice]:
        if step >= 0:
            return slice(0, -step or None), slice(step, None)
        return slice(-step, None), slice(0, step)

    (rows, rows_moved), (cols, cols_moved) = span(down), span(right)
    return (rows, cols), (rows_moved, cols_moved)


def _rescaled(xy: NDArray[np.float64], of: ImageSize, to: ImageSize) -> NDArray[np.float64]:
    """Return points at the same relative position in an image of another size."""
    return np.asarray(xy * [to.width / of.width, to.height / of.height], dtype=np.float64)


_FEATURES = frozenset({Phase.FEATURES})
_BOTH = frozenset({Phase.FEATURES, Phase.BASIS})

METHODS: Mapping[str, MethodSpec] = MappingProxyType(
    {
        "identity": MethodSpec("copy the relative position", lambda _: Identity(), frozenset()),
        "nn": MethodSpec(
            "nearest neighbour in the fused descriptors",
            lambda _: NearestNeighbour(),
            _FEATURES,
        ),
        "smoothed-nn": MethodSpec(
            "nearest neighbour in the similarity volume after a joint bilateral filter",
            lambda _: SmoothedNearestNeighbour(),
            _FEATURES,
        ),
        "lowpass-nn": MethodSpec(
            "nearest neighbour in descriptors band-limited by each image's own basis, no map",
            lambda _: LowPassNearestNeighbour(),
            _BOTH,
        ),
        "map": MethodSpec("the product's default functional map", ProductMap, _BOTH),
    }
)
