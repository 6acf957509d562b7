import threading
from dataclasses import replace

import numpy as np
import pytest

from fmstudio.engine.cache import TensorCache
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.propagate import propagate
from fmstudio.engine.requests import (
    Failure,
    ImageRef,
    Mark,
    Progress,
    PropagationRequest,
    Proposal,
    Reference,
)
from fmstudio.errors import Cancelled, ImageError, MatchError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.spectral.reasons import REASONS

SIZE = ImageSize(256, 192)


@pytest.fixture
def images(scene):
    """The scene, and three views of it shifted to the left by a known number of pixels."""
    wide = np.concatenate([scene, scene[:, ::-1]], axis=1)
    return {i: np.ascontiguousarray(wide[:, x : x + 256]) for i, x in ((1, 0), (2, 16), (3, 32))}


@pytest.fixture
def request_of(make_matcher):
    def make(targets=(2, 3), marks=None, references=(1,)):
        if marks is None:
            mask = np.zeros((192, 256), dtype=bool)
            mask[60:140, 100:200] = True
            points = Keypoints.drawn([[120.0, 80.0], [0, 0], [180.0, 120.0]], [2, 0, 1])
            marks = (Mark(5, 1, points, Mask.from_array(mask)),)
        refs = tuple(Reference(image(i), marks) for i in references)
        return PropagationRequest(refs, tuple(map(image, targets)), make_matcher().settings)

    return make


def image(i):
    return ImageRef(i, f"hash{i}", f"{i}.png", SIZE)


def run(request, images, matcher, token=None):
    def load(ref):
        if ref.id not in images:
            raise ImageError(f"{ref.name} is missing.")
        return images[ref.id]

    return propagate(request, load=load, token=token or CancelToken(), matcher=matcher)


def test_marks_arrive_where_the_object_went(request_of, images, make_matcher):
    events = list(run(request_of(), images, make_matcher()))
    proposals = [e for e in events if isinstance(e, Proposal)]
    assert [p.target.id for p in proposals] == [2, 3]
    for proposal, shift in zip(proposals, (16, 32), strict=True):
        (mark,) = proposal.marks
        assert mark.sources == (5,)
        assert mark.keypoints.visibility.tolist() == [2, 0, 1]
        truth = np.array([[120.0 - shift, 80.0], [180.0 - shift, 120.0]])
        assert np.abs(mark.keypoints.xy[[0, 2]] - truth).max() < 8
        moved = np.zeros((192, 256), dtype=bool)
        moved[60:140, 100 - shift : 200 - shift] = True
        carried = mark.mask.to_array()
        assert (carried & moved).sum() / (carried | moved).sum() > 0.7
        assert 0 < mark.quality <= 1
        assert set(mark.reasons) == set(REASONS)
        assert set(mark.mask_reasons) == set(REASONS)
        assert mark.extent >= 100


def test_maps_that_agree_carry_to_what_can_be_read(request_of, images, make_matcher, tmp_path):
    settings = replace(make_matcher().settings, consistency=0.1, turns=False)
    request = replace(request_of(targets=(2, 9, 3)), settings=settings)
    matcher = make_matcher(settings, TensorCache(tmp_path))
    events = list(run(request, images, matcher))
    found = [e for e in events if isinstance(e, Proposal | Failure)]
    assert [(type(e), e.target.id) for e in found] == [(Proposal, 2), (Failure, 9), (Proposal, 3)]
    (mark,) = found[0].marks
    assert np.abs(mark.keypoints.xy[0] - [104.0, 80.0]).max() < 8
    # All are looked at before the first is carried, and then the object on each, closely.
    assert [extractor.calls for extractor in matcher.made] == [3 + 3]


def test_progress_counts_up_and_learns_to_guess_the_rest(request_of, images, make_matcher):
    events = list(run(request_of(), images, make_matcher()))
    progress = [e for e in events if isinstance(e, Progress)]
    assert [p.done for p in progress] == sorted(p.done for p in progress)
    assert progress[0].eta is None
    assert progress[-1].done == progress[-1].total == 2
    assert progress[-1].eta == pytest.approx(0)


