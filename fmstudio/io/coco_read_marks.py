"""Read what one COCO annotation says of its object: keypoints, mask, box and where it came from."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.io.coco_json import (
    Broken,
    RawId,
    Record,
    is_finite,
    is_numbers,
    is_whole,
    raw_id,
    shown,
    text_of,
)
from fmstudio.project.model import (
    Annotation,
    Category,
    Corrected,
    Drawn,
    ImageItem,
    Propagated,
    Provenance,
    Status,
)

Note = Callable[[str], None]
Box = tuple[float, float, float, float]


def annotation_of(
    record: Record,
    number: int,
    image: ImageItem,
    category: Category,
    number_of: Mapping[RawId, int],
    note: Note,
) -> Annotation:
    """Return an annotation with the id ``number``; raises Broken.

    ``number_of`` gives the new ids of all annotations by those in the file; ``note`` is told in a
    sentence what was not taken as it stood.
    """
    crowd = record.get("iscrowd", 0)
    if crowd not in (0, 1, None):
        raise Broken(f"has iscrowd {shown(crowd)}: it is 0 or 1")
    keypoints = _keypoints(record, category, image.size, note)
    mask = _mask(record.get("segmentation"), image.size, note)
    box = _box(record.get("bbox"))
    if keypoints is not None or mask is not None:
        box = None
    elif box is None:
        raise Broken("has neither keypoints, nor a mask, nor a bbox")
    else:
        box = _clipped(box, image.size, note)
    status, provenance, confidence = _origin(record, number_of)
    return Annotation(
        number,
        image.id,
        category.id,
        keypoints,
        mask,
        status,
        provenance,
        confidence,
        box,
        bool(crowd),
    )


def _keypoints(record: Record, category: Category, size: ImageSize, note: Note) -> Keypoints | None:
    """Return the keypoints, None where not one is labelled; raises Broken."""
    values = record.get("keypoints") or []
    m = len(category.keypoints)
    if not isinstance(values, list):
        raise Broken("has keypoints that are not a list of numbers")
    if not values or (m == 0 and not any(values[2::3])):
        return None
    if len(values) != 3 * m:
        raise Broken(
            f"has {len(values)} keypoint numbers; category '{category.name}' names {m}"
            f" keypoints, which takes {3 * m}"
        )
    flags = values[2::3]
    if not set(map(type, flags)) <= {int, float, bool} or not set(flags) <= {0, 1, 2}:
        raise Broken("has a keypoint visibility other than 0, 1 or 2")
    visibility = np.array(flags, dtype=np.int8)
    # Some tools write NaN for points that are not labelled: only the others are looked at.
    labelled = np.flatnonzero(visibility).tolist()
    if not labelled:
        return None
    numbers = [v for i in labelled for v in values[3 * i : 3 * i + 2]]
    if not is_numbers(numbers, len(numbers)):
        i = next(i for i in labelled if not is_numbers(values[3 * i : 3 * i + 2], 2))
        raise Broken(f"has no finite numbers for keypoint '{category.keypoints[i]}'")
    xy = np.zeros((m, 2))
    xy[labelled] = np.array(numbers, dtype=np.float64).reshape(-1, 2)
    points = Keypoints(xy, visibility, _scores(record, m))
    if (xy[labelled] < 0).any() or (xy[labelled] > (size.width, size.height)).any():
        note("Keypoints outside their image were kept where they are")
    return points


def _mask(segmentation: object, size: ImageSize, note: Note) -> Mask | None:
    """Return the mask, None where there is none or it is empty; raises Broken."""
    if segmentation is None or segmentation == []:
        return None
    try:
        if isinstance(segmentation, Mapping):
            mask = _run_lengths(segmentation, size)
        elif isinstance(segmentation, list):
            rings = _rings(segmentation, note)
            if not rings:
                return None
            mask = Mask.from_coco_polygons(size, rings)
        else:
            raise Broken("has a segmentation that is neither polygons nor run lengths")
    except (ValueError, TypeError, OverflowError) as error:
        raise Broken(f"has a segmentation that cannot be decoded: {error}") from error
    if mask.area == 0:
        note("Masks that cover no pixel were left out")
        return None
    return mask


def _rings(segmentation: list[object], note: Note) -> list[list[float]]:
    """Return the polygon rings that have an inside; raises Broken."""
    if is_finite(segmentation[0]):
        note("Polygons that are one flat list of numbers were taken as one ring")
        segmentation = [segmentation]
    rings = []
    for ring in segmentation:
        if not isinstance(ring, list) or len(ring) % 2 or not is_numbers(ring, len(ring)):
            raise Broken("has a polygon that is not a list of x, y pairs of finite numbers")
        if len(ring) < 6:
            note("Polygons of fewer than three points were left out")
        else:
            rings.append(ring)
    return rings


def _run_lengths(segmentation: Record, size: ImageSize) -> Mask:
    """Return the mask of run lengths, compressed or not; raises ValueError."""
    if segmentation.get("size") != [size.height, size.width]:
        raise ValueError(
            f"its size is {shown(segmentation.get('size'))},"
            f" its image's [height, width] is [{size.height}, {size.width}]"
        )
    counts = segmentation.get("counts")
    if isinstance(counts, str) and counts.isascii():
        return Mask.from_rle_bytes(size, counts.encode("ascii"))
    if isinstance(counts, list) and all(is_whole(run, 0, 2**32) for run in counts):
        return Mask(size, np.array(counts, dtype=np.int64))
    raise ValueError("its counts are neither a compressed string nor whole numbers from 0")


def _box(box: object) -> Box | None:
    """Return the box as it stands, None where there is none; raises Broken."""
    if box is None or box == []:
        return None
    if not is_numbers(box, 4):
        raise Broken(f"has the bbox {shown(box)}: it is four finite numbers")
    x, y, width, height = box
    return float(x), float(y), float(width), float(height)


def _clipped(box: Box, size: ImageSize, note: Note) -> Box:
    """Return the part of a box inside the image; raises Broken if there is none."""
    x, y, width, height = box
    left, top = max(x, 0.0), max(y, 0.0)
    right, bottom = min(x + width, float(size.width)), min(y + height, float(size.height))
    if right <= left or bottom <= top:
        raise Broken(f"has the bbox {list(box)}, which covers nothing of its image")
    if (left, top, right, bottom) == (x, y, x + width, y + height):
        return box
    note("Boxes that reach out of their image were clipped")
    return left, top, right - left, bottom - top


def _attributes(record: Record) -> Record:
    """Return what this program wrote about an annotation, empty if another did."""
    attributes = record.get("attributes")
    if isinstance(attributes, Mapping) and isinstance(attributes.get("provenance"), Mapping):
        return attributes
    return {}


def _scores(record: Record, m: int) -> NDArray[np.float64]:
    """Return the keypoints' scores, 1 where the file has none that make sense."""
    scores = _attributes(record).get("keypoint_scores")
    if is_numbers(scores, m) and all(0 <= score <= 1 for score in scores):
        return np.array(scores, dtype=np.float64)
    return np.ones(m)


def _origin(
    record: Record, number_of: Mapping[RawId, int]
) -> tuple[Status, Provenance, float | None]:
    """Return status, provenance and confidence: a label of another tool is accepted and drawn."""
    attributes = _attributes(record)
    written, status_text = attributes.get("provenance"), attributes.get("status")
    if not isinstance(written, Mapping) or status_text not in [status.value for status in Status]:
        return Status.ACCEPTED, Drawn(), None
    status, score = Status(str(status_text)), attributes.get("score")
    confidence = float(score) if is_finite(score) and 0 <= score <= 1 else None
    sources, key = written.get("sources"), written.get("key")
    if not isinstance(sources, list) or not isinstance(key, str) or (key and not text_of(key)):
        return status, Drawn(), confidence
    # A source that is not in the file cannot be named: its id may come to mean another one.
    raw = [raw_id(source) for source in sources]
    known = tuple(number_of[id_] for id_ in raw if id_ is not None and id_ in number_of)
    carried = Propagated(known, key)
    return (
        status,
        carried if written.get("kind") == "propagated" else Corrected(carried),
        confidence,
    )
