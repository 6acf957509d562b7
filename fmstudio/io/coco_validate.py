"""The rules of a COCO file that every reader can rely on, checked on the document itself.

Each is a fault of some popular tool: ids of 0, crowds by accident, holes that are added, empty
boxes, keypoints that hide a review state. `fmstudio.io.coco_read` is lenient; this is strict.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.io.coco_json import (
    MAX_ID,
    MAX_SIDE,
    Fault,
    Record,
    is_finite,
    is_numbers,
    is_whole,
    shown,
)
from fmstudio.io.json_lists import listed

# Half a step of the coarsest rounding that the format's rules allow, twice: for a sum of two.
_TOLERANCE = 0.01


def validate_coco(document: Record) -> list[Fault]:
    """Return every rule that a document breaks; an empty list means that it is sound.

    Parameters
    ----------
    document : Mapping
        As `json.load` or `fmstudio.io.json_lists.parse` returns it, or as
        `fmstudio.io.coco.to_coco` makes it.
    """
    faults: list[Fault] = []
    images = [record for _, record in _records(document, "images", faults)]
    categories = [record for _, record in _records(document, "categories", faults)]
    faults += [Fault("images", i, what) for i, what in _images_faults(images)]
    for i, category in enumerate(categories):
        faults += [Fault("categories", i, what) for what in _category_faults(category)]
    image_of = {_key(image.get("id")): image for image in images}
    category_of = {_key(category.get("id")): category for category in categories}
    for i, annotation in _records(document, "annotations", faults):
        image = image_of.get(_key(annotation.get("image_id")))
        named = category_of.get(_key(annotation.get("category_id")))
        for what in _annotation_faults(annotation, image, named):
            faults.append(Fault("annotations", i, what))
    return faults


def _records(document: Record, name: str, faults: list[Fault]) -> Iterator[tuple[int, Record]]:
    """Yield the places and records of a list; note entries that are none, and faults of ids."""
    entries = listed(document, name)
    if entries is None:
        faults.append(Fault("", None, f"has no list '{name}'"))
        return
    seen: dict[object, int] = {}
    for i, entry in enumerate(entries):
        record: Record = entry if isinstance(entry, Mapping) else {}
        if record is not entry:
            faults.append(Fault(name, i, "is not an object"))
        id_ = record.get("id")
        if not is_whole(id_, 1, MAX_ID):
            faults.append(Fault(name, i, f"has the id {shown(id_)}: ids are whole numbers from 1"))
        elif id_ in seen:
            faults.append(Fault(name, i, f"has the id {shown(id_)} of the one at {seen[id_]}"))
        else:
            seen[id_] = i
        yield i, record


def _key(value: object) -> object:
    """Return an id as a key for look-ups: itself, or None for what cannot be one."""
    return value if is_whole(value, 1, MAX_ID) else None


def _images_faults(images: Sequence[Record]) -> Iterator[tuple[int, str]]:
    """Yield the faults of images other than their ids."""
    seen: set[str] = set()
    for i, image in enumerate(images):
        name = image.get("file_name")
        if not isinstance(name, str) or not name:
            yield i, "has no file_name"
        elif name.startswith("/") or "\\" in name or re.match(r"[A-Za-z]:", name):
            yield i, f"has the file_name {shown(name)}, which is not a relative path with slashes"
        elif name != posixpath.normpath(name):
            yield i, f"has the file_name {shown(name)}, which is not in its shortest form"
        elif name in seen:
            yield i, f"has the file_name {shown(name)} of another image"
        else:
            seen.add(name)
        if _size_of(image) is None:
            yield i, "has no width and height in whole pixels"


def _size_of(image: Record) -> ImageSize | None:
    """Return the size of an image that has one."""
    width, height = image.get("width"), image.get("height")
    if not (isinstance(width, int) and isinstance(height, int)):
        return None
    if not (is_whole(width, 1, MAX_SIDE) and is_whole(height, 1, MAX_SIDE)):
        return None
    return ImageSize(width, height)


def _category_faults(category: Record) -> Iterator[str]:
    """Yield the faults of a category other than its id."""
    for name in ("name", "supercategory"):
        if not isinstance(category.get(name), str) or not category[name]:
            yield f"has no {name}"
    names = category.get("keypoints", [])
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        yield "has keypoints that are not a list of names"
        return
    m = len(names)
    if len(set(names)) != m:
        yield "names a keypoint twice"
    for what in ("skeleton", "flip_pairs"):
        pairs = category.get(what, [])
        if not isinstance(pairs, list) or not all(_is_pair(pair, m) for pair in pairs):
            yield f"has a {what} that is not a list of pairs between 1 and {m}"
    sigmas = category.get("sigmas", [0.05] * m)
    if not is_numbers(sigmas, m) or not all(sigma > 0 for sigma in sigmas):
        yield f"has sigmas that are not {m} numbers above 0"
    elif m and "sigmas" not in category:
        yield "has keypoints without sigmas: evaluators know only those of people"


def _is_pair(value: object, m: int) -> bool:
    """Return whether a JSON value joins two of m keypoints, counted from 1."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(is_whole(i, 1, m) for i in value)
        and value[0] != value[1]
    )


