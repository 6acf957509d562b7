"""Small labelled folders with real encoded photos, and features without a network."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import MatchSettings
from fmstudio.evaluation.datasets import find_sets
from fmstudio.features.base import ExtractorSpec, FeatureMap
from fmstudio.geometry.masks import Mask

CELL = 16


class SetWriter:
    """Writes one folder with ``images/`` and ``coco.json``."""

    def __init__(self, folder: Path, *, points=("a", "b"), category="thing"):
        self.folder = folder
        (folder / "images").mkdir(parents=True)
        self.coco = {
            "images": [],
            "annotations": [],
            "categories": [{"id": 1, "name": category, "keypoints": list(points), "skeleton": []}],
        }

    def image(self, image_id, rgb):
        name = f"photo{image_id}.png"
        Image.fromarray(rgb).save(self.folder / "images" / name)
        height, width = rgb.shape[:2]
        self.coco["images"].append(
            {"id": image_id, "file_name": name, "width": width, "height": height}
        )

    def annotation(self, annotation_id, image_id, *, xyv=None, mask=None, bbox=None, **more):
        record = {"id": annotation_id, "image_id": image_id, "category_id": 1, "iscrowd": 0}
        if xyv is not None:
            record["keypoints"] = [v for point in xyv for v in point]
            record["num_keypoints"] = sum(point[2] > 0 for point in xyv)
        if mask is not None:
            counts = Mask.from_array(mask).to_rle_bytes().decode()
            record["segmentation"] = {"size": list(mask.shape), "counts": counts}
            record["area"] = int(mask.sum())
        if bbox is not None:
            record["bbox"] = list(bbox)
            record.setdefault("area", bbox[2] * bbox[3])
        self.coco["annotations"].append({**record, **more})

    def close(self) -> Path:
        (self.folder / "coco.json").write_text(json.dumps(self.coco))
        return self.folder


class ColourExtractor:
    """Random Fourier features of each patch's mean colour: alike where the colours are."""

    def __init__(self, name, *, device="cpu"):
        generator = np.random.default_rng(len(name))
        self.turns = generator.normal(0, 12, (3, 64))
        self.start = generator.uniform(0, 2 * np.pi, 64)
        self.name = name
        self.calls = 0

    @property
    def spec(self):
        return ExtractorSpec(self.name, f"colour:{self.name}", "Apache-2.0", 64)

    def extract(self, rgb, grid):
        self.calls += 1
        at = grid.centers().astype(int)
        colour = rgb[at[:, 1], at[:, 0]] / 255.0
        data = torch.from_numpy(np.cos(colour @ self.turns + self.start)).float()
        data = torch.nn.functional.normalize(data, dim=1)
        return FeatureMap(data.reshape(grid.rows, grid.cols, 64), grid, self.spec.key)


@pytest.fixture
def settings():
    """Return settings of whole images; one of 160 x 120 has a grid of 10 x 8 patches or so."""
    whole = {"fine_side": 0, "mirror": False, "edges": False}
    return MatchSettings("colour", ("colour", "colour-too"), long_side=160, k=30, **whole)


@pytest.fixture
def matcher(settings):
    """Return the real matcher over features that need no weights."""
    return Matcher(settings, extractors=ColourExtractor)


@pytest.fixture
def writer(tmp_path):
    """Return a maker of labelled folders below ``tmp_path``."""

    def make(name="set", **more):
        return SetWriter(tmp_path / name, **more)

    return make


@pytest.fixture
def mosaic():
    """Return a maker of images of coloured cells, rolled by whole cells."""

    def make(down=0, right=0, *, rows=8, cols=10, cell=16):
        cells = np.random.default_rng(0).integers(0, 256, (rows, cols, 3), dtype=np.uint8)
        rolled = np.roll(cells, (down, right), axis=(0, 1))
        return rolled.repeat(cell, axis=0).repeat(cell, axis=1)

    return make


@pytest.fixture
def moved(writer, mosaic):
    """Return three views of one mosaic, moved by whole cells, with points and a mask."""
    made = writer("moved", points=tuple("abcd"))
    for image_id, (down, right) in enumerate([(0, 0), (1, 2), (2, 1)], start=1):
        made.image(image_id, mosaic(down, right))
        mask = np.zeros((8 * CELL, 10 * CELL), dtype=bool)
        y, x = (1 + down) * CELL, (1 + right) * CELL
        mask[y : y + 4 * CELL, x : x + 5 * CELL] = True
        corners = [(0.5, 0.5), (4.5, 0.5), (0.5, 3.5), (4.5, 3.5)]
        made.annotation(
            image_id,
            image_id,
            xyv=[(x + a * CELL, y + b * CELL, 2) for a, b in corners],
            mask=mask,
            bbox=(x, y, 5 * CELL, 4 * CELL),
        )
    return find_sets(made.close())
