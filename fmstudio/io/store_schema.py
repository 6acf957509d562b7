"""The tables of a project file, how older files become newer ones, and what each row means.

Documented for other programs: a project file is plain SQLite, and these are its tables. Lists are
JSON. ``keypoints`` blobs are records of 25 bytes (x float64, y float64, visibility int8, score
float64; pixels; little-endian, packed), one per keypoint of the category. ``mask`` blobs are
uint32, little-endian: width, height, then the lengths of alternating runs of 0 and 1,
column-major, the first a run of 0. ``review`` says how a decision came about: by a person who
looked, unseen, or as part of an audit. `fmstudio.io.store_doubt` describes ``doubt``,
`fmstudio.io.store_votes` ``votes`` and ``alternative``.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.io.store_columns import Columns
from fmstudio.io.store_doubt import add_doubt_columns, pack_doubt, unpack_doubt
from fmstudio.io.store_votes import (
    add_vote_columns,
    alternative_of,
    alternative_text,
    pack_votes,
    unpack_votes,
)
from fmstudio.project.model import (
    Annotation,
    Category,
    Corrected,
    Drawn,
    ImageItem,
    Propagated,
    Provenance,
    Review,
    Status,
)

Part = TypeVar("Part")
Value = str | int | float | bytes | None

_KEYPOINT = np.dtype([("xy", "<f8", 2), ("visibility", "i1"), ("score", "<f8")])

_SHA256 = re.compile(r"[0-9a-f]{64}")
_STATUS = {status.value: status for status in Status}
_REVIEW = {review.value: review for review in Review}

# Which of an annotation's columns a draft in the inbox has too.
_CONTENT = """
    category_id INTEGER NOT NULL REFERENCES categories (id) {on_delete}
        DEFERRABLE INITIALLY DEFERRED,
    status TEXT NOT NULL CHECK (status IN ('proposed', 'accepted', 'rejected')),
    provenance TEXT NOT NULL CHECK (provenance IN ('drawn', 'propagated', 'corrected')),
    sources TEXT NOT NULL,
    source_key TEXT NOT NULL,
    confidence REAL,
    box_x REAL, box_y REAL, box_width REAL, box_height REAL,
    is_crowd INTEGER NOT NULL CHECK (is_crowd IN (0, 1)),
    keypoints BLOB,
    mask BLOB"""

_VERSION_1 = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    """CREATE TABLE images (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    path TEXT NOT NULL,
    width INTEGER NOT NULL CHECK (width > 0),
    height INTEGER NOT NULL CHECK (height > 0),
    sha256 TEXT NOT NULL,
    orientation INTEGER NOT NULL CHECK (orientation BETWEEN 1 AND 8))""",
    """CREATE TABLE categories (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    name TEXT NOT NULL,
    supercategory TEXT NOT NULL,
    keypoints TEXT NOT NULL,
    skeleton TEXT NOT NULL,
    flip_pairs TEXT NOT NULL,
    sigmas TEXT NOT NULL,
    colors TEXT NOT NULL)""",
    f"""CREATE TABLE annotations (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    image_id INTEGER NOT NULL REFERENCES images (id) DEFERRABLE INITIALLY DEFERRED,
    {_CONTENT.format(on_delete="")})""",
    "CREATE INDEX annotations_of_image ON annotations (image_id)",
    "CREATE INDEX annotations_of_category ON annotations (category_id)",
    """CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image_id INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE
        DEFERRABLE INITIALLY DEFERRED,
    source_keys TEXT NOT NULL,
    notes TEXT NOT NULL)""",
    "CREATE INDEX inbox_of_image ON inbox (image_id)",
    f"""CREATE TABLE inbox_annotations (
    id INTEGER PRIMARY KEY,
    inbox_id INTEGER NOT NULL REFERENCES inbox (id) ON DELETE CASCADE,
    {_CONTENT.format(on_delete="ON DELETE CASCADE")})""",
    "CREATE INDEX inbox_annotations_of_entry ON inbox_annotations (inbox_id)",
    "CREATE INDEX inbox_annotations_of_category ON inbox_annotations (category_id)",
    """INSERT INTO meta (key, value) VALUES
    ('name', 'untitled'), ('next_image_id', 1), ('next_category_id', 1),
    ('next_annotation_id', 1), ('revision', 0), ('last_edit', '')""",
)


def _to_version_1(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty file."""
    for statement in _VERSION_1:
        connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _to_version_1,
    add_doubt_columns,
    add_vote_columns,
)
"""Step ``i`` turns a file of version ``i`` into one of version ``i + 1``, inside a transaction."""


def image_row(image: ImageItem) -> dict[str, Value]:
    """Return an image as its columns."""
    return {
        "id": image.id,
        "path": image.path,
        "width": image.size.width,
        "height": image.size.height,
        "sha256": image.sha256,
        "orientation": image.orientation,
    }


