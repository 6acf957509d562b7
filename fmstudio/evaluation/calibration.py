"""Whether confidences mean what they say: of what is shown at 0.9, nine in ten are right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Points of like confidence.

    Attributes
    ----------
    low, high : float
        The bin's confidences; the last bin holds 1.
    share : float
        Of all weight, in [0, 1].
    confidence, right : float or None
        Mean confidence, and share that is right; None in an empty bin.
    """

    low: float
    high: float
    share: float
    confidence: float | None
    right: float | None


def reliability(
    confidence: ArrayLike, is_right: ArrayLike, weight: ArrayLike | None = None
) -> tuple[Bin, ...]:
    """Return ten bins of equal width with what was said and what came out.

    Parameters
    ----------
    confidence : array_like, (m,)
        In [0, 1].
    is_right : array_like, (m,) bool
    weight : array_like, (m,), or None
        At least 0; None weighs all alike.

    Raises
    ------
    ValueError
        If the lengths differ.

    References
    ----------
    Murphy and Winkler 1977, "Reliability of subjective probability forecasts of precipitation and
    temperature", doi:10.2307/2346866 (the diagram of confidence against share).
    """
    said, right = np.asarray(confidence, dtype=float), np.asarray(is_right, dtype=float)
    weights = np.ones(len(said)) if weight is None else np.asarray(weight, dtype=float)
    if not said.shape == right.shape == weights.shape:
        raise ValueError(f"{len(said)} confidences, {len(right)} outcomes, {len(weights)} weights")
    index = np.minimum((said * BINS).astype(int), BINS - 1)
    mass, of_said, of_right = (
        np.bincount(index, values, BINS) for values in (weights, weights * said, weights * right)
    )
    total = max(float(mass.sum()), 1e-12)
    return tuple(
        Bin(
            i / BINS,
            (i + 1) / BINS,
            float(mass[i]) / total,
            float(of_said[i] / mass[i]) if mass[i] else None,
            float(of_right[i] / mass[i]) if mass[i] else None,
        )
        for i in range(BINS)
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error: ``sum_i share_i |confidence_i - right_i|``.

    References
    ----------
    Naeini, Cooper and Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian
    binning", AAAI, section 4.
    """
    return sum(
        b.share * abs(b.confidence - b.right)
        for b in bins
        if b.confidence is not None and b.right is not None
    )
