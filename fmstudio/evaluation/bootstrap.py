"""How sure a mean over pairs is: percentile bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the interval that a bootstrap gives it.

    Attributes
    ----------
    mean, low, high : float
        Of the values' unit.
    count : int
        Values behind it.
    """

    mean: float
    low: float
    high: float
    count: int


def bootstrap(
    values: Sequence[float | None], *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval | None:
    """Return the mean of the values that are not None, with its percentile bootstrap interval.

    Parameters
    ----------
    values : sequence of float or None
        One a pair; None where a metric does not apply.
    level : float
        Between 0 and 1, such as 0.95.
    draws : int
        Resamples, at least 1.
    seed : int
        Equal seeds give equal intervals.

    Returns
    -------
    interval : Interval or None
        None when no value is there.

    Raises
    ------
    ValueError
        If level or draws is out of its range.

    References
    ----------
    Efron 1979, "Bootstrap methods: another look at the jackknife", doi:10.1214/aos/1176344552.
    """
    if not 0 < level < 1 or draws < 1:
        raise ValueError(f"a level lies between 0 and 1 and draws above 0, not {level}, {draws}")
    present = np.array([v for v in values if v is not None], dtype=np.float64)
    if present.size == 0:
        return None
    generator = np.random.default_rng(seed)
    # One resample at a time: all at once would be draws x values numbers.
    means = [
        present[generator.integers(0, present.size, present.size)].mean() for _ in range(draws)
    ]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(present.mean()), float(low), float(high), int(present.size))


def paired_bootstrap(
    values: Sequence[float | None],
    against: Sequence[float | None],
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """Return the mean difference ``values - against`` over pairs that have both, as `bootstrap`.

    Raises
    ------
    ValueError
        If the lengths differ, or as `bootstrap`.
    """
    if len(values) != len(against):
        raise ValueError(f"{len(values)} values cannot be paired with {len(against)}")
    differences = [
        None if a is None or b is None else a - b for a, b in zip(values, against, strict=True)
    ]
    return bootstrap(differences, level=level, draws=draws, seed=seed)
