import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
MIDDLE = Qt.MouseButton.MiddleButton
PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


class FakeTool:
    """Remembers what reaches it."""

    name = "fake"
    cursor = Qt.CursorShape.CrossCursor

    def __init__(self):
        self.events = []
        self.has_draft = False
        self.canvas = None

    def activate(self, canvas):
        self.canvas = canvas

    def deactivate(self):
        self.canvas = None

    def press(self, event):
        self.events.append(("press", event))

    def move(self, event):
        self.events.append(("move", event))

    def release(self, event):
        self.events.append(("release", event))

    def double_click(self, event):
        self.events.append(("double click", event))

    def key(self, key, modifiers):
        self.events.append(("key", key))
        return key == Qt.Key.Key_Left

    def cancel(self):
        had, self.has_draft = self.has_draft, False
        return had

    def names(self):
        return [name for name, _ in self.events]


@pytest.fixture
def canvas(pair):
    return pair.target


@pytest.fixture
def tool(canvas):
    tool = FakeTool()
    canvas.set_tool(tool)
    return tool


def at(canvas, fx, fy):
    """Return a place of the widget by shares of the image."""
    rect = canvas.image_rect()
    return canvas.map_from_image(fx * rect.width(), fy * rect.height()).toPoint()


def test_a_click_reaches_the_tool_in_image_pixels(canvas, tool, qtbot):
    place = at(canvas, 0.25, 0.75)
    qtbot.mouseClick(canvas.viewport(), RIGHT, SHIFT, place)
    assert tool.names() == ["press", "release"]
    event = tool.events[0][1]
    assert event.xy == pytest.approx(canvas.map_to_image(QPointF(place)))
    assert (event.button, event.modifiers) == (RIGHT, SHIFT)
    assert event.scale == canvas.scale


def test_moves_reach_the_tool_with_and_without_a_button(canvas, tool, qtbot):
    qtbot.mouseMove(canvas.viewport(), at(canvas, 0.5, 0.5))
    with qtbot.waitSignal(canvas.pointerMoved) as told:
        qtbot.mouseMove(canvas.viewport(), at(canvas, 0.25, 0.5))
    assert tool.names() == ["move", "move"]
    assert tool.events[-1][1].xy == pytest.approx(told.args[0])


def test_the_second_click_of_two_fast_ones_is_a_press_too(canvas, tool, qtbot):
    qtbot.mouseDClick(canvas.viewport(), LEFT, pos=at(canvas, 0.5, 0.5))
    assert tool.names()[-2:] == ["press", "double click"]


def test_panning_is_not_the_tools_business(canvas, tool, qtbot):
    canvas.zoom_to(2.0)
    before = canvas.map_to_image(QPointF(200, 200))
    qtbot.mousePress(canvas.viewport(), MIDDLE, pos=QPoint(200, 200))
    assert canvas.viewport().cursor().shape() == Qt.CursorShape.ClosedHandCursor
    qtbot.mouseMove(canvas.viewport(), QPoint(230, 180))
    qtbot.mouseRelease(canvas.viewport(), MIDDLE, pos=QPoint(230, 180))
    assert canvas.map_to_image(QPointF(230, 180)) == pytest.approx(before, abs=0.1)
    assert tool.events == []
    assert canvas.viewport().cursor().shape() == Qt.CursorShape.CrossCursor


def test_space_held_turns_the_left_button_into_a_hand(canvas, tool, qtbot):
    canvas.zoom_to(2.0)
    taps = []
    canvas.spaceTapped.connect(lambda: taps.append(1))
    before = canvas.map_to_image(QPointF(200, 200))
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    assert canvas.viewport().cursor().shape() == Qt.CursorShape.OpenHandCursor
    qtbot.mousePress(canvas.viewport(), LEFT, pos=QPoint(200, 200))
    qtbot.mouseMove(canvas.viewport(), QPoint(250, 210))
    qtbot.mouseRelease(canvas.viewport(), LEFT, pos=QPoint(250, 210))
    qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    assert canvas.map_to_image(QPointF(250, 210)) == pytest.approx(before, abs=0.1)
    assert (taps, tool.events) == ([], [])


def test_a_space_that_is_let_go_elsewhere_is_forgotten(canvas, tool, qtbot):
    qtbot.keyPress(canvas, Qt.Key.Key_Space)
    canvas.focusOutEvent(QFocusEvent(QEvent.Type.FocusOut))
    qtbot.mouseClick(canvas.viewport(), LEFT, pos=at(canvas, 0.5, 0.5))
    assert tool.names() == ["press", "release"]


def test_escape_drops_the_draft_before_it_goes_on(canvas, tool, qtbot):
    tool.has_draft = True
    first, second = (QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, PLAIN) for _ in range(2))
    canvas.keyPressEvent(first)
    canvas.keyPressEvent(second)
    assert (first.isAccepted(), second.isAccepted()) == (True, False)


def test_a_key_that_the_tool_does_not_use_goes_on(canvas, tool):
    for key, is_used in ((Qt.Key.Key_Left, True), (Qt.Key.Key_J, False)):
        event = QKeyEvent(QEvent.Type.KeyPress, key, PLAIN)
        canvas.keyPressEvent(event)
        assert event.isAccepted() is is_used


@pytest.mark.parametrize(
    ("key", "modifiers", "is_claimed"),
    [
        (Qt.Key.Key_Space, PLAIN, True),
        (Qt.Key.Key_Left, SHIFT, True),
        (Qt.Key.Key_Escape, PLAIN, True),
        (Qt.Key.Key_Left, CONTROL, False),
        (Qt.Key.Key_K, PLAIN, False),
    ],
)
def test_keys_of_the_canvas_are_kept_from_shortcuts(canvas, key, modifiers, is_claimed):
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers)
    event.ignore()
    canvas.event(event)
    assert event.isAccepted() is is_claimed


def test_another_tool_puts_the_first_one_down(canvas, tool):
    assert tool.canvas is canvas
    canvas.set_tool(None)
    assert tool.canvas is None
    assert canvas.viewport().cursor().shape() == Qt.CursorShape.ArrowCursor


def test_no_gesture_reaches_a_tool_while_there_is_no_image(canvas, tool, controller, qtbot):
    controller.show_target(None)
    qtbot.mouseClick(canvas.viewport(), LEFT, pos=QPoint(100, 100))
    assert tool.events == []