def images_of(rows: Sequence[sqlite3.Row]) -> list[ImageItem]:
    """Return the images of rows. Images of one size share it."""
    columns = Columns(rows)
    sides = list(zip(columns.of("width", int), columns.of("height", int), strict=True))
    sizes = {pair: ImageSize(*pair) for pair in set(sides)}
    return list(
        map(
            ImageItem,
            columns.of("id", int),
            columns.of("path", str),
            [sizes[pair] for pair in sides],
            map(_sha256, columns.of("sha256", str)),
            columns.of("orientation", int),
        )
    )


def category_row(category: Category) -> dict[str, Value]:
    """Return a category as its columns."""
    return {
        "id": category.id,
        "name": category.name,
        "supercategory": category.supercategory,
        "keypoints": texts_text(category.keypoints),
        "skeleton": json.dumps(category.skeleton),
        "flip_pairs": json.dumps(category.flip_pairs),
        "sigmas": json.dumps(category.sigmas),
        "colors": texts_text(category.colors),
    }


def category_of(row: sqlite3.Row) -> Category:
    """Return the category of a row."""
    return Category(
        _int(row["id"]),
        _str(row["name"]),
        _str(row["supercategory"]),
        texts_of(row["keypoints"]),
        _pairs(row["skeleton"]),
        _pairs(row["flip_pairs"]),
        tuple(_float(sigma) for sigma in json.loads(_str(row["sigmas"]))),
        texts_of(row["colors"]),
    )


def content_row(annotation: Annotation) -> dict[str, Value]:
    """Return what an annotation and a draft have in common, as columns."""
    kind, carried = _provenance_parts(annotation.provenance)
    box = annotation.bbox or (None, None, None, None)
    return {
        "category_id": annotation.category_id,
        "status": annotation.status.value,
        "provenance": kind,
        "sources": json.dumps(carried.sources if carried else ()),
        "source_key": carried.key if carried else "",
        "confidence": annotation.confidence,
        "box_x": box[0],
        "box_y": box[1],
        "box_width": box[2],
        "box_height": box[3],
        "is_crowd": int(annotation.is_crowd),
        "keypoints": None if annotation.keypoints is None else pack_keypoints(annotation.keypoints),
        "mask": None if annotation.mask is None else pack_mask(annotation.mask),
        "doubt": None if annotation.doubt is None else pack_doubt(annotation.doubt),
        "review": annotation.review.value,
        **_alternative_columns(annotation),
    }


def _alternative_columns(annotation: Annotation) -> dict[str, Value]:
    """Return the votes and the competing map of an annotation, as columns."""
    other = annotation.alternative
    points, mask = (None, None) if other is None else (other.keypoints, other.mask)
    return {
        "votes": pack_votes(annotation.votes),
        "alternative": alternative_text(other),
        "alternative_keypoints": None if points is None else pack_keypoints(points),
        "alternative_mask": None if mask is None else pack_mask(mask),
        "alternative_votes": None if other is None else pack_votes(other.votes),
    }


def annotation_row(annotation: Annotation) -> dict[str, Value]:
    """Return an annotation as its columns."""
    return {
        "id": annotation.id,
        "image_id": annotation.image_id,
        **content_row(annotation),
    }


def annotations_of(
    rows: Sequence[sqlite3.Row], places: Iterable[tuple[int, int]]
) -> list[Annotation]:
    """Return the annotations of rows' content columns.

    Parameters
    ----------
    rows : sequence of Row
    places : iterable of (int, int)
        For each row, the ids of its annotation and of its image.
    """
    columns = Columns(rows)
    ids, image_ids = zip(*places, strict=True) if rows else ((), ())
    other_points = _unpacked(unpack_keypoints, columns.of("alternative_keypoints", bytes, None))
    other_masks = _unpacked(unpack_masks, columns.of("alternative_mask", bytes, None))
    return list(
        map(
            Annotation,
            ids,
            image_ids,
            columns.of("category_id", int),
            _unpacked(unpack_keypoints, columns.of("keypoints", bytes, None)),
            _unpacked(unpack_masks, columns.of("mask", bytes, None)),
            [_STATUS[text] for text in columns.of("status", str)],
            _provenances(columns),
            _floats(columns.of("confidence", float, int, None)),
            _boxes(columns),
            map(bool, columns.of("is_crowd", int)),
            [
                None if blob is None else unpack_doubt(blob)
                for blob in columns.of("doubt", bytes, None)
            ],
            [_REVIEW[text] for text in columns.of("review", str)],
            map(unpack_votes, columns.of("votes", bytes, None)),
            map(
                alternative_of,
                columns.of("alternative", str, None),
                other_points,
                other_masks,
                columns.of("alternative_votes", bytes, None),
            ),
        )
    )


def pack_keypoints(keypoints: Keypoints) -> bytes:
    """Return keypoints as records of 25 bytes: x, y, visibility, score; little-endian."""
    records = np.empty(len(keypoints), dtype=_KEYPOINT)
    records["xy"] = keypoints.xy
    records["visibility"] = keypoints.visibility
    records["score"] = keypoints.score
    return records.tobytes()


