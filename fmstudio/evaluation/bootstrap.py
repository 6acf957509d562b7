"""How sure a mean over pairs is: percentile bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Groups = Sequence[Sequence[float | None]]


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
    groups: Groups, *, level: float = 0.95, draws: int = 2000, seed: int = 0
) -> Interval | None:
    """Return the mean over groups of their means, with its percentile bootstrap interval.

    Pairs are drawn anew within each group, so that a group keeps its weight in the mean: the
    interval is about other pairs of the same groups, not about other groups.

    Parameters
    ----------
    groups : sequence of sequences of float or None
        One group a category, one value a pair; None where a metric does not apply. Groups without
        a value are left out of the mean.
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
    present = [np.array([v for v in group if v is not None], dtype=float) for group in groups]
    present = [group for group in present if group.size > 0]
    if not present:
        return None
    generator = np.random.default_rng(seed)
    # One group at a time: all at once would be draws x values numbers.
    means = np.zeros(draws)
    for group in present:
        means += group[generator.integers(0, group.size, (draws, group.size))].mean(axis=1)
    low, high = np.quantile(means / len(present), [(1 - level) / 2, (1 + level) / 2])
    mean = float(np.mean([group.mean() for group in present]))
    return Interval(mean, float(low), float(high), sum(group.size for group in present))


def paired_bootstrap(
    groups: Groups,
    against: Groups,
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """Return the mean difference ``groups - against`` over pairs that have both, as `bootstrap`.

    Raises
    ------
    ValueError
        If the groups are not of the same pairs, or as `bootstrap`.
    """
    if [len(group) for group in groups] != [len(group) for group in against]:
        raise ValueError("differences need the same pairs in the same groups")
    differences = [
        [None if a is None or b is None else a - b for a, b in zip(left, right, strict=True)]
        for left, right in zip(groups, against, strict=True)
    ]
    return bootstrap(differences, level=level, draws=draws, seed=seed)
