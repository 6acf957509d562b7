"""A set of cats as a whole in the window, with real networks: mapped, voted on, improved."""

import pytest
from PySide6.QtCore import Qt

from fmstudio.project.model import Corrected, Propagated, Status
from fmstudio.ui.collection import Stage
from fmstudio.ui.dialogs.improve import ImproveDialog
from fmstudio.ui.workspaces import DockName
from tests.e2e.conftest import LEFT

pytestmark = pytest.mark.slow

# A busy machine takes minutes to load the networks.
_LONG, _SHORT = 600_000, 60_000


@pytest.fixture
def cats(qtbot, studio):
    """Return the ids of the four cats that nothing is marked on; the reference is the fifth."""
    studio.opening.try_sample()
    qtbot.waitUntil(lambda: studio.canvases.target.is_ready, timeout=_SHORT)
    return sorted(set(studio.controller.project.images) - {studio.controller.reference_id})


def pending(studio):
    found = studio.controller.project.annotations.values()
    return [a for a in found if a.status is Status.PROPOSED]


def carried_to_all(qtbot, studio, cats):
    studio.propagation.start([studio.controller.reference_id], cats)
    qtbot.waitUntil(lambda: not studio.propagation.is_running, timeout=_LONG)
    qtbot.waitUntil(lambda: len(pending(studio)) == len(cats), timeout=_SHORT)


def test_a_set_is_mapped_before_anyone_labels_and_says_what_to_annotate(qtbot, studio, cats):
    studio.actions["map-collection"].trigger()
    panel = studio.window.dock(DockName.COLLECTION).widget()
    assert panel.isVisible()
    ended = (Stage.MAPPED, Stage.FAILED)
    qtbot.waitUntil(lambda: studio.collection.stage in ended, timeout=_LONG)
    assert studio.collection.stage is Stage.MAPPED
    assert set(cats) < set(studio.collection.overview.ids)
    other = next(i for i in cats if i != studio.controller.target_id)
    panel.map.targetWanted.emit(other)
    assert studio.controller.target_id == other
    heard = []
    studio.controller.noticeRaised.connect(heard.append)
    studio.actions["annotate-next"].trigger()
    qtbot.waitUntil(lambda: bool(heard), timeout=_LONG)
    assert heard[0].text.startswith("Annotate ")
    assert studio.controller.target_id in cats


def test_references_are_weighed_and_the_rest_is_improved(qtbot, studio, hands, cats):
    controller = studio.controller
    carried_to_all(qtbot, studio, cats)
    # One is accepted, so the others may take it for a second reference.
    sure = max(pending(studio), key=lambda a: a.confidence)
    controller.accept((sure.id,))
    rest = {a.id: a for a in pending(studio)}
    studio.actions["improve"].trigger()
    dialog = hands.dialog(ImproveDialog)
    qtbot.mouseClick(dialog.take, LEFT)
    qtbot.waitUntil(lambda: dialog.take.isEnabled(), timeout=_LONG)
    assert "Replace on 3 images" in dialog.take.text()
    qtbot.mouseClick(dialog.take, LEFT)
    qtbot.waitUntil(lambda: not dialog.isVisible(), timeout=_SHORT)
    fused = pending(studio)
    assert {len(a.votes) for a in fused} == {2}
    assert controller.project.annotations[sure.id].keypoints == sure.keypoints
    # The second is left out again: the proposal is fused anew as one step.
    controller.show_target(fused[0].image_id)
    controller.select(fused[0].id)
    row = next(r for r in studio.annotation.references.rows if r.source == sure.id)
    row.switch.click()

    def now():
        return controller.project.annotations[fused[0].id]

    qtbot.waitUntil(lambda: now() != fused[0], timeout=_LONG)
    assert isinstance(now().provenance, Propagated)
    assert sure.id not in now().provenance.sources
    hands.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert now() == fused[0]
    # And all of the improvement too.
    hands.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert {a.id: a for a in pending(studio)} == rest
    kinds = {type(a.provenance) for a in controller.project.annotations.values()}
    assert Corrected not in kinds
