import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from fmstudio.ui.canvas.message import CanvasMessage


@pytest.fixture
def message(qtbot):
    canvas = QWidget()
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.show()
    message = CanvasMessage(canvas)
    message.hide()
    yield message
    canvas.hide()


def buttons(message):
    return [button for button in message.findChildren(QPushButton) if button.isVisible()]


def test_a_missing_image_can_be_looked_for(message, qtbot):
    message.say_error("'cat.jpg' is missing.")
    (find,) = buttons(message)
    with qtbot.waitSignal(message.findRequested):
        qtbot.mouseClick(find, Qt.MouseButton.LeftButton)
    assert message.text == "'cat.jpg' is missing."


def test_an_empty_project_asks_for_photos_once(message, qtbot):
    message.say_empty("target", is_project=False)
    (add,) = buttons(message)
    with qtbot.waitSignal(message.addRequested):
        qtbot.mouseClick(add, Qt.MouseButton.LeftButton)
    message.say_empty("reference", is_project=False)
    assert buttons(message) == []
    for role in ("reference", "target"):
        message.say_empty(role, is_project=True)
        assert "list" in message.text


def test_loading_is_said_only_when_it_lasts(message, qtbot):
    message.say_loading()
    assert message.text == ""
    qtbot.waitUntil(lambda: message.text == "Loading…")
    message.say_loading()
    message.hide()
    assert not message._patience.isActive()


def test_a_long_sentence_is_shown_whole(message):
    message.say_error("The file " + "in-a-folder/" * 3 + " cannot be read: " + "it is odd. " * 30)
    label = message._text
    heights = [label.height()]
    message.parentWidget().resize(200, 600)
    heights.append(label.height())
    assert label.width() <= 200
    assert heights[1] > 1.5 * heights[0] > 3 * label.fontMetrics().height()
    label.setMaximumHeight(10_000)
    assert label.heightForWidth(label.width()) <= heights[1]
