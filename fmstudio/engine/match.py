"""Two images to a pair map: the one place where features meet spectral geometry.

rgb -> features F, G -> graph of F -> eigenbasis    (once per image, cached)
G in both bases -> C_st -> score -> points, masks   (per pair)
"""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.engine.agreement import ImageSummary, agreed_maps
from fmstudio.engine.cache import TensorCache, Tensors
from fmstudio.engine.device import within_memory
from fmstudio.engine.keys import analysis_key
from fmstudio.engine.requests import MatchSettings, Phase
from fmstudio.engine.score import patch_score
from fmstudio.engine.solve import solve_pair
from fmstudio.features.base import Extractor, FeatureMap
from fmstudio.features.fusion import fuse, normalise_block, pca_levels
from fmstudio.features.registry import make_extractor
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.spectral.confidence import patch_confidence
from fmstudio.spectral.eigenbasis import EigenBasis, solve_eigenbasis, uniform_basis
from fmstudio.spectral.graph import affinity, grid_edges
from fmstudio.spectral.laplacian import build_laplacian
from fmstudio.spectral.partial import overlap

PATCH = 16


@dataclass(frozen=True, slots=True, eq=False)
class ImageAnalysis:
    """What matching needs of one image.

    Attributes
    ----------
    grid : PatchGrid
        Of n patches.
    descriptors : Tensor, (n, d) float32
        Unit rows.
    basis : EigenBasis
        Of n patches.
    key : str
        Content key.
    ms : dict of Phase to float
        Milliseconds spent; empty when it came from the cache.
    """

    grid: PatchGrid
    descriptors: torch.Tensor
    basis: EigenBasis
    key: str
    ms: dict[Phase, float] = field(default_factory=dict)

    def to(self, device: torch.device | str) -> "ImageAnalysis":
        """Return the analysis on a device."""
        return replace(self, descriptors=self.descriptors.to(device), basis=self.basis.to(device))


@dataclass(frozen=True, slots=True, eq=False)
class PairMap:
    """One matched pair.

    Attributes
    ----------
    grid_s, grid_t : PatchGrid
    C_st : Tensor, (k_t, k_s)
        Functional map.
    score : Tensor, (n_s, n_t) float32
        How well patches match: points and masks are decoded from it.
    C_ts : Tensor, (k_s, k_t), or None
        The functional map back, where the settings have both solved together.
    losses : Mapping of str to float, or None
        The terms of the map's objective, where they were asked for.
    """

    grid_s: PatchGrid
    grid_t: PatchGrid
    C_st: torch.Tensor
    score: torch.Tensor
    C_ts: torch.Tensor | None = None
    losses: Mapping[str, float] | None = None

    def to(self, device: torch.device | str) -> "PairMap":
        """Return the map on a device."""
        C_ts = None if self.C_ts is None else self.C_ts.to(device)
        return replace(self, C_st=self.C_st.to(device), score=self.score.to(device), C_ts=C_ts)

    @property
    def p2p_st(self) -> torch.Tensor:
        """Return the best target patch of each source patch, (n_s,) int64."""
        return self.score.argmax(dim=1)

    @property
    def p2p_ts(self) -> torch.Tensor:
        """Return the best source patch of each target patch, (n_t,) int64."""
        return self.score.argmax(dim=0)

    @property
    def confidence_t(self) -> torch.Tensor:
        """Return the trust in p2p_ts, (n_t,) float32 in [0, 1]."""
        return patch_confidence(self.p2p_st, self.p2p_ts, self.grid_t)

    @property
    def overlap(self) -> tuple[float, float]:
        """Return the shares of source and target patches that have a counterpart, in [0, 1]."""
        return overlap(self.p2p_st, self.p2p_ts, self.grid_s, self.grid_t)


