import numpy as np
import pytest
from PySide6.QtCore import Qt

from fmstudio.geometry.masks import Mask
from fmstudio.project.edits import AddCategory
from fmstudio.project.model import Category
from fmstudio.ui.canvas.draft import PointerEvent
from fmstudio.ui.canvas.tools import make_tools

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier
SHIFT, ALT = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier


class FakeCanvas:
    """Remembers the last draft; shows the controller's target at 100 %."""

    def __init__(self, controller):
        self._controller = controller
        self.scale = 1.0
        self.draft = None
        self.rgb = None

    @property
    def image_id(self):
        return self._controller.target_id

    def show_draft(self, draft):
        self.draft = draft

    def pixels(self):
        return self.rgb


@pytest.fixture
def canvas(controller):
    return FakeCanvas(controller)


@pytest.fixture
def take(controller, service, canvas):
    """Return a function that takes a tool by name."""
    tools = make_tools(controller, service)

    def take(name):
        for tool in tools.values():
            tool.deactivate()
        tools[name].activate(canvas)
        return tools[name]

    return take


def event(xy, button=NONE, modifiers=PLAIN, held=None):
    buttons = held if held is not None else button
    return PointerEvent((float(xy[0]), float(xy[1])), button, buttons, modifiers, 1.0)


def drag(tool, *places, button=LEFT, modifiers=PLAIN):
    tool.press(event(places[0], button, modifiers))
    for place in places[1:]:
        tool.move(event(place, held=button, modifiers=modifiers))
    tool.release(event(places[-1], button, modifiers))


def click(tool, xy, button=LEFT, modifiers=PLAIN):
    tool.move(event(xy))
    drag(tool, xy, button=button, modifiers=modifiers)


def here(controller):
    return controller.project.annotations_of(controller.target_id)


def steps(controller):
    return len(controller.session.history.past)


def test_keypoints_are_placed_in_order_into_one_annotation(take, controller, canvas):
    tool, names = take("keypoint"), controller.project.categories[controller.category_id].keypoints
    before = steps(controller)
    for index in range(3):
        tool.move(event((50 + 20 * index, 60)))
        assert names[index] in canvas.draft.hint
        click(tool, (50 + 20 * index, 60))
    (annotation,) = here(controller)
    assert annotation.keypoints.visibility.tolist()[:4] == [2, 2, 2, 0]
    assert annotation.keypoints.xy[2].tolist() == [90, 60]
    assert steps(controller) == before + 3
    controller.undo()
    assert here(controller)[0].keypoints.visibility.tolist()[:3] == [2, 2, 0]


def test_the_right_button_and_shift_place_hidden_points(take, controller):
    tool = take("keypoint")
    click(tool, (50, 60), RIGHT)
    click(tool, (90, 60), modifiers=SHIFT)
    assert here(controller)[0].keypoints.visibility.tolist()[:2] == [1, 1]


def test_a_right_click_on_a_point_cycles_its_visibility(take, controller):
    click(take("keypoint"), (50, 60))
    tool = take("select")
    seen = []
    for _ in range(2):
        tool.press(event((50, 60), RIGHT))
        found = here(controller)
        seen.append(int(found[0].keypoints.visibility[0]) if found else None)
    assert seen == [1, 2]  # the only point of an annotation is never taken away


def test_backspace_takes_the_last_point_back_and_enter_begins_another(take, controller):
    tool = take("keypoint")
    click(tool, (50, 60))
    click(tool, (90, 60))
    assert tool.key(Qt.Key.Key_Backspace, PLAIN)
    assert here(controller)[0].keypoints.visibility.tolist()[:2] == [2, 0]
    assert tool.key(Qt.Key.Key_Return, PLAIN)
    click(tool, (200, 100))
    assert [a.keypoints.labelled.sum() for a in here(controller)] == [1, 1]


def test_escape_drops_the_point_that_is_being_placed(take, controller, canvas):
    tool, before = take("keypoint"), controller.project
    tool.press(event((50, 60), LEFT))
    assert canvas.draft.loupe == (50, 60)
    assert tool.cancel()
    tool.release(event((50, 60), LEFT))
    assert controller.project is before


def test_a_click_beside_the_image_places_nothing(take, controller):
    before = controller.project
    click(take("keypoint"), (-5, 60))
    assert controller.project is before


def test_a_point_is_dragged_as_one_edit_and_stays_on_the_image(take, controller, canvas):
    click(take("keypoint"), (50, 60))
    tool, before = take("select"), steps(controller)
    drag(tool, (51, 61), (70, 90), (-500, 90))
    assert here(controller)[0].keypoints.xy[0].tolist() == [0, 89]
    assert steps(controller) == before + 1
    assert canvas.draft is None
    controller.undo()
    assert here(controller)[0].keypoints.xy[0].tolist() == [50, 60]


def test_a_short_press_selects_and_moves_nothing(take, controller):
    click(take("keypoint"), (50, 60))
    before = controller.project
    drag(take("select"), (51, 61), (52, 62))
    assert controller.project is before
    assert controller.selection.keypoint == 0


def test_arrows_nudge_by_one_ten_and_a_tenth(take, controller):
    click(take("keypoint"), (50, 60))
    tool = take("select")
    drag(tool, (50, 60))
    for modifiers in (PLAIN, SHIFT, ALT):
        assert tool.key(Qt.Key.Key_Right, modifiers)
    assert here(controller)[0].keypoints.xy[0] == pytest.approx([61.1, 60])


