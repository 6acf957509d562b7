import numpy as np
import pytest
from PySide6.QtCore import Qt

from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import AddAnnotation, AddCategory
from fmstudio.project.model import Annotation, Category, Corrected, Propagated, Status
from fmstudio.ui.canvas.draft import PointerEvent
from fmstudio.ui.canvas.tools import make_tools

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
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


@pytest.mark.parametrize("name", ["select", "keypoint"])
def test_right_clicks_make_a_point_hidden_absent_and_visible_again(take, controller, name):
    for xy in ((50, 60), (90, 60)):
        click(take("keypoint"), xy)
    tool, before = take(name), controller.project
    seen = []
    for _ in range(3):
        click(tool, (51, 60), RIGHT)
        seen.append(int(here(controller)[0].keypoints.visibility[0]))
    assert seen == [1, 0, 2]
    assert here(controller)[0].keypoints == before.annotations_of(controller.target_id)[0].keypoints


def test_right_clicks_never_take_an_annotation_away(take, controller):
    click(take("keypoint"), (50, 60))
    tool = take("select")
    seen = []
    for _ in range(2):
        click(tool, (50, 60), RIGHT)
        seen.append(int(here(controller)[0].keypoints.visibility[0]))
    assert seen == [1, 2]


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
    assert tool.key(Qt.Key.Key_Return, PLAIN)
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


def add(controller, keypoints=None, mask=None, **more):
    """Put an annotation of the active category on the target; return its id."""
    annotation = Annotation(
        0, controller.target_id, controller.category_id, keypoints, mask, **more
    )
    return controller.perform(AddAnnotation(annotation)).annotations.added[0]


def box_mask(controller, x, y, width, height):
    size = controller.project.images[controller.target_id].size
    array = np.zeros((size.height, size.width), bool)
    array[y : y + height, x : x + width] = True
    return Mask.from_array(array)


def points_at(controller, *places):
    m = len(controller.project.categories[controller.category_id].keypoints)
    seen = [2] * len(places) + [0] * (m - len(places))
    return Keypoints.drawn([*places, *[(0, 0)] * (m - len(places))], seen)


# Every tool


GESTURES = {
    "select": [(120, 110), (140, 130)],
    "keypoint": [(30, 30), (32, 30)],
    "brush": [(20, 20), (40, 40)],
    "eraser": [(110, 110), (120, 110)],
    "box": [(20, 20), (60, 60)],
}


@pytest.mark.parametrize("name", GESTURES)
def test_a_gesture_is_one_edit_and_undo_gives_back_the_same(take, controller, name):
    add(controller, points_at(controller, (105, 105)), box_mask(controller, 100, 100, 40, 30))
    tool, before, past = take(name), controller.project, steps(controller)
    drag(tool, *GESTURES[name])
    assert steps(controller) == past + 1
    assert controller.project.annotations != before.annotations
    controller.undo()
    assert controller.project is before


@pytest.mark.parametrize("name", GESTURES)
@pytest.mark.parametrize("ending", ["cancel", "deactivate", "undo"])
def test_a_dropped_gesture_leaves_nothing(take, controller, canvas, name, ending):
    add(controller, points_at(controller, (105, 105)), box_mask(controller, 100, 100, 40, 30))
    controller.perform(AddCategory(Category(0, "blob")))
    tool = take(name)
    drag(take("brush"), (200, 200))
    tool = take(name)
    first, last = GESTURES[name]
    tool.press(event(first, LEFT))
    tool.move(event(last, held=LEFT))
    assert canvas.draft is not None
    if ending == "undo":
        controller.undo()
    else:
        getattr(tool, ending)()
    before = controller.project
    assert canvas.draft is None or canvas.draft.annotation is None
    tool.release(event(last, LEFT))
    assert controller.project is before
    assert not tool.cancel()


@pytest.mark.parametrize("name", GESTURES)
def test_what_a_person_changes_of_a_proposal_is_corrected_and_accepted(take, controller, name):
    source = Propagated((1,), "key")
    add(
        controller,
        points_at(controller, (105, 105)),
        box_mask(controller, 100, 100, 40, 30),
        status=Status.PROPOSED,
        provenance=source,
        confidence=0.5,
    )
    drag(take(name), *GESTURES[name])
    (annotation,) = here(controller)
    assert annotation.status is Status.ACCEPTED
    assert annotation.provenance == Corrected(source)


# Select


