"""Why a proposal may be wrong: the engine's reasons, kept with it, and the main one in words.

The reasons are measured when the proposal is made and never change; whether the person agreed
shows in what became of the annotation.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Reason(StrEnum):
    """What can speak against a carried point or mask.

    CYCLE: pixels of the source between a point and where the way back ends. MARGIN: best score
    less the best elsewhere. STRETCH: how many times the object's own scale an area grows by, below
    0 where the map folds. COVERAGE: share of the patches around that support the object's map.
    SPREAD: pixels of the target between the references' own points; of a mask, the share by which
    the references' masks differ. OCCLUSION: how little it resembles anything where the object as a
    whole fits, in [0, 1]; a proxy, no probability.
    """

    CYCLE = "cycle"
    MARGIN = "margin"
    STRETCH = "stretch"
    COVERAGE = "coverage"
    SPREAD = "spread"
    OCCLUSION = "occlusion"


REASONS = tuple(Reason)

# Where a reason begins to count: chosen by hand, not fitted; benchmarks/doubt.py prints how often
# points are wrong beyond a value. CYCLE and SPREAD in shares of the object.
_CYCLE, _SPREAD, _MASK_SPREAD = 0.1, 0.1, 0.35
_MARGIN, _COVERAGE, _OCCLUSION = 0.02, 0.5, 0.25
_OCTAVES = 1.6
_FOLDED = 3.0
_STRONGEST = 9.0


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """What the engine said of a proposal when it made it.

    Attributes
    ----------
    xy : ndarray, (m, 2) float32
        Where it put the keypoints, pixels; (0, 0) of those that it did not label.
    confidence : ndarray, (m,) float32
        In [0, 1]; NaN of those that it did not label.
    reasons : ndarray, (m, 6) float32
        In the order of `REASONS`; NaN where one is not known.
    mask : ndarray, (6,) float32
        The same of the mask as a whole; NaN without one.
    extent_s, extent_t : float
        Longest side of the object on the source and on the target, pixels; 0 where not known.

    Raises
    ------
    ValueError
        If lengths differ.
    """

    xy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    reasons: NDArray[np.float32]
    mask: NDArray[np.float32]
    extent_s: float = 0.0
    extent_t: float = 0.0

    def __post_init__(self) -> None:
        m = len(self.confidence)
        shapes = {"xy": (m, 2), "confidence": (m,), "reasons": (m, len(REASONS))}
        for name, shape in {**shapes, "mask": (len(REASONS),)}.items():
            array = np.array(getattr(self, name), dtype=np.float32)
            if array.shape != shape:
                raise ValueError(f"the {name} of a doubt have shape {array.shape}, not {shape}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        # As exact as they are stored, so that what is loaded equals what was saved.
        for name in ("extent_s", "extent_t"):
            object.__setattr__(self, name, float(np.float32(getattr(self, name))))

    @classmethod
    def stored(cls, whole: NDArray[np.float32], each: NDArray[np.float32]) -> "Doubt":
        """Return a doubt of read-only numbers, a tenth of the time: a project has many.

        Parameters
        ----------
        whole : ndarray, (8,)
            ``extent_s``, ``extent_t``, ``mask``.
        each : ndarray, (m, 9)
            ``xy``, ``confidence``, ``reasons``.
        """
        doubt, set_field = object.__new__(cls), object.__setattr__
        set_field(doubt, "xy", each[:, :2])
        set_field(doubt, "confidence", each[:, 2])
        set_field(doubt, "reasons", each[:, 3:])
        set_field(doubt, "mask", whole[2:])
        set_field(doubt, "extent_s", float(whole[0]))
        set_field(doubt, "extent_t", float(whole[1]))
        return doubt

    def __len__(self) -> int:
        return len(self.confidence)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Doubt):
            return NotImplemented
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def _parts(self) -> tuple[object, ...]:
        """Return what makes two doubts the same: their numbers, bit by bit."""
        arrays = (self.xy, self.confidence, self.reasons, self.mask)
        return (*(array.tobytes() for array in arrays), self.extent_s, self.extent_t)

    def reordered(self, mapping: tuple[int | None, ...]) -> "Doubt":
        """Return the doubt of rearranged keypoints: for each, the old index or None."""
        m = len(mapping)
        xy = np.zeros((m, 2), dtype=np.float32)
        confidence = np.full(m, np.nan, dtype=np.float32)
        reasons = np.full((m, len(REASONS)), np.nan, dtype=np.float32)
        for i, old in enumerate(mapping):
            if old is not None and old < len(self):
                xy[i], confidence[i] = self.xy[old], self.confidence[old]
                reasons[i] = self.reasons[old]
        return Doubt(xy, confidence, reasons, self.mask, self.extent_s, self.extent_t)

    def value(self, reason: Reason, keypoint: int | None = None) -> float | None:
        """Return a reason's value at a keypoint, or of the mask (None); None if not known."""
        row = self.mask if keypoint is None else self.reasons[keypoint]
        value = float(row[REASONS.index(reason)])
        return None if np.isnan(value) else value


