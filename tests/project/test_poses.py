"""Two competing maps: taking the other one, and what that says of the rest of a set."""

from dataclasses import replace

import pytest

from fmstudio.errors import ProjectError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import AlternativeMark, Pose, Vote
from fmstudio.project.edits import (
    ReviseProposals,
    SetCategory,
    SetStatus,
    SwapAlternatives,
    apply,
)
from fmstudio.project.model import (
    Annotation,
    Category,
    ImageItem,
    Project,
    Propagated,
    Status,
)
from fmstudio.project.poses import Choices, as_chosen_before, swaps_by_evidence

SIZE = ImageSize(100, 50)
CARRIED = Propagated((1,), "key")


def points(x):
    return Keypoints.drawn([[x, 5], [x + 9, 5]], [2, 2])


def vote(x):
    return Vote(1, points(x).xy, [1, 1], [1, 1])


def ambiguous(id_, pose=Pose.MIRRORED, support=0.3):
    taken = Pose.PLAIN if pose is Pose.MIRRORED else Pose.MIRRORED
    other = AlternativeMark(points(50), None, 0.25, support, 0.32, pose, taken, (vote(50),))
    return Annotation(
        id_, id_, 1, points(10), None, Status.PROPOSED, CARRIED, 0.35,
        votes=(vote(10),), alternative=other,
    )  # fmt: skip


@pytest.fixture
def project():
    images = [ImageItem(i, f"{i}.png", SIZE, f"{i:064x}") for i in range(1, 9)]
    cat, dog = Category(1, "cat", keypoints=("l", "r"), flip_pairs=((0, 1),)), Category(2, "dog")
    annotations = [Annotation(1, 1, 1, points(3), None), *map(ambiguous, range(2, 8))]
    return Project.build("p", images, [cat, dog], annotations)


def test_taking_the_other_map_exchanges_all_and_can_be_taken_back(project):
    once = apply(project, SwapAlternatives((2,)))
    swapped = once.annotations[2]
    # Names stay with their points: flip pairs are not exchanged.
    assert swapped.keypoints == points(50)
    assert swapped.votes == (vote(50),)
    assert swapped.confidence == 0.25
    assert swapped.status is Status.PROPOSED
    assert swapped.alternative.keypoints == points(10)
    assert swapped.alternative.taken_pose is Pose.MIRRORED
    assert swapped.alternative.margin == pytest.approx(-0.02)
    assert swapped.alternative.is_chosen
    twice = apply(once, SwapAlternatives((2,))).annotations[2]
    before = project.annotations[2]
    assert twice == replace(before, alternative=replace(before.alternative, is_chosen=True))


def test_reviewed_work_never_moves(project):
    accepted = apply(project, SetStatus((2,), Status.ACCEPTED))
    with pytest.raises(ProjectError, match="reviewed"):
        apply(accepted, SwapAlternatives((2,)))
    with pytest.raises(ProjectError, match="No second map"):
        apply(project, SwapAlternatives((1,)))
    fresh = replace(project.annotations[2], keypoints=points(30))
    with pytest.raises(ProjectError, match="reviewed meanwhile"):
        apply(accepted, ReviseProposals((fresh,)))
    assert apply(project, ReviseProposals((fresh,))).annotations[2].keypoints == points(30)
    assert apply(project, ReviseProposals((project.annotations[2],))) is project


def test_labels_say_what_is_done():
    assert SwapAlternatives((2,)).label == "Take the other map"
    assert SwapAlternatives((2, 3)).label == "Take the other map on 2 proposals"


def test_another_category_has_no_use_for_what_was_said_of_the_first(project):
    masked = replace(project.annotations[2], bbox=(1, 1, 5, 5))
    project = replace(project, annotations=project.annotations.set(2, masked))
    changed = apply(project, SetCategory((2,), 2)).annotations[2]
    assert changed.votes == ()
    assert changed.alternative is None


def test_three_equal_choices_speak_for_the_rest(project):
    for id_ in (2, 3):
        project = apply(project, SwapAlternatives((id_,)))
    assert Choices(project).evidence(project.annotations[2]).total == 2
    assert swaps_by_evidence(project, project.annotations[2]) == ()
    project = apply(project, SwapAlternatives((4,)))
    evidence = Choices(project).evidence(project.annotations[2])
    assert evidence.settled is Pose.MIRRORED
    assert sorted(swaps_by_evidence(project, project.annotations[2])) == [5, 6, 7]


def test_choices_that_differ_settle_nothing(project):
    for id_ in (2, 3, 4):
        project = apply(project, SwapAlternatives((id_,)))
    # Accepted as it is, though another map competed: that is a choice too.
    project = apply(project, SetStatus((5,), Status.ACCEPTED))
    assert Choices(project).evidence(project.annotations[2]).settled is None
    assert swaps_by_evidence(project, project.annotations[2]) == ()


def test_what_was_swapped_by_evidence_is_no_evidence(project):
    project = apply(project, SwapAlternatives((2, 3, 4), is_chosen=False))
    assert Choices(project).evidence(project.annotations[2]).total == 0


def test_evidence_counts_within_the_same_sources_and_the_band(project):
    others = replace(ambiguous(5), provenance=Propagated((8,), "key"))
    clear = ambiguous(6, support=0.1)
    annotations = project.annotations.set(5, others).set(6, clear)
    project = replace(project, annotations=annotations)
    for id_ in (2, 3, 4):
        project = apply(project, SwapAlternatives((id_,)))
    assert swaps_by_evidence(project, project.annotations[2]) == (7,)


def test_a_fresh_proposal_keeps_what_was_chosen(project):
    fresh = replace(ambiguous(2), id=0)
    assert as_chosen_before(project, fresh, Choices(project)) is fresh
    project = apply(project, SwapAlternatives((2,)))
    kept = as_chosen_before(project, fresh, Choices(project))
    assert kept.keypoints == points(50)
    assert kept.alternative.is_chosen
    # The engine now takes by itself what had been chosen.
    same = replace(ambiguous(2, Pose.PLAIN), id=0)
    assert as_chosen_before(project, same, Choices(project)) is same
    plain = replace(fresh, alternative=None)
    assert as_chosen_before(project, plain, Choices(project)) is plain


def test_a_fresh_proposal_follows_what_all_choices_agree_on(project):
    fresh = replace(ambiguous(8), id=0)
    for id_ in (2, 3, 4):
        project = apply(project, SwapAlternatives((id_,)))
    swapped = as_chosen_before(project, fresh, Choices(project))
    assert swapped.keypoints == points(50)
    assert not swapped.alternative.is_chosen
