from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QTransform

from fmstudio.geometry.points import Keypoints
from fmstudio.project.doubt import REASONS, Doubt, Reason
from fmstudio.project.edits import AddAnnotation
from fmstudio.project.model import Status
from fmstudio.ui.canvas.draft import DraftView
from fmstudio.ui.canvas.looks import hovered_keypoint, looks_of
from fmstudio.ui.canvas.marks import name_of
from fmstudio.ui.controller import Controller


@pytest.fixture
def here(controller):
    """Return the one annotation there is."""
    return controller.project.annotations_of(controller.reference_id)[0]


def test_what_is_rejected_is_not_drawn(controller, here):
    assert [look.annotation for look in looks_of(controller, here.image_id)] == [here]
    controller.reject([here.id])
    assert looks_of(controller, here.image_id) == []


def test_a_draft_takes_the_place_of_what_is_stored(controller, here):
    moved = replace(here, mask=None)
    looks = looks_of(controller, here.image_id, DraftView(annotation=moved))
    assert [look.annotation for look in looks] == [moved]
    new = replace(here, id=0)
    looks = looks_of(controller, here.image_id, DraftView(annotation=new))
    assert [look.annotation for look in looks] == [here, new]
    assert looks[1].is_selected


def test_what_is_selected_is_on_top_and_all_else_recedes(controller, here):
    controller.perform(AddAnnotation(replace(here, id=0)))
    controller.select(here.id, 2)
    looks = looks_of(controller, here.image_id)
    assert [look.is_selected for look in looks] == [False, True]
    assert [look.is_dimmed for look in looks] == [True, False]
    assert looks[1].keypoint == 2


def test_the_selected_keypoint_is_shown_on_the_other_image_too(controller, here):
    target = controller.target_id
    there = replace(here, id=0, image_id=target, mask=None, status=Status.PROPOSED)
    assert controller.perform(AddAnnotation(there))
    controller.select(here.id, 3)
    (other,) = looks_of(controller, target)
    assert (other.hovered, other.is_dimmed, other.is_selected) == (3, False, False)


def test_colours_tell_the_reason_that_is_chosen_and_what_is_not_known(controller, here):
    m = len(here.keypoints)
    points = Keypoints(here.keypoints.xy, here.keypoints.visibility, np.full(m, 0.7))
    reasons = np.full((m, len(REASONS)), np.nan)
    reasons[0, REASONS.index(Reason.COVERAGE)] = 1.0
    reasons[1, REASONS.index(Reason.COVERAGE)] = 0.0
    doubt = Doubt(points.xy, points.score, reasons, np.full(len(REASONS), np.nan), 100, 100)
    there = replace(
        here, id=0, image_id=controller.target_id, keypoints=points, mask=None,
        status=Status.PROPOSED, doubt=doubt,
    )  # fmt: skip
    assert controller.perform(AddAnnotation(there))
    (look,) = looks_of(controller, controller.target_id)
    assert look.scores() == pytest.approx(0.7)
    assert name_of(look, 0).endswith("0.70")
    controller.set_coloring(Reason.COVERAGE)
    (look,) = looks_of(controller, controller.target_id)
    assert look.scores()[:2].tolist() == [1, 0]
    assert np.isnan(look.scores()[2])
    assert name_of(look, 0).endswith("100\u00a0%")
    assert name_of(look, 2).endswith("?")
    (done,) = looks_of(controller, here.image_id)
    assert done.scores() is None
    assert name_of(done, 0) == done.category.keypoints[0]


def test_ghosts_lie_at_the_bottom(controller, here, monkeypatch):
    ghost = replace(here, id=0, status=Status.PROPOSED)
    monkeypatch.setattr(controller, "ghosts", lambda image_id: (ghost,))
    looks = looks_of(controller, here.image_id)
    assert [look.is_ghost for look in looks] == [True, False]
    assert looks[0].opacity < looks[1].opacity


def test_the_nearest_labelled_point_is_under_the_pointer(controller, here):
    looks = looks_of(controller, here.image_id)
    x, y = here.keypoints.xy[4].tolist()
    twice = QTransform.fromScale(2, 2)
    assert hovered_keypoint(looks, QPointF(2 * x + 4, 2 * y - 3), twice) == (here.category_id, 4)
    assert hovered_keypoint(looks, QPointF(2 * x + 4000, 2 * y), twice) is None


def test_an_unknown_image_has_nothing_to_draw(controller):
    assert looks_of(controller, 10**6) == []
    assert looks_of(Controller(), 1) == []
