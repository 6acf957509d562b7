"""What goes into the engine and what comes out: frozen values, no torch.

A request carries everything the compute thread needs, so nothing it reads can change under it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import AlternativeMark, Vote

DECODERS = ("mixed", "band-limited", "transferred", "spectral", "concatenated")
LAP_MASKS = ("commutator", "slanted", "resolvent")
REFINEMENTS = ("none", "orthogonal", "zoomout", "bijective-zoomout")
_GROWING = ("zoomout", "bijective-zoomout")


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image as the engine knows it.

    Attributes
    ----------
    id : int
        The caller's id; comes back in proposals.
    key : str
        Hash of the image's bytes: features are cached under it.
    name : str
        For messages to a person.
    size : ImageSize
        In pixels, orientation applied.
    """

    id: int
    key: str
    name: str
    size: ImageSize


@dataclass(frozen=True, slots=True)
class Mark:
    """An annotation as the engine knows it: what a map can carry.

    Attributes
    ----------
    id : int
        The annotation it was taken from.
    category : int
        The caller's category id; marks of one category are fused.
    keypoints : Keypoints or None
    mask : Mask or None
        At least one of the two.
    """

    id: int
    category: int
    keypoints: Keypoints | None = None
    mask: Mask | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """An image with the marks to carry from it."""

    image: ImageRef
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """How two images are matched.

    Attributes
    ----------
    basis_extractor, descriptor_extractors : str, tuple of str
        Registry names: the network whose features weight the graph, and those whose features,
        normalised and concatenated, are the descriptors.
    long_side : int
        Working length of the image's longer side in pixels; a patch is 16 of them.
    k : int
        Size of the eigenbasis.
    basis : str
        "feature" (graph weighted by features) or "uniform" (the grid alone, closed form).
    neighbours : int
        4 or 8 grid neighbours.
    laplacian : str
        "symmetric" or "random-walk".
    lap_weight : float
        Weight of Laplacian commutativity, at least 0.
    orthogonality, bijectivity : float
        Weights of these terms, at least 0.
    map_weight : float
        Share in [0, 1] of the map in the score, beside the raw feature similarity; of the decoder
        "mixed" only.
    lap_mask : str
        Which entries of the map ``lap_weight`` penalises: "commutator", "slanted" (for images that
        share a part) or "resolvent".
    foreground : float
        In [0, 1]: how far patches like the image's border are left out of what the map aligns.
    refine : str
        What is done to the map once it is solved: "none", "orthogonal", "zoomout" or
        "bijective-zoomout".
    refine_k : int
        Size of the eigenbasis to which the two ZoomOuts grow the map, above ``k``; without them
        unused.
    decoder : str
        What the score is made of: "mixed" (map and raw similarity), "band-limited" (the map
        alone), "transferred", "spectral" or "concatenated".
    pca_width : int
        Channels to which every block of a pair's descriptors is reduced, by the principal axes
        that both images have in common; 0 leaves the descriptors as they are.
    hub_correction : bool
        Whether patches that resemble everything are set back.
    network_steps : int
        For how many steps the refinement network is trained on each pair; 0 does without it.
    fine_side : int
        Working length of the part of an image around the object, which is looked at by itself once
        the whole image has told where it is; 0 looks at whole images only.
    prior_weight : float
        How much a point that strays from the smooth displacement of its object loses, in the
        score's units, at least 0.
    mirror : bool
        Whether the mirrored target is tried where the target as it is fits badly, and taken where
        it fits clearly better.
    turns : bool
        Whether the part of the source that shows the object is tried turned by multiples of 45
        degrees where it fits badly as it is, and taken so where that fits clearly better; of the
        closer look only.
    edges : bool
        Whether carried masks are drawn to the target's edges.
    consistency : float
        Weight with which the maps of a run agree with each other, at least 0; above 0 all images
        of the run are analysed before the first is matched.
    through : int
        Through how many surer images of the run a target is reached as well where its own
        proposal is weak, at least 0; see `engine.relays`.

    Raises
    ------
    ValueError
        If one of ``lap_mask`` and those after it is out of its range.
    """

    basis_extractor: str = "efficientnet-lite0"
    descriptor_extractors: tuple[str, ...] = ("efficientnet-lite0", "efficientnet-lite2")
    long_side: int = 512
    k: int = 40
    basis: str = "feature"
    neighbours: int = 4
    laplacian: str = "symmetric"
    lap_weight: float = 0.1
    orthogonality: float = 0.0
    bijectivity: float = 0.0
    map_weight: float = 0.3
    lap_mask: str = "commutator"
    foreground: float = 0.0
    refine: str = "none"
    refine_k: int = 80
    decoder: str = "mixed"
    pca_width: int = 0
    hub_correction: bool = True
    network_steps: int = 0
    fine_side: int = 448
    prior_weight: float = 0.04
    mirror: bool = True
    turns: bool = True
    edges: bool = True
    consistency: float = 0.0
    through: int = 0

    def __post_init__(self) -> None:
        _check_word("lap_mask", self.lap_mask, LAP_MASKS)
        _check_word("refine", self.refine, REFINEMENTS)
        _check_word("decoder", self.decoder, DECODERS)
        if not 0 <= self.foreground <= 1:
            raise ValueError(f"foreground is from 0 to 1, not {self.foreground}")
        for name in (
            "network_steps",
            "consistency",
            "fine_side",
            "prior_weight",
            "pca_width",
            "through",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is at least 0, not {getattr(self, name)}")
        if self.refine in _GROWING and self.refine_k <= self.k:
            raise ValueError(
                f'refine "{self.refine}" grows a map of k = {self.k} functions: refine_k must be '
                f"above it, not {self.refine_k}"
            )

    @property
    def basis_size(self) -> int:
        """Return how many functions an image's basis holds: what the map needs at its largest."""
        return self.refine_k if self.refine in _GROWING else self.k


@dataclass(frozen=True, slots=True)
class PropagationRequest:
    """Carry the references' marks to the targets.

    Attributes
    ----------
    references : tuple of Reference
    targets : tuple of ImageRef
    settings : MatchSettings
    nearest : int
        How many references each target takes, those that look most like it; 0 takes all.

    Raises
    ------
    ValueError
        If ``nearest`` is below 0.
    """

    references: tuple[Reference, ...]
    targets: tuple[ImageRef, ...]
    settings: MatchSettings = field(default_factory=MatchSettings)
    nearest: int = 0

    def __post_init__(self) -> None:
        if self.nearest < 0:
            raise ValueError(f"nearest is at least 0, not {self.nearest}")


class Phase(StrEnum):
    """A stage of the work on one target, in order."""

    FEATURES = "features"
    BASIS = "basis"
    MATCH = "match"
    REFINE = "refine"
    TRANSFER = "transfer"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job has come.

    Attributes
    ----------
    phase : Phase
    done, total : int
        Targets finished and asked for.
    eta : float or None
        Seconds left, None while unknown.
    """

    phase: Phase
    done: int
    total: int
    eta: float | None = None


@dataclass(frozen=True, slots=True)
class ProposedMark:
    """One object proposed on a target.

    Attributes
    ----------
    category : int
    sources : tuple of int
        Ids of the marks it was carried from.
    keypoints : Keypoints or None
        ``score`` holds each point's confidence.
    mask : Mask or None
    quality : float
        Confidence of the whole in [0, 1].
    reasons : Mapping of str to ndarray, (m,)
        Per keypoint, what speaks for and against it: see `fmstudio.spectral.reasons`; and
        "spread", pixels of the target between the references' own points, of several.
    mask_reasons : Mapping of str to float
        The same of the mask as a whole; its "spread" is a share of the mask.
    extent : float
        Longest side of the source object in pixels, to which a "cycle" counts in relation; 0
        where it is not known.
    votes : tuple of Vote
        Each reference's own word on the keypoints, the heaviest first.
    alternative : AlternativeMark or None
        The object by another map that is supported about as well.
    """

    category: int
    sources: tuple[int, ...]
    keypoints: Keypoints | None
    mask: Mask | None
    quality: float
    reasons: Mapping[str, NDArray[np.float64]] = field(
        default_factory=lambda: MappingProxyType({}), compare=False
    )
    mask_reasons: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({}), compare=False
    )
    extent: float = field(default=0.0, compare=False)
    votes: tuple[Vote, ...] = ()
    alternative: AlternativeMark | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the engine offers for one target.

    Attributes
    ----------
    target : ImageRef
    marks : tuple of ProposedMark
    key : str
        Content key of the settings and images it came from.
    notes : tuple of str
        Every degradation taken on the way, as sentences.
    """

    target: ImageRef
    marks: tuple[ProposedMark, ...]
    key: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A target that could not be done; the rest of the batch goes on."""

    target: ImageRef
    message: str


Event = Progress | Proposal | Failure


class Marked(Protocol):
    """What may have keypoints and a mask: a mark, a proposed one, an annotation."""

    @property
    def keypoints(self) -> Keypoints | None:
        """Return its keypoints."""
        ...

    @property
    def mask(self) -> Mask | None:
        """Return its mask."""
        ...


def covers_something(marked: Marked) -> bool:
    """Return whether there is a labelled keypoint or a mask that is not empty."""
    has_points = marked.keypoints is not None and bool(marked.keypoints.labelled.any())
    return has_points or (marked.mask is not None and marked.mask.area > 0)


def _check_word(name: str, word: str, among: tuple[str, ...]) -> None:
    """Raise `ValueError` unless a setting has one of its words."""
    if word not in among:
        raise ValueError(f'{name} is one of {", ".join(among)}, not "{word}"')
