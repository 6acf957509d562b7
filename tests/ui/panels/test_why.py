from dataclasses import replace

import numpy as np
import pytest

from fmstudio.geometry.points import Keypoints
from fmstudio.project.doubt import REASONS, Doubt, Reason
from fmstudio.project.edits import AddAnnotation
from fmstudio.project.model import Propagated, Status
from fmstudio.ui.panels.why import WhyBox


@pytest.fixture
def proposal(controller):
    """A proposal on the target whose second point does not find its way back."""
    (source,) = controller.project.annotations_of(controller.reference_id)
    m = len(source.keypoints)
    points = Keypoints(source.keypoints.xy, source.keypoints.visibility, np.full(m, 0.6))
    reasons = np.tile([2.0, 0.3, 1.0, 0.9, np.nan, 0.0], (m, 1))
    reasons[1, 0] = 42.0
    nothing = np.full(len(REASONS), np.nan)
    doubt = Doubt(points.xy, points.score, reasons, nothing, 200.0, 200.0)
    diff = controller.perform(
        AddAnnotation(
            replace(
                source, id=0, image_id=controller.target_id, keypoints=points, mask=None,
                status=Status.PROPOSED, provenance=Propagated((source.id,), "k"), confidence=0.6,
                doubt=doubt,
            )
        )
    )  # fmt: skip
    return controller.project.annotations[diff.annotations.added[0]]


@pytest.fixture
def box(qtbot, controller):
    box = WhyBox(controller)
    qtbot.addWidget(box)
    box.resize(180, 120)
    box.show()
    return box


def test_the_sentence_is_about_the_selected_point_or_the_worst(box, controller, proposal):
    second = controller.project.categories[proposal.category_id].keypoints[1]
    controller.select(proposal.id)
    assert (
        box.label.text() == f"{second}: The way back ends 42\u00a0px off, 21\u00a0% of the object."
    )
    controller.select(proposal.id, 0)
    assert box.label.text().endswith("Nothing in particular speaks against it.")
    assert box.label.toolTip().splitlines()[0] == "Way back: 2\u00a0px"
    assert len(box.label.toolTip().splitlines()) == 5  # one reference: no agreement to tell of


def test_drawn_work_and_no_selection_have_no_sentence(box, controller, proposal):
    (source,) = controller.project.annotations_of(controller.reference_id)
    for chosen in (source.id, None):
        controller.select(chosen)
        assert not box.label.isVisible()
    controller.select(proposal.id)
    assert box.label.isVisible()


def test_the_choice_of_colours_goes_both_ways(box, controller):
    controller.set_coloring(Reason.STRETCH)
    assert box.colors.currentData() == Reason.STRETCH
    box.colors.setCurrentIndex(0)
    box.colors.activated.emit(0)
    assert controller.coloring is None
    for expected in (*REASONS, None):
        controller.next_coloring()
        assert controller.coloring == expected