def test_what_is_selected_can_be_moved_from_under_another(take, controller):
    below = add(controller, mask=box_mask(controller, 100, 100, 100, 80))
    above = add(controller, mask=box_mask(controller, 120, 120, 20, 20))
    tool = take("select")
    click(tool, (130, 130))
    assert controller.selection.annotation_id == above
    click(tool, (130, 130))
    assert controller.selection.annotation_id == below
    drag(tool, (130, 130), (140, 135))
    assert controller.project.annotations[below].mask.bbox == (110, 105, 100, 80)
    assert controller.selection.annotation_id == below
    click(tool, (130, 130))
    assert controller.selection.annotation_id == above
    click(tool, (5, 5))
    assert controller.selection.annotation_id is None


def test_a_limb_selects_and_moves_an_annotation_of_points_alone(take, controller):
    category = controller.project.categories[controller.category_id]
    a, b = category.skeleton[0]
    m = len(category.keypoints)
    xy, seen = np.zeros((m, 2)), np.zeros(m)
    xy[[a, b]], seen[[a, b]] = [[40, 40], [140, 40]], 2
    number = add(controller, Keypoints.drawn(xy, seen))
    drag(take("select"), (90, 42), (80, 52))
    moved = controller.project.annotations[number].keypoints
    assert moved.xy[[a, b]].tolist() == [[30, 50], [130, 50]]


def test_an_annotation_moves_as_a_whole_and_stops_at_the_edge(take, controller):
    points = points_at(controller, (104.5, 103))
    number = add(controller, points, box_mask(controller, 100, 100, 40, 30))
    drag(take("select"), (130, 120), (-900, 120.4))
    moved = controller.project.annotations[number]
    assert moved.mask.bbox == (0, 100, 40, 30)
    assert moved.keypoints.xy[0].tolist() == [4.5, 103]


def test_arrows_and_delete_work_on_the_whole_without_a_point(take, controller):
    number = add(controller, mask=box_mask(controller, 100, 100, 40, 30))
    controller.select(number)
    tool = take("select")
    assert tool.key(Qt.Key.Key_Down, SHIFT)
    assert controller.project.annotations[number].mask.bbox == (100, 110, 40, 30)
    assert not tool.key(Qt.Key.Key_Q, PLAIN)
    assert tool.key(Qt.Key.Key_Delete, PLAIN)
    assert not here(controller)


def test_delete_takes_a_selected_point_away_and_keeps_the_rest(take, controller):
    mask = box_mask(controller, 100, 100, 40, 30)
    number = add(controller, points_at(controller, (50, 50), (70, 50)), mask)
    controller.select(number, 1)
    assert take("select").key(Qt.Key.Key_Delete, PLAIN)
    annotation = controller.project.annotations[number]
    assert annotation.keypoints.visibility.tolist()[:2] == [2, 0]
    assert annotation.mask == mask


def test_what_is_selected_on_another_image_gets_no_keys(take, controller):
    other = controller.project.annotations_of(controller.reference_id)[0]
    controller.select(other.id, 0)
    before = controller.project
    assert not take("select").key(Qt.Key.Key_Right, PLAIN)
    assert not take("select").key(Qt.Key.Key_Delete, PLAIN)
    assert controller.project is before


def test_the_pointer_shows_what_can_be_taken(take, controller):
    add(controller, mask=box_mask(controller, 100, 100, 40, 30))
    tool = take("select")
    tool.move(event((10, 10)))
    assert tool.cursor == Qt.CursorShape.ArrowCursor
    tool.move(event((110, 110)))
    assert tool.cursor == Qt.CursorShape.PointingHandCursor
    tool.press(event((110, 110), LEFT))
    tool.move(event((130, 110), held=LEFT))
    assert tool.cursor == Qt.CursorShape.SizeAllCursor


# Keypoints


def test_a_point_joins_the_mask_that_is_there(take, controller):
    mask = box_mask(controller, 100, 100, 40, 30)
    number = add(controller, mask=mask)
    click(take("keypoint"), (110, 110))
    (annotation,) = here(controller)
    assert (annotation.id, annotation.mask) == (number, mask)
    assert annotation.keypoints.xy[0].tolist() == [110, 110]


def test_the_point_just_placed_is_the_one_that_arrows_nudge(take, controller):
    tool = take("keypoint")
    click(tool, (50, 60))
    click(tool, (90, 60))
    assert tool.key(Qt.Key.Key_Down, PLAIN)
    assert here(controller)[0].keypoints.xy[:2].tolist() == [[50, 60], [90, 61]]


