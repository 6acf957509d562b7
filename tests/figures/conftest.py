"""A photo and itself, matched perfectly: what figures show of it is known."""

import numpy as np
import pytest
import torch

from fmstudio.engine.match import ImageAnalysis, PairMap
from fmstudio.figures.photos import Photo, PhotoPair
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.spectral.eigenbasis import uniform_basis


def make_photo(name, width, height, rows, cols, k):
    """Return a smooth photo with the cosine basis and descriptors that tell all patches apart."""
    ys, xs = np.mgrid[0:height, 0:width]
    bands = [xs * 255 / width, ys * 255 / height, 128 + 100 * np.sin(xs / 19) * np.cos(ys / 17)]
    rgb = np.stack(bands, axis=-1).astype(np.uint8)
    grid = PatchGrid(ImageSize(width, height), rows, cols)
    analysis = ImageAnalysis(grid, torch.eye(grid.n), uniform_basis(rows, cols, k), name)
    return Photo(name, rgb, analysis)


def make_identity(photo, k):
    """Return the photo as source and target, with the identity as its map."""
    grid = photo.analysis.grid
    return PhotoPair(photo, photo, PairMap(grid, grid, torch.eye(k), torch.eye(grid.n)))


@pytest.fixture
def identity():
    """A pair whose basis holds all functions, so that the identity map carries them all."""
    return make_identity(make_photo("scene.jpg", 160, 120, 12, 16, 192), 192)


@pytest.fixture
def uneven():
    """A landscape and a portrait of other grids and sizes, with a map of all ones."""
    a = make_photo("wide.jpg", 160, 120, 6, 8, 20)
    b = make_photo("tall.jpg", 90, 180, 10, 5, 12)
    generator = torch.Generator().manual_seed(0)
    # Two sets of descriptors of one dimension, as of one network.
    b = Photo(
        b.name,
        b.rgb,
        ImageAnalysis(b.analysis.grid, torch.eye(50)[:, :48], b.analysis.basis, "tall"),
    )
    score = torch.rand(48, 50, generator=generator)
    return PhotoPair(a, b, PairMap(a.analysis.grid, b.analysis.grid, torch.eye(12, 20), score))
