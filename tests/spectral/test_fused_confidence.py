import numpy as np
import pytest

from fmstudio.spectral.confidence import agreement, fused_confidence


def fused(confidence, gap, labelled=None):
    confidence, gap = np.array(confidence)[:, None], np.array(gap)[:, None]
    labelled = np.ones_like(gap, dtype=bool) if labelled is None else np.array(labelled)[:, None]
    return float(fused_confidence(agreement(confidence, labelled, gap))[0])


def test_references_that_agree_are_trusted_more_than_each_and_ones_that_do_not_less():
    one, agreeing = fused([0.6], [0.0]), fused([0.6, 0.6, 0.6], [0.02, 0.01, 0.03])
    divided = fused([0.6, 0.6, 0.6], [0.0, 0.5, 0.7])
    assert divided < one < agreeing


def test_a_reference_without_the_point_has_no_word():
    assert fused([0.6, 0.9], [0.0, 3.0], [True, False]) == pytest.approx(fused([0.6], [0.0]))