def test_a_skipped_point_comes_last(take, controller, canvas):
    names = controller.project.categories[controller.category_id].keypoints
    tool = take("keypoint")
    click(tool, (20, 200))
    assert tool.key(Qt.Key.Key_S, PLAIN)
    for place in range(2, len(names)):
        tool.move(event((20 + 30 * place, 200)))
        assert names[place] in canvas.draft.hint
        click(tool, (20 + 30 * place, 200))
    tool.move(event((20, 100)))
    assert names[1] in canvas.draft.hint
    click(tool, (20, 100))
    assert here(controller)[0].keypoints.labelled.all()
    tool.move(event((20, 150)))
    assert "Enter" in canvas.draft.hint
    before = controller.project
    click(tool, (20, 150))
    assert controller.project is before


def test_undo_makes_the_point_the_next_one_again(take, controller):
    tool = take("keypoint")
    for place in range(3):
        click(tool, (50 + 40 * place, 60))
    controller.undo()
    assert tool.next_index() == 2
    controller.undo()
    assert tool.next_index() == 1
    controller.redo()
    assert tool.next_index() == 2


def test_a_name_chosen_in_the_list_is_placed_next(take, controller):
    tool = take("keypoint")
    click(tool, (50, 60))
    number = here(controller)[0].id
    controller.select(number, 4)
    assert tool.next_index() == 4
    click(tool, (90, 60))
    assert np.flatnonzero(here(controller)[0].keypoints.labelled).tolist() == [0, 4]
    assert tool.key(Qt.Key.Key_Backspace, PLAIN)
    assert np.flatnonzero(here(controller)[0].keypoints.labelled).tolist() == [0]


def test_another_object_is_not_begun_on_another_image(take, controller):
    tool = take("keypoint")
    click(tool, (50, 60))
    assert tool.key(Qt.Key.Key_Return, PLAIN)
    first = controller.target_id
    controller.show_target(
        next(i for i in controller.project.images if i not in (first, controller.reference_id))
    )
    add(controller, points_at(controller, (20, 20)))
    click(tool, (80, 80))
    assert [a.keypoints.labelled.sum() for a in here(controller)] == [2]


def test_points_of_others_do_not_stand_in_the_way(take, controller):
    add(controller, points_at(controller, (50, 50)))
    add(controller, points_at(controller, (90, 90)))
    click(take("keypoint"), (50, 50))
    assert [a.keypoints.labelled.sum() for a in here(controller)] == [1, 1, 1]


# Brush


def test_a_stroke_shows_the_mask_as_it_will_be(take, controller, canvas):
    number = add(controller, mask=box_mask(controller, 100, 100, 40, 30))
    tool = take("eraser")
    tool.press(event((100, 100), LEFT))
    tool.move(event((120, 100), held=LEFT))
    shown = canvas.draft.annotation
    assert shown.id == number
    tool.release(event((120, 100), LEFT))
    assert controller.project.annotations[number].mask == shown.mask


@pytest.mark.parametrize(("button", "modifiers"), [(RIGHT, PLAIN), (LEFT, ALT), (LEFT, CONTROL)])
def test_the_other_button_turns_the_brush_into_the_eraser(take, controller, button, modifiers):
    number = add(controller, mask=box_mask(controller, 100, 100, 40, 30))
    drag(take("brush"), (120, 115), button=button, modifiers=modifiers)
    assert controller.project.annotations[number].mask.area < 1200


def test_a_stroke_that_changes_nothing_is_no_edit(take, controller):
    add(controller, mask=box_mask(controller, 100, 100, 40, 30))
    before = controller.project
    drag(take("eraser"), (300, 200), (320, 200))
    drag(take("box"), (110, 110), (120, 120))
    assert controller.project is before


def test_the_brush_grows_and_shrinks_and_covers_a_pixel_at_least(take, controller, canvas):
    tool = take("brush")
    tool.move(event((50, 50)))
    radius = canvas.draft.brush[2]
    assert tool.key(Qt.Key.Key_BracketRight, PLAIN)
    assert canvas.draft.brush[2] > radius
    for _ in range(40):
        assert tool.key(Qt.Key.Key_BracketLeft, PLAIN)
    canvas.scale = 64.0
    tool.press(PointerEvent((50.0, 50.0), LEFT, LEFT, PLAIN, 64.0))
    tool.release(PointerEvent((50.0, 50.0), LEFT, LEFT, PLAIN, 64.0))
    assert here(controller)[0].mask.area >= 1


# Polygon


