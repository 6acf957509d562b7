import numpy as np
import pytest

from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import AlternativeMark, Pose, Vote, competing

POINTS = Keypoints.drawn([[0, 0], [100, 0], [50, 50]], [2, 2, 0])


def vote(xy, weight=(0.5, 0.25, 0.0), say=1.0):
    return Vote(3, xy, [0.9, 0.4, 0.1], weight, say)


def test_a_vote_is_read_only_and_compares_by_content():
    one = vote([[1, 2], [3, 4], [5, 6]])
    with pytest.raises(ValueError, match="read-only"):
        one.xy[0] = 7
    assert one == vote([[1, 2], [3, 4], [5, 6]])
    assert hash(one) == hash(vote([[1, 2], [3, 4], [5, 6]]))
    assert one != vote([[1, 2], [3, 4], [5, 7]])
    assert one != vote([[1, 2], [3, 4], [5, 6]], say=2.0)
    assert one != "a vote"
    assert len(one) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"xy": [[1, 2]]},
        {"xy": [[1, 2], [3, np.inf], [5, 6]]},
        {"xy": [[1, 2], [3, 4], [5, 6]], "say": -1.0},
    ],
)
def test_what_is_no_vote_is_refused(wrong):
    with pytest.raises(ValueError, match="vote"):
        vote(**wrong)


def test_weight_and_agreement_count_labelled_points_only():
    # The second lies 11 px off, and the object is 100 px long; the third is not labelled.
    said = vote([[9, 0], [100, 11], [900, 900]])
    assert said.mean_weight(POINTS) == pytest.approx(0.375)
    assert said.agreement(POINTS) == pytest.approx(0.5)
    nothing = Keypoints.drawn(np.zeros((3, 2)), [0, 0, 0])
    assert said.mean_weight(nothing) == said.agreement(nothing) == 0.0


def test_maps_compete_when_they_are_supported_about_equally():
    assert competing(0.3, 0.24)
    assert competing(0.24, 0.3)
    assert not competing(0.3, 0.2)
    assert not competing(0.0, 0.0)
    other = AlternativeMark(POINTS, None, 0.4, 0.28, 0.3, Pose.MIRRORED, Pose.PLAIN)
    assert other.margin == pytest.approx(0.02)
    assert other.competes
