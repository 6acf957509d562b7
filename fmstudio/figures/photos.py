"""Photos as figures need them: pixels, name, features and basis; and a pair of them matched."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.drawing.canvas import Point
from fmstudio.engine.match import ImageAnalysis, Matcher, PairMap
from fmstudio.errors import MatchError
from fmstudio.geometry.grid import ImageSize
from fmstudio.io.images import file_sha256, read_rgb
from fmstudio.spectral.transfer import transfer_function, transport_function


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """An analysed photo.

    Attributes
    ----------
    name : str
        For captions.
    rgb : ndarray, (H, W, 3) uint8
    analysis : ImageAnalysis
    """

    name: str
    rgb: NDArray[np.uint8]
    analysis: ImageAnalysis

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels."""
        return int(self.rgb.shape[1]), int(self.rgb.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class PhotoPair:
    """Two photos and the map between them; ``a`` is the source."""

    a: Photo
    b: Photo
    map: PairMap

    @property
    def p2p_nearest(self) -> torch.Tensor:
        """Return each target patch's nearest source patch by descriptors alone, (n_t,) int64."""
        similarity = self.a.analysis.descriptors @ self.b.analysis.descriptors.T
        return similarity.argmax(dim=0)

    def through_map(self, f: torch.Tensor) -> torch.Tensor:
        """Return functions (n_s, p) carried by the functional map alone, (n_t, p)."""
        s, t = self.a.analysis, self.b.analysis
        # C_st was solved for coefficients per square root of the patches.
        C_st = self.map.C_st * (t.grid.n / s.grid.n) ** 0.5
        return transfer_function(C_st, s.basis, t.basis, f.to(C_st))

    def by_score(self, f: torch.Tensor) -> torch.Tensor:
        """Return functions (n_s, p) carried softly by the score, (n_t, p)."""
        return transport_function(self.map.score, f.to(self.map.score))

    def by_nearest(self, f: torch.Tensor) -> torch.Tensor:
        """Return functions (n_s, p) carried by nearest neighbours alone, (n_t, p)."""
        return f[self.p2p_nearest.to(f.device)]


def analyse_photos(matcher: Matcher, paths: Sequence[Path]) -> list[Photo]:
    """Return photos with their features and bases.

    Raises
    ------
    ImageError
        If one cannot be read.
    """
    pixels = [read_rgb(path) for path in paths]
    return [
        Photo(path.name, rgb, matcher.analyse(rgb, file_sha256(path)))
        for path, rgb in zip(paths, pixels, strict=True)
    ]


def match_photos(matcher: Matcher, paths: tuple[Path, Path]) -> PhotoPair:
    """Return two photos matched.

    Raises
    ------
    ImageError
        If one cannot be read.
    """
    a, b = analyse_photos(matcher, paths)
    return PhotoPair(a, b, matcher.pair(a.analysis, b.analysis))


def check_inside(point: Point, size: ImageSize, name: str) -> None:
    """Raise `MatchError` unless a point lies in the image of this size and name."""
    if not (0 <= point[0] <= size.width and 0 <= point[1] <= size.height):
        raise MatchError(
            f"The point {point[0]:g},{point[1]:g} lies outside {name}, which has "
            f"{size.width} x {size.height} pixels."
        )