def unpack_keypoints(blobs: Sequence[bytes]) -> list[Keypoints]:
    """Return the keypoints of blobs of `pack_keypoints`; raises ValueError if one is damaged."""
    width = _KEYPOINT.itemsize
    if any(len(blob) % width for blob in blobs):
        raise ValueError("keypoints are cut short")
    records = np.frombuffer(b"".join(blobs), dtype=_KEYPOINT)
    lengths = [len(blob) // width for blob in blobs]
    return Keypoints.many(records["xy"], records["visibility"], records["score"], lengths)


def pack_mask(mask: Mask) -> bytes:
    """Return a mask as uint32: width, height, run lengths; little-endian."""
    head = np.array([mask.size.width, mask.size.height], dtype="<u4")
    return head.tobytes() + mask.counts.astype("<u4").tobytes()


def unpack_masks(blobs: Sequence[bytes]) -> list[Mask]:
    """Return the masks of blobs of `pack_mask`; raises ValueError if one is damaged."""
    if any(len(blob) < 12 or len(blob) % 4 for blob in blobs):
        raise ValueError("a mask is cut short")
    values = np.frombuffer(b"".join(blobs), dtype="<u4")
    lengths = np.array([len(blob) // 4 for blob in blobs], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    sizes = list(map(ImageSize, values[starts].tolist(), values[starts + 1].tolist()))
    is_run = np.ones(len(values), dtype=bool)
    is_run[starts] = is_run[starts + 1] = False
    return Mask.many(sizes, values[is_run], lengths - 2)


def counter_of(value: object) -> int:
    """Return a counter for new ids; raises ValueError for what is none."""
    return _int(value)


def keys_text(source_keys: Iterable[tuple[int, str]]) -> str:
    """Return an inbox entry's source keys as JSON."""
    return json.dumps([[id_, key] for id_, key in source_keys])


def keys_of(text: object) -> tuple[tuple[int, str], ...]:
    """Return the source keys of `keys_text`."""
    return tuple((_int(id_), _str(key)) for id_, key in json.loads(_str(text)))


def texts_text(texts: Iterable[str]) -> str:
    """Return a list of texts as JSON."""
    return json.dumps(list(texts), ensure_ascii=False)


def texts_of(text: object) -> tuple[str, ...]:
    """Return the texts of `texts_text`."""
    return tuple(_str(part) for part in json.loads(_str(text)))


def _provenance_parts(provenance: Provenance) -> tuple[str, Propagated | None]:
    """Return a provenance as its kind and what was carried."""
    match provenance:
        case Drawn():
            return "drawn", None
        case Propagated():
            return "propagated", provenance
        case Corrected(of):
            return "corrected", of


def _provenances(columns: Columns) -> list[Provenance]:
    """Return the provenances of rows; those that are equal are one."""
    parts = (columns.of(name, str) for name in ("provenance", "sources", "source_key"))
    origins = list(zip(*parts, strict=True))
    made = {origin: _provenance_of(*origin) for origin in set(origins)}
    return [made[origin] for origin in origins]


def _provenance_of(kind: str, sources: str, key: str) -> Provenance:
    """Return the provenance of a row."""
    if kind == "drawn":
        return Drawn()
    carried = Propagated(tuple(_int(id_) for id_ in json.loads(_str(sources))), _str(key))
    return carried if kind == "propagated" else Corrected(carried)


def _boxes(columns: Columns) -> list[tuple[float, float, float, float] | None]:
    """Return the boxes of rows, None where there is none."""
    sides = (columns.of(f"box_{side}", float, int, None) for side in ("x", "y", "width", "height"))
    return [
        None if x is None else (_float(x), _float(y), _float(width), _float(height))
        for x, y, width, height in zip(*sides, strict=True)
    ]


def _floats(values: Iterable[float | None]) -> list[float | None]:
    """Return numbers as such that are no whole ones."""
    return [None if value is None else float(value) for value in values]


def _unpacked(
    unpack: Callable[[Sequence[bytes]], list[Part]], blobs: Sequence[bytes | None]
) -> list[Part | None]:
    """Return what is packed in a column, None where there is nothing."""
    parts = iter(unpack([blob for blob in blobs if blob is not None]))
    return [None if blob is None else next(parts) for blob in blobs]


def _pairs(text: object) -> tuple[tuple[int, int], ...]:
    """Return pairs of whole numbers from JSON."""
    return tuple((_int(a), _int(b)) for a, b in json.loads(_str(text)))


def _int(value: object) -> int:
    """Return a value that must be a whole number; SQLite columns take anything."""
    if not isinstance(value, int):
        raise ValueError(f"{value!r} stands where a whole number should")
    return value


def _float(value: object) -> float:
    """Return a value that must be a number."""
    if not isinstance(value, int | float):
        raise ValueError(f"{value!r} stands where a number should")
    return float(value)


def _str(value: object) -> str:
    """Return a value that must be text."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} stands where text should")
    return value


def _sha256(text: str) -> str:
    """Return a text that must be an image's hash, or empty: files are named after it."""
    if text and not _SHA256.fullmatch(text):
        raise ValueError(f"{text!r} stands where the SHA-256 of an image should")
    return text
