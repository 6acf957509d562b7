import pytest

from fmstudio.io.store import Store
from fmstudio.project.edits import SetStatus
from fmstudio.project.model import Review, Status
from fmstudio.project.outcome import Tally
from fmstudio.project.review import review_queue
from fmstudio.session import Session
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.review_summary import ReviewSummaryDialog
from fmstudio.ui.review import ReviewMeter
from tests.project.test_outcome import project_of, proposal


@pytest.fixture
def controller(qapp, tmp_path):
    project = project_of(*(proposal(i, image_id=1 + i % 2) for i in range(1, 13)))
    Store.create(tmp_path / "p.fmstudio", project).close()
    controller = Controller()
    session = Session.open(tmp_path / "p.fmstudio")
    controller.set_session(session)
    yield controller
    session.close()


@pytest.fixture
def meter(controller):
    return ReviewMeter(controller)


@pytest.fixture
def dialog(qtbot, controller, meter):
    dialog = ReviewSummaryDialog(controller, meter)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_corrections_move_what_is_expected_of_the_rest(meter, controller):
    before = meter.waiting
    assert before.points == 36
    assert before.wrong == pytest.approx(12 * 1.3, rel=0.05)
    controller.reject((1, 2, 3, 4))
    assert meter.waiting.rate > before.rate
    controller.undo()
    assert meter.waiting == before
    controller.accept((1, 2, 3, 4))
    assert meter.waiting.rate < before.rate
    assert meter.pace.labels == 4


def test_it_says_what_accepting_would_cost(meter, controller):
    queue = review_queue(controller.project)
    annotations, points, wrong = meter.above(queue, 0.5)
    assert (annotations, points) == (12, 36)
    assert wrong == pytest.approx(meter.waiting.wrong, rel=0.1)
    assert meter.above(queue, 0.99) == (0, 0, 0)


def test_another_project_is_counted_anew(meter, controller):
    controller.set_session(None)
    assert meter.waiting.points == 0


def test_the_summary_draws_a_sample_of_what_was_accepted_unseen(dialog, controller, meter):
    assert not dialog.draw_button.isEnabled()
    assert "12 annotations, 36 points" in dialog.lines["waiting"].text()
    assert dialog.lines["audit"].text() == "none drawn"
    controller.perform(SetStatus(tuple(range(1, 11)), Status.ACCEPTED, Review.UNSEEN))
    assert dialog.drawable.text() == "of 10"
    dialog.count.setValue(4)
    dialog.draw_button.click()
    drawn = [a.id for a in controller.project.annotations.values() if a.review is Review.AUDITED]
    assert len(drawn) == 4
    assert dialog.lines["audit"].text() == "4 annotations to look at"
    controller.reject(drawn[:1])
    controller.accept(drawn[1:])
    assert "3 of 12 points wrong: 25.0%" in dialog.lines["audit"].text()
    assert "12 points, 3 wrong (25.0%)" in dialog.lines["reviewed"].text()
    assert "4 labels" in dialog.lines["pace"].text()
    assert Tally.of(controller.project).audited.total == meter.tally.audited.total == 12
