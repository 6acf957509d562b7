"""SPair-71k: pairs of photos of 18 categories with large changes of viewpoint and scale.

What is stated by whom: the pairs of a split are the lines of ``Layout/large/<split>.txt``
(53,340 trn, 5,384 val and 12,234 test), each ``number-source-target:category``;
points, box and size of an image are in its own file below ``ImageAnnotation``. The files below
``PairAnnotation`` repeat both, and are not read: their names hold a colon, which not every disk can
have. ``Layout/small`` is a part of the large one.

References
----------
Min, Lee, Ponce, Cho 2019, "SPair-71k: A Large-scale Benchmark for Semantic Correspondence",
arXiv 1908.10543: alpha as a share of the longer side of the object's box.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.files import (
    below,
    box_between,
    contents_of,
    existing,
    keypoints_of,
    read_json,
    read_text,
    set_folder,
)
from fmstudio.evaluation.datasets.labelled import LabelledImage, LabelledSet, box_of
from fmstudio.evaluation.datasets.voc import VOC_CLASSES
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask

FOLDER = "SPair-71k"
SPLITS = ("trn", "val", "test")
LAYOUT = """SPair-71k/
  Layout/large/{trn,val,test}.txt
  ImageAnnotation/<category>/<image>.json
  JPEGImages/<category>/<image>.jpg
  Segmentation/<category>/<image>.png     (not needed)"""

N_POINTS = 30
"""Points that an image's file has a place for, whatever its category."""

_LINE = re.compile(r"\d+-(?P<source>[^-:]+)-(?P<target>[^-:]+):(?P<category>[^-:]+)")


def read_spair(root: Path, split: str) -> tuple[LabelledSet, ...]:
    """Return the labelled sets of a split, one for each category, by name, with the split's pairs.

    Ids number a category's images of the split by their names, from 1. Coordinates are taken as
    they stand. A mask is there where ``Segmentation`` is: the category's pixels (PASCAL VOC's class
    numbers) within the object's box.

    Parameters
    ----------
    root : Path
        The folder SPair-71k, or the one that it lies in.
    split : str
        "trn", "val" or "test".

    Raises
    ------
    DatasetError
        If the set is not there, or one of its files is missing or not as described.
    """
    folder = set_folder(root, FOLDER, "ImageAnnotation")
    file = folder / "Layout" / "large" / f"{split}.txt"
    pairs = _pairs(file)
    return tuple(_category(folder, file, name, pairs[name]) for name in sorted(pairs))


def _pairs(file: Path) -> dict[str, list[tuple[str, str]]]:
    """Return the names of each category's pairs, in the file's order."""
    found: dict[str, list[tuple[str, str]]] = {}
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise DatasetError(
                f'{file}: line {number} is not "number-source-target:category"; fetch it anew.'
            )
        pair = match["source"], match["target"]
        found.setdefault(match["category"], []).append(pair)
    if not found:
        raise DatasetError(f"{file}: no pair is in it; fetch it anew.")
    return found


def _category(folder: Path, file: Path, name: str, pairs: list[tuple[str, str]]) -> LabelledSet:
    """Return the labelled set of one category."""
    images = sorted({image for pair in pairs for image in pair})
    ids = {image: i for i, image in enumerate(images, start=1)}
    with contents_of(file):
        return LabelledSet(
            name=name,
            folder=folder,
            images=tuple(_image(folder, file, name, image, ids[image]) for image in images),
            pairs=tuple(dict.fromkeys((ids[s], ids[t]) for s, t in pairs)),
            threshold="box",
        )


def _image(folder: Path, file: Path, category: str, name: str, number: int) -> LabelledImage:
    """Return one image with its points, its box, and its mask where there is one."""
    path = below(folder / "JPEGImages", f"{category}/{name}.jpg", file)
    annotation = below(folder / "ImageAnnotation", f"{category}/{name}.json", file)
    record = read_json(existing(annotation, file))
    with contents_of(annotation):
        size = ImageSize(int(record["image_width"]), int(record["image_height"]))
        keypoints = keypoints_of(_xy(record["kps"]))
        box = box_between(record["bndbox"])
    segmentation = below(folder / "Segmentation", f"{category}/{name}.png", file)
    mask = _mask(segmentation, category, record["bndbox"], size) if segmentation.exists() else None
    return LabelledImage(
        id=number,
        path=existing(path, annotation),
        size=size,
        keypoints=keypoints,
        mask=mask,
        box=box_of(box, mask, keypoints),
    )


def _xy(points: dict[str, Any]) -> list[list[float]]:
    """Return the points "0" to "29" of an image's file, those that are null as NaN."""
    stated = [points[str(i)] for i in range(N_POINTS)]
    return [[np.nan, np.nan] if p is None else [float(p[0]), float(p[1])] for p in stated]


def _mask(file: Path, category: str, corners: list[float], size: ImageSize) -> Mask | None:
    """Return the category's pixels within the box; None where there are none."""
    try:
        with Image.open(file) as picture:
            mode, values = picture.mode, np.asarray(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{file}: this mask cannot be read ({error}); fetch it anew.") from error
    if mode not in ("P", "L") or values.shape != (size.height, size.width):
        raise DatasetError(
            f"{file}: this mask has no class numbers or is not of its image's size; fetch it anew, "
            "or move the folder Segmentation away to be judged on points alone."
        )
    if category not in VOC_CLASSES:
        return None
    x1, y1, x2, y2 = (round(float(c)) for c in corners)
    inside = np.zeros(values.shape, dtype=bool)
    inside[max(y1, 0) : y2 + 1, max(x1, 0) : x2 + 1] = True
    covered = inside & (values == VOC_CLASSES.index(category) + 1)
    return Mask.from_array(covered) if covered.any() else None
