"""Inspector and spectrum in the whole window, over the sample's cats, with real networks."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer

from fmstudio.ui.canvas.layers import (
    CounterpartLayer,
    GhostLayer,
    GridLayer,
    PictureLayer,
    RoundTripLayer,
)
from fmstudio.ui.workspaces import DockName
from tests.e2e.conftest import LEFT

pytestmark = pytest.mark.slow

# A busy machine takes minutes to load the networks.
_LONG, _SHORT = 600_000, 60_000


@pytest.fixture
def inspecting(qtbot, studio):
    """Return the inspector over a matched pair of cats."""
    studio.opening.try_sample()
    canvases = studio.canvases.canvases
    qtbot.waitUntil(lambda: all(canvas.is_ready for canvas in canvases), timeout=_SHORT)
    studio.window.use_workspace("inspect")
    studio.actions["inspect"].trigger()
    inspector = studio.inspector
    qtbot.waitUntil(lambda: bool(inspector.layers or inspector.error), timeout=_LONG)
    assert inspector.error == ""
    return inspector


def kinds(canvas):
    return [type(layer) for layer in canvas.layers]


def test_a_person_sees_where_each_place_lies(qtbot, studio, inspecting):
    reference, target = studio.canvases.canvases
    (annotation,) = studio.controller.project.annotations_of(reference.image_id)
    x, y = annotation.keypoints.xy[0]
    place = reference.map_from_image(x, y).toPoint()
    qtbot.mouseMove(reference.viewport(), place)
    qtbot.waitUntil(lambda: inspecting.answer is not None, timeout=_SHORT)
    answer = inspecting.answer
    assert np.abs(np.array(answer.question.xy) - [x, y]).max() < 2
    assert answer.is_on_object
    assert answer.cycle < 30
    assert target.image_rect().contains(*answer.there)
    assert kinds(target) == [PictureLayer, CounterpartLayer]
    assert kinds(reference) == [RoundTripLayer]

    def is_answered_back():
        return inspecting.answer is not None and inspecting.answer.question.is_back

    # Back again from where it led.
    there = target.map_from_image(*answer.there).toPoint()
    qtbot.mouseMove(target.viewport(), there)
    qtbot.waitUntil(is_answered_back, timeout=_SHORT)
    assert np.hypot(*np.subtract(inspecting.answer.there, (x, y))) < 30
    # Pinned by a click with Alt, let go by Esc.
    qtbot.mouseClick(reference.viewport(), LEFT, Qt.KeyboardModifier.AltModifier, place)
    assert inspecting.is_pinned
    qtbot.mouseMove(target.viewport(), there)
    assert inspecting.is_pinned
    qtbot.keyClick(reference, Qt.Key.Key_Escape)
    assert not inspecting.is_pinned


def test_what_is_drawn_is_chosen_and_saved_as_a_picture(studio, inspecting, tmp_path):
    reference, target = studio.canvases.canvases
    for id_ in ("inspect-colour", "inspect-grid", "inspect-contour", "inspect-lines"):
        studio.actions[id_].trigger()
    assert PictureLayer in kinds(target)
    assert GridLayer in kinds(reference)
    assert studio.match_overlay.isVisible()
    studio.questions.picture = lambda _start: tmp_path / "view.png"
    studio.actions["save-view"].trigger()
    assert QImage(str(tmp_path / "view.png")).width() == 2 * studio.canvases.width()
    studio.questions.picture = lambda _start: tmp_path / "view.svg"
    studio.actions["save-view"].trigger()
    assert QSvgRenderer(str(tmp_path / "view.svg")).isValid()
    assert (tmp_path / "view.svg").read_text(encoding="utf-8").count("<polyline") > 50
    studio.actions["inspect"].trigger()
    assert kinds(target) == kinds(reference) == []
    assert not studio.match_overlay.isVisible()


def test_the_spectrum_moves_the_points(qtbot, studio, inspecting):
    studio.actions["spectrum"].trigger()
    panel = studio.window.dock(DockName.SPECTRUM).widget()
    viewer = studio.spectrum
    qtbot.waitUntil(lambda: bool(viewer.spectrum or viewer.error), timeout=_LONG)
    assert viewer.error == ""
    assert panel.slider.maximum() == viewer.most > 10
    panel.slider.setValue(4)
    qtbot.waitUntil(lambda: viewer.band is not None and viewer.k == 4, timeout=_SHORT)
    target = studio.canvases.target
    assert GhostLayer in kinds(target)
    (few,) = (layer for layer in target.layers if isinstance(layer, GhostLayer))
    assert np.isfinite(few.xy).all()
    qtbot.mouseClick(panel.all, LEFT)
    assert GhostLayer not in kinds(target)
