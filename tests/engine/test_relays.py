from dataclasses import replace

import numpy as np
import pytest
import torch

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.carry import CarriedMark, vote
from fmstudio.engine.consensus import PointScores
from fmstudio.engine.keys import request_key
from fmstudio.engine.propagate import propagate
from fmstudio.engine.relays import Relays, is_weak, relayed
from fmstudio.engine.requests import (
    ImageRef,
    Mark,
    Progress,
    PropagationRequest,
    Proposal,
    ProposedMark,
    Reference,
)
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.geometry.points import Keypoints

SIZE = ImageSize(320, 240)
GRID = PatchGrid(SIZE, 15, 20)


def image(i):
    return ImageRef(i, f"hash{i}", f"{i}.png", SIZE)


def proposal(i, quality):
    points = Keypoints(np.array([[50.0, 60.0]]), np.array([2]), np.array([quality]))
    return Proposal(image(i), (ProposedMark(1, (7,), points, None, quality),), "key")


def mean(angle):
    return torch.tensor([np.cos(angle), np.sin(angle)], dtype=torch.float32)


def word(mark_id, xy, confidence, score=1.0):
    """One point's word, with a score that falls off around it."""
    xy = np.array([xy], dtype=float)
    gap = np.linalg.norm(GRID.centers()[None] - xy[:, None], axis=2)
    rows = torch.from_numpy(0.4 * np.exp(-((gap / 24) ** 2) / 2))
    points = Keypoints(np.ones((1, 2)), np.array([2]), np.array([score]))
    scores = PointScores((0, 0, 320, 240), GRID, rows)
    reasons = {"cycle": np.zeros(1)}
    return CarriedMark(
        Mark(mark_id, 1, points), xy, np.array([confidence]), reasons, None, scores, extent=100.0
    )


def test_weak_images_are_reached_through_surer_ones_like_them():
    relays = Relays(2)
    for i, (quality, angle) in enumerate(((0.3, 0.0), (0.9, 1.2), (0.8, 0.1), (0.7, 0.2))):
        relays.add(proposal(i, quality), mean(angle))
    ((target, through),) = relays.reached()
    assert target.id == 0
    assert [relay.image.id for relay in through] == [2, 3]  # The surest looks different.
    assert through[0].marks[0].keypoints.score.tolist() == [0.8]


def test_who_is_more_lost_does_not_help():
    relays = Relays(4)
    relays.add(proposal(0, 0.3), mean(0))
    relays.add(proposal(1, 0.3), mean(0))
    assert relays.reached() == []
    assert Relays(0).reached() == []


def test_what_was_not_found_is_not_passed_on():
    relays = Relays(4)
    relays.add(proposal(0, 0.3), mean(0))
    nothing = Keypoints(np.zeros((1, 2)), np.array([0]), np.zeros(1))
    relays.add(Proposal(image(1), (ProposedMark(1, (7,), nothing, None, 0.9),), "key"), mean(0))
    assert relays.reached() == []
    assert not is_weak(Proposal(image(1), (), "key"))


def test_a_guess_counts_no_more_than_both_of_its_steps():
    passed = relayed(word(7, [50, 60], 0.64, score=0.25))
    assert passed.is_relayed
    assert passed.confidence == pytest.approx([0.4])
    assert passed.quality == pytest.approx(0.4)


def test_relays_outvote_a_weak_reference_and_are_no_sources():
    own = word(7, [300, 200], 0.2)
    others = [relayed(word(7, [56, 56], 0.8, score=0.8)) for _ in range(3)]
    (mark,) = vote([[own], *([each] for each in others)], GRID)
    assert np.abs(mark.keypoints.xy[0] - [56, 56]).max() < 1
    assert mark.sources == (7,)
    assert len(mark.votes) == 1
    assert np.allclose(mark.votes[0].xy, [[300, 200]])
    # Agreeing with each other makes them no more witnesses than one reference.
    independent = [word(8 + i, [56, 56], 0.8) for i in range(3)]
    (sure,) = vote([[own], *([each] for each in independent)], GRID)
    assert mark.keypoints.score[0] < sure.keypoints.score[0]


def test_relays_do_not_bring_a_category_or_choose_between_objects():
    other = word(9, [50, 60], 0.9)
    other = relayed(replace(other, mark=replace(other.mark, category=2)))
    (mark,) = vote([[word(7, [100, 100], 0.9)], [other]], GRID)
    assert mark.category == 1
    two = [word(1, [40, 40], 0.3), word(2, [200, 200], 0.3)]
    marks = vote([two, [relayed(word(7, [50, 60], 0.9))]], GRID)
    assert [m.sources for m in marks] == [(1,), (2,)]


@pytest.fixture
def run(scene, make_matcher):
    """Carry a point from the scene to a bad picture of it and two good ones."""
    wide = np.concatenate([scene, scene[:, ::-1]], axis=1)
    noise = np.random.default_rng(0).integers(0, 255, (192, 256, 3))
    images = {i: np.ascontiguousarray(wide[:, x : x + 256]) for i, x in ((1, 0), (3, 16), (4, 24))}
    images[2] = (0.25 * wide[:, 32:288] + 0.75 * noise).astype(np.uint8)
    size = ImageSize(256, 192)

    def go(through):
        settings = replace(make_matcher().settings, through=through)
        points = Keypoints.drawn([[120.0, 80.0], [180.0, 120.0]], [2, 2])
        refs = [ImageRef(i, f"hash{i}", f"{i}.png", size) for i in (1, 2, 3, 4)]
        references = (Reference(refs[0], (Mark(5, 1, points),)),)
        request = PropagationRequest(references, tuple(refs[1:]), settings)
        matcher = make_matcher(settings)
        return settings, list(
            propagate(request, load=lambda r: images[r.id], token=CancelToken(), matcher=matcher)
        )

    return go


def test_a_weak_target_is_proposed_again_at_the_end(run, monkeypatch):
    # Colours through random cosines are never as sure as the networks are.
    monkeypatch.setattr("fmstudio.engine.relays._WEAK", 0.5)
    settings, events = run(2)
    proposals = [e for e in events if isinstance(e, Proposal)]
    weak = {p.target.id for p in proposals[:3] if is_weak(p)}
    assert weak == {2}
    assert [p.target.id for p in proposals] == [2, 3, 4, 2]
    first, *_, last = proposals
    # Only the second is the last word of these settings: a killed run asks again.
    assert last.key == proposals[1].key == request_key(("hash1",), settings)
    assert first.key == request_key(("hash1",), replace(settings, through=0))
    assert last.marks[0].sources == (5,)
    assert not np.array_equal(first.marks[0].keypoints.xy, last.marks[0].keypoints.xy)
    progress = [e for e in events if isinstance(e, Progress)]
    assert progress[-1].done == progress[-1].total == 4


def test_without_it_every_target_is_proposed_once(run):
    _, events = run(0)
    assert [e.target.id for e in events if isinstance(e, Proposal)] == [2, 3, 4]
