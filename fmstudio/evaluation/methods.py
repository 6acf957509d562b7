"""The methods that a benchmark compares, each a way to carry marks from one image to another.

All but "identity" are scores between source and target patches, decoded by one and the same code
(`spectral.transfer`): window soft-argmax for points, soft transport for masks. So a difference
between two of them is a difference between their scores and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from fmstudio.engine.agreement import ImageSummary
from fmstudio.engine.carry_masks import fuse_masks
from fmstudio.engine.focus import map_object
from fmstudio.engine.match import ImageAnalysis
from fmstudio.engine.object_map import ObjectMap
from fmstudio.engine.requests import Mark, Phase
from fmstudio.engine.score import patch_score
from fmstudio.engine.views import Matching, View
from fmstudio.evaluation.smoothing import bilateral, filter_displacements
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.geometry.masks import Mask
from fmstudio.spectral.convert import hub_corrected, soft_argmax
from fmstudio.spectral.reference import solve_fmap_iterative
from fmstudio.spectral.transfer import mask_from_soft, transfer_keypoints, transfer_mask


class Analyser(Matching, Protocol):
    """What the benchmark asks of `engine.match.Matcher`."""

    def agree(
        self,
        images: Sequence[ImageSummary],
        pairs: Sequence[tuple[int, int]],
        check: Callable[[], object] | None = None,
    ) -> None:
        """Solve the maps of pairs together."""
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

    def pair(self, s: View, t: View, mark: Mark) -> PairTransfer:
        """Return a pair matched, for a mark of the source."""
        ...


class WholeImageMethod(Protocol):
    """A way to match two whole images."""

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
    is_default : bool
        Whether it is judged when nobody names methods; the slow ones are not.
    """

    description: str
    make: Callable[[Analyser], Method]
    stages: frozenset[Phase]
    is_default: bool = True


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


