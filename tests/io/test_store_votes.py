"""Votes and competing maps in the project file."""

from dataclasses import replace

import numpy as np
import pytest

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import AlternativeMark, Pose, Vote
from fmstudio.io import store_votes
from fmstudio.io.store import Store
from fmstudio.project.model import (
    Annotation,
    Category,
    ImageItem,
    InboxEntry,
    Project,
    Propagated,
    Status,
)

SIZE = ImageSize(20, 10)
POINTS = Keypoints([[1.5, 2.25], [8, 3]], [2, 1], [0.4, 0.6])
VOTES = (
    Vote(4, [[1, 2], [3, 4]], [0.1, 0.9], [0.25, 1.0], 2.0),
    Vote(9, [[1.7, 2.1], [30, 4]], [0.3, 0.2], [0.75, 0.0], 0.0),
)
OTHER = AlternativeMark(
    Keypoints([[9, 9], [2, 3]], [2, 2], [0.2, 0.3]),
    Mask(SIZE, [10, 30, 160]),
    0.25,
    0.31,
    0.33,
    Pose.MIRRORED,
    Pose.PLAIN,
    VOTES[:1],
    is_chosen=True,
)


@pytest.fixture
def project():
    carried = Propagated((4, 9), "k")
    voted = Annotation(1, 1, 1, POINTS, None, Status.PROPOSED, carried, 0.5, votes=VOTES)
    bare = replace(OTHER, keypoints=None, votes=())
    return Project.build(
        "p",
        [ImageItem(1, "a.png", SIZE, "0" * 64)],
        [Category(1, "c", keypoints=("a", "b"))],
        [voted, replace(voted, id=2, alternative=OTHER), replace(voted, id=3, alternative=bare)],
    )


def test_votes_and_the_other_map_come_back_as_they_were(tmp_path, project):
    path = tmp_path / "p.fmstudio"
    Store.create(path, project).close()
    with Store.open(path) as store:
        assert store.load() == project


def test_they_survive_in_the_inbox(tmp_path, project):
    drafts = tuple(replace(a, id=0) for a in project.annotations.values())
    with Store.create(tmp_path / "p.fmstudio", project) as store:
        entry = store.inbox_add(InboxEntry(1, drafts))
        assert store.inbox() == (entry,)


def test_a_vote_takes_sixteen_bytes_a_keypoint():
    packed = store_votes.pack_votes(VOTES)
    assert len(packed) == 2 * (16 + 2 * 16)
    assert store_votes.unpack_votes(packed) == VOTES
    assert store_votes.pack_votes(()) is None


@pytest.mark.parametrize("cut", [3, 20])
def test_votes_that_are_cut_short_are_refused(cut):
    with pytest.raises(ValueError, match="cut short"):
        store_votes.unpack_votes(store_votes.pack_votes(VOTES)[:cut])


@pytest.mark.parametrize(
    ("text", "words"),
    [(7, "text"), ("{}", "described wrongly"), ('{"quality": 1', "delimiter"), ("[]", "wrongly")],
)
def test_a_damaged_alternative_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        store_votes.alternative_of(text, None, None, None)
    with pytest.raises(ValueError, match="blob"):
        store_votes.unpack_votes(np.zeros(2))
