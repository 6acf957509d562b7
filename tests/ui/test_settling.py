"""After a correction, in the window: the other points move, once, and only while that is wanted."""

from dataclasses import replace

import numpy as np
import pytest

from fmstudio.geometry.points import VISIBLE, Keypoints, with_point
from fmstudio.geometry.votes import Vote
from fmstudio.project.edits import ChangeAnnotation, LandProposals, SettlePoints
from fmstudio.project.model import Corrected, Propagated, Status
from fmstudio.ui import settling as settling_module
from fmstudio.ui.canvas.pair import CanvasPair
from fmstudio.ui.settling import AHEAD_LANE, Settling
from tests.ui.conftest import FakeRunning


class FakeService:
    """Notes what is submitted and cancelled."""

    def __init__(self):
        self.lanes = []

    def submit(self, lane, _make, *, priority):
        self.lanes.append(lane)

    def cancel(self, lane):
        self.lanes = [other for other in self.lanes if other != lane]


@pytest.fixture
def proposal(controller):
    """Return the id of a proposal on the target."""
    (drawn,) = controller.project.annotations_of(controller.reference_id)
    points, m = drawn.keypoints, len(drawn.keypoints)
    guess = Keypoints(points.xy * 0.5 + 20, points.visibility, np.full(m, 0.5))
    vote = Vote(drawn.id, guess.xy, np.full(m, 0.5), np.full(m, 0.5))
    landed = replace(
        drawn, id=0, image_id=controller.target_id, keypoints=guess, mask=None,
        status=Status.PROPOSED, provenance=Propagated((drawn.id,), "k"), confidence=0.5,
        votes=(vote,),
    )  # fmt: skip
    controller.perform(LandProposals((landed,)))
    (annotation,) = controller.project.annotations_of(controller.target_id)
    return annotation.id


class FakeLive:
    """An engine that is loaded or not."""

    is_loaded = True


@pytest.fixture
def settling(controller, monkeypatch):
    monkeypatch.setattr(settling_module, "Running", FakeRunning)
    live = FakeLive()
    made = Settling(controller, None, FakeService(), lambda: live)
    made.live = live
    made.fake = made._running
    made.trails = []
    made.trailChanged.connect(lambda *trail: made.trails.append(trail))
    return made


def place(controller, id_, index, xy):
    """Place a keypoint as a person does, and return the annotation as it is then."""
    old = controller.project.annotations[id_]
    keypoints = with_point(old.keypoints, len(old.keypoints), index, xy, VISIBLE)
    controller.perform(ChangeAnnotation(id_, keypoints, old.mask))
    return controller.project.annotations[id_]


def answer(settling, annotation, by):
    """Let the compute thread answer: every point that nobody placed moves."""
    before = annotation.keypoints
    xy = before.xy + np.where(before.placed[:, None], 0, by)
    edit = SettlePoints(annotation.id, before, Keypoints(xy, before.visibility, before.score))
    settling.fake.stepped.emit(edit)
    return edit


def test_the_other_points_move_as_one_step_of_their_own(settling, controller, proposal):
    corrected = place(controller, proposal, 0, [30, 30])
    assert len(settling.fake.makes) == 1
    edit = answer(settling, corrected, 4)
    after = controller.project.annotations[proposal]
    assert after.keypoints == edit.after
    assert isinstance(after.provenance, Corrected)
    controller.undo()
    assert controller.project.annotations[proposal] == corrected
    controller.undo()
    assert controller.project.annotations[proposal].status is Status.PROPOSED


def test_the_trail_lies_on_the_canvas_until_something_else_happens(
    qtbot, service, settling, controller, proposal
):
    pair = CanvasPair(controller, service)
    qtbot.addWidget(pair)
    pair.resize(900, 500)
    settling.trailChanged.connect(pair.show_trail)
    with qtbot.waitSignals([pair.reference.ready, pair.target.ready]):
        pair.show()
    corrected = place(controller, proposal, 0, [30, 30])
    answer(settling, corrected, 4)
    ((image_id, layer),) = settling.trails
    assert image_id == controller.target_id
    assert len(layer.after) == corrected.keypoints.labelled.sum() - 1
    assert "moved along" in layer.text
    shown = pair.target.grab().toImage()
    pair.set_overlays_visible(False)
    assert pair.target.grab().toImage() != shown
    pair.set_overlays_visible(True)
    settled = controller.project.annotations[proposal]
    pair.show_trail(None, None)
    assert pair.target.grab().toImage() != shown
    place(controller, proposal, 1, [40, 40])
    assert settling.trails[-1] == (None, None)
    assert controller.project.annotations[proposal] != settled


def test_all_that_was_placed_is_said_against_the_proposal(
    settling, controller, proposal, monkeypatch
):
    asked = []

    def request(_project, annotation, proposed):
        asked.append((annotation, proposed))

    before = controller.project.annotations[proposal]
    first = place(controller, proposal, 0, [30, 30])
    answer(settling, first, 4)
    monkeypatch.setattr(settling_module, "settle_request", request)
    second = place(controller, proposal, 1, [40, 40])
    assert asked == [(second, before)]


def test_what_was_put_back_does_not_move_again(settling, controller, proposal):
    corrected = place(controller, proposal, 0, [30, 30])
    answer(settling, corrected, 4)
    controller.undo()
    place(controller, proposal, 1, [40, 40])
    assert settling.fake.makes == []
    assert settling.trails[-1] == (None, None)


def test_redo_asks_nothing(settling, controller, proposal):
    place(controller, proposal, 0, [30, 30])
    controller.undo()
    settling.fake.stop()
    controller.redo()
    assert settling.fake.makes == []


def test_reviewed_work_stays(settling, controller, proposal):
    controller.accept((proposal,))
    place(controller, proposal, 0, [30, 30])
    assert settling.fake.makes == []


def test_what_changed_meanwhile_stays(settling, controller, proposal):
    corrected = place(controller, proposal, 0, [30, 30])
    again = place(controller, proposal, 1, [40, 40])
    answer(settling, corrected, 4)
    assert controller.project.annotations[proposal] is again


def test_another_image_ends_it(settling, controller, proposal):
    target = controller.target_id
    corrected = place(controller, proposal, 0, [30, 30])
    answer(settling, corrected, 4)
    controller.show_target(controller.reference_id)
    assert settling.trails[-1] == (None, None)
    controller.show_target(target)
    place(controller, proposal, 1, [40, 40])
    assert settling.fake.makes == []


def test_it_can_be_switched_off(settling, controller, proposal):
    settling.set_on(False)
    place(controller, proposal, 0, [30, 30])
    assert settling.fake.makes == []


def test_references_are_matched_while_a_person_looks(qtbot, settling, controller, proposal):
    controller.select(proposal)
    qtbot.waitUntil(lambda: settling._service.lanes == [AHEAD_LANE])
    controller.select(None)
    assert settling._service.lanes == []


def test_nothing_is_loaded_for_a_person_who_only_looks(qtbot, settling, controller, proposal):
    settling.live.is_loaded = False
    controller.select(proposal)
    qtbot.waitUntil(lambda: not settling._looking.isActive())
    assert settling._service.lanes == []


def test_an_error_is_said(settling, controller, proposal):
    notices = []
    controller.noticeRaised.connect(notices.append)
    place(controller, proposal, 0, [30, 30])
    settling.fake.failed.emit(MemoryError())
    assert notices
