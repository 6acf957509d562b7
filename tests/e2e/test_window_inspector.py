"""The inspector in the whole window, over the sample's cats, with the real networks."""

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer

from fmstudio.ui.canvas.layers import CounterpartLayer, GridLayer, PictureLayer, RoundTripLayer
from fmstudio.ui.studio import Studio

# A busy machine takes minutes to load the networks.
_LONG = 600_000


@pytest.fixture
def studio(qtbot, qapp, tmp_path, sample):
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    studio = Studio(settings, tmp_path / "data")
    qtbot.addWidget(studio.window)
    studio.window.resize(1280, 800)
    studio.window.show()
    studio.opening.try_sample()
    canvases = studio.canvases.canvases
    qtbot.waitUntil(lambda: all(canvas.is_ready for canvas in canvases), timeout=20_000)
    studio.window.use_workspace("inspect")
    yield studio
    studio.window.close()
    assert studio.shut_down()


def kinds(canvas):
    return [type(layer) for layer in canvas.layers]


def is_answered_back(inspector):
    return inspector.answer is not None and inspector.answer.question.is_back


def test_a_person_sees_where_each_place_lies(qtbot, studio, tmp_path):
    inspector, actions = studio.inspector, studio.actions
    reference, target = studio.canvases.canvases
    actions["inspect"].trigger()
    qtbot.waitUntil(lambda: bool(inspector.layers or inspector.error), timeout=_LONG)
    assert inspector.error == ""
    (annotation,) = studio.controller.project.annotations_of(reference.image_id)
    x, y = annotation.keypoints.xy[0]
    place = reference.map_from_image(x, y).toPoint()
    qtbot.mouseMove(reference.viewport(), place)
    qtbot.waitUntil(lambda: inspector.answer is not None, timeout=10_000)
    answer = inspector.answer
    assert np.abs(np.array(answer.question.xy) - [x, y]).max() < 2
    assert answer.is_on_object
    assert answer.cycle < 30
    assert target.image_rect().contains(*answer.there)
    assert kinds(target) == [PictureLayer, CounterpartLayer]
    assert kinds(reference) == [RoundTripLayer]
    # Back again from where it led.
    there = target.map_from_image(*answer.there).toPoint()
    qtbot.mouseMove(target.viewport(), there)
    qtbot.waitUntil(lambda: is_answered_back(inspector), timeout=10_000)
    assert np.hypot(*np.subtract(inspector.answer.there, (x, y))) < 30
    # Pinned by a click with Alt, let go by Esc.
    alt, left = Qt.KeyboardModifier.AltModifier, Qt.MouseButton.LeftButton
    qtbot.mouseClick(reference.viewport(), left, alt, place)
    assert inspector.is_pinned
    qtbot.mouseMove(target.viewport(), there)
    assert inspector.is_pinned
    qtbot.keyClick(reference, Qt.Key.Key_Escape)
    assert not inspector.is_pinned
    for id_ in ("inspect-colour", "inspect-grid", "inspect-contour", "inspect-lines"):
        actions[id_].trigger()
    assert PictureLayer in kinds(target)
    assert GridLayer in kinds(reference)
    assert studio.match_overlay.isVisible()
    studio.questions.picture = lambda _start: tmp_path / "view.png"
    actions["save-view"].trigger()
    assert QImage(str(tmp_path / "view.png")).width() == 2 * studio.canvases.width()
    studio.questions.picture = lambda _start: tmp_path / "view.svg"
    actions["save-view"].trigger()
    assert QSvgRenderer(str(tmp_path / "view.svg")).isValid()
    assert (tmp_path / "view.svg").read_text(encoding="utf-8").count("<path") > 50
    actions["inspect"].trigger()
    assert kinds(target) == kinds(reference) == []
    assert not studio.match_overlay.isVisible()
