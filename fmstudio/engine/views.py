"""Images as matching looks at them: whole, and by parts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import adaptive_avg_pool2d, normalize

from fmstudio.engine.match import ImageAnalysis, PairMap
from fmstudio.engine.requests import MatchSettings
from fmstudio.geometry.boxes import PartBox
from fmstudio.geometry.frames import Frame
from fmstudio.geometry.grid import ImageSize, PatchGrid


class Matching(Protocol):
    """What is asked of `engine.match.Matcher`; see there."""

    settings: MatchSettings

    def analyse(
        self,
        rgb: NDArray[np.uint8],
        key: str,
        *,
        side: int | None = None,
        mirrored: bool = False,
    ) -> ImageAnalysis:
        """Return features and basis of an image (H, W, 3)."""
        ...

    def recall(
        self, size: ImageSize, key: str, *, side: int | None = None, mirrored: bool = False
    ) -> ImageAnalysis | None:
        """Return what is cached of an image."""
        ...

    def pair(
        self,
        s: ImageAnalysis,
        t: ImageAnalysis,
        *,
        losses: bool = False,
        check: Callable[[], object] | None = None,
        k: int | None = None,
    ) -> PairMap:
        """Return the map of a pair."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """A part's descriptors at half its resolution: enough to try many hypotheses.

    Attributes
    ----------
    grid : PatchGrid
        Of n patches.
    descriptors : Tensor, (n, d)
        Unit rows.
    """

    grid: PatchGrid
    descriptors: torch.Tensor

    @classmethod
    def of(cls, part: ImageAnalysis) -> "Sketch":
        """Return the sketch of a part."""
        rows, cols = max(2, round(part.grid.rows / 2)), max(2, round(part.grid.cols / 2))
        volume = part.descriptors.T.reshape(1, -1, part.grid.rows, part.grid.cols)
        small = adaptive_avg_pool2d(volume, (rows, cols))[0].flatten(1).T
        return cls(PatchGrid(part.grid.size, rows, cols), normalize(small, dim=1).contiguous())


@dataclass(slots=True, eq=False)
class View:
    """An image as matching looks at it.

    Attributes
    ----------
    analysis : ImageAnalysis
        Of the whole image.
    key : str
        Hash of the image's bytes.
    open : callable
        Returns its pixels (H, W, 3) uint8; called only when something is not cached.
    parts : dict
        Parts that were looked at, by frame and whether mirrored.
    sketches : dict
        Of its parts as they are, by frame.
    """

    analysis: ImageAnalysis
    key: str
    open: Callable[[], NDArray[np.uint8]]
    parts: dict[tuple[Frame, bool], ImageAnalysis] = field(default_factory=dict)
    sketches: dict[Frame, Sketch] = field(default_factory=dict)

    @property
    def size(self) -> ImageSize:
        """Return the image's size."""
        return self.analysis.grid.size

    @property
    def whole(self) -> PartBox:
        """Return the box of the whole image."""
        return 0, 0, self.size.width, self.size.height


def mean_descriptor(view: View) -> torch.Tensor:
    """Return the mean descriptor of an image, of length 1, (d,), on the processor."""
    return normalize(view.analysis.descriptors.mean(dim=0).float().cpu(), dim=0)


def look(matcher: Matching, view: View, frame: Frame, *, mirrored: bool = False) -> ImageAnalysis:
    """Return the analysis of a part of an image, at `MatchSettings.fine_side`.

    Raises
    ------
    ImageError
        If the image has to be opened and cannot be.
    """
    at = (frame, mirrored)
    if at not in view.parts:
        key, side = f"{view.key}|{frame.name}", matcher.settings.fine_side
        known = matcher.recall(frame.size, key, side=side, mirrored=mirrored)
        if known is None:
            known = matcher.analyse(frame.cut(view.open()), key, side=side, mirrored=mirrored)
        view.parts[at] = known
    return view.parts[at]


def look_mirrored(matcher: Matching, view: View) -> ImageAnalysis:
    """Return the analysis of a whole image that the networks see mirrored; errors as in `look`."""
    at = (Frame(view.whole), True)
    if at not in view.parts:
        known = matcher.recall(view.size, view.key, mirrored=True)
        view.parts[at] = known or matcher.analyse(view.open(), view.key, mirrored=True)
    return view.parts[at]


def sketch(matcher: Matching, view: View, frame: Frame) -> Sketch:
    """Return the sketch of a part of an image; errors as in `look`."""
    if frame not in view.sketches:
        view.sketches[frame] = Sketch.of(look(matcher, view, frame))
    return view.sketches[frame]
