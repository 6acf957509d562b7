"""Make a COCO document of a project: what stands in it, and the same bytes for the same project."""

import json
import math
import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fmstudio.errors import FormatError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.io.json_lists import Entries
from fmstudio.project.model import (
    Annotation,
    Category,
    Corrected,
    Drawn,
    ImageItem,
    Project,
    Propagated,
    Status,
)

DEFAULT_SIGMA = 0.05
"""OKS falloff of keypoints without one of their own; pycocotools' for people are .025 to .107."""

Box = tuple[float, float, float, float]
Entry = dict[str, object]

_PIXEL_RULE = (
    "x right, y down; pixel (c, r) covers [c, c+1) x [r, r+1), so its centre is (c+0.5, r+0.5);"
    " sizes and coordinates are of the image turned by its EXIF orientation"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoOptions:
    """What to export, and how.

    Attributes
    ----------
    statuses : tuple of Status
        Which annotations to write.
    polygons : bool
        Write masks as polygons where pycocotools draws these to exactly the same mask, which it
        never does for holes; all others, and crowds, stay run lengths.
    leave_out_unreviewed : bool
        Leave out images that have proposals to review and nothing to write: they would be read
        as negatives, as images without annotations are.
    project_root : Path or None
        The folder that relative image paths of the project start from.
    image_root : Path or None
        The folder that file names in the export start from; None means ``project_root``.
    decimals : int
        Places behind the point of coordinates, 2 or more.
    box_margin : float
        Widening on each side of a box around keypoints, as a share of its longer side, at
        least one pixel.
    """

    statuses: tuple[Status, ...] = (Status.ACCEPTED,)
    polygons: bool = False
    leave_out_unreviewed: bool = False
    project_root: Path | None = None
    image_root: Path | None = None
    decimals: int = 3
    box_margin: float = 0.05

    def __post_init__(self) -> None:
        if self.decimals < 2:
            raise ValueError(f"coordinates keep at least 2 decimals, not {self.decimals}")


def make_document(project: Project, options: CocoOptions) -> Entry:
    """Return a project as a COCO document, its annotations made when they are asked for.

    Raises FormatError if a file name cannot be made.
    """
    chosen = set(options.statuses)
    images = [i for i in project.sorted_images() if not _is_left_out(project, i, options)]
    ids = {image.id for image in images}
    annotations = [
        annotation
        for _, annotation in sorted(project.annotations.items())
        if annotation.status in chosen and annotation.image_id in ids
    ]

    def entries() -> Iterator[Entry]:
        return (_annotation_entry(project, annotation, options) for annotation in annotations)

    return {
        "info": {
            "description": project.name,
            "coordinates": _PIXEL_RULE,
            "generator": "fmstudio",
            "version": "1",
        },
        "licenses": [],
        "images": [_image_entry(image, options) for image in images],
        "categories": [_category_entry(category) for category in project.sorted_categories()],
        "annotations": Entries(len(annotations), entries),
    }


def warnings_of(
    project: Project, document: Mapping[str, object], options: CocoOptions
) -> list[str]:
    """Return sentences on what a reader of the export should know."""
    images = document["images"]
    written = {i["id"] for i in images} if isinstance(images, list) else set()
    shown = [image for image in project.sorted_images() if image.id in written]
    warnings = []
    turned = sum(image.orientation != 1 for image in shown)
    if turned:
        warnings.append(
            f"{_counted(turned, 'image')} carry an EXIF orientation: sizes and coordinates are of"
            " the turned picture, so read the files with a reader that turns them."
        )
    negatives = sum(_has_only_proposals(project, image, options) for image in shown)
    if negatives:
        warnings.append(
            f"{_counted(negatives, 'image')} have only proposals that are not exported, and will"
            " be read as showing nothing: review them, or leave them out."
        )
    outside = sum(_file_name(image, options).startswith("../") for image in shown)
    if outside:
        warnings.append(
            f"{_counted(outside, 'image')} lie outside the folder that file names start from."
        )
    bare = [c.name for c in project.sorted_categories() if c.keypoints and not c.sigmas]
    if bare:
        warnings.append(
            f"Categories without OKS sigmas of their own got {DEFAULT_SIGMA} for every keypoint:"
            f" {', '.join(bare)}."
        )
    return warnings


def encode(document: Mapping[str, object]) -> Iterator[bytes]:
    """Yield a document piece by piece as ASCII JSON, keys sorted, one record a line.

    ASCII, because pycocotools opens files in whatever encoding the system prefers.
    """
    before = "{\n"
    for key in sorted(document):
        value = document[key]
        yield f"{before} {_line(key)}: ".encode("ascii")
        if isinstance(value, list | Entries) and len(value):
            for index, entry in enumerate(value):
                yield f"{',' if index else '['}\n  {_line(entry)}".encode("ascii")
            yield b"\n ]"
        else:
            yield _line([] if isinstance(value, Entries) else value).encode("ascii")
        before = ",\n"
    yield b"\n}\n"


def _line(value: object) -> str:
    """Return a value as JSON on one line."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False)


def _counted(n: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _has_only_proposals(project: Project, image: ImageItem, options: CocoOptions) -> bool:
    """Return whether an image has annotations to review and none that is written."""
    statuses = {annotation.status for annotation in project.annotations_of(image.id)}
    return Status.PROPOSED in statuses and not statuses & set(options.statuses)


def _is_left_out(project: Project, image: ImageItem, options: CocoOptions) -> bool:
    """Return whether an image is not written."""
    return options.leave_out_unreviewed and _has_only_proposals(project, image, options)


def _image_entry(image: ImageItem, options: CocoOptions) -> Entry:
    """Return an image's record."""
    entry: Entry = {
        "id": image.id,
        "file_name": _file_name(image, options),
        "width": image.size.width,
        "height": image.size.height,
    }
    if image.orientation != 1:
        entry["exif_orientation"] = image.orientation
    return entry


def _file_name(image: ImageItem, options: CocoOptions) -> str:
    """Return an image's path from the root, with slashes; raises FormatError if there is none."""
    is_absolute = image.path.startswith("/") or re.match(r"[A-Za-z]:", image.path) is not None
    root = options.image_root or options.project_root
    if not is_absolute and root == options.project_root:
        return posixpath.normpath(image.path)
    if root is None or (options.project_root is None and not is_absolute):
        raise FormatError(f"The image {image.path} has no name in the export: say the image root.")
    start = Path(image.path) if is_absolute else (options.project_root or root) / image.path
    try:
        return Path(os.path.relpath(start, root)).as_posix()
    except ValueError as error:
        raise FormatError(
            f"The image {image.path} and the image root {root} are on different drives: choose a"
            " root on the drive of the images."
        ) from error


def _category_entry(category: Category) -> Entry:
    """Return a category's record; pairs count from 1 here."""
    entry: Entry = {
        "id": category.id,
        "name": category.name,
        "supercategory": category.supercategory,
    }
    if category.colors:
        entry["colors"] = list(category.colors)
    if not category.keypoints:
        return entry
    entry["keypoints"] = list(category.keypoints)
    entry["skeleton"] = [[a + 1, b + 1] for a, b in category.skeleton]
    entry["flip_pairs"] = [[a + 1, b + 1] for a, b in category.flip_pairs]
    entry["sigmas"] = list(category.sigmas or [DEFAULT_SIGMA] * len(category.keypoints))
    if not category.sigmas:
        entry["sigmas_are_default"] = True
    return entry


def _annotation_entry(project: Project, annotation: Annotation, options: CocoOptions) -> Entry:
    """Return an annotation's record."""
    size = project.images[annotation.image_id].size
    mask = annotation.mask if annotation.mask is not None and annotation.mask.area else None
    entry: Entry = {
        "id": annotation.id,
        "image_id": annotation.image_id,
        "category_id": annotation.category_id,
        "iscrowd": int(annotation.is_crowd),
        **_keypoint_entries(
            annotation.keypoints, project.categories[annotation.category_id], options
        ),
    }
    box = mask.bbox if mask is not None else None
    if mask is not None and box is not None:
        entry["segmentation"] = _segmentation(mask, options.polygons and not annotation.is_crowd)
        entry["bbox"], entry["area"] = list(box), mask.area
        source = "mask"
    else:
        bounds, source = _box_without_mask(annotation, size, options)
        entry["bbox"] = list(bounds)
        entry["area"] = round(bounds[2] * bounds[3], options.decimals)
    entry["attributes"] = _attributes(annotation, source)
    return entry


def _keypoint_entries(
    keypoints: Keypoints | None, category: Category, options: CocoOptions
) -> Entry:
    """Return the keypoints' fields: a category with a schema has them in every annotation."""
    m = len(category.keypoints)
    if not m:
        return {"num_keypoints": 0}
    if keypoints is None:
        return {"keypoints": [0.0, 0.0, 0] * m, "num_keypoints": 0}
    values: list[float | int] = [0] * (3 * m)
    # Adding 0 turns -0.0, which JSON would show, into 0.0.
    xy = np.round(keypoints.xy, options.decimals) + 0.0
    values[0::3], values[1::3] = xy[:, 0].tolist(), xy[:, 1].tolist()
    values[2::3] = keypoints.visibility.tolist()
    return {"keypoints": values, "num_keypoints": int(np.count_nonzero(keypoints.visibility))}


def _segmentation(mask: Mask, as_polygons: bool) -> object:
    """Return a mask as polygons where these say the same, else as run lengths."""
    if as_polygons:
        parts = mask.polygons()
        rings = [part.outer.reshape(-1) for part in parts]
        if not any(part.holes for part in parts) and (
            Mask.from_coco_polygons(mask.size, rings) == mask
        ):
            return [ring.tolist() for ring in rings]
    size = [mask.size.height, mask.size.width]
    return {"size": size, "counts": mask.to_rle_bytes().decode("ascii")}


def _box_without_mask(
    annotation: Annotation, size: ImageSize, options: CocoOptions
) -> tuple[Box, str]:
    """Return the box of an annotation without a mask, inside the image, and what it is of."""
    points = annotation.keypoints
    bounds = points.bbox() if points is not None else None
    source = "keypoints"
    if bounds is not None:
        margin = max(1.0, options.box_margin * max(bounds[2:]))
        x, y, width, height = bounds
        bounds = (x - margin, y - margin, width + 2 * margin, height + 2 * margin)
    elif annotation.bbox is not None:
        bounds, source = annotation.bbox, "file"
    else:
        raise FormatError(f"Annotation {annotation.id} is empty: give it a mark or remove it.")
    left, width = _clipped(bounds[0], bounds[2], size.width, options.decimals)
    top, height = _clipped(bounds[1], bounds[3], size.height, options.decimals)
    return (left, top, width, height), source


def _clipped(start: float, length: float, limit: int, decimals: int) -> tuple[float, float]:
    """Return start and length of a span inside [0, limit], rounded; at least a pixel if outside."""
    low = round(min(max(start, 0.0), limit), decimals)
    high = round(min(max(start + length, 0.0), limit), decimals)
    if high <= low:
        low = float(min(math.floor(low), limit - 1))
        high = low + 1.0
    return low + 0.0, round(high - low, decimals)


def _attributes(annotation: Annotation, box_source: str) -> Entry:
    """Return what strict readers ignore: review state, confidence, provenance, derivations."""
    entry: Entry = {
        "status": annotation.status.value,
        "score": annotation.confidence,
        "box_source": box_source,
        "area_source": "mask" if box_source == "mask" else "box",
    }
    match annotation.provenance:
        case Drawn():
            entry["provenance"] = {"kind": "drawn"}
        case Propagated() as carried:
            entry["provenance"] = _carried("propagated", carried)
        case Corrected(carried):
            entry["provenance"] = _carried("corrected", carried)
    points = annotation.keypoints
    if points is not None and (points.score != 1).any():
        entry["keypoint_scores"] = np.round(points.score, 4).tolist()
    return entry


def _carried(kind: str, carried: Propagated) -> Entry:
    """Return what a propagated annotation came from."""
    return {"kind": kind, "sources": list(carried.sources), "key": carried.key}