def square(tool, modifiers=PLAIN, side=100, corner=50):
    for x, y in ((0, 0), (side, 0), (side, side), (0, side)):
        click(tool, (corner + x, corner + y), modifiers=modifiers)


def test_a_ring_is_closed_by_a_double_click_and_taken_back_by_backspace(take, controller, canvas):
    tool = take("polygon")
    square(tool)
    click(tool, (10, 100))
    assert tool.key(Qt.Key.Key_Backspace, PLAIN)
    before = steps(controller)
    tool.press(event((50, 150), LEFT))
    tool.double_click(event((50, 150), LEFT))
    tool.release(event((50, 150), LEFT))
    assert here(controller)[0].mask.area == 100 * 100
    assert steps(controller) == before + 1


def test_two_corners_close_nothing_and_stay(take, controller, canvas):
    tool, before = take("polygon"), controller.project
    click(tool, (50, 50))
    click(tool, (90, 50))
    assert tool.key(Qt.Key.Key_Return, PLAIN)
    assert controller.project is before
    assert len(canvas.draft.ring) == 3
    assert tool.cancel()
    assert canvas.draft is None


@pytest.mark.parametrize("modifiers", [ALT, CONTROL])
def test_a_hole_is_cut_out_of_the_subject_only(take, controller, modifiers):
    tool = take("polygon")
    square(tool, modifiers)
    tool.cancel()
    assert not here(controller)
    number = add(controller, mask=box_mask(controller, 50, 50, 100, 100))
    square(tool, modifiers, side=40, corner=80)
    assert tool.key(Qt.Key.Key_Return, modifiers)
    mask = controller.project.annotations[number].mask
    assert (mask.area, mask.n_holes) == (100 * 100 - 40 * 40, 1)


def test_a_corner_that_moves_leaves_the_rest_of_the_outline_alone(take, controller, canvas):
    # Stairs finer than the screen tells apart, on the side that nobody touches.
    array = box_mask(controller, 100, 100, 100, 80).to_array().copy()
    array[100:180:2, 100] = False
    number = add(controller, mask=Mask.from_array(array))
    tool = take("polygon")
    assert len(canvas.draft.handles) < 10
    past = steps(controller)
    drag(tool, (200, 100), (230, 90))
    changed = controller.project.annotations[number].mask.to_array()
    assert steps(controller) == past + 1
    assert changed[95, 210]
    assert np.array_equal(changed[102:, :150], array[102:, :150])


def test_a_corner_set_on_the_outline_stays_and_is_no_edit_until_it_moves(take, controller, canvas):
    add(controller, mask=box_mask(controller, 50, 50, 100, 100))
    tool, before = take("polygon"), controller.project
    click(tool, (100, 50))
    assert controller.project is before
    assert len(canvas.draft.handles) == 5
    drag(tool, (100, 50), (100, 30))
    assert here(controller)[0].mask.bbox == (50, 30, 100, 120)
    assert len(canvas.draft.handles) == 5
    controller.undo()
    assert len(canvas.draft.handles) == 4


def test_a_dragged_corner_is_shown_and_put_back_by_escape(take, controller, canvas):
    add(controller, mask=box_mask(controller, 50, 50, 100, 100))
    tool, before = take("polygon"), controller.project
    tool.press(event((150, 150), LEFT))
    tool.move(event((170, 170), held=LEFT))
    assert canvas.draft.annotation.mask.bbox == (50, 50, 120, 120)
    assert tool.cancel()
    assert canvas.draft.annotation is None
    assert canvas.draft.handles.max() == 150
    tool.release(event((170, 170), LEFT))
    assert controller.project is before


def test_delete_takes_away_the_corner_under_the_pointer(take, controller):
    add(controller, mask=box_mask(controller, 50, 50, 100, 100))
    tool = take("polygon")
    tool.move(event((10, 10)))
    assert not tool.key(Qt.Key.Key_Delete, PLAIN)
    tool.move(event((150, 150)))
    assert tool.key(Qt.Key.Key_Delete, PLAIN)
    assert here(controller)[0].mask.area == pytest.approx(100 * 100 / 2, rel=0.03)
    # Less than a triangle is nothing.
    tool.move(event((150, 50)))
    assert tool.key(Qt.Key.Key_Delete, PLAIN)
    assert not here(controller)


# Box and assistant


def test_a_box_is_cut_out_with_ctrl(take, controller):
    number = add(controller, mask=box_mask(controller, 50, 50, 100, 100))
    drag(take("box"), (60, 60), (80, 90), modifiers=CONTROL)
    assert controller.project.annotations[number].mask.area == 100 * 100 - 20 * 30


