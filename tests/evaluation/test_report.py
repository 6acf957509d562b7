import json

import pytest

from fmstudio.evaluation.report import METRICS, STAGES, Report, Scores, mean_scores, write_json


def scores(pairs=3, **values):
    times = dict.fromkeys(STAGES, 12.0) | {"basis": None}
    return Scores({m: values.get(m.replace("@0.", "")) for m in METRICS}, pairs, times)


@pytest.fixture
def report():
    car = {"nn": scores(pck05=0.25, pck1=0.5), "map": scores(pck05=0.5, pck1=0.75)}
    ant = {"nn": scores(5, pck1=0.7, iou=0.4, smoothness=2.0), "map": scores(5, pck1=0.8, iou=0.6)}
    mean = {m: mean_scores([car[m], ant[m]]) for m in ("nn", "map")}
    return Report({"car": car, "ant": ant}, mean, {"seed": 0, "pairs": 5})


def test_null_is_left_out_of_the_mean(report):
    nn = report.mean["nn"]
    assert nn.values["pck@0.1"] == pytest.approx(0.6)
    assert nn.values["pck@0.05"] == 0.25
    assert nn.values["iou"] == 0.4
    assert nn.values["cycle"] is None
    assert nn.pairs == 8
    assert nn.ms == {"features": 12.0, "basis": None, "map": 12.0, "transfer": 12.0}


def test_the_json_has_the_agreed_keys(report):
    data = json.loads(report.to_json())
    assert set(data) == {"categories", "mean", "settings"}
    assert set(data["categories"]) == {"car", "ant"}
    assert set(data["mean"]) == {"nn", "map"}
    expected = {*METRICS, "pairs", "ms"}
    assert {"pck@0.05", "pck@0.1", "iou", "smoothness", "cycle"} < expected
    for entry in (data["categories"]["car"]["nn"], data["mean"]["map"]):
        assert set(entry) == expected
        assert set(entry["ms"]) == {"features", "basis", "map", "transfer"}
    assert data["categories"]["car"]["nn"]["iou"] is None
    assert data["settings"] == {"pairs": 5, "seed": 0}


def test_equal_reports_are_equal_bytes_in_whatever_order_they_were_made(report):
    turned = Report(
        dict(reversed(list(report.categories.items()))),
        dict(reversed(list(report.mean.items()))),
        {"pairs": 5, "seed": 0},
    )
    assert turned.to_json() == report.to_json()


def test_a_number_that_json_cannot_hold_is_refused(report):
    broken = Report({"car": {"nn": scores(pck1=float("nan"))}}, {}, {})
    with pytest.raises(ValueError, match="JSON compliant"):
        broken.to_json()


def test_the_file_holds_the_json(report, tmp_path):
    write_json(report, tmp_path / "report.json")
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == report.to_json()


def test_the_table_shows_percent_by_method_and_category(report):
    text = report.to_markdown()
    lines = text.splitlines()
    assert lines[0].split("|")[3].strip() == "PCK@0.1, %"
    assert [cell.strip() for cell in lines[2].split("|")[1:5]] == ["nn", "25.0", "60.0", "40.0"]
    assert any(line.startswith("| car") and "50.0" in line and "75.0" in line for line in lines)
    _, _, iou = text.split("\n\n")
    assert iou.startswith("| IoU, %")
    assert "ant" in iou
    assert "car" not in iou


def test_the_lines_of_a_table_are_equally_long(report):
    for table in report.to_markdown().split("\n\n"):
        assert len({len(line) for line in table.splitlines()}) == 1
