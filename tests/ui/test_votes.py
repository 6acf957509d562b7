"""Votes, competing maps and the next image, in the window."""

from dataclasses import replace

import numpy as np
import pytest

from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import AlternativeMark, Pose, Vote
from fmstudio.project.edits import LandProposals, ReviseProposals
from fmstudio.project.model import Propagated, Status
from fmstudio.session_next import NextImage
from fmstudio.ui import annotate_next as annotate_next_module
from fmstudio.ui import reweighing as reweighing_module
from fmstudio.ui.annotate_next import AnnotateNext
from fmstudio.ui.canvas.looks import looks_of, other_maps
from fmstudio.ui.canvas.pair import CanvasPair
from fmstudio.ui.competing import Competing
from fmstudio.ui.panels.annotation import AnnotationPanel
from fmstudio.ui.reweighing import Reweighing
from tests.ui.conftest import FakeRunning


@pytest.fixture
def notices(controller):
    heard = []
    controller.noticeRaised.connect(heard.append)
    return heard


def proposals(controller, image_ids):
    """Return proposals with two maps and two votes; the other map lies 40 px to the right."""
    (drawn,) = controller.project.annotations_of(controller.reference_id)
    points = drawn.keypoints
    m = len(points)
    score = Keypoints(points.xy * 0.5 + 20, points.visibility, np.full(m, 0.5))
    other = Keypoints(score.xy + np.array([40, 0]), score.visibility, np.full(m, 0.4))
    votes = (
        Vote(drawn.id, score.xy + 3, np.full(m, 0.5), np.full(m, 0.8)),
        Vote(999, score.xy + np.array([60, 30]), np.full(m, 0.4), np.full(m, 0.2)),
    )
    alternative = AlternativeMark(other, None, 0.4, 0.29, 0.31, Pose.MIRRORED, Pose.PLAIN, votes)
    return tuple(
        replace(
            drawn, id=0, image_id=i, keypoints=score, mask=None, status=Status.PROPOSED,
            provenance=Propagated((drawn.id,), "k"), confidence=0.5, votes=votes,
            alternative=alternative,
        )
        for i in image_ids
    )  # fmt: skip


@pytest.fixture
def landed(controller):
    """Return the ids of proposals on the other four images; the first is on the target."""
    project = controller.project
    ids = [i.id for i in project.sorted_images() if i.id != controller.reference_id]
    controller.perform(LandProposals(proposals(controller, ids)))
    assert controller.target_id == ids[0]
    return [controller.project.annotations_of(i)[0].id for i in ids]


class TestCompeting:
    def test_m_takes_the_other_map_and_undo_brings_the_first_back(self, controller, landed):
        before = controller.project.annotations[landed[0]]
        Competing(controller).swap()
        after = controller.project.annotations[landed[0]]
        assert after.keypoints == before.alternative.keypoints
        assert controller.selected is after
        controller.undo()
        assert controller.project.annotations[landed[0]] == before

    def test_without_a_second_map_a_sentence_says_so(self, controller, notices):
        (drawn,) = controller.project.annotations_of(controller.reference_id)
        competing = Competing(controller)
        competing.swap()
        controller.select(drawn.id)
        competing.swap()
        assert ["Select" in n.text for n in notices] == [True, False]
        assert "No second map is known" in notices[1].text

    def test_reviewed_work_is_left(self, controller, landed, notices):
        controller.accept((landed[0],))
        controller.select(landed[0])
        Competing(controller).swap()
        assert "never moved" in notices[-1].text

    def test_three_equal_choices_are_offered_for_the_rest(self, controller, landed, notices):
        competing = Competing(controller)
        for id_ in landed[:3]:
            controller.select(id_)
            competing.swap()
        (notice,) = notices
        assert notice.text == (
            "All 3 choices so far took the map mirrored; 1 proposal took the other one."
        )
        notice.run()
        assert controller.project.annotations[landed[3]].alternative.taken_pose is Pose.MIRRORED
        assert controller.session.history.undo_label == "Take the other map"


class TestCanvas:
    def test_the_other_map_is_drawn_lightly_on_request(self, controller, landed):
        looks = looks_of(controller, controller.target_id)
        (ghost,) = other_maps(looks)
        assert ghost.is_ghost
        assert ghost.annotation.keypoints == looks[0].annotation.alternative.keypoints
        controller.accept(landed[:1])
        assert other_maps(looks_of(controller, controller.target_id)) == []

    def test_fans_are_drawn_for_a_selected_point_and_for_all(
        self, qtbot, controller, service, landed
    ):
        pair = CanvasPair(controller, service)
        qtbot.addWidget(pair)
        pair.resize(900, 500)
        with qtbot.waitSignals([pair.reference.ready, pair.target.ready]):
            pair.show()

        def picture():
            return pair.target.grab().toImage()

        controller.select(landed[0])
        bare = picture()
        controller.select(landed[0], 0)
        one = picture()
        assert one != bare
        pair.set_votes_visible(True)
        fanned = picture()
        assert fanned != one
        pair.set_other_map_visible(True)
        assert picture() != fanned
        pair.set_other_map_visible(False)
        pair.set_votes_visible(False)
        assert picture() == one


