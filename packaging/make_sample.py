"""Build the derived files of the sample collection from what was placed by hand.

``resources/sample/cats/by_hand.json`` and ``resources/sample/views/by_hand.json`` hold every
keypoint and outline a person placed. From them this script writes

- ``cats/coco.json``,
- ``views/coco.json`` and ``views/truth.json``: the annotation of the reference carried into
  every view by that view's exact transform, and the transforms themselves,
- ``views/images/*.jpg``, with ``--images`` (needs scikit-image, which brings the photo).

The same inputs give the same annotations; noise is seeded. Run from the repository root::

    python packaging/make_sample.py --images
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask

Array = NDArray[np.float64]

SAMPLE = Path(__file__).resolve().parents[1] / "resources" / "sample"
CENTRES = "pixels; pixel (c, r) covers [c, c+1) x [r, r+1), so its centre is (c+0.5, r+0.5)"
JPEG_QUALITY = 90

CAT_FACE: dict[str, Any] = {
    "id": 1,
    "name": "cat face",
    "supercategory": "animal",
    "keypoints": ["left eye", "right eye", "nose", "mouth", "left ear tip", "right ear tip"],
    "skeleton": [[1, 2], [1, 3], [2, 3], [3, 4], [1, 5], [2, 6]],
    "flip_pairs": [[1, 2], [5, 6]],
    "sigmas": [0.025, 0.025, 0.026, 0.035, 0.05, 0.05],
}
ESPRESSO: dict[str, Any] = {
    "id": 1,
    "name": "espresso set",
    "supercategory": "object",
    "skeleton": [[1, 2], [2, 4], [4, 3], [5, 6], [7, 8], [8, 9]],
    "flip_pairs": [],
}


@dataclass(frozen=True)
class Homography:
    """A projective map from the reference to the view: a 3 x 3 matrix on pixel coordinates."""

    matrix: Array

    def forward(self, xy: Array) -> Array:
        """Return view points (n, 2) of reference points (n, 2)."""
        return _project(self.matrix, xy)

    def backward(self, xy: Array) -> Array:
        """Return reference points (n, 2) of view points (n, 2)."""
        return _project(np.asarray(np.linalg.inv(self.matrix), dtype=np.float64), xy)

    def stated(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        return {"kind": "homography", "matrix": self.matrix.round(12).tolist()}


@dataclass(frozen=True)
class Waves:
    """A smooth non-rigid field, stated from the view to the reference.

    ``reference = view + amplitude * (sin(2 pi y / wavelength_y + phase_y),
    sin(2 pi x / wavelength_x + phase_x))``; its derivative stays below 0.3, so it never folds.
    """

    amplitude: float
    wavelength: tuple[float, float]
    phase: tuple[float, float]

    def backward(self, xy: Array) -> Array:
        """Return reference points (n, 2) of view points (n, 2)."""
        turn = 2 * np.pi * xy / np.array(self.wavelength) + np.array(self.phase)
        return np.asarray(xy + self.amplitude * np.sin(turn[:, ::-1]))

    def forward(self, xy: Array) -> Array:
        """Return view points (n, 2) of reference points (n, 2), by fixed-point iteration."""
        view = xy.copy()
        for _ in range(60):  # each step shrinks the error below 0.3 of it
            view = xy - (self.backward(view) - view)
        return view

    def stated(self) -> dict[str, Any]:
        """Return the parameters as JSON values."""
        return {
            "kind": "waves",
            "amplitude": self.amplitude,
            "wavelength": list(self.wavelength),
            "phase": list(self.phase),
        }


@dataclass(frozen=True)
class Light:
    """A photometric change: gamma, then Gaussian blur, then seeded Gaussian noise."""

    gamma: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    seed: int = 0

    def apply(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the changed image (H, W, 3)."""
        values: Array = 255 * (rgb / 255.0) ** self.gamma
        if self.blur:
            values = np.asarray(cv2.GaussianBlur(values, (0, 0), self.blur), dtype=np.float64)
        if self.noise:
            values = values + np.random.default_rng(self.seed).normal(0, self.noise, rgb.shape)
        return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)


@dataclass(frozen=True)
class View:
    """One derived photo: a name, a transform, a photometric change."""

    name: str
    says: str
    transform: Homography | Waves
    light: Light = Light()


