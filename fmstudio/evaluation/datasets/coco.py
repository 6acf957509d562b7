"""Labelled sets in plain COCO folders.

A set is a folder with ``coco.json`` and ``images/``; a collection is a folder of such folders. One
object is taken per image and category, and it is what a pair is judged on.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fmstudio.errors import DatasetError, FormatError
from fmstudio.evaluation.datasets.labelled import Box, LabelledImage, LabelledSet, box_of
from fmstudio.io.coco import CocoData, read_coco

COCO_NAME = "coco.json"
IMAGES_NAME = "images"


def find_sets(folder: Path) -> tuple[LabelledSet, ...]:
    """Return the labelled sets in a folder, one for each category, by name.

    Parameters
    ----------
    folder : Path
        One set (``coco.json`` and ``images/``), or a folder of such folders.

    Raises
    ------
    DatasetError
        If there is none, one is incomplete, or one's ``coco.json`` breaks the format.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: there is no such folder; give one with {_EXPECTED}.")
    folders = [folder] if _looks_like_set(folder) else _sets_below(folder)
    if not folders:
        raise DatasetError(f"{folder}: no labelled set is in it; give one with {_EXPECTED}.")
    sets = [found for each in folders for found in read_coco_folder(each)]
    shared = {name for name, count in Counter(s.name for s in sets).items() if count > 1}
    named = [replace(s, name=f"{s.folder.name}/{s.name}") if s.name in shared else s for s in sets]
    return tuple(sorted(named, key=lambda s: s.name))


def read_coco_folder(folder: Path) -> tuple[LabelledSet, ...]:
    """Return the labelled sets of one folder, one for each category that is annotated.

    Of several annotations of a category on one image the one with the lowest id is taken; crowds
    (``iscrowd`` 1) are no single object, and proposals that nobody accepted no truth: both are
    passed over.

    Parameters
    ----------
    folder : Path
        With ``coco.json`` and ``images/``.

    Raises
    ------
    DatasetError
        If the folder is incomplete, an image is missing, or ``coco.json`` breaks the format.
    """
    path = folder / COCO_NAME
    if not path.is_file():
        raise DatasetError(f"{folder}: {COCO_NAME} is missing; put the set's annotations there.")
    if not (folder / IMAGES_NAME).is_dir():
        raise DatasetError(
            f"{folder}: the folder {IMAGES_NAME} is missing; put the photos that {COCO_NAME} "
            "lists there."
        )
    try:
        data = read_coco(path)
    except FormatError as error:
        raise DatasetError(str(error)) from error
    stated = _Stated.read(path, data)
    sets = [
        LabelledSet(category.name, folder, images)
        for category in data.categories
        if (images := _images_of(data, category.id, folder, stated))
    ]
    if not sets:
        raise DatasetError(f"{path}: no image is annotated; a set needs at least two that are.")
    return tuple(sets)


_EXPECTED = f"{COCO_NAME} and {IMAGES_NAME}/, or a folder of such folders"


def _looks_like_set(folder: Path) -> bool:
    """Return whether a folder is meant as one set: either half of one is there."""
    return (folder / COCO_NAME).exists() or (folder / IMAGES_NAME).is_dir()


def _sets_below(folder: Path) -> list[Path]:
    """Return the sub-folders that are meant as sets, by name."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and _looks_like_set(p))


@dataclass(frozen=True, slots=True)
class _Stated:
    """What a file states and the project's own model has no place for.

    That model numbers from 1 and keeps a box only where there is nothing better; the benchmark's
    pairs and thresholds are defined by the file's own numbers.
    """

    image_ids: dict[int, int]
    annotation_ids: dict[int, int]
    boxes: dict[int, Box]

    @classmethod
    def read(cls, path: Path, data: CocoData) -> "_Stated":
        """Return it for a file that was found valid, by the ids in ``data``."""
        document = json.loads(path.read_bytes())
        records = document.get("annotations") or []
        boxes = {
            a.id: tuple(map(float, r["bbox"]))
            for a, r in zip(data.annotations, records, strict=True)
            if r.get("bbox")
        }
        return cls(
            _stated_ids([i.id for i in data.images], document["images"]),
            _stated_ids([a.id for a in data.annotations], records),
            {i: (x, y, w, h) for i, (x, y, w, h) in boxes.items()},
        )


def _stated_ids(ids: Sequence[int], records: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Return a file's own ids by ours; ours themselves where one of the file's is no number."""
    stated = [record.get("id") for record in records]
    numbers = [int(i) for i in stated if isinstance(i, int | float)]
    return dict(zip(ids, numbers if len(numbers) == len(ids) else ids, strict=True))


def _images_of(
    data: CocoData, category_id: int, folder: Path, stated: _Stated
) -> tuple[LabelledImage, ...]:
    """Return a category's images by id, each with its first annotation by id."""
    images = {image.id: image for image in data.images}
    chosen: dict[int, LabelledImage] = {}
    for a in sorted(data.annotations, key=lambda a: stated.annotation_ids[a.id]):
        # A guess is no truth: of our own exports only what a person accepted counts.
        if a.category_id != category_id or a.is_crowd or a.status != "accepted":
            continue
        image = images[a.image_id]
        number = stated.image_ids[image.id]
        if number in chosen:
            continue
        chosen[number] = LabelledImage(
            id=number,
            path=_image_path(folder, image.path),
            size=image.size,
            keypoints=a.keypoints,
            mask=a.mask,
            box=box_of(stated.boxes.get(a.id), a.mask, a.keypoints),
        )
    return tuple(chosen[i] for i in sorted(chosen))


def _image_path(folder: Path, name: str) -> Path:
    """Return where an image lies; raise `DatasetError` where it does not."""
    candidates = (folder / IMAGES_NAME / name, folder / name)
    for path in candidates:
        if path.is_file():
            return path
    raise DatasetError(
        f"{candidates[0]}: this image is missing; add it or take it out of {COCO_NAME}."
    )
