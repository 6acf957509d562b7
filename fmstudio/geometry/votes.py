"""What each reference says of one object on a target, and what a competing map would have said."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints

# The heaviest of so many references are kept with a proposal: what is kept stays small.
MOST_VOTES = 24
# A map whose support is at least this share of the other's competes with it.
_COMPETES = 0.75
# Of an object's longest side: votes this near to where the points lie together agree with it.
_NEAR = 0.1


class Pose(StrEnum):
    """How the images of a pair were held against each other when they were matched."""

    PLAIN = "plain"
    MIRRORED = "mirrored"
    TURNED = "turned"


@dataclass(frozen=True, slots=True, eq=False)
class Vote:
    """One reference's own word on the keypoints of one object.

    Attributes
    ----------
    source : int
        Id of the annotation that was carried.
    xy : ndarray, (m, 2) float32
        Pixels of the target.
    confidence : ndarray, (m,) float32
        Of this reference alone, in [0, 1].
    weight : ndarray, (m,) float32
        Its share of what was said of each point, in [0, 1]; over all references they add up to 1.
    say : float
        What a person lets it count: 1 as it is, 0 left out.

    Raises
    ------
    ValueError
        If lengths differ, or a number is not finite or below 0.
    """

    source: int
    xy: NDArray[np.floating]
    confidence: NDArray[np.floating]
    weight: NDArray[np.floating]
    say: float = 1.0

    def __post_init__(self) -> None:
        m = len(self.confidence)
        for name, shape in (("xy", (m, 2)), ("confidence", (m,)), ("weight", (m,))):
            array = np.array(getattr(self, name), dtype=np.float32)
            if array.shape != shape:
                raise ValueError(f"the {name} of a vote have shape {array.shape}, not {shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"the {name} of a vote must be finite numbers")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if not (np.isfinite(self.say) and self.say >= 0):
            raise ValueError(f"a vote counts at least 0, not {self.say}")

    def __len__(self) -> int:
        return len(self.confidence)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vote):
            return NotImplemented
        return (
            (self.source, self.say) == (other.source, other.say)
            and np.array_equal(self.xy, other.xy)
            and np.array_equal(self.confidence, other.confidence)
            and np.array_equal(self.weight, other.weight)
        )

    def __hash__(self) -> int:
        return hash((self.source, self.say, self.xy.tobytes(), self.weight.tobytes()))

    def mean_weight(self, points: Keypoints) -> float:
        """Return its mean share over the labelled points, 0 without any."""
        labelled = points.labelled
        return float(self.weight[labelled].mean()) if labelled.any() else 0.0

    def agreement(self, points: Keypoints) -> float:
        """Return the share of labelled points that it puts near where they lie, in [0, 1].

        Near is within 0.1 of the longest side of all points; 0 without any.
        """
        labelled = points.labelled
        box = points.bbox()
        if box is None:
            return 0.0
        gap = np.linalg.norm(self.xy - points.xy, axis=1)[labelled]
        return float((gap <= max(_NEAR * max(box[2:]), 1.0)).mean())


@dataclass(frozen=True, slots=True)
class AlternativeMark:
    """The same object by the map that was not taken.

    Attributes
    ----------
    keypoints : Keypoints or None
        ``score`` holds each point's confidence.
    mask : Mask or None
    quality : float
        Confidence of the whole in [0, 1].
    support : float
        Share of the object's patches that support this map, mean over the references.
    taken_support : float
        The same of the map that was taken.
    pose, taken_pose : Pose
        Of this map and of the one that was taken.
    votes : tuple of Vote
        The references' words by their own maps of this pose.
    is_chosen : bool
        A person has chosen between the two.
    """

    keypoints: Keypoints | None
    mask: Mask | None
    quality: float
    support: float
    taken_support: float
    pose: Pose
    taken_pose: Pose
    votes: tuple[Vote, ...] = ()
    is_chosen: bool = False

    @property
    def margin(self) -> float:
        """Return the support of the map that was taken less that of this one."""
        return self.taken_support - self.support

    @property
    def competes(self) -> bool:
        """Return whether the two maps are supported about equally well."""
        return competing(self.taken_support, self.support)


def competing(support: float, other: float) -> bool:
    """Return whether two maps are supported about equally well: the lesser at 0.75 of the other."""
    return min(support, other) > 0 and min(support, other) >= _COMPETES * max(support, other)
