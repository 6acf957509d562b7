import json

import pytest

from fmstudio.errors import DatasetError
from fmstudio.evaluation.several import evaluate_several, turns_of


def test_one_reference_is_the_pairs_own_and_others_never_the_target(moved):
    turns = turns_of(moved[0], 2, 6, 0)
    assert len(turns) == 6
    for turn in turns:
        ids = [image.id for image in turn.sources]
        assert len({*ids, turn.target.id}) == 3
    assert turns == turns_of(moved[0], 2, 6, 0)


def test_both_counts_are_judged_on_the_same_targets(moved, matcher):
    report = evaluate_several(moved, 2, pairs=4, analyser=matcher)
    assert set(report.values) == {1, 2}
    for found in report.values.values():
        assert [len(found["thing"][metric]) for metric in ("pck@0.1", "iou")] == [4, 4]
    assert all(value == 1 for value in report.values[2]["thing"]["pck@0.1"])
    assert 0 <= report.ece[2] <= 1
    assert "| 2 " in report.to_markdown()
    assert json.loads(report.to_json())["settings"]["references"] == 2


def test_too_few_images_are_said(moved, matcher):
    with pytest.raises(DatasetError, match="at least 10 annotated images"):
        evaluate_several(moved, 9, analyser=matcher)
    with pytest.raises(ValueError, match="at least 2"):
        evaluate_several(moved, 1, analyser=matcher)
