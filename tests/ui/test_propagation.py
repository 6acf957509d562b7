"""Propagation in the window: the real engine on a fake network, on the real compute thread."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from fmstudio.errors import MatchError, StoreError
from fmstudio.features import registry
from fmstudio.features.base import ExtractorSpec, FeatureMap
from fmstudio.project.edits import RenameProject
from fmstudio.project.model import ImageState, Propagated, Status
from fmstudio.session import MatchSettings, Session
from fmstudio.ui.controller import Controller, Level, Notice
from fmstudio.ui.propagation import Propagation
from fmstudio.ui.tasks import State, Tasks
from fmstudio.worker.service import EngineService

# One call of the network an image, so that a test can count them.
SETTINGS = MatchSettings("pixels", ("pixels",), long_side=128, k=12, fine_side=0, mirror=False)


@dataclass
class Network:
    """Mean colour of each patch through fixed cosines; may be held up before an image."""

    calls: int = 0
    hold_at: int = 10**9
    held: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    spec: ExtractorSpec = field(default_factory=lambda: ExtractorSpec("pixels", "p-1", "none", 24))

    def extract(self, rgb, grid):
        self.calls += 1
        if self.calls >= self.hold_at:
            self.held.set()
            self.release.wait(20)
        mix = torch.randn(3, 24, generator=torch.Generator().manual_seed(0)) * 4
        values = torch.from_numpy(np.array(rgb)).permute(2, 0, 1)[None].float() / 255
        mean = torch.nn.functional.adaptive_avg_pool2d(values, (grid.rows, grid.cols))[0]
        data = torch.nn.functional.normalize(torch.cos(mean.permute(1, 2, 0) @ mix), dim=2)
        return FeatureMap(data, grid, self.spec.key)


@pytest.fixture
def network(monkeypatch) -> Network:
    network = Network()
    monkeypatch.setitem(registry.EXTRACTORS, "pixels", lambda name, **_: network)
    return network


@dataclass
class Window:
    """What a window has, without its widgets."""

    service: EngineService
    tasks: Tasks
    controller: Controller
    propagation: Propagation
    notices: list[Notice]

    @property
    def session(self) -> Session:
        return self.controller.session

    @property
    def project(self):
        return self.controller.project

    def targets(self) -> list[int]:
        return [id_ for id_ in sorted(self.project.images) if id_ != self.controller.reference_id]

    def start(self, **more):
        reference = [self.controller.reference_id]
        return self.propagation.start(reference, self.targets(), SETTINGS, **more)

    def proposals(self) -> list:
        return [a for a in self.project.annotations.values() if a.status is Status.PROPOSED]


@pytest.fixture
def window(qapp, make_session, network) -> Iterator[Window]:
    service, controller = EngineService(), Controller()
    tasks = Tasks(service)
    notices: list[Notice] = []
    controller.noticeRaised.connect(notices.append)
    controller.set_session(make_session())
    yield Window(service, tasks, controller, Propagation(controller, tasks), notices)
    network.release.set()
    assert service.shutdown(10_000)


def run(window: Window, qtbot, **more) -> None:
    task = window.start(**more)
    qtbot.waitUntil(lambda: not task.is_active, timeout=60_000)


def test_a_run_lands_as_one_undo_step_and_undo_removes_it(window, qtbot):
    before, steps = window.project, len(window.session.history.past)
    ghosts, changes = [], []
    window.controller.inboxChanged.connect(lambda: ghosts.append(len(window.session.inbox)))
    window.controller.projectChanged.connect(changes.append)
    run(window, qtbot)
    assert ghosts == [1, 2, 3, 4, 0]
    assert len(changes) == 1
    assert {a.image_id for a in window.proposals()} == set(window.targets())
    assert all(isinstance(a.provenance, Propagated) for a in window.proposals())
    assert len(window.session.history.past) == steps + 1
    assert window.session.history.undo_label == "Propagate to 4 images"
    (notice,) = window.notices
    assert notice.text == "Proposals on 4 images wait for review."
    assert (notice.level, notice.action) == (Level.INFO, "Undo")
    notice.run()
    assert window.project is before
    assert len(changes) == 2
    window.controller.redo()
    assert len(window.proposals()) == len(window.targets())


def test_the_task_counts_images(window, qtbot):
    task = window.start()
    assert task.title == "Propagating to 4 images"
    qtbot.waitUntil(lambda: not task.is_active, timeout=60_000)
    assert (task.state, task.done, task.total) == (State.DONE, 4, 4)
    assert task.rate() > 0


def test_reviewed_labels_stay(window, qtbot):
    run(window, qtbot)
    accepted, rejected, *rest = window.proposals()
    window.controller.accept([accepted.id])
    window.controller.reject([rejected.id])
    kept = [window.project.annotations[a.id] for a in (accepted, rejected)]
    window.notices.clear()
    run(window, qtbot)
    assert [window.project.annotations[a.id] for a in kept] == kept
    assert window.project.image_state(accepted.image_id) is ImageState.ACCEPTED
    assert {a.image_id for a in window.proposals()}.isdisjoint({accepted.image_id})
    assert {a.image_id for a in window.proposals()} >= {a.image_id for a in rest}
    assert "Left as reviewed: 1 image." in window.notices[0].details


def test_what_is_reviewed_in_mid_run_stays_too(window, qtbot, network):
    run(window, qtbot)
    proposal = window.proposals()[-1]
    network.hold_at = network.calls + 1
    other = replace(SETTINGS, long_side=160)
    reference = [window.controller.reference_id]
    task = window.propagation.start(reference, window.targets(), other)
    qtbot.waitUntil(network.held.is_set, timeout=60_000)
    window.controller.accept([proposal.id])
    kept = window.project.annotations[proposal.id]
    network.release.set()
    qtbot.waitUntil(lambda: not task.is_active, timeout=60_000)
    assert window.project.annotations[proposal.id] is kept
    assert list(window.project.annotations_of(kept.image_id)) == [kept]
    assert "has been reviewed already" in window.notices[-1].details


def test_cancel_keeps_what_came_within_half_a_second(window, qtbot, network):
    network.hold_at = 4  # the reference and two targets pass
    task = window.start()
    qtbot.waitUntil(lambda: len(window.session.inbox) == 2, timeout=60_000)
    qtbot.waitUntil(network.held.is_set, timeout=60_000)
    started = time.monotonic()
    window.propagation.cancel()
    assert time.monotonic() - started < 0.5
    assert task.state is State.CANCELLED
    assert not window.propagation.is_running
    assert len({a.image_id for a in window.proposals()}) == 2
    assert window.session.inbox == ()
    (notice,) = window.notices
    assert notice.text == "Stopped: the proposals on 2 of 4 images are kept."
    assert notice.action == "Discard"
    notice.run()
    assert window.proposals() == []


def test_a_notice_takes_back_nothing_but_its_run(window, qtbot):
    run(window, qtbot)
    window.controller.perform(RenameProject("lions"))
    window.notices[0].run()
    assert window.project.name == "lions"
    assert window.proposals()
    assert "Other edits came after" in window.notices[-1].text


def test_stopping_before_anything_came_leaves_no_step(window, qtbot, network):
    network.hold_at = 1
    steps = len(window.session.history.past)
    window.start()
    qtbot.waitUntil(network.held.is_set, timeout=60_000)
    window.propagation.cancel()
    assert len(window.session.history.past) == steps
    assert window.notices[-1].text == "Stopped before there was a proposal."
    assert window.notices[-1].action == ""


def test_an_image_that_cannot_be_read_is_said_and_the_rest_goes_on(window, qtbot):
    lost = window.project.images[window.targets()[1]]
    window.session.path_of(lost).unlink()
    run(window, qtbot)
    (notice,) = window.notices
    assert notice.level is Level.WARNING
    assert notice.text == "Proposals on 3 images wait for review; 1 image could not be done."
    assert lost.file_name in notice.details


def test_what_cannot_begin_is_said(window):
    bare = window.targets()[0]
    assert window.propagation.start([bare], window.targets(), SETTINGS) is None
    assert "has no accepted keypoints" in window.notices[-1].text
    assert window.tasks.tasks == ()
    assert not window.propagation.is_running


def test_nothing_is_done_where_all_is_reviewed(window, qtbot):
    run(window, qtbot)
    window.controller.accept([a.id for a in window.proposals()])
    assert window.start() is None
    assert window.notices[-1].text == "All these images are reviewed already."


def test_an_error_is_one_sentence_and_what_came_before_is_kept(window, qtbot, monkeypatch):
    job = window.session.job

    def breaks(request, token, *where):
        for number, event in enumerate(job(request, token, *where)):
            if number > 9:
                raise MatchError("The maps cannot be made.")
            yield event

    monkeypatch.setattr(window.session, "job", breaks)
    running = []
    window.propagation.runningChanged.connect(running.append)
    run(window, qtbot)
    assert running == [True, False]
    assert window.notices[-1].text.startswith("The maps cannot be made.")
    assert window.notices[-1].level is Level.ERROR
    assert window.proposals()
    assert "kept" in window.notices[-1].text
    monkeypatch.undo()


def test_a_full_disk_stops_the_run_with_one_sentence(window, qtbot, monkeypatch):
    def full(proposal, request):
        raise StoreError("The disk is full: make room and try again.")

    monkeypatch.setattr(window.session, "receive", full)
    task = window.start()
    qtbot.waitUntil(lambda: not task.is_active, timeout=60_000)
    assert task.state is State.CANCELLED
    assert [n.text for n in window.notices] == ["The disk is full: make room and try again."]


def test_shutdown_in_mid_run_loses_nothing(window, qtbot, network, make_session):
    network.hold_at = 4
    window.start()
    qtbot.waitUntil(lambda: len(window.session.inbox) == 2, timeout=60_000)
    qtbot.waitUntil(network.held.is_set, timeout=60_000)
    path, received = window.session.path, window.session.inbox
    # As if the process ended here: what has come is in the file.
    inbox = window.session._store.inbox()
    assert [entry.image_id for entry in inbox] == [entry.image_id for entry in received]
    started = time.monotonic()
    assert not window.service.shutdown(200)  # one step of the network is still running
    assert time.monotonic() - started < 1
    window.controller.set_session(None)
    with Session.open(path) as again:
        waiting = [a for a in again.project.annotations.values() if a.status is Status.PROPOSED]
        assert {a.image_id for a in waiting} == {entry.image_id for entry in received}


def test_another_project_is_not_touched_by_the_run_of_the_one_before(
    window, qtbot, network, make_session
):
    network.hold_at = 4
    window.start()
    qtbot.waitUntil(lambda: len(window.session.inbox) == 2, timeout=60_000)
    qtbot.waitUntil(network.held.is_set, timeout=60_000)
    path = window.session.path
    window.controller.set_session(make_session("dogs"))
    assert not window.propagation.is_running
    assert window.proposals() == []
    with Session.open(path) as again:
        assert len(again.inbox) == 2


def test_a_second_start_ends_the_first_run(window, qtbot, network):
    network.hold_at = 3
    first = window.start()
    qtbot.waitUntil(network.held.is_set, timeout=60_000)
    second = window.start()
    assert first.state is State.CANCELLED
    network.release.set()
    qtbot.waitUntil(lambda: not second.is_active, timeout=60_000)
    assert second.state is State.DONE
    assert len({a.image_id for a in window.proposals()}) == 4
