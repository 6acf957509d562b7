"""The sample collection is sound: files, COCO rules, hand-placed points, exact transforms."""

import contextlib
import importlib.util
import io
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "resources" / "sample"
VIEWS = [
    "rotated.jpg",
    "scaled.jpg",
    "perspective.jpg",
    "warped.jpg",
    "mirrored.jpg",
    "dim.jpg",
    "closeup.jpg",
]


def _document(name: str) -> dict[str, Any]:
    return json.loads((SAMPLE / name / "coco.json").read_text(encoding="utf-8"))


def _records(name: str) -> dict[str, tuple[np.ndarray, Mask, dict[str, Any]]]:
    """Return keypoints (k, 3), mask and annotation by file name."""
    document = _document(name)
    records = {}
    for image, ann in zip(document["images"], document["annotations"], strict=True):
        assert ann["image_id"] == image["id"]
        size = ImageSize(image["width"], image["height"])
        mask = Mask.from_rle_bytes(size, ann["segmentation"]["counts"].encode())
        points = np.array(ann["keypoints"], dtype=float).reshape(-1, 3)
        records[image["file_name"]] = points, mask, ann
    return records


def _backward(truth: dict[str, Any], xy: np.ndarray) -> np.ndarray:
    """Return reference points (n, 2) of view points (n, 2), from the stated parameters alone."""
    if truth["kind"] == "homography":
        mapped = cv2.perspectiveTransform(xy[None], np.linalg.inv(np.array(truth["matrix"])))
        return mapped[0]
    x, y = xy.T
    (length_x, length_y), (phase_x, phase_y) = truth["wavelength"], truth["phase"]
    dx = np.sin(2 * np.pi * y / length_y + phase_y)
    dy = np.sin(2 * np.pi * x / length_x + phase_x)
    return xy + truth["amplitude"] * np.stack([dx, dy], axis=1)


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return json.loads((SAMPLE / "views" / "truth.json").read_text(encoding="utf-8"))["views"]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_sample", ROOT / "packaging" / "make_sample.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up while the class is made.
    sys.modules["make_sample"] = module
    spec.loader.exec_module(module)
    return module


