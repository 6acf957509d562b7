"""The spectrum as the window keeps it, and its panel, with an engine that answers by rule."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent

from fmstudio.errors import ImageError
from fmstudio.session_spectrum import BandAnswer, HeatMap, Spectrum
from fmstudio.ui import inspector as inspector_module
from fmstudio.ui import spectrum as module
from fmstudio.ui.canvas.layers import GhostLayer, PictureLayer
from fmstudio.ui.canvas.match_overlay import MatchOverlay
from fmstudio.ui.canvas.pair import CanvasPair
from fmstudio.ui.inspector import Inspector
from fmstudio.ui.inspector_view import InspectorView
from fmstudio.ui.panels.spectrum import SpectrumPanel
from fmstudio.ui.spectrum import SpectrumViewer
from tests.ui.test_inspector import Engine, preferences  # noqa: F401

K = 6


def spectrum_of(question):
    functions = tuple(HeatMap((0, 0, 64, 48), np.full((6, 8), i / K, np.float32)) for i in range(K))
    C = np.eye(K, dtype=np.float32)
    evals = np.linspace(0, 1, K)
    bands = np.full(K, 1 / K)
    return Spectrum(question, evals, evals, functions, functions, C, 1.0, 0.25, 0.5, bands)


class SpectralEngine:
    """Stands for the jobs: notes what is asked, and answers or raises."""

    def __init__(self):
        self.asked, self.ks, self.fault = [], [], None

    def spectrum(self, _live, question, _token):
        self.asked.append(question)
        if self.fault is not None:
            raise self.fault
        yield spectrum_of(question)

    def band(self, _live, question, _token):
        self.ks.append(question.k)
        if self.fault is not None:
            raise self.fault
        yield BandAnswer(question, np.array([[10.0, 10.0 + question.k]]), 2.5)


@pytest.fixture
def engine(monkeypatch):
    engine, pairs = SpectralEngine(), Engine()
    monkeypatch.setattr(module, "spectrum_job", engine.spectrum)
    monkeypatch.setattr(module, "band_job", engine.band)
    monkeypatch.setattr(inspector_module, "find_job", pairs.find)
    return engine


@pytest.fixture
def shown(qtbot, controller, service, preferences, engine):  # noqa: F811
    """Panel, viewer, inspector and canvases."""
    live = object()
    inspector = Inspector(controller, service, preferences, lambda: live)
    viewer = SpectrumViewer(inspector, service, lambda: live)
    pair = CanvasPair(controller, service)
    qtbot.addWidget(pair)
    InspectorView(controller, inspector, viewer, pair, MatchOverlay(pair, pair))
    panel = SpectrumPanel(inspector, viewer)
    qtbot.addWidget(panel)
    panel.resize(1000, 220)
    return panel, viewer, inspector, pair


def is_there(qtbot, viewer):
    qtbot.waitUntil(lambda: viewer.spectrum is not None)


def test_nothing_is_asked_while_nobody_looks(qtbot, shown, engine):
    panel, viewer, inspector, _ = shown
    inspector.set_on(True)
    qtbot.waitUntil(lambda: inspector.layers is not None)
    assert engine.asked == []
    panel.show()
    is_there(qtbot, viewer)
    assert engine.asked == [inspector.question]
    assert "diagonal energy 100 %" in panel.figures.text()
    assert panel.said.text() == "6 of 6"
    assert not panel.all.isEnabled()


def test_the_empty_page_says_what_to_do(qtbot, shown):
    panel, viewer, inspector, _ = shown
    panel.show()
    assert panel.empty.button.text() == "Inspect the pair"
    qtbot.mouseClick(panel.empty.button, Qt.MouseButton.LeftButton)
    assert inspector.is_on
    is_there(qtbot, viewer)


def test_the_slider_moves_the_keypoints_and_all_brings_them_back(qtbot, shown, engine):
    panel, viewer, inspector, pair = shown
    panel.show()
    inspector.set_on(True)
    is_there(qtbot, viewer)
    panel.slider.setValue(4)
    panel.slider.setValue(3)
    qtbot.waitUntil(lambda: viewer.band is not None and viewer.band.question.k == 3)
    assert engine.ks[-1] == 3
    (ghost,) = [layer for layer in pair.target.layers if isinstance(layer, GhostLayer)]
    assert ghost.xy.tolist() == [[10.0, 13.0]]
    qtbot.mouseClick(panel.all, Qt.MouseButton.LeftButton)
    assert viewer.band is None
    assert not any(isinstance(layer, GhostLayer) for layer in pair.target.layers)
    assert panel.said.text() == "6 of 6"


def test_a_function_is_laid_over_its_image_and_taken_away(qtbot, shown):
    panel, viewer, inspector, pair = shown
    panel.show()
    inspector.set_on(True)
    is_there(qtbot, viewer)
    qtbot.mouseClick(panel.functions, Qt.MouseButton.LeftButton, pos=QPoint(60, 10))
    assert viewer.shown == (True, 1)
    assert [type(layer) for layer in pair.reference.layers] == [PictureLayer]
    panel.functions.setFocus()
    qtbot.keyClick(panel.functions, Qt.Key.Key_Down)
    qtbot.keyClick(panel.functions, Qt.Key.Key_Right)
    qtbot.keyClick(panel.functions, Qt.Key.Key_Return)
    assert viewer.shown == (False, 2)
    assert list(pair.reference.layers) == []
    assert [type(layer) for layer in pair.target.layers] == [PictureLayer]
    panel.grab()
    qtbot.keyClick(panel.functions, Qt.Key.Key_Escape)
    assert viewer.shown is None
    assert list(pair.target.layers) == []


def test_hiding_the_panel_draws_nothing_more(qtbot, shown):
    panel, viewer, inspector, pair = shown
    panel.show()
    inspector.set_on(True)
    is_there(qtbot, viewer)
    viewer.show_function((False, 0))
    panel.hide()
    assert viewer.shown is None
    assert list(pair.target.layers) == []


def test_another_pair_has_another_spectrum_and_none_once_off(qtbot, shown, controller):
    panel, viewer, inspector, _ = shown
    panel.show()
    inspector.set_on(True)
    is_there(qtbot, viewer)
    inspector.set_on(False)
    assert viewer.spectrum is None
    assert "functional map" in panel.empty.label.text()


def test_what_cannot_be_found_is_said(qtbot, shown, engine):
    panel, viewer, inspector, _ = shown
    engine.fault = ImageError("b.png is gone.")
    panel.show()
    inspector.set_on(True)
    qtbot.waitUntil(lambda: viewer.error != "")
    assert panel.empty.label.text() == "b.png is gone."


def test_why_keypoints_do_not_move_is_said_beside_the_slider(qtbot, shown, engine):
    panel, viewer, inspector, _ = shown
    panel.show()
    inspector.set_on(True)
    is_there(qtbot, viewer)
    engine.fault = ImageError("b.png is gone.")
    panel.slider.setValue(4)
    assert panel.said.text() == "4 of 6: …"
    qtbot.waitUntil(lambda: viewer.error != "")
    assert panel.said.text() == "4 of 6: b.png is gone."
    engine.fault = None
    panel.slider.setValue(3)
    qtbot.waitUntil(lambda: viewer.band is not None)
    assert panel.said.text() == "3 of 6: keypoints move by 2.5 px (median)"


def test_the_strip_takes_its_keys_before_the_window_does(qtbot, shown):
    panel, viewer, inspector, _ = shown
    panel.show()
    inspector.set_on(True)
    is_there(qtbot, viewer)

    def is_claimed(key):
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
        event.ignore()
        panel.functions.event(event)
        return event.isAccepted()

    assert is_claimed(Qt.Key.Key_Space)
    assert not is_claimed(Qt.Key.Key_Escape)  # Steps back elsewhere.
    viewer.show_function((True, 0))
    assert is_claimed(Qt.Key.Key_Escape)