@dataclass(frozen=True, slots=True, eq=False)
class ObjectTransfer:
    """A pair matched for one object, decoded as the product decodes.

    Attributes
    ----------
    found : ObjectMap
    target : View
    draws_edges : bool
        Whether masks are drawn to the target's edges.
    """

    found: ObjectMap
    target: View
    draws_edges: bool

    def keypoints(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return target pixels (m, 2) of source pixels (m, 2)."""
        return self.found.points(xy)

    def keypoints_back(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return source pixels (m, 2) of target pixels (m, 2)."""
        return self.found.points_back(xy)

    def mask(self, mask: Mask) -> Mask:
        """Return a source mask on the target."""
        opened = self.target.open if self.draws_edges else None
        made, _ = fuse_masks([(self.found.soft_mask(mask), 1.0)], self.target.size, opened)
        return made or Mask.empty(self.target.size)

    def field(self) -> NDArray[np.float64]:
        """Return the source pixels (n_t, 2) of the target's patch centres, row-major."""
        return self.found.field(self.target.analysis.grid.centers())


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
    features (Gaussian on the cosine distance, sigma 0.2), and is brought back to the scale of a
    cosine: coherence without any map, and without blurring across the edges of objects. On the
    development photos this was the best of one-sided and two-sided filters, with and without the
    rescaling, sigma 0.7 to 1.5.

    References
    ----------
    Petschnigg et al. 2004, "Digital photography with flash and no-flash image pairs",
    doi:10.1145/1015706.1015777, section 4.1 (joint bilateral filter).
    """

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairTransfer:
        """Return a pair matched."""
        # The volume is linear in the target's descriptors: smoothing them smooths every row of it.
        smooth = normalize(bilateral(t.descriptors, t.descriptors, t.grid), dim=1)
        return ScoreTransfer(s.descriptors @ smooth.T, s.grid, t.grid)


class FilteredNearestNeighbour:
    """Scores by the similarity volume, filtered along equal displacements.

    Each source patch's row becomes the mean of its neighbours' rows, every one shifted by where
    the neighbour lies, with the weights of "smoothed-nn" and the source's features as guide: what
    a bilateral filter of the displacement does, done before the maximum is taken and not after, so
    that one outlier does not move its neighbours. The strongest smoothing without a map or a fit.

    References
    ----------
    Hosni et al. 2013, "Fast cost-volume filtering for visual correspondence and beyond",
    doi:10.1109/TPAMI.2012.156, section 3.
    """

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairTransfer:
        """Return a pair matched."""
        volume = s.descriptors @ t.descriptors.T
        score = filter_displacements(volume, s.descriptors, s.grid, t.grid)
        return ScoreTransfer(score, s.grid, t.grid)


class HubCorrectedNearestNeighbour:
    """Scores by the cosine similarity less what each patch reaches anywhere: no map.

    What the hub correction alone contributes; the difference to "map" is the functional map's.
    """

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairTransfer:
        """Return a pair matched."""
        return ScoreTransfer(hub_corrected(s.descriptors @ t.descriptors.T), s.grid, t.grid)


class LowPassNearestNeighbour:
    """Scores by the cosine of descriptors that each image's own basis has band-limited: no map.

    What the basis alone contributes; the difference to "map" is the functional map's.
    """

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairTransfer:
        """Return a pair matched."""
        low_s = normalize(s.basis.low_pass(s.descriptors), dim=1)
        low_t = normalize(t.basis.low_pass(t.descriptors), dim=1)
        return ScoreTransfer(low_s @ low_t.T, s.grid, t.grid)


class WholeImages:
    """A method that matches whole images, whatever is marked on them."""

    def __init__(self, method: WholeImageMethod) -> None:
        self._method = method

    def pair(self, s: View, t: View, mark: Mark) -> PairTransfer:
        """Return a pair matched."""
        del mark
        return self._method.pair(s.analysis, t.analysis)


class ProductMap:
    """The product's default, whatever that is: the object's own map, decoded as it is carried."""

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser

    def pair(self, s: View, t: View, mark: Mark) -> PairTransfer:
        """Return a pair matched."""
        found = map_object(self._analyser, s, t, mark)
        return ObjectTransfer(found, t, self._analyser.settings.edges)


class PublishedMap:
    """Scores by the published solver's map: 2000 steps of Adam on C, then the product's decoder.

    Descriptors are projected as they are, not per square root of the patches: the published
    weights were made for that. Of the settings k, the decoder and the hub correction count. It
    takes seconds a pair where the closed form takes milliseconds, so it is judged only by name.

    References
    ----------
    The code published with arXiv 2403.12038; see `fmstudio.spectral.reference`.
    """

    def __init__(self, analyser: Analyser) -> None:
        self._analyser = analyser

    def pair(self, s: ImageAnalysis, t: ImageAnalysis) -> PairTransfer:
        """Return a pair matched."""
        settings = self._analyser.settings
        basis_s, basis_t = (a.basis.truncated(min(settings.k, a.basis.k)) for a in (s, t))
        A_s, A_t = basis_s.project(s.descriptors), basis_t.project(t.descriptors)
        C_st = solve_fmap_iterative(A_s, A_t, basis_s.evals, basis_t.evals)
        raw = s.descriptors @ t.descriptors.T
        return ScoreTransfer(patch_score(C_st, s, t, raw, settings, A_s=A_s), s.grid, t.grid)


def _rescaled(xy: NDArray[np.float64], of: ImageSize, to: ImageSize) -> NDArray[np.float64]:
    """Return points at the same relative position in an image of another size."""
    return np.asarray(xy * [to.width / of.width, to.height / of.height], dtype=np.float64)


_FEATURES = frozenset({Phase.FEATURES})
_BOTH = frozenset({Phase.FEATURES, Phase.BASIS})

METHODS: Mapping[str, MethodSpec] = MappingProxyType(
    {
        "identity": MethodSpec(
            "copy the relative position", lambda _: WholeImages(Identity()), frozenset()
        ),
        "nn": MethodSpec(
            "nearest neighbour in the fused descriptors",
            lambda _: WholeImages(NearestNeighbour()),
            _FEATURES,
        ),
        "smoothed-nn": MethodSpec(
            "nearest neighbour in the similarity volume after a joint bilateral filter",
            lambda _: WholeImages(SmoothedNearestNeighbour()),
            _FEATURES,
        ),
        "filtered-nn": MethodSpec(
            "nearest neighbour in the similarity volume filtered along equal displacements",
            lambda _: WholeImages(FilteredNearestNeighbour()),
            _FEATURES,
        ),
        "hub-nn": MethodSpec(
            "nearest neighbour in the hub-corrected similarity, no map",
            lambda _: WholeImages(HubCorrectedNearestNeighbour()),
            _FEATURES,
        ),
        "lowpass-nn": MethodSpec(
            "nearest neighbour in descriptors band-limited by each image's own basis, no map",
            lambda _: WholeImages(LowPassNearestNeighbour()),
            _BOTH,
        ),
        "map": MethodSpec("the product's default functional map", ProductMap, _BOTH),
        "published": MethodSpec(
            "the published solver's map (2000 Adam steps: slow), decoded as the product's",
            lambda analyser: WholeImages(PublishedMap(analyser)),
            _BOTH,
            is_default=False,
        ),
    }
)

DEFAULT_METHODS = tuple(name for name, spec in METHODS.items() if spec.is_default)
