"""The annotation panel as a person uses it."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction

from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import HIDDEN, NOT_LABELLED, VISIBLE, Keypoints
from fmstudio.project.edits import (
    AddAnnotation,
    AddCategory,
    ChangeAnnotation,
    ChangeCategory,
    LandProposals,
    RemoveAnnotations,
)
from fmstudio.project.model import (
    Annotation,
    Category,
    Corrected,
    Drawn,
    InboxEntry,
    Propagated,
    Status,
)
from fmstudio.ui.controller import Controller, Level
from fmstudio.ui.panels.annotation import AnnotationPanel
from fmstudio.ui.panels.annotation_models import ITEM_ROLE

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
SCORES = [0.9, 0.2, 0.7, 0.4, 0.8, 1.0]
VISIBILITY = [2, 2, 1, 2, 2, 0]


@pytest.fixture
def controller(qapp, make_session):
    controller = Controller()
    controller.set_session(make_session())
    return controller


@pytest.fixture
def source(controller):
    return controller.project.annotations_of(controller.reference_id)[0]


@pytest.fixture
def proposal(controller, source):
    """Return a proposal that has landed on the target."""
    points = Keypoints(source.keypoints.xy * 0.5 + 20, VISIBILITY, SCORES)
    size = controller.project.images[controller.target_id].size
    carried = Propagated((source.id,), "k")
    mask = Mask(size, [0, 1000, size.width * size.height - 1000])
    made = Annotation(
        0,
        controller.target_id,
        source.category_id,
        points,
        mask,
        Status.PROPOSED,
        carried,
        0.61,
    )
    controller.perform(LandProposals((made,)))
    return controller.project.annotations_of(controller.target_id)[0]


@pytest.fixture
def panel(controller, qtbot):
    panel = AnnotationPanel(controller)
    qtbot.addWidget(panel)
    panel.resize(260, 640)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def click_row(qtbot, view, row, x=None):
    rect = view.visualRect(view.model().index(row, 0))
    at = rect.center() if x is None else QPoint(rect.left() + x, rect.center().y())
    qtbot.mouseClick(view.viewport(), LEFT, NONE, at)


def keypoint_names(panel):
    model = panel.keypoint_list.model()
    return [model.index(i).data() for i in range(model.rowCount())]


def spoken(view, row):
    return view.model().index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole)


class Changes:
    """Remembers which rows a model said to be changed, and whether it was reset."""

    def __init__(self, model):
        self.rows = []
        self.resets = 0
        model.dataChanged.connect(self._take)
        model.modelReset.connect(self._reset)

    def _take(self, first, last, _roles):
        self.rows += range(first.row(), last.row() + 1)

    def _reset(self):
        self.resets += 1


# What it shows


def test_an_annotation_says_all_about_itself(panel, proposal, source):
    assert spoken(panel.list, 0) == "cat face, proposed, propagated from siamese.jpg, 0.61"
    assert panel.count_label.text() == "1"
    assert panel.count_label.toolTip() == "1 annotation"
    assert panel.shown is None
    assert panel.hint_label.isVisible()
    assert not panel.details.isVisible()


def test_a_click_selects_and_shows_keypoints_and_mask(panel, proposal, controller, qtbot):
    click_row(qtbot, panel.list, 0)
    assert controller.selection.annotation_id == proposal.id
    category = controller.project.categories[proposal.category_id]
    assert keypoint_names(panel) == list(category.keypoints)
    assert panel.placed_label.text() == "5 of 6 placed"
    assert panel.mask_label.text().startswith("Mask 1,000 px")
    assert spoken(panel.keypoint_list, 2) == f"{category.keypoints[2]}, hidden, confidence 0.70"
    # What is not labelled has no confidence, whatever number its row holds.
    assert spoken(panel.keypoint_list, 5) == f"{category.keypoints[5]}, not labelled"


def test_a_drawn_annotation_shows_no_confidence(panel, source, controller):
    controller.select(source.id)
    model = panel.keypoint_list.model()
    assert [model.index(i).data(ITEM_ROLE).score for i in range(6)] == [None] * 6


def test_the_reference_is_a_click_away(panel, source, controller, qtbot):
    assert panel.image_id == controller.target_id
    qtbot.mouseClick(panel.switch.buttons["reference"], LEFT)
    assert panel.image_id == controller.reference_id
    assert spoken(panel.list, 0).startswith("cat face, accepted, drawn")


def test_what_is_selected_on_the_reference_is_followed_there(panel, source, controller):
    controller.select(source.id, 3)
    assert panel.switch.buttons["reference"].isChecked()
    assert panel.shown is source
    assert panel.keypoint_list.currentIndex().row() == 3


def test_an_empty_image_says_what_to_do(panel, controller):
    name = controller.project.images[controller.target_id].file_name
    assert name in panel.empty_label.text()
    assert panel.empty_label.isVisible()
    assert not panel.accept_button.isVisible()
    controller.set_session(None)
    assert panel.empty_label.text() == "No project is open."
    assert panel.count_label.text() == ""


def test_what_is_on_its_way_is_counted(panel, controller, proposal):
    ghost = replace(proposal, id=0)
    entry = InboxEntry(proposal.image_id, (ghost, ghost))
    controller.session._inbox = (entry,)
    controller.inboxChanged.emit()
    assert panel.count_label.text() == "1, 2 arriving"


def test_doubtful_ones_come_first_on_demand(panel, proposal, controller, qtbot):
    click_row(qtbot, panel.list, 0)
    names = controller.project.categories[proposal.category_id].keypoints
    controller.select(proposal.id, 3)
    qtbot.mouseClick(panel.doubtful_button, LEFT)
    assert keypoint_names(panel) == [names[i] for i in (1, 3, 2, 4, 0, 5)]
    assert panel.keypoint_list.currentIndex().row() == 1
    qtbot.mouseClick(panel.doubtful_button, LEFT)
    assert keypoint_names(panel) == list(names)


# What it tells the views


def test_only_the_rows_that_differ_are_drawn_anew(panel, proposal, controller):
    controller.select(proposal.id)
    annotations, points = Changes(panel.list.model()), Changes(panel.keypoint_list.model())
    xy, score = proposal.keypoints.xy.copy(), proposal.keypoints.score.copy()
    xy[4] += 3
    score[4] = 0.33
    changed = Keypoints(xy, proposal.keypoints.visibility, score)
    controller.perform(ChangeAnnotation(proposal.id, changed, proposal.mask))
    assert (points.rows, points.resets) == ([4], 0)
    assert (annotations.rows, annotations.resets) == ([0], 0)


def test_an_edit_elsewhere_draws_nothing_anew(panel, proposal, controller, source):
    controller.select(proposal.id)
    annotations, points = Changes(panel.list.model()), Changes(panel.keypoint_list.model())
    controller.perform(AddAnnotation(replace(source, id=0, mask=None)))
    assert (annotations.rows, points.rows) == ([], [])
    assert annotations.resets == points.resets == 0


def test_rows_come_and_go_one_by_one(panel, proposal, controller):
    other = replace(proposal, status=Status.ACCEPTED, provenance=Drawn(), confidence=None)
    controller.perform(AddAnnotation(other))
    controller.perform(AddAnnotation(other))
    model = panel.list.model()
    ids = [model.index(i).data(ITEM_ROLE).id for i in range(3)]
    assert ids == sorted(ids)
    changes = Changes(model)
    controller.perform(RemoveAnnotations((ids[1],)))
    assert [model.index(i).data(ITEM_ROLE).id for i in range(2)] == [ids[0], ids[2]]
    controller.undo()
    assert [model.index(i).data(ITEM_ROLE).id for i in range(3)] == ids
    assert (changes.rows, changes.resets) == ([], 0)


def test_a_renamed_category_reaches_the_rows(panel, proposal, controller):
    controller.select(proposal.id)
    old = controller.project.categories[proposal.category_id]
    names = ("LEFT EYE", *old.keypoints[1:])
    controller.perform(ChangeCategory(replace(old, name="puss", keypoints=names)))
    assert spoken(panel.list, 0).startswith("puss")
    assert keypoint_names(panel)[0] == "LEFT EYE"


# What can be done


def test_accept_reject_and_delete(panel, proposal, controller, qtbot):
    click_row(qtbot, panel.list, 0)
    qtbot.mouseClick(panel.accept_button, LEFT)
    assert controller.selected.status is Status.ACCEPTED
    assert not panel.accept_button.isEnabled()
    qtbot.mouseClick(panel.reject_button, LEFT)
    assert controller.selected.status is Status.REJECTED
    qtbot.mouseClick(panel.delete_button, LEFT)
    assert controller.project.annotations_of(controller.target_id) == ()
    assert panel.empty_label.isVisible()


def test_a_click_on_the_visibility_cycles_it(panel, proposal, controller, qtbot):
    click_row(qtbot, panel.list, 0)
    seen = []
    for _ in range(3):
        click_row(qtbot, panel.keypoint_list, 0, x=36)
        seen.append(int(controller.selected.keypoints.visibility[0]))
    assert seen == [HIDDEN, NOT_LABELLED, VISIBLE]
    # It came back where it was, and is the person's now.
    np.testing.assert_array_equal(controller.selected.keypoints.xy, proposal.keypoints.xy)
    assert isinstance(controller.selected.provenance, Corrected)
    assert controller.selection.keypoint == 0


def test_a_point_that_never_had_a_place_asks_for_one(panel, proposal, controller, qtbot):
    click_row(qtbot, panel.list, 0)
    before = controller.session.history
    click_row(qtbot, panel.keypoint_list, 5, x=36)
    assert controller.tool == "keypoint"
    assert controller.selection.keypoint == 5
    assert controller.session.history is before


def test_the_only_mark_is_not_cycled_away(panel, controller, source, qtbot):
    points = Keypoints.drawn(source.keypoints.xy, [0, 1, 0, 0, 0, 0])
    only = Annotation(0, controller.target_id, source.category_id, points, None)
    controller.perform(AddAnnotation(only))
    click_row(qtbot, panel.list, 0)
    click_row(qtbot, panel.keypoint_list, 1, x=36)
    assert controller.selected.keypoints.visibility[1] == VISIBLE


def test_a_click_on_a_name_selects_the_keypoint(panel, proposal, controller, qtbot):
    click_row(qtbot, panel.list, 0)
    click_row(qtbot, panel.keypoint_list, 3, x=120)
    assert controller.selection.keypoint == 3
    assert controller.selected.keypoints == proposal.keypoints


def test_the_lists_are_walked_with_the_keyboard(panel, proposal, controller, qtbot):
    controller.perform(AddAnnotation(replace(proposal, status=Status.ACCEPTED)))
    panel.list.setFocus()
    qtbot.keyClick(panel.list, Qt.Key.Key_Home)
    assert controller.selection.annotation_id == proposal.id
    qtbot.keyClick(panel.list, Qt.Key.Key_Down)
    assert controller.selection.annotation_id != proposal.id
    panel.keypoint_list.setFocus()
    qtbot.keyClick(panel.keypoint_list, Qt.Key.Key_Down)
    qtbot.keyClick(panel.keypoint_list, Qt.Key.Key_Down)
    assert controller.selection.keypoint == 1
    qtbot.keyClick(panel.keypoint_list, Qt.Key.Key_Return)
    assert controller.selected.keypoints.visibility[1] == HIDDEN


def test_a_double_click_centres_it(panel, proposal, controller, qtbot):
    rect = panel.list.visualRect(panel.list.model().index(0, 0))
    with qtbot.waitSignal(controller.focusRequested) as asked:
        qtbot.mouseClick(panel.list.viewport(), LEFT, NONE, rect.center())
        qtbot.mouseDClick(panel.list.viewport(), LEFT, NONE, rect.center())
    assert asked.args == [proposal.id]


def test_another_category_takes_points_of_equal_name(panel, proposal, controller, qtbot):
    old = controller.project.categories[proposal.category_id]
    controller.perform(AddCategory(Category(0, "lynx", keypoints=old.keypoints[:2])))
    lynx = controller.project.category_named("lynx")
    controller.select(proposal.id)
    with qtbot.waitSignal(controller.noticeRaised) as raised:
        panel.category_box.setFocus()
        qtbot.keyClick(panel.category_box, Qt.Key.Key_Down)
    changed = controller.selected
    assert changed.category_id == lynx.id
    np.testing.assert_array_equal(changed.keypoints.xy, proposal.keypoints.xy[:2])
    notice = raised.args[0]
    assert notice.level is Level.WARNING
    assert notice.text.startswith("3 keypoints of 'cat face' have no name in 'lynx'")
    notice.run()
    assert controller.project.annotations[proposal.id] == proposal
    assert panel.category_box.currentText() == "cat face"


def test_a_refused_category_springs_back(panel, controller, source):
    points = replace(source, id=0, image_id=controller.target_id, mask=None)
    controller.perform(AddAnnotation(points))
    controller.perform(AddCategory(Category(0, "rock")))
    panel.list.setCurrentIndex(panel.list.model().index(0, 0))
    panel.category_box.chosen.emit(controller.project.category_named("rock").id)
    assert panel.category_box.currentText() == "cat face"


def test_the_buttons_say_the_keys_of_the_actions(panel):
    actions = [QAction(text) for text in ("Accept", "Reject", "Delete")]
    for action, key in zip(actions, "YXD", strict=True):
        action.setToolTip(f"{action.text()} ({key})")
    panel.use_actions(*actions)
    assert panel.accept_button.toolTip() == "Accept (Y)"


def test_everything_has_a_name(panel):
    for part in (
        panel,
        panel.list,
        panel.keypoint_list,
        panel.accept_button,
        panel.reject_button,
        panel.delete_button,
        panel.category_box,
    ):
        assert part.accessibleName()


@pytest.mark.parametrize("m", [0, 5, 500])
def test_it_draws_at_any_size(panel, controller, m):
    names = tuple(f"keypoint with a name that is long enough to be cut {i}" for i in range(m))
    controller.perform(AddCategory(Category(0, "a category with a long name " * 4, "x", names)))
    number = max(controller.project.categories)
    points = Keypoints(np.full((m, 2), 9.0), np.full(m, 2), np.linspace(0, 1, m)) if m else None
    box = None if m else (1.0, 2.0, 30.0, 40.0)
    made = Annotation(0, controller.target_id, number, points, None, bbox=box)
    controller.perform(AddAnnotation(made))
    controller.select(max(controller.project.annotations))
    for width in (160, 400):
        panel.resize(width, 500)
        assert not panel.grab().isNull()
    assert panel.keypoint_list.model().rowCount() == m
    assert panel.mask_label.text() == ("No mask" if m else "Box 30 x 40 px")
