import pytest

from fmstudio.ui.canvas.pair import CanvasPair


@pytest.fixture
def pair(qtbot, controller, service):
    """Both canvases with their images on the screen."""
    pair = CanvasPair(controller, service)
    qtbot.addWidget(pair)
    pair.resize(1200, 640)
    with qtbot.waitSignals([pair.reference.ready, pair.target.ready]):
        pair.show()
    return pair
