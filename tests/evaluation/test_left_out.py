import pytest

from fmstudio.evaluation.left_out import leave_one_out


def test_a_choice_is_judged_where_it_was_not_made():
    scores = {
        "default": {"a": 0.5, "b": 0.5, "c": 0.5},
        # Wonderful on one category, bad on the rest: what tuning to one looks like.
        "tuned to a": {"a": 1.0, "b": 0.4, "c": 0.4},
        "good": {"a": 0.6, "b": 0.6, "c": 0.3},
    }
    found = leave_one_out(scores)
    assert found.chosen == {"a": "default", "b": "tuned to a", "c": "tuned to a"}
    assert found.held == pytest.approx((0.5 + 0.4 + 0.4) / 3)
    assert found.default == pytest.approx(0.5)
    assert found.own == pytest.approx((1.0 + 0.6 + 0.5) / 3)
    assert "the default 50.0" in found.sentence("PCK@0.1")


def test_categories_without_the_score_do_not_count():
    scores = {"x": {"a": 0.5, "b": None, "c": 0.7}, "y": {"a": 0.6, "b": None, "c": 0.8}}
    assert set(leave_one_out(scores).chosen) == {"a", "c"}
    assert leave_one_out({"x": {"a": 0.5, "b": None}}) is None
