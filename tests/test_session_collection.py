"""The question and the words; the job with an engine of tiny arithmetic."""

import numpy as np
import pytest
import torch

from fmstudio.engine.match import Matcher
from fmstudio.engine.overview import Outlier, OutlierReason, Overview
from fmstudio.engine.requests import MatchSettings
from fmstudio.errors import ProjectError
from fmstudio.features.base import ExtractorSpec, FeatureMap
from fmstudio.project.edits import RemoveImages
from fmstudio.session import CancelToken
from fmstudio.session_collection import (
    collection_request,
    map_collection,
    map_quality,
    outlier_reason,
)

SETTINGS = MatchSettings(
    basis_extractor="pixels", descriptor_extractors=("pixels",), long_side=128, k=12
)


class Pixels:
    """Mean colour of each patch through fixed cosines."""

    spec = ExtractorSpec("pixels", "pixels-1", "none", 32)

    def __init__(self, _name, *, device="cpu"):
        self._mix = torch.randn(3, 32, generator=torch.Generator().manual_seed(0)) * 4

    def extract(self, rgb, grid):
        values = torch.from_numpy(np.array(rgb)).permute(2, 0, 1)[None].float() / 255
        mean = torch.nn.functional.adaptive_avg_pool2d(values, (grid.rows, grid.cols))[0]
        return FeatureMap(torch.cos(mean.permute(1, 2, 0) @ self._mix), grid, self.spec.key)


class TinyLive:
    """A `Live` whose pairs have a matcher without networks."""

    def __init__(self, session):
        self.load = session.load
        self.matcher = Matcher(SETTINGS, extractors=Pixels)

    def pairs(self):
        return self


@pytest.fixture
def session(make_session):
    return make_session()


def test_the_job_maps_every_image_and_knows_the_reference(session):
    request = collection_request(session.project)
    assert sum(request.is_annotated) == 1
    found = [*map_collection(TinyLive(session), request, CancelToken())][-1]
    assert isinstance(found, Overview)
    assert found.ids == tuple(image.id for image in request.images)
    assert found.coverage[request.is_annotated.index(True)] == pytest.approx(1)
    assert not found.failures


def test_a_file_that_is_gone_is_named(session):
    image = session.project.sorted_images()[1]
    session.path_of(image).unlink()
    request = collection_request(session.project)
    found = [*map_collection(TinyLive(session), request, CancelToken())][-1]
    assert [failure.target.id for failure in found.failures] == [image.id]
    assert len(found.ids) == len(request.images) - 1


def test_two_images_are_too_few(session):
    session.perform(RemoveImages(tuple(sorted(session.project.images)[2:])))
    with pytest.raises(ProjectError, match="3 images"):
        collection_request(session.project)


def test_quality_is_what_inconsistency_leaves():
    assert [map_quality(error) for error in (0.0, 0.045, 0.09, 1.5)] == [1.0, 0.5, 0.0, 0.0]
    assert np.isnan(map_quality(float("nan")))


@pytest.mark.parametrize("reason", OutlierReason)
def test_every_reason_is_a_sentence(reason):
    assert outlier_reason(Outlier(0, reason)).endswith(".")