# pycocotools 2.0.11 reads its own buffers in a way that NumPy 2 warns about.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", ["cats", "views"])
def test_coco_files_follow_the_rules(name: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(SAMPLE / name / "coco.json")
    (category,) = coco.loadCats(coco.getCatIds())
    m = len(category["keypoints"])
    assert category["id"] == 1
    assert category["supercategory"]
    assert len(category["sigmas"]) == m
    pairs = category["skeleton"] + category["flip_pairs"]
    assert all(1 <= index <= m for pair in pairs for index in pair)
    assert sorted(coco.anns) == list(range(1, len(coco.anns) + 1))
    for ann in coco.anns.values():
        image = coco.imgs[ann["image_id"]]
        mask = coco.annToMask(ann)
        points = np.array(ann["keypoints"]).reshape(m, 3)
        rows, cols = np.nonzero(mask)
        assert ann["iscrowd"] == 0
        assert isinstance(ann["segmentation"]["counts"], str)
        assert ann["area"] == mask.sum() > 0
        left, top = cols.min(), rows.min()
        box = [left, top, cols.max() - left + 1, rows.max() - top + 1]
        assert ann["bbox"] == box
        assert ann["num_keypoints"] == (points[:, 2] > 0).sum()
        assert (points[points[:, 2] == 0] == 0).all()
        assert (points >= 0).all()
        assert (points[:, :2] < [image["width"], image["height"]]).all()


@pytest.mark.parametrize("name", ["cats", "views"])
def test_photos_are_there_plain_and_as_large_as_stated(name: str) -> None:
    images = _document(name)["images"]
    folder = SAMPLE / name / "images"
    assert {image["file_name"] for image in images} == {path.name for path in folder.iterdir()}
    for image in images:
        with Image.open(folder / image["file_name"]) as photo:
            assert photo.format == "JPEG"
            assert photo.mode == "RGB"
            assert photo.size == (image["width"], image["height"])
            assert not photo.getexif()


def test_sample_is_small_and_every_photo_has_a_source() -> None:
    files = [path for path in SAMPLE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 2_500_000
    sources = (SAMPLE / "SOURCES.md").read_text(encoding="utf-8")
    for path in (SAMPLE / "cats" / "images").iterdir():
        assert f"`cats/images/{path.name}`" in sources
    assert "`views/images/reference.jpg`" in sources


def test_face_masks_hold_what_is_in_a_face() -> None:
    names = _document("cats")["categories"][0]["keypoints"]
    for file, (points, mask, _) in _records("cats").items():
        covered = mask.to_array()
        near = cv2.dilate(covered.astype(np.uint8), np.ones((5, 5), np.uint8))
        for name, (x, y, v) in zip(names, points, strict=True):
            if v == 0:
                continue
            is_tip = name.endswith("ear tip")
            assert (near if is_tip else covered)[int(y), int(x)], f"{file}: {name} lies outside"
        assert mask.n_parts == 1, file
        assert mask.n_holes == 0, file


def test_left_and_right_are_the_animals_own() -> None:
    # These four look at the camera, so their left is on the right of the photo.
    for file in ("siamese.jpg", "tabby.jpg", "persian.jpg", "chelsea.jpg"):
        points = _records("cats")[file][0]
        assert points[0, 0] > points[1, 0] + 50, file


def test_demo_reference_has_every_point_and_some_targets_do_not() -> None:
    records = _records("cats")
    assert len(records) == 5
    assert _document("cats")["info"]["reference"] == "siamese.jpg"
    assert (records["siamese.jpg"][0][:, 2] == 2).all()
    seen = {int(v) for points, _, _ in records.values() for v in points[:, 2]}
    assert seen == {0, 1, 2}


@pytest.mark.parametrize("view", VIEWS)
def test_views_points_follow_the_stated_transform(view: str, truth: dict[str, Any]) -> None:
    records = _records("views")
    reference, points = records["reference.jpg"][0], records[view][0]
    inside = points[:, 2] > 0
    assert inside.sum() >= 6
    assert (points[inside, 2] == reference[inside, 2]).all()
    back = _backward(truth[view]["transform"], points[inside, :2])
    # Coordinates are stored to a thousandth of a pixel; no view shrinks below 0.7.
    assert np.abs(back - reference[inside, :2]).max() < 3e-3


def test_points_that_leave_the_frame_are_not_labelled(truth: dict[str, Any]) -> None:
    records = _records("views")
    reference, points = records["reference.jpg"][0], records["closeup.jpg"][0]
    matrix = np.array(truth["closeup.jpg"]["transform"]["matrix"])
    xy = cv2.perspectiveTransform(reference[None, :, :2], matrix)[0]
    stays = ((xy >= 0) & (xy < [600, 400])).all(axis=1)
    assert (points[:, 2] > 0).tolist() == stays.tolist()
    assert 0 < stays.sum() < len(stays)


@pytest.mark.parametrize("view", VIEWS)
def test_views_masks_follow_the_stated_transform(view: str, truth: dict[str, Any]) -> None:
    records = _records("views")
    reference, mask = records["reference.jpg"][1].to_array(), records[view][1].to_array()
    height, width = mask.shape
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    back = _backward(truth[view]["transform"], np.column_stack([xs.ravel(), ys.ravel()]))
    cols, rows = np.floor(back).astype(int).T
    inside = (cols >= 0) & (rows >= 0) & (cols < width) & (rows < height)
    expected = np.zeros(mask.size, dtype=bool)
    expected[inside] = reference[rows[inside], cols[inside]]
    expected = expected.reshape(mask.shape)
    assert (expected & mask).sum() / (expected | mask).sum() > 0.99


@pytest.mark.parametrize("view", VIEWS)
def test_views_photos_follow_the_stated_transform(view: str, truth: dict[str, Any]) -> None:
    folder = SAMPLE / "views" / "images"
    with Image.open(folder / "reference.jpg") as photo:
        reference = np.asarray(photo.convert("L"), dtype=np.float32)
    with Image.open(folder / view) as photo:
        seen = np.asarray(photo.convert("L"), dtype=np.float32)
    height, width = seen.shape
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    back = _backward(truth[view]["transform"], np.column_stack([xs.ravel(), ys.ravel()]))
    inside = ((back > 2) & (back < [width - 2, height - 2])).all(axis=1)
    maps = (back - 0.5).astype(np.float32).reshape(height, width, 2)
    expected = cv2.remap(reference, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR)
    sharp = [cv2.GaussianBlur(values, (0, 0), 1.0).ravel()[inside] for values in (expected, seen)]
    assert np.corrcoef(*sharp)[0, 1] > 0.97


def test_annotations_are_what_the_script_makes(script: ModuleType, truth: dict[str, Any]) -> None:
    views, stated = script.views_coco()
    for name, made in (("cats", script.cats_coco()), ("views", views)):
        stored = _document(name)
        for key in ("info", "licenses", "categories", "images"):
            assert made[key] == stored[key]
        for one, other in zip(made["annotations"], stored["annotations"], strict=True):
            np.testing.assert_allclose(one["keypoints"], other["keypoints"], atol=2e-3)
            size = ImageSize(*reversed(one["segmentation"]["size"]))
            masks = [
                Mask.from_rle_bytes(size, ann["segmentation"]["counts"].encode())
                for ann in (one, other)
            ]
            # A centre that lies on the outline may round differently on another processor.
            overlap = masks[0].iou(masks[1])
            assert overlap is not None
            assert overlap > 0.9999
    for view, said in truth.items():
        made_transform = stated["views"][view]["transform"]
        assert stated["views"][view]["light"] == said["light"]
        assert made_transform["kind"] == said["transform"]["kind"]
        if made_transform["kind"] == "homography":
            matrices = made_transform["matrix"], said["transform"]["matrix"]
            np.testing.assert_allclose(*matrices, rtol=1e-9, atol=1e-9)
        else:
            assert made_transform == said["transform"]


def test_photos_are_what_the_script_renders(script: ModuleType) -> None:
    data = pytest.importorskip("skimage.data", reason="scikit-image brings the photo")
    rgb = data.coffee()
    for view in script.views(rgb.shape[1], rgb.shape[0]):
        if view.name not in ("rotated.jpg", "dim.jpg"):
            continue
        with Image.open(SAMPLE / "views" / "images" / view.name) as photo:
            stored = np.asarray(photo.convert("L"), dtype=float)
        # Light and shade only: JPEG halves the resolution of colour noise.
        drawn = np.asarray(Image.fromarray(script.render(rgb, view)).convert("L"), dtype=float)
        assert np.abs(drawn - stored).mean() < 3, view.name
