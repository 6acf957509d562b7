"""The inspector's layers on the canvases, its panel, and the view in a file."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from fmstudio.errors import FmstudioError
from fmstudio.ui import inspector as module
from fmstudio.ui.actions import ActionTable
from fmstudio.ui.canvas.layers import (
    ContourLayer,
    CounterpartLayer,
    GridLayer,
    PictureLayer,
    RoundTripLayer,
    heat_image,
)
from fmstudio.ui.canvas.match_overlay import MatchOverlay
from fmstudio.ui.canvas.pair import CanvasPair
from fmstudio.ui.inspector import Inspector
from fmstudio.ui.inspector_choices import InspectorChoices
from fmstudio.ui.inspector_view import InspectorView
from fmstudio.ui.panels.inspector import InspectorPanel
from fmstudio.ui.spectrum import SpectrumViewer
from fmstudio.ui.view_files import save_view
from tests.ui.test_inspector import Engine, preferences  # noqa: F401


class Shown:
    """A pair of canvases with an inspector over them."""

    def __init__(self, qtbot, controller, service, chosen):
        self.area = QWidget()
        column = QVBoxLayout(self.area)
        column.setContentsMargins(0, 0, 0, 0)
        self.pair = CanvasPair(controller, service)
        column.addWidget(self.pair)
        self.overlay = MatchOverlay(self.pair, self.area)
        live = object()
        self.inspector = Inspector(controller, service, chosen, lambda: live)
        spectrum = SpectrumViewer(self.inspector, service, lambda: live)
        self.view = InspectorView(controller, self.inspector, spectrum, self.pair, self.overlay)
        self.panel = InspectorPanel(controller, self.inspector, ActionTable(controller))
        qtbot.addWidget(self.area)
        qtbot.addWidget(self.panel)
        self.area.resize(900, 400)
        self.area.show()
        qtbot.waitUntil(lambda: all(c.is_ready for c in self.pair.canvases), timeout=20_000)


@pytest.fixture
def shown(qtbot, controller, service, preferences, monkeypatch):  # noqa: F811
    engine = Engine()
    monkeypatch.setattr(module, "find_job", engine.find)
    monkeypatch.setattr(module, "answer_job", engine.answer)
    shown = Shown(qtbot, controller, service, preferences)
    shown.inspector.set_on(True)
    qtbot.waitUntil(lambda: shown.inspector.layers is not None)
    return shown


def kinds(canvas):
    return [type(layer) for layer in canvas.layers]


def is_answered_back(inspector):
    return inspector.answer is not None and inspector.answer.question.is_back


def test_the_pointer_shows_the_counterpart_on_the_other_canvas(qtbot, shown):
    reference, target = shown.pair.canvases
    qtbot.mouseMove(reference.viewport(), QPoint(200, 180))
    qtbot.waitUntil(lambda: shown.inspector.answer is not None)
    assert kinds(reference) == [RoundTripLayer]
    assert kinds(target) == [PictureLayer, CounterpartLayer]
    assert "back within 1.0 px" in shown.panel.point.text()
    qtbot.mouseMove(target.viewport(), QPoint(200, 180))
    qtbot.waitUntil(lambda: is_answered_back(shown.inspector))
    assert kinds(target) == [RoundTripLayer]
    shown.pair.target.grab()


def test_beside_the_image_there_is_no_counterpart(qtbot, shown):
    reference = shown.pair.reference
    qtbot.mouseMove(reference.viewport(), QPoint(1, 1))
    assert not reference.image_rect().contains(*reference.map_to_image(QPoint(1, 1).toPointF()))
    assert shown.inspector.answer is None


@pytest.mark.parametrize(
    ("choices", "on_s", "on_t"),
    [
        (InspectorChoices(picture="colour"), [], [PictureLayer]),
        (InspectorChoices(picture="checker"), [PictureLayer], [PictureLayer]),
        (InspectorChoices(has_grid=True), [GridLayer], [GridLayer]),
        (InspectorChoices(has_contour=True), [], [ContourLayer]),
        (InspectorChoices(), [], []),
    ],
)
def test_layers_lie_where_they_belong(shown, choices, on_s, on_t):
    shown.inspector.choose(choices)
    assert kinds(shown.pair.reference) == on_s
    assert kinds(shown.pair.target) == on_t
    for canvas in shown.pair.canvases:
        canvas.grab()


def test_only_the_folded_cells_are_marked(shown):
    shown.inspector.choose(InspectorChoices(has_grid=True))
    assert len(shown.pair.target.layers[0].folds) == 1
    assert len(shown.pair.reference.layers[0].folds) == 0
    assert "50 % folded over" in shown.panel.state.text()


def test_lines_let_the_mouse_through_and_go_with_the_inspector(shown):
    shown.inspector.choose(InspectorChoices(has_lines=True))
    assert shown.overlay.isVisible()
    assert shown.overlay.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    assert shown.overlay.size() == shown.area.size()
    shown.area.grab()
    shown.inspector.set_on(False)
    assert not shown.overlay.isVisible()


def test_alt_and_a_click_pin(qtbot, shown):
    reference, left = shown.pair.reference, Qt.MouseButton.LeftButton
    alt = Qt.KeyboardModifier.AltModifier
    qtbot.mouseClick(reference.viewport(), left, alt, QPoint(200, 180))
    qtbot.waitUntil(lambda: shown.inspector.answer is not None)
    assert "pinned" in shown.panel.point.text()
    qtbot.mouseMove(reference.viewport(), QPoint(100, 180))
    assert shown.inspector.is_pinned


def test_the_panel_follows_and_leads(qtbot, shown):
    panel = shown.panel
    assert not panel.wipe.isEnabled()
    shown.inspector.choose(InspectorChoices(picture="colour", wipe=0.3))
    assert panel.wipe.isEnabled()
    assert panel.wipe.value() == 30
    panel.wipe.setValue(70)
    assert shown.inspector.choices.wipe == 0.7
    assert shown.pair.target.layers[0].share == 0.7
    qtbot.mouseClick(panel.heat.buttons["both"], Qt.MouseButton.LeftButton)
    assert shown.inspector.choices.heat == "both"
    shown.inspector.set_on(False)
    assert panel.state.text().startswith("Off.")


def test_a_heat_map_fades_with_what_is_unlikely():
    values = np.zeros((4, 4), np.float32)
    values[1, 1] = 1
    image = heat_image(values)
    side = image.width() // 4
    assert QColor(image.pixelColor(side + side // 2, side + side // 2)).alpha() > 200
    assert QColor(image.pixelColor(image.width() - 1, image.height() - 1)).alpha() == 0


def test_the_view_is_saved_as_it_is_seen(shown, tmp_path):
    shown.inspector.choose(InspectorChoices(has_lines=True, has_grid=True))
    for name in ("view.png", "view.svg"):
        save_view(tmp_path / name, shown.pair, shown.overlay)
    image = QImage(str(tmp_path / "view.png"))
    assert (image.width(), image.height()) == (2 * shown.pair.width(), 2 * shown.pair.height())
    assert "<path" in (tmp_path / "view.svg").read_text(encoding="utf-8")
    with pytest.raises(FmstudioError, match="cannot be written"):
        save_view(tmp_path / "nowhere" / "view.png", shown.pair)
