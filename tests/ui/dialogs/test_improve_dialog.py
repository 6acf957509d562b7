from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt

from fmstudio.engine.requests import Failure, Phase, Progress, Proposal, ProposedMark
from fmstudio.errors import MatchError
from fmstudio.project.edits import LandProposals, SetStatus
from fmstudio.project.model import Annotation, Propagated, Status
from fmstudio.ui.dialogs.improve import ImproveDialog


@pytest.fixture
def waiting(controller):
    """Proposals on all images but the first; that on the second is accepted."""
    project = controller.project
    (first,) = project.annotations.values()
    others = [i for i in sorted(project.images) if i != first.image_id]
    score = np.full(len(first.keypoints), 0.4)
    guesses = [
        Annotation(
            0,
            image_id,
            first.category_id,
            replace(first.keypoints, score=score),
            None,
            Status.PROPOSED,
            Propagated((first.id,), "key"),
            0.4,
        )
        for image_id in others
    ]
    controller.perform(LandProposals(tuple(guesses)))
    controller.perform(SetStatus(controller.project.of_image[others[0]], Status.ACCEPTED))
    return controller


def shifted(request, by=500.0, quality=0.7):
    """What the engine does, without an engine: every point elsewhere."""
    marks = [mark for reference in request.references for mark in reference.marks]
    for done, target in enumerate(request.targets):
        points = marks[0].keypoints
        moved = replace(points, xy=points.xy + by, score=points.score * 0.7)
        found = ProposedMark(marks[0].category, tuple(m.id for m in marks), moved, None, quality)
        yield Progress(Phase.MATCH, done, len(request.targets))
        yield Proposal(target, (found,), "anew")


@pytest.fixture
def engine(waiting, monkeypatch):
    """Let the session's jobs be this."""

    def use(job):
        monkeypatch.setattr(waiting.session, "job", lambda request, *_: job(request))

    use(shifted)
    return use


def press(qtbot, dialog):
    qtbot.mouseClick(dialog.take, Qt.MouseButton.LeftButton)


def opened(qtbot, controller, **more):
    dialog = ImproveDialog(controller, **more)
    qtbot.addWidget(dialog)
    return dialog


def test_a_preview_comes_first_and_changes_nothing(waiting, engine, qtbot):
    before = waiting.project
    dialog = opened(qtbot, waiting)
    assert "2 accepted images for 3 images" in dialog.report.text
    press(qtbot, dialog)
    assert "Would replace the proposals on 3 images." in dialog.report.text
    assert "move by more than a tenth" in dialog.report.text
    assert "Mean confidence 0.40 now, 0.70 then." in dialog.report.text
    assert dialog.take.text() == "Replace on 3 images"
    assert dialog.focusWidget() is dialog.take
    assert waiting.project is before
    dialog.reject()
    assert waiting.project is before
    assert waiting.session.inbox == ()


def test_replacing_is_one_step(waiting, engine, qtbot):
    before, told, said = waiting.project, [], []
    waiting.projectChanged.connect(told.append)
    waiting.noticeRaised.connect(said.append)
    dialog = opened(qtbot, waiting)
    press(qtbot, dialog)
    press(qtbot, dialog)
    assert dialog.result() == dialog.DialogCode.Accepted
    assert len(told) == 1
    assert said[0].text == "The proposals on 3 images were replaced."
    keys = [
        a.provenance.key
        for a in waiting.project.annotations.values()
        if a.status is Status.PROPOSED
    ]
    assert keys == ["anew"] * 3
    waiting.undo()
    assert waiting.project is before


def test_another_number_or_an_edit_asks_for_another_preview(waiting, engine, qtbot):
    dialog = opened(qtbot, waiting)
    press(qtbot, dialog)
    dialog.nearest.setValue(2)
    assert dialog.take.text() == "Preview"
    press(qtbot, dialog)
    assert dialog.take.text().startswith("Replace")
    waiting.undo()
    assert dialog.take.text() == "Preview"
    assert "1 accepted image for 4 images" in dialog.report.text


def test_what_could_not_be_done_is_named(waiting, engine, qtbot):
    def partly(request):
        yield Failure(request.targets[0], "The photo is gone.")
        yield from list(shifted(request))[2:]

    engine(partly)
    dialog = opened(qtbot, waiting)
    press(qtbot, dialog)
    assert "on 2 images" in dialog.report.text
    assert "The photo is gone." in dialog.report.text

    def broken(_request):
        raise MatchError("This machine has no such device.")
        yield

    engine(broken)
    dialog.nearest.setValue(3)
    press(qtbot, dialog)
    assert dialog.report.text == "This machine has no such device."
    engine(lambda _request: iter(()))
    press(qtbot, dialog)
    assert "Nothing was found" in dialog.report.text


def test_with_nothing_to_improve_it_says_so(controller, qtbot):
    dialog = opened(qtbot, controller)
    assert "Nothing waits for review" in dialog.report.text
    assert not dialog.take.isEnabled()


def test_a_run_on_the_compute_thread_can_be_stopped(waiting, engine, qtbot, tasks):
    def slow(request):
        while True:
            yield Progress(Phase.MATCH, 0, len(request.targets))

    engine(slow)
    before = waiting.project
    dialog = opened(qtbot, waiting, tasks=tasks)
    press(qtbot, dialog)
    qtbot.waitUntil(lambda: "0 of 3 images done" in dialog.report.text)
    (task,) = tasks.tasks
    tasks.cancel(task)
    qtbot.waitUntil(lambda: "2 accepted images" in dialog.report.text)
    assert dialog.take.isEnabled()
    assert waiting.project is before
