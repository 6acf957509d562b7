from PySide6.QtCore import Qt

from fmstudio.project.model import Status
from fmstudio.ui.dialogs.propagate import PropagateDialog


def test_references_and_targets_are_counted_and_handed_over(controller, qtbot):
    dialog = PropagateDialog(controller, ())
    qtbot.addWidget(dialog)
    assert dialog.references == (controller.reference_id,)
    assert len(dialog.targets()) == 4
    with qtbot.waitSignal(dialog.startRequested) as asked:
        qtbot.mouseClick(dialog._start, Qt.MouseButton.LeftButton)
    references, targets = asked.args
    assert controller.reference_id not in targets
    assert len(targets) == 4
    assert references == (controller.reference_id,)


def test_selected_images_can_be_the_targets(controller, qtbot):
    chosen = tuple(i for i in controller.project.images if i != controller.reference_id)[:2]
    dialog = PropagateDialog(controller, chosen)
    qtbot.addWidget(dialog)
    assert dialog.scope == "selected"
    assert dialog.targets() == chosen
    dialog.choose("all")
    assert len(dialog.targets()) == 4


def test_without_a_reference_it_says_what_to_do(controller, qtbot):
    (annotation,) = controller.project.annotations.values()
    controller.reject([annotation.id])
    assert controller.project.annotations[annotation.id].status is Status.REJECTED
    dialog = PropagateDialog(controller, ())
    qtbot.addWidget(dialog)
    assert not dialog._start.isEnabled()
    assert "Accept" in dialog._reason.text()


def test_a_run_under_way_is_named_before_another_ends_it(controller, qtbot):
    dialog = PropagateDialog(controller, (), is_running=True)
    qtbot.addWidget(dialog)
    assert "under way" in dialog._reason.text()


def test_several_references_vote(controller, qtbot, sample):
    controller.session.import_coco(sample / "cats" / "coco.json", None)
    dialog = PropagateDialog(controller, ())
    qtbot.addWidget(dialog)
    rows = [dialog._list.item(row) for row in range(dialog._list.count())]
    assert len(rows) > 1
    for row in rows:
        row.setCheckState(Qt.CheckState.Checked)
    assert len(dialog.references) == len(rows)
    assert "they vote" in dialog._votes.text()
    assert not set(dialog.references) & set(dialog.targets())
