import json
import subprocess
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from PIL import Image

from fmstudio.evaluation.benchmark import evaluate
from fmstudio.evaluation.bootstrap import Interval
from fmstudio.evaluation.card import Card, write_card
from fmstudio.evaluation.datasets import find_sets
from fmstudio.evaluation.environment import commit_of, examine, peak_memory
from fmstudio.evaluation.plots import PlotRow, interval_plot

CPU = torch.device("cpu")


@pytest.fixture
def card(writer, mosaic, matcher):
    made = writer("mosaic", points=("a", "b"))
    for image_id, (down, right) in enumerate([(0, 0), (1, 2), (2, 1)], start=1):
        made.image(image_id, mosaic(down, right))
        x, y = (1.5 + right) * 16, (1.5 + down) * 16
        xyv = [(x, y, 2), (x + 48, y, 2)]
        made.annotation(image_id, image_id, xyv=xyv, bbox=(x, y, 48, 16))
    report = evaluate(find_sets(made.close()), methods=["identity", "nn", "map"], analyser=matcher)
    environment = examine(matcher.extractor_keys, CPU)
    return Card(report, environment, 1.5, peak_memory(CPU), "fmstudio evaluate x --card y")


def test_the_card_states_what_was_reached_how_sure_and_on_what(card, tmp_path):
    write_card(card, tmp_path / "card")
    document = json.loads((tmp_path / "card" / "card.json").read_text())
    nn = document["intervals"]["pck@0.1"]["nn"]
    assert nn["mean"] == pytest.approx(document["mean"]["nn"]["pck@0.1"])
    assert nn["low"] <= nn["mean"] <= nn["high"]
    assert document["differences_to_nn"]["pck@0.1"]["identity"]["mean"] < 0
    assert document["environment"]["weights"] == ["colour:colour", "colour:colour-too"]
    assert document["environment"]["device"]
    assert document["peak_memory_bytes"]["process"] > 2**20
    text = (tmp_path / "card" / "card.md").read_text()
    for words in ("fmstudio evaluate x --card y", "colour:colour", "95 %", "(pck-01.svg)"):
        assert words in text


def test_the_plots_are_whole_pictures(card, tmp_path):
    written = write_card(card, tmp_path)
    png = next(p for p in written if p.suffix == ".png")
    rgb = np.asarray(Image.open(png).convert("RGB"))
    assert rgb.shape[1] == 1200
    assert (rgb.reshape(-1, 3).std(axis=0) > 5).all()
    svg = ET.parse(png.with_suffix(".svg"))
    texts = {element.text for element in svg.iter() if element.tag.endswith("text")}
    assert {"identity", "nn", "map"} <= texts


def test_a_metric_that_no_category_has_is_not_drawn(card):
    assert set(card.plots()) == {"pck-01"}


def test_a_plot_keeps_values_below_zero_on_its_scale():
    rows = [PlotRow("a", Interval(-0.1, -0.2, 0.05, 9)), PlotRow("b", None, (0.3,))]
    figure = interval_plot("t", "s", rows)
    dots = [e for e in figure.elements if type(e).__name__ == "Dot"]
    assert all(0 < dot.at[0] < figure.width for dot in dots)
    mean, category = dots
    assert mean.at[0] < category.at[0]


def test_the_commit_is_that_of_the_checkout(tmp_path):
    assert commit_of(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        (tmp_path / "code").mkdir(exist_ok=True)
        (tmp_path / "code" / "a.py").write_text("1\n")
        subprocess.run([*git, *arguments], check=True)
    clean = commit_of(tmp_path / "code")
    assert len(clean) == 40
    (tmp_path / "code" / "a.py").write_text("2\n")
    assert commit_of(tmp_path / "code") == clean + "+"
    # A package installed inside somebody's checkout is not that checkout's code.
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "b.py").write_text("3\n")
    assert commit_of(tmp_path / "venv") is None