def test_a_bad_target_fails_alone(request_of, images, make_matcher):
    events = list(run(request_of(targets=(2, 99, 3)), images, make_matcher()))
    outcomes = [e for e in events if isinstance(e, Proposal | Failure)]
    assert [(type(e), e.target.id) for e in outcomes] == [
        (Proposal, 2),
        (Failure, 99),
        (Proposal, 3),
    ]
    assert outcomes[1].message == "99.png is missing."


def test_a_bad_reference_is_noted_and_the_others_vote(request_of, images, make_matcher):
    events = list(run(request_of(references=(99, 1)), images, make_matcher()))
    proposals = [e for e in events if isinstance(e, Proposal)]
    assert proposals[0].notes == ("Reference left out: 99.png is missing.",)


def test_nothing_to_carry_is_said(request_of, images, make_matcher):
    with pytest.raises(MatchError, match="nothing to carry"):
        list(run(request_of(marks=()), images, make_matcher()))
    with pytest.raises(MatchError, match=r"No reference image can be read\. .*99\.png"):
        list(run(request_of(references=(99,)), images, make_matcher()))


def test_cancel_stops_between_items(request_of, images, make_matcher):
    token = CancelToken()
    stream = run(request_of(), images, make_matcher(), token)
    for event in stream:
        if isinstance(event, Proposal):
            token.cancel()
            break
    rest = []
    with pytest.raises(Cancelled):
        rest.extend(stream)
    assert not any(isinstance(event, Proposal) for event in rest)


def test_a_second_run_opens_no_image(request_of, images, make_matcher, tmp_path):
    # Edges are looked for in the pixels themselves.
    settings = replace(make_matcher().settings, edges=False)
    request = replace(request_of(), settings=settings)
    first = list(run(request, images, make_matcher(settings, TensorCache(tmp_path))))
    again = list(run(request, {}, make_matcher(settings, TensorCache(tmp_path))))
    pairs = zip(*([e for e in es if isinstance(e, Proposal)] for es in (first, again)), strict=True)
    for a, b in pairs:
        assert a.key == b.key
        assert np.abs(a.marks[0].keypoints.xy - b.marks[0].keypoints.xy).max() < 0.5


def test_the_next_target_is_opened_while_one_is_matched(request_of, images, make_matcher):
    opened, carried = {}, []

    def load(ref):
        if ref.id != 1:
            assert ref.id not in opened  # each target once
            opened[ref.id] = threading.current_thread()
        if ref.id not in images:
            raise ImageError(f"{ref.name} is missing.")
        return images[ref.id]

    request = request_of(targets=(2, 99, 3))
    for event in propagate(request, load=load, token=CancelToken(), matcher=make_matcher()):
        if isinstance(event, Proposal | Failure):
            carried.append(event.target.id)
            assert len(opened) <= len(carried) + 1
    assert carried == [2, 99, 3]
    here = threading.current_thread()
    assert {i: thread is here for i, thread in opened.items()} == {2: True, 99: False, 3: False}


def test_what_the_cache_knows_is_not_opened_ahead(request_of, images, make_matcher, tmp_path):
    settings = replace(make_matcher().settings, edges=False)
    request = replace(request_of(), settings=settings)
    list(run(request, images, make_matcher(settings, TensorCache(tmp_path))))
    opened = []

    def load(ref):
        opened.append(ref.id)
        return images[ref.id]

    again = make_matcher(settings, TensorCache(tmp_path))
    list(propagate(request, load=load, token=CancelToken(), matcher=again))
    assert opened == []


def test_a_cancelled_run_waits_for_no_image(request_of, images, make_matcher):
    gate, token = threading.Event(), CancelToken()

    def load(ref):
        if ref.id == 3:
            gate.wait(30)
        return images[ref.id]

    stream = propagate(request_of(), load=load, token=token, matcher=make_matcher())
    while not isinstance(next(stream), Proposal):
        pass
    token.cancel()
    next(stream)  # of the target that was just carried to
    with pytest.raises(Cancelled):
        next(stream)
    assert not gate.is_set()
    gate.set()