def _annotation_faults(
    annotation: Record,
    image: Record | None,
    category: Record | None,
) -> Iterator[str]:
    """Yield the faults of an annotation other than its id."""
    if image is None:
        yield f"refers to image {shown(annotation.get('image_id'))}, which is not listed"
    if category is None:
        yield f"refers to category {shown(annotation.get('category_id'))}, which is not listed"
    if not is_whole(annotation.get("iscrowd"), 0, 1):
        yield f"has iscrowd {shown(annotation.get('iscrowd'))}: it is 0, or 1 for a crowd"
    if not isinstance(annotation.get("attributes", {}), Mapping):
        yield "has attributes that are not an object"
    size = None if image is None else _size_of(image)
    yield from _area_faults(annotation)
    if size is not None:
        yield from _box_faults(annotation.get("bbox"), size)
        if "segmentation" in annotation:
            yield from _mask_faults(annotation, size)
    if category is not None:
        yield from _keypoint_faults(annotation, category)


def _area_faults(annotation: Record) -> Iterator[str]:
    """Yield the faults of an area by itself."""
    area = annotation.get("area")
    if not is_finite(area) or not area > 0:
        yield f"has the area {shown(area)}: it is a number above 0"


def _box_faults(box: object, size: ImageSize) -> Iterator[str]:
    """Yield the faults of a box by itself."""
    if not is_numbers(box, 4):
        yield f"has the bbox {shown(box)}: it is four numbers, x, y, width, height"
        return
    x, y, width, height = box
    if width <= 0 or height <= 0:
        yield f"has the empty bbox {shown(box)}"
    right, bottom = size.width + _TOLERANCE, size.height + _TOLERANCE
    if x < 0 or y < 0 or x + width > right or y + height > bottom:
        yield f"has the bbox {shown(box)} outside its image of {size.width} x {size.height}"


def _mask_faults(annotation: Record, size: ImageSize) -> Iterator[str]:
    """Yield the faults of a mask, and of the area and box that follow from it."""
    segmentation = annotation["segmentation"]
    if annotation.get("iscrowd") == 1 and not isinstance(segmentation, Mapping):
        yield "is a crowd whose mask is not run-length encoded"
    try:
        if isinstance(segmentation, Mapping):
            mask = _rle(segmentation, size)
        else:
            mask = _polygons(segmentation, size)
    except (ValueError, TypeError, OverflowError) as error:
        yield f"has a mask that cannot be decoded: {error}"
        return
    if mask.area == 0:
        yield "has an empty mask"
        return
    if annotation.get("area") != mask.area:
        yield f"has the area {shown(annotation.get('area'))}, its mask {mask.area}"
    box = annotation.get("bbox")
    if is_numbers(box, 4) and list(box) != list(mask.bbox or ()):
        yield f"has the bbox {shown(box)}, its mask {list(mask.bbox or ())}"
    if _has_nested_ring(segmentation, size, mask):
        yield "has a polygon ring inside another: COCO adds it, a hole needs run lengths"


def _rle(segmentation: Record, size: ImageSize) -> Mask:
    """Return the mask of a compressed run-length encoding; raises ValueError."""
    if segmentation.get("size") != [size.height, size.width]:
        raise ValueError(f"its size is {shown(segmentation.get('size'))}, not [height, width]")
    counts = segmentation.get("counts")
    if not isinstance(counts, str) or not counts.isascii():
        raise ValueError("its counts are not a compressed string")
    return Mask.from_rle_bytes(size, counts.encode("ascii"))


def _polygons(segmentation: object, size: ImageSize) -> Mask:
    """Return the mask of a list of rings; raises ValueError."""
    if not isinstance(segmentation, list) or not segmentation:
        raise ValueError("it is neither run lengths nor a list of polygons")
    for ring in segmentation:
        if not isinstance(ring, list) or len(ring) < 6 or not is_numbers(ring, len(ring) & ~1):
            raise ValueError("a polygon is a list of at least three x, y pairs")
    return Mask.from_coco_polygons(size, segmentation)


def _has_nested_ring(segmentation: object, size: ImageSize, union: Mask) -> bool:
    """Return whether a ring adds nothing to the others, as a hole written as a ring does."""
    if not isinstance(segmentation, list) or len(segmentation) < 2:
        return False
    parts = [Mask.from_coco_polygons(size, [ring]) for ring in segmentation]
    if sum(part.area for part in parts) == union.area:
        return False
    return any(
        part.area and Mask.union(size, parts[:i] + parts[i + 1 :]).area == union.area
        for i, part in enumerate(parts)
    )


def _keypoint_faults(annotation: Record, category: Record) -> Iterator[str]:
    """Yield the faults of keypoints."""
    names = category.get("keypoints", [])
    m = len(names) if isinstance(names, list) else 0
    values = annotation.get("keypoints", [])
    if not is_numbers(values, 3 * m):
        count = len(values) if isinstance(values, list) else 0
        yield (
            f"has {count} keypoint numbers that should be {3 * m} finite ones"
            f" for category {shown(category.get('name'))}"
        )
        return
    visibility = values[2::3]
    if not all(is_whole(v, 0, 2) for v in visibility):
        yield "has a keypoint visibility other than 0, 1 or 2"
    if any(v == 0 and (x or y) for x, y, v in zip(values[::3], values[1::3], visibility)):  # noqa: B905
        yield "has a keypoint that is not labelled (0) and yet placed"
    labelled = sum(v > 0 for v in visibility)
    if annotation.get("num_keypoints", 0) != labelled:
        yield f"has num_keypoints {shown(annotation.get('num_keypoints'))}, but {labelled} labelled"