class TestPanel:
    def test_references_are_listed_and_weighed(self, qtbot, controller, landed):
        panel = AnnotationPanel(controller)
        qtbot.addWidget(panel)
        panel.show()
        controller.select(landed[0])
        box = panel.references
        assert box.isVisible()
        first, gone = box.rows
        assert first.name.text() != "removed since"
        assert first.caption.text() == "80 / 100"
        assert not gone.switch.isEnabled()
        with qtbot.waitSignal(box.sayWanted) as wish:
            first.switch.click()
        assert wish.args == [landed[0], first.source, 0.0]
        panel.show_weighing(is_busy=True)
        assert box.note.text()
        panel.show_weighing(is_busy=False)
        assert box.rows[0].switch.isChecked()
        with qtbot.waitSignal(box.sayWanted) as wish:
            row = box.rows[0]
            row.box.setCurrentIndex(2)
            row.box.activated.emit(2)
        assert wish.args[2] == 2.0

    def test_the_notice_says_both_supports_while_it_is_a_proposal(self, qtbot, controller, landed):
        panel = AnnotationPanel(controller)
        qtbot.addWidget(panel)
        panel.show()
        controller.select(landed[0])
        assert panel.competing.text.text() == (
            "Two maps compete: as is 31\u00a0%, mirrored 29\u00a0%."
        )
        Competing(controller).swap()
        assert "You chose the first" in panel.competing.text.text()
        controller.accept(landed[:1])
        assert not panel.competing.isVisible()
        controller.select(None)
        assert not panel.references.isVisible()


class TestReweighing:
    @pytest.fixture
    def reweighing(self, controller, monkeypatch):
        monkeypatch.setattr(reweighing_module, "Running", FakeRunning)
        made = Reweighing(controller, None, lambda: object())
        made.fake = made._running
        return made

    def test_the_proposal_takes_its_place_as_one_step(self, reweighing, controller, landed):
        old = controller.project.annotations[landed[0]]
        source = old.votes[0].source
        reweighing.weigh(landed[0], source, 2.0)
        fresh = replace(old, confidence=0.9)
        reweighing.fake.stepped.emit(ReviseProposals((fresh,)))
        reweighing.fake.ended.emit()
        assert controller.project.annotations[landed[0]] == fresh
        controller.undo()
        assert controller.project.annotations[landed[0]] == old

    def test_what_changed_meanwhile_stays(self, reweighing, controller, landed):
        old = controller.project.annotations[landed[0]]
        reweighing.weigh(landed[0], old.votes[0].source, 2.0)
        Competing(controller).swap()
        swapped = controller.project.annotations[landed[0]]
        reweighing.fake.stepped.emit(ReviseProposals((replace(old, confidence=0.9),)))
        assert controller.project.annotations[landed[0]] is swapped

    def test_the_last_reference_cannot_be_left_out(
        self, reweighing, controller, landed, notices, qtbot
    ):
        source = controller.project.annotations[landed[0]].votes[0].source
        with qtbot.waitSignal(reweighing.busyChanged) as told:
            reweighing.weigh(landed[0], source, 0.0)
        assert told.args == [False]
        assert "All references" in notices[-1].text
        assert reweighing.fake.makes == []

    def test_an_error_is_said(self, reweighing, controller, landed, notices, qtbot):
        source = controller.project.annotations[landed[0]].votes[0].source
        reweighing.weigh(landed[0], source, 2.0)
        with qtbot.waitSignal(reweighing.busyChanged):
            reweighing.fake.failed.emit(MemoryError())
        assert notices


class TestAnnotateNext:
    @pytest.fixture
    def asking(self, controller, monkeypatch):
        monkeypatch.setattr(annotate_next_module, "Running", FakeRunning)
        made = AnnotateNext(controller, None, lambda: object())
        made.fake = made._running
        return made

    def test_the_image_is_shown_with_its_reason(self, asking, controller, landed, notices):
        asking.start()
        assert len(asking.fake.makes) == 1
        wanted = controller.project.annotations[landed[2]].image_id
        asking.fake.stepped.emit(NextImage(wanted, (controller.target_id,), 0.5))
        assert controller.target_id == wanted
        assert "Covers 1 unreviewed image that looks like it; mean doubt 0.50." in notices[-1].text
        assert notices[-1].details
        asking.fake.stepped.emit(NextImage(12345, (), 0.5))
        assert "removed meanwhile" in notices[-1].text

    def test_when_all_is_annotated_it_says_so(self, asking, controller, landed, notices):
        controller.accept(landed)
        asking.start()
        assert "Every image" in notices[-1].text
        assert asking.fake.makes == []
