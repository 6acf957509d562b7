from dataclasses import replace

import numpy as np
import pytest

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.doubt import REASONS, Doubt
from fmstudio.project.edits import ChangeAnnotation, RemoveAnnotations, SetStatus, apply
from fmstudio.project.model import (
    Annotation,
    Category,
    Drawn,
    ImageItem,
    Project,
    Propagated,
    Review,
    Status,
)
from fmstudio.project.outcome import Tally, points_of

SIZE = ImageSize(400, 300)
XY = np.array([[50.0, 50.0], [150.0, 50.0], [100.0, 120.0]])


def proposal(id_, scores=(0.9, 0.6, 0.2), visibility=(2, 2, 2), image_id=1):
    points = Keypoints(XY, np.array(visibility), np.array(scores))
    confidence = np.where(points.labelled, points.score, np.nan)
    nothing = np.full(len(REASONS), np.nan)
    doubt = Doubt(points.xy, confidence, np.tile(nothing, (3, 1)), nothing, 100.0, 100.0)
    mean = float(points.score[points.labelled].mean())
    return Annotation(
        id_, image_id, 1, points, None, Status.PROPOSED, Propagated((9,), "k"), mean, doubt=doubt
    )


def project_of(*annotations):
    images = [ImageItem(i, f"{i}.jpg", SIZE, f"{i:064x}") for i in (1, 2)]
    return Project.build("p", images, [Category(1, "cat", "", ("a", "b", "c"))], annotations)


def moved(annotation, index, by):
    xy, score = annotation.keypoints.xy.copy(), annotation.keypoints.score.copy()
    xy[index, 0] += by
    score[index] = 1.0
    return Keypoints(xy, annotation.keypoints.visibility, score)


def test_a_waiting_proposal_counts_its_labelled_points():
    tally = Tally.of(project_of(proposal(1, visibility=(2, 0, 1))))
    assert tally.waiting.total == 2
    assert tally.waiting.annotations == 1
    assert tally.seen.total == tally.unseen.total == tally.audited.total == 0


@pytest.mark.parametrize(("by", "wrong", "changed"), [(0.2, 0, 0), (6, 0, 1), (14, 1, 1)])
def test_a_point_is_wrong_beyond_a_tenth_of_the_object(by, wrong, changed):
    before = project_of(proposal(1))
    after = apply(before, ChangeAnnotation(1, moved(before.annotations[1], 1, by), None))
    seen = Tally.of(after).seen
    assert (seen.total, seen.total_wrong, seen.changed) == (3, wrong, changed)
    assert seen.touched == bool(changed)
    # By the engine's own confidence, whatever the score is now.
    assert seen.wrong.nonzero()[0].tolist() == ([120] if wrong else [])


def test_a_rejected_proposal_is_wrong_in_all_points():
    after = apply(project_of(proposal(1)), SetStatus((1,), Status.REJECTED))
    assert Tally.of(after).seen.total_wrong == 3


def test_a_point_that_was_taken_away_is_wrong():
    before = project_of(proposal(1))
    points = before.annotations[1].keypoints
    fewer = Keypoints(points.xy, np.array([2, 0, 2]), points.score)
    seen = Tally.of(apply(before, ChangeAnnotation(1, fewer, None))).seen
    assert (seen.total_wrong, seen.changed) == (1, 1)


def test_what_was_accepted_unseen_says_nothing_of_right_and_wrong():
    before = project_of(proposal(1), proposal(2))
    after = apply(before, SetStatus((1, 2), Status.ACCEPTED, Review.UNSEEN))
    tally = Tally.of(after)
    assert (tally.unseen.total, tally.seen.total) == (6, 0)
    # Nor does correcting one of it: those that are corrected are no random ones.
    changed = apply(after, ChangeAnnotation(1, moved(after.annotations[1], 0, 90), None))
    assert Tally.of(changed).unseen.total == 6
    assert Tally.of(changed).unseen.total_wrong == 0


def test_an_audit_has_counts_of_its_own():
    before = project_of(proposal(1))
    unseen = apply(before, SetStatus((1,), Status.ACCEPTED, Review.UNSEEN))
    drawn = apply(unseen, SetStatus((1,), Status.PROPOSED, Review.AUDITED))
    assert Tally.of(drawn).waiting.total == 3
    done = apply(drawn, SetStatus((1,), Status.ACCEPTED))
    assert (Tally.of(done).audited.total, Tally.of(done).audited.total_wrong) == (3, 0)
    # Put back without being drawn, it is an ordinary proposal again.
    back = apply(unseen, SetStatus((1,), Status.PROPOSED))
    assert back.annotations[1].review is Review.SEEN


def test_a_mask_counts_as_one_point():
    bits = np.zeros((300, 400), dtype=bool)
    bits[10:50, 10:90] = True
    mask = Mask.from_array(bits)
    nothing = np.full(len(REASONS), np.nan)
    doubt = Doubt(np.zeros((0, 2)), [], np.zeros((0, len(REASONS))), nothing, 80, 80)
    lone = Annotation(1, 1, 1, None, mask, Status.PROPOSED, Propagated((9,), "k"), 0.7, doubt=doubt)
    before = project_of(lone)
    assert Tally.of(before).waiting.points.nonzero()[0].tolist() == [140]
    other = Mask.from_array(~bits)
    assert Tally.of(apply(before, ChangeAnnotation(1, None, other))).seen.total_wrong == 1
    assert Tally.of(apply(before, SetStatus((1,), Status.ACCEPTED))).seen.total_wrong == 0


def test_drawn_work_and_reviewed_work_of_old_say_nothing():
    drawn = replace(proposal(1), provenance=Drawn(), status=Status.ACCEPTED, doubt=None)
    old = replace(proposal(2), status=Status.ACCEPTED, doubt=None)
    assert points_of(drawn) is None
    assert points_of(old) is None
    waiting = replace(proposal(3), doubt=None)
    assert points_of(waiting).confidence.tolist() == [0.9, 0.6, 0.2]


def test_following_edits_equals_counting_anew():
    project = project_of(*(proposal(i, image_id=1 + i % 2) for i in range(1, 9)))
    tally = Tally.of(project)
    edits = [
        SetStatus((1, 2), Status.ACCEPTED),
        SetStatus((3, 4, 5), Status.ACCEPTED, Review.UNSEEN),
        ChangeAnnotation(6, moved(project.annotations[6], 2, 40), None),
        SetStatus((4,), Status.PROPOSED, Review.AUDITED),
        SetStatus((4,), Status.REJECTED),
        RemoveAnnotations((1, 7)),
    ]
    for edit in edits:
        after = apply(project, edit)
        tally = tally.follow(project, after, ProjectDiff.between(project, after))
        project = after
        fresh = Tally.of(project)
        for name in ("waiting", "unseen", "seen", "audited"):
            a, b = getattr(tally, name), getattr(fresh, name)
            assert np.array_equal(a.points, b.points)
            assert np.array_equal(a.wrong, b.wrong)
            assert (a.annotations, a.squares, a.changed, a.touched) == (
                b.annotations, b.squares, b.changed, b.touched
            )  # fmt: skip
