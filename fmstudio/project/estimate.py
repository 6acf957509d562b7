"""How many points are wrong that nobody has looked at, and how sure that is.

A point of confidence c is wrong with probability ``p(c, b) = sigmoid(logit(1 - c) + b)``. The
shift b is 0 if the confidences tell the truth of this project; before anything is reviewed it is
normal with deviation 0.5, and every reviewed point sharpens it:

``log P(b | review) = -b^2 / (2 * 0.5^2) + (1 / D) sum over reviewed points of log p or log(1 - p)``

Points of one object err together, so that m of them count as ``m / (1 + (m - 1) rho)``: D is that
denominator (the design effect), rho the correlation of two points of an object. The number of wrong
points among others has, given b, the mean ``sum p`` and the variance ``D sum p (1 - p)``; the
interval is that of the mixture of these normals over b, at whole numbers.
"""

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from fmstudio.project.outcome import BINS, Counts, Tally

LEVEL = 0.9
"""Share of cases in which the truth lies within an interval."""
CORRELATION = 0.3
"""Of whether two points of one object are wrong, beyond their confidences: assumed, not fitted;
benchmarks/doubt.py measures it on labelled sets."""
DEVIATION = 0.5
"""Of the shift b between one kind of image and another, before anything is reviewed."""

_SHIFTS = np.linspace(-3.0, 3.0, 121)
_ERROR = 1 - (np.arange(BINS) + 0.5) / BINS
_NORMAL = 1.6448536269514722  # of LEVEL, on both sides


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many of some points are wrong.

    Attributes
    ----------
    points : int
    wrong : float
        Expected.
    low, high : int
        Within these the number lies in `LEVEL` of cases.
    """

    points: int
    wrong: float
    low: int
    high: int

    @property
    def rate(self) -> float:
        """Return the expected share of wrong points; 0 of none."""
        return self.wrong / self.points if self.points else 0.0

    @property
    def rates(self) -> tuple[float, float]:
        """Return the interval as shares."""
        n = max(self.points, 1)
        return self.low / n, self.high / n


@dataclass(frozen=True, slots=True)
class Sampled:
    """What an audit sample says: the share of wrong points, with a Wilson interval.

    Attributes
    ----------
    points, wrong, annotations : int
    low, high : float
        In [0, 1]; (0, 1) of no sample.
    """

    points: int
    wrong: int
    annotations: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """Return the share of wrong points found; 0 of none."""
        return self.wrong / self.points if self.points else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What reviewing has taught about the confidences of a project.

    Attributes
    ----------
    weight : ndarray, (121,)
        Posterior of the shift b over a grid in [-3, 3]; sums to 1.
    correlation : float
    """

    weight: NDArray[np.float64]
    correlation: float = CORRELATION

    @classmethod
    def of(
        cls, tally: Tally, *, correlation: float = CORRELATION, deviation: float = DEVIATION
    ) -> "Calibration":
        """Return what a tally's reviewed points say."""
        log = -(_SHIFTS**2) / (2 * deviation**2)
        p = _wrong(_SHIFTS)  # (shifts, bins)
        for counts in (tally.seen, tally.audited):
            right = counts.points - counts.wrong
            word = np.log(p) @ counts.wrong + np.log1p(-p) @ right
            log = log + word / _design_effect(counts, correlation)
        weight = np.exp(log - log.max())
        return cls(weight / weight.sum(), correlation)

    @property
    def shift(self) -> float:
        """Return the mean of b: above 0 where more is wrong than the confidences say."""
        return float(self.weight @ _SHIFTS)

    def error(self, confidence: NDArray[np.floating] | float) -> NDArray[np.float64]:
        """Return how likely points of these confidences in [0, 1] are wrong."""
        curve = self.weight @ _wrong(_SHIFTS)
        return np.asarray(np.interp(1 - np.asarray(confidence), _ERROR[::-1], curve[::-1]))

    def estimate(self, counts: Counts) -> Estimate:
        """Return how many points among some that nobody looked at are wrong."""
        n = counts.total
        if n == 0:
            return Estimate(0, 0.0, 0, 0)
        p = _wrong(_SHIFTS)
        mean = p @ counts.points
        effect = _design_effect(counts, self.correlation)
        deviation = np.sqrt(np.maximum(effect * ((p * (1 - p)) @ counts.points), 1e-9))
        tail = (1 - LEVEL) / 2
        low, high = (self._quantile(mean, deviation, q, n) for q in (tail, 1 - tail))
        return Estimate(n, float(self.weight @ mean), low, high)

    def _quantile(
        self, mean: NDArray[np.float64], deviation: NDArray[np.float64], q: float, n: int
    ) -> int:
        """Return the least whole number that the number of wrong points is below with chance q."""
        low, high = 0, n
        while low < high:
            middle = (low + high) // 2
            z = (middle + 0.5 - mean) / (deviation * sqrt(2))
            below = float(self.weight @ np.array([(1 + erf(float(v))) / 2 for v in z]))
            low, high = (low, middle) if below >= q else (middle + 1, high)
        return low


def sampled(counts: Counts, *, correlation: float = CORRELATION) -> Sampled:
    """Return what an audit sample says.

    References
    ----------
    Wilson 1927, "Probable inference, the law of succession, and statistical inference",
    doi:10.1080/01621459.1927.10502953; with as many points as the design effect leaves.
    """
    n, k = counts.total, counts.total_wrong
    if n == 0:
        return Sampled(0, 0, 0, 0.0, 1.0)
    size, rate = n / _design_effect(counts, correlation), k / n
    scale = 1 + _NORMAL**2 / size
    middle = (rate + _NORMAL**2 / (2 * size)) / scale
    half = _NORMAL * sqrt(rate * (1 - rate) / size + _NORMAL**2 / (4 * size**2)) / scale
    return Sampled(n, k, counts.annotations, max(0.0, middle - half), min(1.0, middle + half))


def _wrong(shifts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p(c, b) for shifts (s,) and the confidences of all bins, (s, BINS)."""
    odds = np.log(_ERROR / (1 - _ERROR))
    return np.asarray(1 / (1 + np.exp(-(odds[None] + shifts[:, None]))))


def _design_effect(counts: Counts, correlation: float) -> float:
    """Return by how much the variance of a count grows as points of one object err together."""
    return 1 + max(counts.group - 1, 0.0) * correlation