@dataclass(frozen=True, slots=True)
class Finding:
    """The main reason against a point, a mask or a whole annotation.

    Attributes
    ----------
    reason : Reason
    value : float
        As in `Reason`.
    share : float
        The value in shares of the object's longest side, for CYCLE and for SPREAD of a point; else
        the value.
    keypoint : int or None
        The point it is about; None for the mask.
    strength : float
        At least 1 where it counts.
    """

    reason: Reason
    value: float
    share: float
    keypoint: int | None
    strength: float


def strengths(doubt: Doubt) -> NDArray[np.float64]:
    """Return how much each reason speaks against each keypoint, (m, 6), at least 0.

    From 1 on it counts. 0 where it is not known.
    """
    return _strengths(doubt.reasons, doubt, _SPREAD, doubt.extent_t)


def mask_strengths(doubt: Doubt) -> NDArray[np.float64]:
    """Return how much each reason speaks against the mask, (6,), as in `strengths`."""
    return np.asarray(_strengths(doubt.mask[None], doubt, _MASK_SPREAD, 1.0)[0])


def main_reason(doubt: Doubt | None, keypoint: int | None) -> Finding | None:
    """Return the strongest reason against a keypoint, or the mask (None), if any counts."""
    if doubt is None or (keypoint is not None and keypoint >= len(doubt)):
        return None
    row = mask_strengths(doubt) if keypoint is None else strengths(doubt)[keypoint]
    best = int(np.argmax(row))
    if row[best] < 1:
        return None
    return _finding(doubt, REASONS[best], keypoint, float(row[best]))


def main_reason_of_all(doubt: Doubt | None) -> Finding | None:
    """Return the strongest reason against an annotation: its most doubtful points', or the mask's.

    A point's reason weighs as its strength times how likely the point is wrong, so that the
    sentence is about what there is to correct. Without keypoints the mask's own.
    """
    if doubt is None:
        return None
    wrong = np.nan_to_num(1 - doubt.confidence.astype(np.float64))
    weight = strengths(doubt)
    weight = np.where(weight >= 1, weight, 0) * wrong[:, None]
    if not weight.size or not weight.any():
        return main_reason(doubt, None)
    keypoint, reason = np.unravel_index(int(np.argmax(weight)), weight.shape)
    strength = float(strengths(doubt)[keypoint, reason])
    return _finding(doubt, REASONS[int(reason)], int(keypoint), strength)


