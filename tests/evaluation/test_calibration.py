import numpy as np
import pytest

from fmstudio.evaluation.calibration import calibration_error, reliability


def test_bins_say_what_was_said_and_what_came_out():
    bins = reliability([0.05, 0.92, 0.98, 1.0], [False, True, False, True])
    assert [b.share for b in bins if b.share] == [0.25, 0.75]
    assert bins[0].right == 0
    assert bins[9].confidence == pytest.approx(2.9 / 3)
    assert bins[9].right == pytest.approx(2 / 3)
    assert bins[5].confidence is None
    assert calibration_error(bins) == pytest.approx(0.25 * 0.05 + 0.75 * (2.9 - 2) / 3)


def test_confidences_that_are_true_have_no_error_and_boasts_have_theirs():
    generator = np.random.default_rng(0)
    said = generator.uniform(0, 1, 200_000)
    right = generator.uniform(0, 1, len(said)) < said
    assert calibration_error(reliability(said, right)) < 0.01
    assert calibration_error(reliability(np.minimum(said + 0.2, 1), right)) > 0.1


def test_weights_let_small_groups_count_as_much_as_large_ones():
    said, right = [0.5] * 5, [True, False, False, False, False]
    bins = reliability(said, right, [4, 1, 1, 1, 1])
    assert bins[5].right == pytest.approx(0.5)


def test_lengths_must_fit():
    with pytest.raises(ValueError, match="2 confidences, 1 outcomes"):
        reliability([0.1, 0.2], [True])
