"""Intervals that cover the truth as often as they say, on simulated reviews."""

import numpy as np
import pytest

from fmstudio.project.estimate import (
    DEVIATION,
    LEVEL,
    Calibration,
    Estimate,
    sampled,
)
from fmstudio.project.outcome import BINS, Counts, Tally


def counts_of(confidence, wrong, group=1):
    bins = np.minimum((np.asarray(confidence) * BINS).astype(int), BINS - 1)
    found = np.asarray(wrong, dtype=bool)
    n = len(bins)
    return Counts(
        np.bincount(bins, minlength=BINS),
        np.bincount(bins[found], minlength=BINS),
        n // group,
        n * group,
    )


def tally_of(waiting, seen=None):
    none = Counts.none()
    return Tally(waiting, none, seen or none, none)


def shifted(confidence, shift):
    odds = np.log((1 - confidence) / confidence) + shift
    return 1 / (1 + np.exp(-odds))


def correlated(rng, p, group, rho):
    """Return outcomes of chance p, groups of which share their luck with correlation rho."""
    own = rng.random(len(p)) < p
    n = len(p) // group
    # With chance sqrt(rho) a point takes its object's luck: a pair then shares it with chance rho.
    luck = np.repeat(rng.random(n), group)
    takes = rng.random(len(p)) < np.sqrt(rho)
    return np.where(takes, luck < p, own)


def covered(rng, *, runs=400, reviewed, left=300, shift=0.0, group=1, rho=0.0):
    hits = 0
    for _ in range(runs):
        b = rng.normal(0, DEVIATION) if shift is None else shift
        c = np.repeat(rng.beta(3, 1.2, (reviewed + left) // group).clip(0.01, 0.99), group)
        wrong = correlated(rng, shifted(c, b), group, rho)
        seen = counts_of(c[:reviewed], wrong[:reviewed], group)
        waiting = counts_of(c[reviewed:], np.zeros(left), group)
        calibration = Calibration.of(tally_of(waiting, seen), correlation=rho)
        found = calibration.estimate(waiting)
        hits += found.low <= wrong[reviewed:].sum() <= found.high
    return hits / runs


@pytest.mark.parametrize("reviewed", [60, 600])
def test_the_interval_covers_the_truth_as_often_as_it_says(reviewed):
    rate = covered(np.random.default_rng(1), reviewed=reviewed, shift=None)
    assert LEVEL - 0.05 < rate < LEVEL + 0.05


@pytest.mark.parametrize("shift", [0.0, 0.8, -0.8])
def test_it_covers_confidences_that_are_true_or_have_been_found_out(shift):
    rate = covered(np.random.default_rng(2), reviewed=900, shift=shift)
    assert rate > LEVEL - 0.06


def test_points_of_an_object_that_err_together_make_it_wider():
    rng = np.random.default_rng(3)
    rate = covered(rng, reviewed=300, left=300, shift=None, group=10, rho=0.3)
    assert LEVEL - 0.05 < rate < LEVEL + 0.06
    waiting = counts_of(np.full(300, 0.7), np.zeros(300), 10)
    wide, narrow = (
        Calibration.of(tally_of(waiting), correlation=rho).estimate(waiting) for rho in (0.3, 0.0)
    )
    assert wide.high - wide.low > narrow.high - narrow.low


def test_without_review_as_much_is_wrong_as_the_confidences_say():
    waiting = counts_of(np.linspace(0.3, 0.98, 500), np.zeros(500))
    found = Calibration.of(tally_of(waiting)).estimate(waiting)
    assert found.wrong == pytest.approx((1 - np.linspace(0.3, 0.98, 500)).sum(), rel=0.05)
    assert found.low < found.wrong < found.high
    assert found.rates[0] < found.rate < found.rates[1]


def test_corrections_move_the_estimate_and_narrow_it():
    rng = np.random.default_rng(4)
    waiting = counts_of(rng.beta(4, 1, 2000).clip(0.01, 0.99), np.zeros(2000))
    confidence = rng.beta(4, 1, 400).clip(0.01, 0.99)
    bad = counts_of(confidence, rng.random(400) < shifted(confidence, 1.0))
    good = counts_of(confidence, rng.random(400) < shifted(confidence, -1.0))
    before, worse, better = (
        Calibration.of(tally_of(waiting, seen)).estimate(waiting) for seen in (None, bad, good)
    )
    assert better.wrong < before.wrong < worse.wrong
    assert worse.high - worse.low < before.high - before.low
    shifts = [Calibration.of(tally_of(waiting, seen)).shift for seen in (good, bad)]
    assert shifts == sorted(shifts)


def test_a_surer_point_is_less_likely_wrong_and_nothing_leaves_the_unit_interval():
    calibration = Calibration.of(tally_of(Counts.none()))
    error = calibration.error(np.linspace(0, 1, 50))
    assert (np.diff(error) <= 0).all()
    assert error.min() >= 0
    assert error.max() <= 1
    assert calibration.shift == pytest.approx(0, abs=1e-9)


def test_of_nothing_nothing_is_wrong():
    assert Calibration.of(tally_of(Counts.none())).estimate(Counts.none()) == Estimate(0, 0.0, 0, 0)
    assert Estimate(0, 0.0, 0, 0).rate == 0


def test_an_interval_stays_within_what_there_is():
    for c in (0.001, 0.999):
        waiting = counts_of([c] * 3, [0] * 3)
        found = Calibration.of(tally_of(waiting)).estimate(waiting)
        assert 0 <= found.low <= found.high <= 3


@pytest.mark.parametrize(("n", "rate"), [(200, 0.05), (200, 0.3), (60, 0.1)])
def test_an_audit_sample_covers_the_truth_as_often_as_it_says(n, rate):
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(500):
        found = sampled(counts_of(np.full(n, 0.9), rng.random(n) < rate), correlation=0)
        hits += found.low <= rate <= found.high
    assert LEVEL - 0.05 < hits / 500 < LEVEL + 0.06


def test_no_sample_says_nothing():
    found = sampled(Counts.none())
    assert (found.points, found.low, found.high, found.rate) == (0, 0.0, 1.0, 0.0)