class Matcher:
    """Analyses images and matches pairs with one set of settings.

    Parameters
    ----------
    settings : MatchSettings
    device : torch.device or str
        Where networks and pairs are computed.
    cache : TensorCache or None
        Keeps analyses between calls; None computes each one anew.
    extractors : callable
        From a registry name and a device to an `Extractor`.

    Raises
    ------
    ValueError
        If a setting is out of its range.
    WeightsError
        If an extractor's weights cannot be loaded.
    """

    def __init__(
        self,
        settings: MatchSettings | None = None,
        *,
        device: torch.device | str = "cpu",
        cache: TensorCache | None = None,
        extractors: Callable[..., Extractor] = make_extractor,
    ) -> None:
        self.settings = settings or MatchSettings()
        self.device = torch.device(device)
        self._cache = cache
        self._agreed: Mapping[tuple[str, str], torch.Tensor] = {}
        names = dict.fromkeys((self.settings.basis_extractor, *self.settings.descriptor_extractors))
        self._make = extractors
        # Some may be evicted where the device's memory is short; `_specs` has all of them.
        self._extractors = {name: extractors(name, device=self.device) for name in names}
        self._specs = {name: extractor.spec for name, extractor in self._extractors.items()}
        self._notes: dict[str, None] = {}
        self._keys = tuple(
            self._specs[name].key
            for name in (self.settings.basis_extractor, *self.settings.descriptor_extractors)
        )

    @property
    def extractor_keys(self) -> tuple[str, ...]:
        """Return the networks' `ExtractorSpec.key`, each once: the basis' first."""
        return tuple(dict.fromkeys(self._keys))

    def grid(self, size: ImageSize, side: int | None = None) -> PatchGrid:
        """Return the patch grid of an image of this size, its longer side ``side`` pixels.

        By default that is `MatchSettings.long_side`.
        """
        return PatchGrid.of_long_side(size, (side or self.settings.long_side) // PATCH)

    def analyse(
        self,
        rgb: NDArray[np.uint8],
        key: str,
        *,
        side: int | None = None,
        mirrored: bool = False,
    ) -> ImageAnalysis:
        """Return the features and the eigenbasis of an image, from the cache where it has them.

        What is computed is returned as it would be recalled, in the cache's precision: so a
        result depends neither on what was cached nor on which process computed it.

        Parameters
        ----------
        rgb : ndarray, (H, W, 3) uint8
        key : str
            Hash of the image's bytes, and of what is shown of it.
        side : int or None
            Pixels of the longer side for the networks; None is `MatchSettings.long_side`.
        mirrored : bool
            Whether the networks see the image mirrored from left to right. The patches stay where
            they are in ``rgb``.
        """
        grid = self.grid(ImageSize(rgb.shape[1], rgb.shape[0]), side)
        content = self._content(key, side, mirrored)
        known = self.recall(grid.size, key, side=side, mirrored=mirrored)
        if known is not None:
            return known
        start = time.perf_counter()
        if mirrored:
            rgb = np.ascontiguousarray(rgb[:, ::-1])
        maps = {name: self._extract(name, rgb, grid) for name in self._specs}
        if mirrored:
            maps = {n: FeatureMap(m.data.flip(1), m.grid, m.key) for n, m in maps.items()}
        descriptors = fuse([maps[name] for name in self.settings.descriptor_extractors]).flat()
        between = time.perf_counter()
        basis = self._basis(maps[self.settings.basis_extractor]).to(self.device)
        ms = {
            Phase.FEATURES: 1e3 * (between - start),
            Phase.BASIS: 1e3 * (time.perf_counter() - between),
        }
        packed = _packed(descriptors, basis)
        if self._cache is not None:
            self._cache.put(content, packed)
        return self._unpacked(packed, grid, content, ms)

    def recall(
        self, size: ImageSize, key: str, *, side: int | None = None, mirrored: bool = False
    ) -> ImageAnalysis | None:
        """Return the cached analysis of the image with this hash, or None; opens no image."""
        if self._cache is None:
            return None
        content = self._content(key, side, mirrored)
        tensors, grid = self._cache.get(content), self.grid(size, side)
        if tensors is None or not _fits(tensors, grid):
            return None
        return self._unpacked(tensors, grid, content, {})

    def _unpacked(
        self, tensors: Tensors, grid: PatchGrid, content: str, ms: dict[Phase, float]
    ) -> ImageAnalysis:
        """Return the analysis that was packed, on the device."""
        there = {name: t.to(self.device).float() for name, t in tensors.items()}
        basis = EigenBasis(there["evals"], there["evecs"], there["mass"])
        return ImageAnalysis(grid, there["descriptors"], basis, content, ms)

    def knows(self, key: str) -> bool:
        """Return whether the analysis of the whole image with this hash is cached."""
        return self._cache is not None and self._content(key, None, False) in self._cache

    def _content(self, key: str, side: int | None, mirrored: bool) -> str:
        """Return the key of an analysis."""
        shown = f"{key}|mirrored" if mirrored else key
        settings = self.settings if side is None else replace(self.settings, long_side=side)
        return analysis_key(shown, self._keys, settings)

    def agree(
        self,
        images: Sequence[ImageSummary],
        pairs: Sequence[tuple[int, int]],
        check: Callable[[], object] | None = None,
    ) -> None:
        """Solve the maps of pairs together with those of their neighbours; `pair` then takes them.

        Parameters
        ----------
        images : sequence of ImageSummary
            At least two; see `summarise`.
        pairs : sequence of (int, int)
            Source and target, as indices of ``images``.
        check : callable or None
            Called before each map; what it raises ends the work.
        """
        self.take_agreed(agreed_maps(images, pairs, self.settings, check))

    def take_agreed(self, maps: Mapping[tuple[str, str], torch.Tensor]) -> None:
        """Let `pair` take these maps of pairs, see `agreed_maps`, as they are."""
        self._agreed = maps

    def pair(
        self,
        s: ImageAnalysis,
        t: ImageAnalysis,
        *,
        losses: bool = False,
        check: Callable[[], object] | None = None,
        k: int | None = None,
    ) -> PairMap:
        """Return the map of a pair: the functional map, and the score that it supports.

        Parameters
        ----------
        s, t : ImageAnalysis
            Made with these settings.
        losses : bool
            Whether to measure the terms of the map's objective too.
        check : callable or None
            Called between the steps of the refinement network; what it raises ends the work.
        k : int or None
            Solves the map by itself in the first k functions of both bases, and refines it no
            further; None is as the settings say.
        """
        if self.settings.pca_width:
            s, t = self._reduced(s, t)
        found, is_on_cpu = within_memory(
            lambda: self._pair(s, t, losses, check, k),
            lambda: self._pair(s.to("cpu"), t.to("cpu"), losses, check, k).to(self.device),
            self.device,
            self._evict,
        )
        if is_on_cpu:
            self._note("a pair was matched")
        return found

    def take_notes(self) -> tuple[str, ...]:
        """Return every degradation since the last call, each once, as sentences."""
        notes, self._notes = tuple(self._notes), {}
        return notes

    def _note(self, what: str) -> None:
        """Remember that something was done on the processor."""
        sentence = f"The {self.device.type.upper()} device had too little memory: {what} on the CPU"
        self._notes[f"{sentence}; results may differ in the last digits."] = None

    def _extract(self, name: str, rgb: NDArray[np.uint8], grid: PatchGrid) -> FeatureMap:
        """Return a network's features of an image."""

        def on_cpu() -> FeatureMap:
            found = self._make(name, device=torch.device("cpu")).extract(rgb, grid)
            return FeatureMap(found.data.to(self.device), found.grid, found.key)

        found, is_on_cpu = within_memory(
            lambda: self._network(name).extract(rgb, grid),
            on_cpu,
            self.device,
            lambda: self._evict(name),
        )
        if is_on_cpu:
            self._note("features were extracted")
        return found

    def _network(self, name: str) -> Extractor:
        """Return a network on the device, loaded anew if it was evicted."""
        if name not in self._extractors:
            self._extractors[name] = self._make(name, device=self.device)
        return self._extractors[name]

    def _evict(self, name: str | None = None) -> None:
        """Let go of all networks but one; they are loaded again when they are needed."""
        self._extractors = {n: kept for n, kept in self._extractors.items() if n == name}
        # Networks with hooks are held by cycles.
        gc.collect()

    def _pair(
        self,
        s: ImageAnalysis,
        t: ImageAnalysis,
        losses: bool,
        check: Callable[[], object] | None,
        k: int | None,
    ) -> PairMap:
        """Return the map of a pair on the device of its analyses."""
        raw = s.descriptors @ t.descriptors.T
        agreed = self._agreed.get((s.key, t.key)) if k is None else None
        agreed = None if agreed is None else agreed.to(raw.device)
        settings = self.settings if k is None else replace(self.settings, k=k, refine="none")
        solved = solve_pair(s, t, raw, settings, agreed=agreed, check=check)
        score = patch_score(solved.C_st, s, t, raw, settings, A_s=solved.A_s)
        measured = solved.losses() if losses else None
        return PairMap(s.grid, t.grid, solved.C_st, score, solved.C_ts, measured)

    def _reduced(self, s: ImageAnalysis, t: ImageAnalysis) -> tuple[ImageAnalysis, ImageAnalysis]:
        """Return a pair's analyses with each block of descriptors on axes that both have."""
        specs = [self._specs[name] for name in self.settings.descriptor_extractors]
        widths = [width for spec in specs for width in spec.blocks or (spec.width,)]
        maps = [
            FeatureMap(a.descriptors.reshape(a.grid.rows, a.grid.cols, -1), a.grid, "pair")
            for a in (s, t)
        ]
        to_s, to_t = (
            normalise_block(m.flat()) for m in pca_levels(maps, widths, self.settings.pca_width)
        )
        return replace(s, descriptors=to_s), replace(t, descriptors=to_t)

    def _basis(self, features: FeatureMap) -> EigenBasis:
        """Return the eigenbasis of one image."""
        grid = features.grid
        k = min(self.settings.basis_size, grid.n)
        if self.settings.basis == "uniform":
            return uniform_basis(grid.rows, grid.cols, k)
        edges = grid_edges(grid.rows, grid.cols, self.settings.neighbours)
        W = affinity(features.flat(), edges, grid.n)
        return solve_eigenbasis(build_laplacian(W, self.settings.laplacian), k)


def _fits(tensors: Tensors, grid: PatchGrid) -> bool:
    """Return whether tensors can be an image's analysis: a cache may have come with a project."""
    if tensors.keys() != {"evals", "evecs", "mass", "descriptors"}:
        return False
    evals, evecs, mass, descriptors = (
        tensors[name] for name in ("evals", "evecs", "mass", "descriptors")
    )
    return (
        evals.ndim == 1
        and evecs.shape == (grid.n, len(evals))
        and mass.shape == (grid.n,)
        and descriptors.ndim == 2
        and len(descriptors) == grid.n
        and all(bool(t.isfinite().all()) for t in tensors.values())
    )


def _packed(descriptors: torch.Tensor, basis: EigenBasis) -> dict[str, torch.Tensor]:
    """Return an analysis as tensors to cache: half precision where it costs nothing."""
    return {
        "descriptors": descriptors.half().cpu().contiguous(),
        "evals": basis.evals.cpu().contiguous(),
        "evecs": basis.evecs.half().cpu().contiguous(),
        "mass": basis.mass.cpu().contiguous(),
    }
