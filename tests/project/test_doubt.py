import numpy as np
import pytest

from fmstudio.project.doubt import (
    REASONS,
    Doubt,
    Reason,
    main_reason,
    main_reason_of_all,
    mask_strengths,
    sentence,
    short_name,
    strengths,
)

GOOD = {
    Reason.CYCLE: 2.0,
    Reason.MARGIN: 0.3,
    Reason.STRETCH: 1.1,
    Reason.COVERAGE: 0.95,
    Reason.SPREAD: 2.0,
    Reason.OCCLUSION: 0.02,
}


def row(**changes):
    return [{**GOOD, **{Reason(k): v for k, v in changes.items()}}[r] for r in REASONS]


def doubt_of(*rows, mask=None, confidence=None):
    m = len(rows)
    return Doubt(
        np.zeros((m, 2)),
        np.full(m, 0.5) if confidence is None else confidence,
        np.array(rows).reshape(m, len(REASONS)),
        row(spread=0.05) if mask is None else mask,
        100.0,
        200.0,
    )


@pytest.mark.parametrize(
    ("change", "reason", "words", "name"),
    [
        ({"cycle": 23.0}, Reason.CYCLE, "23\u00a0px off, 23\u00a0% of the object", "astray"),
        ({"margin": 0.003}, Reason.MARGIN, "fits almost as well: the margin is 0.00", "unclear"),
        ({"margin": -0.1}, Reason.MARGIN, "margin is 0.00", "unclear"),
        ({"stretch": -0.4}, Reason.STRETCH, "folds over", "folded"),
        ({"stretch": 8.0}, Reason.STRETCH, "stretches here to 8.0 times", "pulled"),
        ({"stretch": 0.1}, Reason.STRETCH, "shrinks here to 10\u00a0%", "shrunk"),
        ({"coverage": 0.2}, Reason.COVERAGE, "Only 20\u00a0% of the patches", "alone"),
        ({"coverage": 0.0}, Reason.COVERAGE, "Nothing around it supports", "alone"),
        ({"spread": 40.0}, Reason.SPREAD, "disagree by 40\u00a0px, 20\u00a0%", "split"),
        ({"occlusion": 0.6}, Reason.OCCLUSION, "may be hidden", "hidden?"),
    ],
)
def test_the_strongest_reason_is_named(change, reason, words, name):
    finding = main_reason(doubt_of(row(), row(**change)), 1)
    assert finding.reason is reason
    assert words in sentence(finding)
    assert sentence(finding).endswith(".")
    assert short_name(finding) == name


def test_nothing_in_particular_is_said_of_a_good_point():
    doubt = doubt_of(row())
    assert main_reason(doubt, 0) is None
    assert main_reason(doubt, None) is None
    assert main_reason_of_all(doubt) is None
    assert sentence(None) == "Nothing in particular speaks against it."


def test_what_is_not_known_speaks_against_nothing():
    unknown = doubt_of([np.nan] * len(REASONS), mask=[np.nan] * len(REASONS))
    assert not strengths(unknown).any()
    assert not mask_strengths(unknown).any()
    assert main_reason_of_all(unknown) is None
    assert unknown.value(Reason.CYCLE, 0) is None
    assert main_reason(None, 0) is None
    assert main_reason_of_all(None) is None
    assert main_reason(doubt_of(row(cycle=90.0)), 5) is None  # a keypoint added since


@pytest.mark.parametrize(
    ("reason", "better", "worse"),
    [
        ("cycle", 5, 20),
        ("margin", 0.1, 0.01),
        ("stretch", 1.5, 3),
        ("stretch", 0.7, 0.2),
        ("stretch", 0.2, -0.1),
        ("coverage", 0.8, 0.3),
        ("spread", 5, 50),
        ("occlusion", 0.1, 0.4),
    ],
)
def test_strength_grows_as_a_point_gets_worse(reason, better, worse):
    column = REASONS.index(Reason(reason))
    found = strengths(doubt_of(row(**{reason: better}), row(**{reason: worse})))[:, column]
    assert 0 <= found[0] < found[1]


def test_an_annotation_is_about_its_most_doubtful_point():
    rows = [row(), row(cycle=60.0), row(stretch=-1.0)]
    sure_of_fold = doubt_of(*rows, confidence=[0.9, 0.1, 0.99])
    finding = main_reason_of_all(sure_of_fold)
    assert (finding.reason, finding.keypoint) == (Reason.CYCLE, 1)


def test_a_mask_without_keypoints_has_its_own_reason():
    finding = main_reason_of_all(doubt_of(mask=row(spread=0.5)))
    assert (finding.reason, finding.keypoint) == (Reason.SPREAD, None)
    assert sentence(finding) == "The references' masks differ by 50\u00a0%."


def test_keypoints_are_rearranged_with_the_schema():
    doubt = doubt_of(row(cycle=1.0), row(cycle=9.0)).reordered((1, None, 0))
    assert len(doubt) == 3
    assert [doubt.value(Reason.CYCLE, i) for i in range(3)] == [9.0, None, 1.0]
    assert np.isnan(doubt.confidence[1])


def test_doubts_are_equal_by_their_numbers_and_cannot_be_changed():
    a, b = doubt_of(row()), doubt_of(row())
    assert a == b
    assert hash(a) == hash(b)
    assert a != doubt_of(row(cycle=3.0))
    with pytest.raises(ValueError, match="read-only"):
        a.reasons[0, 0] = 1
    with pytest.raises(ValueError, match="shape"):
        Doubt(np.zeros((2, 2)), [0.1], [row()], row())