@pytest.fixture
def bright(controller, canvas):
    """A bright rectangle on a dark ground, as the image of the canvas; return its mask."""
    image = controller.project.images[controller.target_id]
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 60, (image.size.height, image.size.width, 3)).astype(np.uint8)
    truth = box_mask(controller, 80, 60, 100, 80)
    is_on = truth.to_array()
    rgb[is_on] = rng.integers(170, 255, (is_on.sum(), 3))
    canvas.rgb = rgb
    return truth


def wait(qtbot, service):
    qtbot.waitUntil(lambda: not service.is_busy("assist"))


def test_the_assistant_finds_what_is_stroked(take, controller, canvas, qtbot, service, bright):
    tool, before = take("assist"), steps(controller)
    drag(tool, (100, 100), (160, 100))
    assert "Looking" in canvas.draft.hint
    wait(qtbot, service)
    assert "Enter" in canvas.draft.hint
    assert steps(controller) == before
    assert tool.key(Qt.Key.Key_Return, PLAIN)
    assert here(controller)[0].mask.iou(bright) > 0.95
    assert steps(controller) == before + 1
    assert not tool.cancel()


def test_more_strokes_refine_and_backspace_takes_them_back(
    take, controller, canvas, qtbot, service, bright
):
    canvas.rgb[60:140, 200:240] = 220
    tool = take("assist")
    drag(tool, (100, 100), (160, 100))
    wait(qtbot, service)
    drag(tool, (210, 100), (230, 100))
    wait(qtbot, service)
    with_more = canvas.draft.annotation.mask
    assert with_more.to_array()[70:130, 205:235].all()
    drag(tool, (210, 90), (230, 110), button=RIGHT)
    wait(qtbot, service)
    assert not canvas.draft.annotation.mask.to_array()[90:110, 215:225].any()
    for _ in range(2):
        assert tool.key(Qt.Key.Key_Backspace, PLAIN)
    wait(qtbot, service)
    assert canvas.draft.annotation.mask.iou(bright) > 0.9
    assert tool.key(Qt.Key.Key_Backspace, PLAIN)
    assert canvas.draft.annotation is None
    assert not tool.cancel()


def test_a_box_begins_the_assistant(take, controller, canvas, qtbot, service, bright):
    tool = take("box")
    assistant = tool._assistant
    controller.toolChanged.connect(lambda: (tool.deactivate(), assistant.activate(canvas)))
    before = controller.project
    drag(tool, (60, 40), (200, 160), modifiers=SHIFT)
    assert controller.tool == "assist"
    wait(qtbot, service)
    assert canvas.draft.annotation.mask.iou(bright) > 0.95
    assert controller.project is before
    assert assistant.cancel()
    assert canvas.draft.annotation is None
    assert controller.project is before


def test_the_assistant_begins_with_the_mask_that_is_there(
    take, controller, canvas, qtbot, service, bright
):
    number = add(controller, mask=box_mask(controller, 80, 60, 60, 80))
    tool = take("assist")
    drag(tool, (130, 100), (170, 100))
    wait(qtbot, service)
    assert tool.key(Qt.Key.Key_Return, PLAIN)
    assert controller.project.annotations[number].mask.iou(bright) > 0.95


def test_escape_ends_the_computing_and_another_selection_drops_the_draft(
    take, controller, canvas, qtbot, service, bright
):
    number = add(controller, mask=box_mask(controller, 10, 10, 20, 20))
    controller.select(number)
    tool, before = take("assist"), controller.project
    drag(tool, (100, 100), (160, 100))
    assert tool.cancel()
    assert not service.is_busy("assist")
    drag(tool, (60, 40), (200, 160), modifiers=SHIFT)
    wait(qtbot, service)
    controller.select(controller.project.annotations_of(controller.reference_id)[0].id)
    assert canvas.draft.annotation is None
    assert not tool.key(Qt.Key.Key_Return, PLAIN)
    assert controller.project is before


def test_where_nothing_stands_out_the_assistant_says_so(take, controller, canvas, qtbot, service):
    image = controller.project.images[controller.target_id]
    canvas.rgb = np.zeros((image.size.height, image.size.width, 3), np.uint8)
    tool, before = take("assist"), controller.project
    with qtbot.waitSignal(controller.noticeRaised) as raised:
        drag(tool, (100, 100), (160, 100), button=RIGHT)
    assert "Nothing stands out" in raised.args[0].text
    assert not here(controller)
    assert tool.cancel()
    assert controller.project is before
