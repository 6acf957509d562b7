"""AP-10K: animals of 54 species, 17 points each, in three random splits.

What is stated by whom: files in COCO's shape, one for each part of each split
(``annotations/ap10k-<part>-split<n>.json``, photos in ``data``); boxes are (x, y, width, height),
the category is the species and its ``supercategory`` the family. The set is made for pose
estimation and states no pairs. Zhang et al. made a correspondence benchmark of it: within a
species, without a list of photos that they call crowds, at least three points labelled, alpha a
share of the longer side of the target's box. They cut parts of their own from all files together,
and drop pairs with fewer than three points in common. Here the published parts are taken, photos of
several animals are left out, and the benchmark draws the pairs: numbers are near theirs, not equal.

References
----------
Yu et al. 2021, "AP-10K: A Benchmark for Animal Pose Estimation in the Wild", arXiv 2108.12617.
Zhang et al. 2024, "Telling Left from Right: Identifying Geometry-Aware Semantic Correspondence",
arXiv 2311.17034.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.files import (
    below,
    contents_of,
    existing,
    read_json,
    set_folder,
)
from fmstudio.evaluation.datasets.labelled import LabelledImage, LabelledSet, box_of
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints

FOLDER = "ap-10k"
SPLITS = (
    *("train", "val", "test"),
    *(f"{part}-split{n}" for n in (1, 2, 3) for part in ("train", "val", "test")),
)
LAYOUT = """ap-10k/
  annotations/ap10k-{train,val,test}-split{1,2,3}.json
  data/<image>.jpg"""

N_POINTS = 17
FEWEST_LABELLED = 3
"""Photos with fewer labelled points are left out."""


def read_ap10k(root: Path, split: str) -> tuple[LabelledSet, ...]:
    """Return the labelled sets of a part, one for each species, by name.

    Photos of several animals, whatever their species, are left out: a point that is carried to the
    other animal is not wrong. So are those with fewer than three labelled points. Ids are the
    file's own. Pairs are left to the benchmark.

    Parameters
    ----------
    root : Path
        The folder ap-10k, or the one that it lies in.
    split : str
        "train", "val" or "test" of the first split, or with the split's number: "test-split2".

    Raises
    ------
    DatasetError
        If the set is not there, or one of its files is missing or not as described.
    """
    folder = set_folder(root, FOLDER, "annotations")
    part, _, number = split.partition("-split")
    file = folder / "annotations" / f"ap10k-{part}-split{number or 1}.json"
    document = read_json(file)
    with contents_of(file):
        images = {int(record["id"]): record for record in document["images"]}
        animals = Counter(int(record["image_id"]) for record in document["annotations"])
        alone = [a for a in document["annotations"] if animals[int(a["image_id"])] == 1]
        names = {int(c["id"]): str(c["name"]) for c in document["categories"]}
        found: dict[str, list[LabelledImage]] = {}
        for record in alone:
            keypoints = _keypoints(record["keypoints"])
            if keypoints.labelled.sum() >= FEWEST_LABELLED:
                image = _image(folder, file, images[int(record["image_id"])], record, keypoints)
                found.setdefault(names[int(record["category_id"])], []).append(image)
    if not found:
        raise DatasetError(f"{file}: no photo of one animal is in it; fetch it anew.")
    return tuple(
        LabelledSet(name, folder, tuple(sorted(found[name], key=lambda image: image.id)))
        for name in sorted(found)
    )


def _keypoints(values: list[float]) -> Keypoints:
    """Return the points of an annotation: x, y and COCO's visibility, one after the other."""
    xyv = np.asarray(values, dtype=np.float64).reshape(N_POINTS, 3)
    return Keypoints.drawn(xyv[:, :2], xyv[:, 2])


def _image(
    folder: Path, file: Path, image: dict[str, Any], record: dict[str, Any], keypoints: Keypoints
) -> LabelledImage:
    """Return a photo with its animal."""
    x, y, width, height = (float(value) for value in record["bbox"])
    if not np.isfinite((x, y, width, height)).all():
        raise ValueError("a box is four finite numbers")
    return LabelledImage(
        id=int(image["id"]),
        path=existing(below(folder / "data", str(image["file_name"]), file), file),
        size=ImageSize(int(image["width"]), int(image["height"])),
        keypoints=keypoints,
        mask=None,
        box=box_of((x, y, width, height), None, keypoints),
    )
