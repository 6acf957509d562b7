"""The inspector with an engine that answers by rule: no networks, no torch."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QSettings

from fmstudio.errors import ImageError
from fmstudio.session_inspect import (
    Contours,
    HeatMap,
    Layers,
    MatchLines,
    PairFound,
    Picture,
    PointAnswer,
    WarpedGrid,
)
from fmstudio.ui import inspector as module
from fmstudio.ui.inspector import LANE, Inspector
from fmstudio.ui.inspector_choices import InspectorChoices, from_text, to_text
from fmstudio.ui.preferences import Preferences

BOX = (0, 0, 64, 48)


def layers_of(question):
    line = np.array([[0.0, 0.0], [64.0, 48.0]])
    cells = np.array([[[0, 0], [8, 0], [8, 8], [0, 8]], [[8, 0], [16, 0], [16, 8], [8, 8]]], float)
    picture = Picture(BOX, np.full((6, 8, 4), 200, np.uint8))
    return Layers(
        question,
        picture,
        picture,
        picture,
        Contours((line,), (line,)),
        WarpedGrid((line,), (line,), cells, np.array([1, -1], np.int8)),
        MatchLines(line, line, np.array([0.2, 0.9])),
    )


def answer_of(question):
    x, y = question.xy
    heat = HeatMap(BOX, np.eye(6, 8, dtype=np.float32))
    return PointAnswer(question, (x + 10, y), (x + 1, y), 1.0, 0.8, True, heat)


class Engine:
    """Stands for the jobs: notes what is asked, and answers or raises."""

    def __init__(self):
        self.found, self.asked, self.fault = [], [], None

    def find(self, _live, question, _token):
        self.found.append(question)
        if self.fault is not None:
            raise self.fault
        yield PairFound(question, 0.5)
        yield layers_of(question)

    def answer(self, _live, question, _token):
        self.asked.append(question)
        yield answer_of(question)


@pytest.fixture
def engine(monkeypatch):
    engine = Engine()
    monkeypatch.setattr(module, "find_job", engine.find)
    monkeypatch.setattr(module, "answer_job", engine.answer)
    return engine


@pytest.fixture
def preferences(tmp_path):
    return Preferences(QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def inspector(controller, service, preferences, engine):
    live = object()
    return Inspector(controller, service, preferences, lambda: live if controller.session else None)


def turn_on(qtbot, inspector):
    inspector.set_on(True)
    qtbot.waitUntil(lambda: inspector.layers is not None)


def test_off_it_computes_nothing(qtbot, inspector, engine, service, controller):
    inspector.hover((5.0, 5.0), is_back=False)
    controller.show_target(controller.reference_id)
    assert not service.is_busy()
    assert engine.found == engine.asked == []
    assert inspector.question is None


def test_on_it_matches_the_pair_that_is_shown(qtbot, inspector, engine, controller):
    turn_on(qtbot, inspector)
    assert inspector.found.question == inspector.question
    assert engine.found == [inspector.question]
    controller.step(1)
    qtbot.waitUntil(lambda: inspector.layers is not None)
    assert [q.t.id for q in engine.found][-1] == controller.target_id
    inspector.set_on(False)
    assert inspector.layers is inspector.question is None


def test_what_does_not_concern_the_pair_asks_nothing_anew(qtbot, inspector, engine, controller):
    turn_on(qtbot, inspector)
    controller.set_tool("brush")
    controller.selectionChanged.emit()
    assert len(engine.found) == 1


def test_the_latest_place_is_answered_and_the_first_too(qtbot, inspector, engine):
    turn_on(qtbot, inspector)
    places = [(float(n), 7.0) for n in range(40)]
    for place in places:
        inspector.hover(place, is_back=False)
    qtbot.waitUntil(lambda: inspector.answer is not None)
    qtbot.waitUntil(lambda: inspector.answer.question.xy == places[-1])
    # Never more than one on its way: what came in between was skipped, not queued.
    assert [q.xy for q in engine.asked] == [places[0], places[-1]]


def test_a_place_is_kept_until_the_pair_is_matched(qtbot, inspector, engine):
    inspector.set_on(True)
    inspector.hover((3.0, 4.0), is_back=True)
    qtbot.waitUntil(lambda: inspector.answer is not None)
    assert inspector.answer.question.is_back
    assert len(engine.asked) == 1


def test_the_pointer_that_leaves_takes_the_answer_along(qtbot, inspector):
    turn_on(qtbot, inspector)
    inspector.hover((3.0, 4.0), is_back=False)
    qtbot.waitUntil(lambda: inspector.answer is not None)
    inspector.hover(None, is_back=True)
    assert inspector.answer is not None
    inspector.hover(None, is_back=False)
    assert inspector.answer is None


def test_a_pinned_point_stays(qtbot, inspector):
    turn_on(qtbot, inspector)
    assert inspector.pin((3.0, 4.0), is_back=False)
    inspector.hover((9.0, 9.0), is_back=False)
    inspector.hover(None, is_back=False)
    qtbot.waitUntil(lambda: inspector.answer is not None)
    assert inspector.answer.question.xy == (3.0, 4.0)
    assert inspector.is_pinned
    assert inspector.unpin()
    assert not inspector.unpin()
    assert inspector.answer is None


def test_another_heat_map_is_asked_for_at_once(qtbot, inspector, engine):
    turn_on(qtbot, inspector)
    inspector.pin((3.0, 4.0), is_back=False)
    qtbot.waitUntil(lambda: inspector.answer is not None)
    inspector.choose(replace(inspector.choices, heat="features"))
    qtbot.waitUntil(lambda: inspector.answer.question.heat == "features")
    inspector.choose(replace(inspector.choices, has_grid=True))
    assert len(engine.asked) == 2


def test_a_fault_is_said_and_the_next_pair_tried(qtbot, inspector, engine, controller):
    engine.fault = ImageError("a.jpg is missing.")
    inspector.set_on(True)
    qtbot.waitUntil(lambda: bool(inspector.error))
    assert inspector.error == "a.jpg is missing."
    engine.fault = None
    controller.step(1)
    qtbot.waitUntil(lambda: inspector.layers is not None)
    assert inspector.error == ""


def test_a_closed_project_ends_it(qtbot, inspector, controller, service):
    turn_on(qtbot, inspector)
    controller.set_session(None)
    assert inspector.question is inspector.layers is None
    assert not service.is_busy(LANE)


def test_choices_are_remembered(inspector, preferences):
    chosen = InspectorChoices("both", "checker", has_lines=True, wipe=0.4)
    inspector.choose(chosen)
    assert preferences.inspector == chosen
    assert from_text(to_text(chosen)) == chosen


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"heat": "warm", "wipe": 7, "has_grid": 1}'])
def test_choices_that_cannot_be_read_are_the_first(text):
    assert from_text(text) == InspectorChoices()