def test_the_whole_annotation_moves_with_its_mask(take, controller):
    drag(take("box"), (100, 100), (140, 130))
    before = steps(controller)
    drag(take("select"), (120, 110), (130, 115))
    assert here(controller)[0].mask.bbox == (110, 105, 40, 30)
    assert steps(controller) == before + 1


def test_a_brush_stroke_is_one_edit_on_the_subject(take, controller):
    click(take("keypoint"), (50, 60))
    before = steps(controller)
    drag(take("brush"), (100, 100), (150, 100))
    (annotation,) = here(controller)
    assert annotation.keypoints.labelled.any()
    x, y, width, height = annotation.mask.bbox
    assert (x, y) == pytest.approx((86, 86), abs=1)
    assert (width, height) == pytest.approx((78, 28), abs=2)
    assert steps(controller) == before + 1
    area = annotation.mask.area
    drag(take("eraser"), (100, 100), (100, 101))
    assert 0 < here(controller)[0].mask.area < area


def test_erasing_all_of_the_only_content_removes_the_annotation(take, controller):
    drag(take("brush"), (100, 100))
    tool = take("eraser")
    assert tool.key(Qt.Key.Key_BracketRight, PLAIN)
    drag(tool, (100, 100))
    assert not here(controller)


def test_escape_drops_a_stroke(take, controller):
    tool, before = take("brush"), controller.project
    tool.press(event((100, 100), LEFT))
    tool.move(event((120, 100), held=LEFT))
    assert tool.cancel()
    tool.release(event((120, 100), LEFT))
    assert controller.project is before


def test_a_polygon_closes_on_its_first_corner_and_a_hole_is_cut(take, controller):
    tool = take("polygon")
    for xy in ((50, 50), (150, 50), (150, 150), (50, 150), (51, 51)):
        click(tool, xy)
    assert here(controller)[0].mask.area == pytest.approx(100 * 100)
    for xy in ((80, 80), (120, 80), (120, 120), (80, 120)):
        click(tool, xy, modifiers=ALT if xy == (80, 80) else PLAIN)
    assert tool.key(Qt.Key.Key_Return, ALT)
    mask = here(controller)[0].mask
    assert mask.area == pytest.approx(100 * 100 - 40 * 40)
    assert mask.n_holes == 1


def test_corners_are_moved_added_and_removed(take, controller, canvas):
    drag(take("box"), (50, 50), (150, 150))
    tool = take("polygon")
    tool.move(event((10, 10)))
    assert len(canvas.draft.handles) == 4
    drag(tool, (150, 150), (170, 170))
    assert here(controller)[0].mask.bbox == (50, 50, 120, 120)
    drag(tool, (100, 50), (100, 30))
    assert here(controller)[0].mask.bbox == (50, 30, 120, 140)
    click(tool, (170, 170), modifiers=ALT)
    assert here(controller)[0].mask.bbox == pytest.approx((50, 30, 100, 120), abs=2)


def test_a_box_joins_what_is_there(take, controller):
    tool = take("box")
    drag(tool, (10, 10), (30, 30))
    drag(tool, (20, 20), (40, 40))
    assert here(controller)[0].mask.area == 400 + 400 - 100


def test_without_a_category_a_tool_says_what_to_do(take, controller, qtbot):
    controller.set_category(None)
    with qtbot.waitSignal(controller.noticeRaised) as raised:
        click(take("brush"), (50, 50))
    assert "category" in raised.args[0].text


def test_a_category_without_keypoints_is_named(take, controller, qtbot):
    diff = controller.perform(AddCategory(Category(0, "blob")))
    controller.set_category(diff.categories.added[0])
    with qtbot.waitSignal(controller.noticeRaised) as raised:
        click(take("keypoint"), (50, 50))
    assert "blob" in raised.args[0].text


def test_the_assistant_finds_what_is_stroked(take, controller, canvas, qtbot):
    image = controller.project.images[controller.target_id]
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 60, (image.size.height, image.size.width, 3)).astype(np.uint8)
    truth = np.zeros(rgb.shape[:2], bool)
    truth[60:140, 80:180] = True
    rgb[truth] = rng.integers(170, 255, (truth.sum(), 3))
    canvas.rgb = rgb
    tool, before = take("assist"), steps(controller)
    drag(tool, (100, 100), (160, 100))
    qtbot.waitUntil(lambda: canvas.draft.annotation is not None)
    assert steps(controller) == before
    assert tool.key(Qt.Key.Key_Return, PLAIN)
    assert here(controller)[0].mask.iou(Mask.from_array(truth)) > 0.95
    assert steps(controller) == before + 1


def test_the_assistant_takes_a_box_and_drops_it_on_escape(take, controller, canvas, qtbot, sample):
    tool, before = take("assist"), controller.project
    image = controller.project.images[controller.target_id]
    canvas.rgb = np.zeros((image.size.height, image.size.width, 3), np.uint8)
    canvas.rgb[60:140, 80:180] = 250
    drag(tool, (60, 40), (200, 160), modifiers=SHIFT)
    qtbot.waitUntil(lambda: canvas.draft.annotation is not None)
    assert tool.cancel()
    assert canvas.draft.annotation is None
    assert controller.project is before
