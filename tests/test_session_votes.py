"""What the window and the command line ask of a session about votes and the next image."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import MatchSettings, Progress, ProposedMark
from fmstudio.errors import ImageError, MatchError, ProjectError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import AlternativeMark, Pose, Vote
from fmstudio.project.edits import ReviseProposals, SetStatus, apply
from fmstudio.project.model import (
    Annotation,
    Category,
    ImageItem,
    Project,
    Propagated,
    Status,
)
from fmstudio.session_next import NextImage, next_image, next_request
from fmstudio.session_reweigh import reweigh_request, reweighed

SIZE = ImageSize(100, 50)


def points(x):
    return Keypoints.drawn([[x, 5]], [2])


def vote(source, say=1.0):
    return Vote(source, [[source, 5]], [0.5], [0.5], say)


@pytest.fixture
def project():
    images = [ImageItem(i, f"{i}.png", SIZE, f"{i:064x}") for i in range(1, 5)]
    guess = Annotation(
        3, 3, 1, points(10), None, Status.PROPOSED, Propagated((1, 2), "k"), 0.4,
        votes=(vote(1), vote(2, 2.0)),
    )  # fmt: skip
    drawn = [Annotation(i, i, 1, points(i), None) for i in (1, 2)]
    return Project.build("p", images, [Category(1, "c", keypoints=("a",))], [*drawn, guess])


def test_only_what_is_said_is_weighed_anew(project):
    request = reweigh_request(project, 3, {1: 0.0})
    assert [(ref.id, mark.id, say) for ref, mark, say in request.words] == [
        (1, 1, 0.0),
        (2, 2, 2.0),
    ]


def test_what_cannot_be_weighed_is_said(project):
    with pytest.raises(ProjectError, match="All references"):
        reweigh_request(project, 3, {1: 0.0, 2: 0.0})
    with pytest.raises(ProjectError, match="reviewed"):
        reweigh_request(apply(project, SetStatus((3,), Status.ACCEPTED)), 3, {})
    rejected = apply(project, SetStatus((1, 2), Status.REJECTED))
    with pytest.raises(ProjectError, match="propagate"):
        reweigh_request(rejected, 3, {})


def test_the_map_that_was_taken_stays_taken(project, monkeypatch):
    mirrored, plain = points(70), points(20)
    before = AlternativeMark(plain, None, 0.3, 0.3, 0.31, Pose.PLAIN, Pose.MIRRORED, is_chosen=True)
    chosen = replace(project.annotations[3], alternative=before)
    project = replace(project, annotations=project.annotations.set(3, chosen))
    other = AlternativeMark(mirrored, None, 0.2, 0.3, 0.31, Pose.MIRRORED, Pose.PLAIN)
    fused = ProposedMark(1, (2,), plain, None, 0.5, votes=(vote(2),), alternative=other)

    def fake(_words, _target, _weighed, _token):
        yield fused

    monkeypatch.setattr("fmstudio.engine.reweigh.reweigh", fake)

    class FakeLive:
        settings = MatchSettings()

        def words(self):
            return None

    request = reweigh_request(project, 3, {1: 0.0})
    (edit,) = reweighed(FakeLive(), request, CancelToken())
    assert isinstance(edit, ReviseProposals)
    (fresh,) = edit.annotations
    assert fresh.keypoints == mirrored
    assert fresh.alternative.is_chosen
    assert fresh.provenance.sources == (2,)


def test_doubt_is_that_of_the_least_sure_proposal(project):
    request = next_request(project)
    assert request.is_annotated == (True, True, False, False)
    assert request.doubt == pytest.approx((0.0, 0.0, 0.6, 1.0))
    drawn = [Annotation(i, i, 1, points(i), None) for i in range(1, 5)]
    done = Project.build("p", project.images.values(), project.categories.values(), drawn)
    with pytest.raises(ProjectError, match="Every image"):
        next_request(done)


class Looks:
    """A matcher that knows an image by its number."""

    def __init__(self, known):
        self._known = known

    def recall(self, _size, key):
        return None

    def analyse(self, rgb, key):
        return rgb


class FakeLive:
    def __init__(self, of):
        self._of = of

    def pairs(self):
        class Pairs:
            matcher = Looks(self._of)

        return Pairs()

    def load(self, image):
        if image.id not in self._of:
            raise ImageError("missing")

        class Analysis:
            descriptors = torch.tensor([self._of[image.id]], dtype=torch.float32)

        return Analysis()


def test_the_image_that_covers_most_doubt_comes_with_its_reason(project):
    of = {1: [1, 0, 0], 2: [1, 0.1, 0], 4: [0, 0, 1]}
    *steps, found = next_image(FakeLive(of), next_request(project), CancelToken())
    assert all(isinstance(step, Progress) for step in steps)
    assert found == NextImage(4, (), 1.0, 1)
    with pytest.raises(MatchError, match="can be read"):
        list(next_image(FakeLive({}), next_request(project), CancelToken()))


def test_the_reason_is_one_sentence():
    assert NextImage(1, (2, 3), 0.41).reason == (
        "Covers 2 unreviewed images that look like it; mean doubt 0.41."
    )
    assert "1 unreviewed image that looks" in NextImage(1, (2,), 0.4).reason
    assert NextImage(1, (), 0.4).reason == "It looks like no other image; its doubt is 0.40."
    assert np.isclose(NextImage(1, (), 0.4).doubt, 0.4)