def _project(matrix: Array, xy: Array) -> Array:
    """Return points (n, 2) mapped by a 3 x 3 matrix."""
    mapped = np.column_stack([xy, np.ones(len(xy))]) @ matrix.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:])


def _similarity(degrees: float, scale: float, centre: tuple[float, float], to: Array) -> Array:
    """Return the matrix that turns (clockwise on screen) and scales about ``centre``, sent to."""
    turn = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = to - linear @ np.array(centre)
    return matrix


def views(width: int, height: int) -> list[View]:
    """Return the views of a ``width`` x ``height`` reference, the reference itself first."""
    middle = np.array([width / 2, height / 2])
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    moved = corners + np.array([[70, 30], [-20, 0], [-60, -40], [10, -5]], dtype=np.float32)
    tilt = np.asarray(cv2.getPerspectiveTransform(corners, moved), dtype=np.float64)
    mirror = np.array([[-1.0, 0, width], [0, 1, 0], [0, 0, 1]])
    turned = _similarity(12, 1, (middle[0], middle[1]), middle)
    small = np.array([[0.75, 0, 40], [0, 0.75, 60], [0, 0, 1]])
    close = _similarity(-8, 1.5, (340, 250), middle)
    return [
        View("reference.jpg", "as photographed", Homography(np.eye(3))),
        View("rotated.jpg", "turned by 12 degrees", Homography(turned)),
        View("scaled.jpg", "scaled by 0.75, shifted by (40, 60) px", Homography(small)),
        View("perspective.jpg", "seen from another side", Homography(tilt)),
        View("warped.jpg", "smooth non-rigid waves", Waves(14, (420, 330), (0.6, 2.1))),
        View("mirrored.jpg", "left and right exchanged", Homography(mirror)),
        View("dim.jpg", "gamma, blur and noise", Homography(np.eye(3)), Light(1.7, 1.2, 7, 20)),
        View("closeup.jpg", "1.5 times closer, turned by -8 degrees", Homography(close)),
    ]


def pixel_centres(width: int, height: int) -> Array:
    """Return the centres (height * width, 2) of all pixels, row-major."""
    ys, xs = np.mgrid[0:height, 0:width]
    return np.column_stack([xs.ravel() + 0.5, ys.ravel() + 0.5])