def sentence(finding: Finding | None) -> str:
    """Return a reason as one sentence for a person; without one, that there is none."""
    if finding is None:
        return "Nothing in particular speaks against it."
    value, percent = finding.value, f"{100 * finding.share:.0f}\u00a0%"
    match finding.reason:
        case Reason.CYCLE:
            return f"The way back ends {value:.0f}\u00a0px off, {percent} of the object."
        case Reason.MARGIN:
            return f"Another place fits almost as well: the margin is {max(value, 0):.2f}."
        case Reason.STRETCH if value < 0:
            return "The map folds over here."
        case Reason.STRETCH if value < 1:
            return f"The map shrinks here to {percent} of the object's scale."
        case Reason.STRETCH:
            return f"The map stretches here to {value:.1f} times the object's scale."
        case Reason.COVERAGE if value == 0:
            return "Nothing around it supports the map: it may lie outside of what was looked at."
        case Reason.COVERAGE:
            return f"Only {percent} of the patches around it support the map."
        case Reason.SPREAD if finding.keypoint is None:
            return f"The references' masks differ by {percent}."
        case Reason.SPREAD:
            return f"The references disagree by {value:.0f}\u00a0px, {percent} of the object."
        case Reason.OCCLUSION:
            return "Little here resembles it, though the object fits: it may be hidden."


def value_text(reason: Reason, value: float) -> str:
    """Return a reason's value in figures, with its unit."""
    match reason:
        case Reason.CYCLE | Reason.SPREAD:
            return f"{value:.0f}\u00a0px"
        case Reason.MARGIN:
            return f"{value:.2f}"
        case Reason.STRETCH:
            return f"{value:.1f} x"
        case Reason.COVERAGE | Reason.OCCLUSION:
            return f"{100 * value:.0f}\u00a0%"


def goodness(doubt: Doubt | None, reason: Reason, m: int) -> NDArray[np.float64]:
    """Return how little a reason speaks against each of m keypoints, (m,) in [0, 1].

    1 where it does not, 0.5 where it begins to count, 0 from twice that on; NaN where it is not
    known.
    """
    if doubt is None or len(doubt) != m:
        return np.full(m, np.nan)
    column = REASONS.index(reason)
    found = 1 - strengths(doubt)[:, column] / 2
    return np.where(np.isnan(doubt.reasons[:, column]), np.nan, np.clip(found, 0.0, 1.0))


def short_name(finding: Finding) -> str:
    """Return a reason in one short word, for a narrow list."""
    if finding.reason is Reason.STRETCH:
        return "folded" if finding.value < 0 else "pulled" if finding.value >= 1 else "shrunk"
    return {
        Reason.CYCLE: "astray",
        Reason.MARGIN: "unclear",
        Reason.COVERAGE: "alone",
        Reason.SPREAD: "split",
        Reason.OCCLUSION: "hidden?",
    }[finding.reason]


def _finding(doubt: Doubt, reason: Reason, keypoint: int | None, strength: float) -> Finding:
    """Return a reason with its value, which must be known."""
    value = doubt.value(reason, keypoint)
    assert value is not None
    share = value
    if reason is Reason.CYCLE:
        share = value / max(doubt.extent_s, 1.0)
    elif reason is Reason.SPREAD and keypoint is not None:
        share = value / max(doubt.extent_t, 1.0)
    return Finding(reason, value, share, keypoint, strength)


def _strengths(
    rows: NDArray[np.float32], doubt: Doubt, spread: float, extent_t: float
) -> NDArray[np.float64]:
    """Return how much each reason of rows (m, 6) speaks against them, (m, 6)."""
    cycle, margin, stretch, coverage, gap, occlusion = rows.astype(np.float64).T
    octaves = np.abs(np.log2(np.clip(stretch, 2.0**-_STRONGEST, 2.0**_STRONGEST)))
    found = np.stack(
        [
            cycle / max(doubt.extent_s, 1.0) / _CYCLE,
            _MARGIN / np.maximum(margin, _MARGIN / _STRONGEST),
            np.where(stretch < 0, _FOLDED, octaves / _OCTAVES),
            (1 - coverage) / (1 - _COVERAGE),
            gap / max(extent_t, 1.0) / spread,
            occlusion / _OCCLUSION,
        ],
        axis=1,
    )
    return np.asarray(np.clip(np.nan_to_num(found), 0.0, _STRONGEST))
