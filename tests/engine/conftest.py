"""A tiny extractor: real arithmetic on real pixels, no weights."""

import numpy as np
import pytest
import torch

from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import MatchSettings
from fmstudio.features.base import ExtractorSpec, FeatureMap

SETTINGS = MatchSettings(
    basis_extractor="pixels", descriptor_extractors=("pixels",), long_side=256, k=30
)


class PixelExtractor:
    """Mean colour of each patch through fixed random cosines: smooth, local and distinctive."""

    def __init__(self, name, *, device="cpu"):
        self.spec = ExtractorSpec(name, f"{name}-1", "none", 32)
        self.calls = 0
        generator = torch.Generator().manual_seed(0)
        self._mix = torch.randn(3, 32, generator=generator) * 4

    def extract(self, rgb, grid):
        self.calls += 1
        values = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].float() / 255
        mean = torch.nn.functional.adaptive_avg_pool2d(values, (grid.rows, grid.cols))[0]
        data = torch.cos(mean.permute(1, 2, 0) @ self._mix)
        return FeatureMap(torch.nn.functional.normalize(data, dim=2), grid, self.spec.key)


@pytest.fixture
def pixel_extractor():
    return PixelExtractor


@pytest.fixture
def make_matcher():
    def make(settings=SETTINGS, cache=None):
        made = []

        def factory(name, *, device):
            made.append(PixelExtractor(name, device=device))
            return made[-1]

        matcher = Matcher(settings, cache=cache, extractors=factory)
        matcher.made = made
        return matcher

    return make


@pytest.fixture
def scene():
    """A smooth, everywhere different picture (192, 256, 3) uint8."""
    rows, cols = np.mgrid[0:192, 0:256]
    channels = (cols, rows * 1.3, 128 + 60 * np.sin(cols / 40) * np.cos(rows / 30))
    return np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8)