def inside(polygon: Array, xy: Array) -> NDArray[np.bool_]:
    """Return which points (n, 2) lie inside the polygon (v, 2), by the even-odd rule."""
    odd = np.zeros(len(xy), dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (xy[:, 1] < y0) != (xy[:, 1] < y1)
        odd ^= crosses & (xy[:, 0] < x0 + (xy[:, 1] - y0) * (x1 - x0) / (y1 - y0))
    return odd


def annotation(number: int, keypoints: Array, mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return a COCO annotation of image ``number`` from (k, 3) keypoints and a (H, W) mask."""
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    points = [[round(float(x), 3), round(float(y), 3), int(v)] for x, y, v in keypoints]
    return {
        "id": number,
        "image_id": number,
        "category_id": 1,
        "iscrowd": 0,
        "keypoints": [value for point in points for value in point],
        "num_keypoints": sum(v > 0 for _, _, v in points),
        "segmentation": {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode()},
        "area": int(coco_mask.area(rle)),
        "bbox": [float(n) for n in coco_mask.toBbox(rle)],
    }


def cats_coco() -> dict[str, Any]:
    """Return the COCO dictionary of the cats."""
    folder = SAMPLE / "cats"
    by_hand = json.loads((folder / "by_hand.json").read_text(encoding="utf-8"))
    images, annotations = [], []
    for number, (name, placed) in enumerate(by_hand["images"].items(), start=1):
        with Image.open(folder / "images" / name) as photo:
            width, height = photo.size
        points = np.array([placed["keypoints"][part] for part in CAT_FACE["keypoints"]])
        face = inside(np.array(placed["face"]), pixel_centres(width, height))
        image = {"id": number, "file_name": name, "width": width, "height": height}
        images.append({**image, "note": placed["note"]})
        annotations.append(annotation(number, points, face.reshape(height, width)))
    info = {
        "description": "fmstudio sample: five cats",
        "kind": "semantic",
        "reference": "siamese.jpg",
        "annotation_origin": "placed by hand and checked by eye",
        "coordinates": CENTRES,
        "sides": "left and right are the animal's own",
    }
    return _document(info, CAT_FACE, images, annotations)


def _carried(points: Array, view: View, width: int, height: int) -> Array:
    """Return keypoints (k, 3) carried into a view; those that leave the frame get all zeros."""
    xy = view.transform.forward(points[:, :2])
    stays = (xy >= 0).all(axis=1) & (xy[:, 0] < width) & (xy[:, 1] < height)
    return np.column_stack([xy, points[:, 2]]) * stays[:, None]


def views_coco() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the COCO dictionary of the views and the dictionary of their exact transforms."""
    folder = SAMPLE / "views"
    by_hand = json.loads((folder / "by_hand.json").read_text(encoding="utf-8"))
    width, height = by_hand["size"]
    names = list(by_hand["keypoints"])
    points = np.array([by_hand["keypoints"][name] for name in names], dtype=np.float64)
    outline, centres = np.array(by_hand["outline"]), pixel_centres(width, height)
    images, annotations, truth = [], [], {}
    for number, view in enumerate(views(width, height), start=1):
        image = {"id": number, "file_name": view.name, "width": width, "height": height}
        images.append({**image, "note": view.says})
        mask = inside(outline, view.transform.backward(centres)).reshape(height, width)
        carried = _carried(points, view, width, height)
        annotations.append(annotation(number, carried, mask))
        light = view.light
        truth[view.name] = {
            "transform": view.transform.stated(),
            "light": {"gamma": light.gamma, "blur": light.blur, "noise": light.noise},
        }
    info = {
        "description": "fmstudio sample: one photo, seen under known changes",
        "kind": "known transforms",
        "reference": "reference.jpg",
        "annotation_origin": "by hand on the reference, carried by the exact transforms",
        "coordinates": CENTRES,
    }
    category = {**ESPRESSO, "keypoints": names, "sigmas": [0.035] * len(names)}
    rules = {
        "homography": "view ~ matrix @ (x, y, 1) of the reference",
        "waves": "reference = view + amplitude * (sin(2 pi y / wavelength[1] + phase[1]), "
        "sin(2 pi x / wavelength[0] + phase[0]))",
        "light": "255 * (value / 255) ** gamma, then Gaussian blur and noise of these sigmas",
    }
    stated = {"reference": "reference.jpg", "coordinates": CENTRES, "rules": rules, "views": truth}
    return _document(info, category, images, annotations), stated


def _document(
    info: dict[str, Any],
    category: dict[str, Any],
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return a COCO dictionary with one category."""
    return {
        "info": {"version": "1.0", "licence": "see SOURCES.md", **info},
        "licenses": [],
        "categories": [category],
        "images": images,
        "annotations": annotations,
    }


def render(rgb: NDArray[np.uint8], view: View) -> NDArray[np.uint8]:
    """Return the view (H, W, 3) of a reference photo, sampled at 2 x 2 points per pixel."""
    height, width = rgb.shape[:2]
    source = view.transform.backward(pixel_centres(2 * width, 2 * height) / 2) - 0.5
    columns, rows = source.T.astype(np.float32).reshape(2, 2 * height, 2 * width)
    fine = cv2.remap(
        rgb,
        columns,
        rows,
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(24, 24, 26),
    )
    drawn = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return view.light.apply(np.asarray(drawn, dtype=np.uint8))


def write_images() -> None:
    """Write the JPEG files of the views."""
    from skimage import data

    rgb = np.asarray(data.coffee(), dtype=np.uint8)  # type: ignore[no-untyped-call]
    for view in views(rgb.shape[1], rgb.shape[0]):
        is_plain = view.name == "reference.jpg"
        picture = Image.fromarray(rgb if is_plain else render(rgb, view))
        path = SAMPLE / "views" / "images" / view.name
        picture.save(path, quality=JPEG_QUALITY, optimize=True)


def _write(path: Path, document: dict[str, Any]) -> None:
    """Write a dictionary as readable JSON."""
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Rebuild the sample's annotations and, if asked, the pictures of the views."""
    parser = argparse.ArgumentParser(description="Rebuild the sample collection's derived files.")
    parser.add_argument("--images", action="store_true", help="also render the views' photos")
    if parser.parse_args().images:
        write_images()
    coco, truth = views_coco()
    _write(SAMPLE / "cats" / "coco.json", cats_coco())
    _write(SAMPLE / "views" / "coco.json", coco)
    _write(SAMPLE / "views" / "truth.json", truth)


if __name__ == "__main__":
    main()
