import numpy as np
import pytest

from fmstudio.evaluation.bootstrap import bootstrap, paired_bootstrap


def test_the_interval_has_the_width_of_the_normal_one():
    values = np.random.default_rng(3).normal(5, 2, 400).tolist()
    found = bootstrap([values])
    half = 1.96 * np.std(values) / 20
    assert found.mean == pytest.approx(np.mean(values))
    assert found.low == pytest.approx(found.mean - half, abs=0.15 * half)
    assert found.high == pytest.approx(found.mean + half, abs=0.15 * half)
    assert found.count == 400


def test_what_does_not_apply_is_left_out():
    found = bootstrap([[None, 1.0, 1.0, None]])
    assert (found.mean, found.low, found.high, found.count) == (1, 1, 1, 2)
    assert bootstrap([[None, None]]) is None
    assert bootstrap([]) is None


def test_groups_count_alike_however_many_pairs_they_have():
    found = bootstrap([[0.0] * 90, [1.0] * 10, [None]])
    assert (found.mean, found.low, found.high, found.count) == (0.5, 0.5, 0.5, 100)


def test_equal_seeds_give_equal_intervals():
    values = [0.0, 0.5, 1.0, 0.25]
    assert bootstrap([values], seed=4) == bootstrap([values], seed=4)
    assert bootstrap([values], level=0.5).high < bootstrap([values]).high


def test_pairing_takes_what_pairs_share_out():
    hard = np.random.default_rng(5).random(50)
    found = paired_bootstrap([[*(hard + 0.1), None]], [[*hard, 0.3]])
    assert found.count == 50
    assert found.low == pytest.approx(0.1)
    assert found.high == pytest.approx(0.1)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="the same pairs"):
        paired_bootstrap([[1.0]], [[]])
    with pytest.raises(ValueError, match="between 0 and 1"):
        bootstrap([[1.0]], level=1.0)
