"""Read a COCO document, however other tools bend the format, whole or not at all."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

from fmstudio.geometry.grid import MAX_PIXELS, ImageSize
from fmstudio.io.coco_json import (
    MAX_ID,
    MAX_SIDE,
    Broken,
    Fault,
    RawId,
    Record,
    is_numbers,
    is_whole,
    raw_id,
    shown,
    text_of,
)
from fmstudio.io.coco_read_marks import annotation_of
from fmstudio.io.json_lists import Entries, listed
from fmstudio.project.model import Annotation, Category, ImageItem

_NAMED_PLACES = 3
_NO_RECORD: Record = MappingProxyType({})
"""Stands for an entry that is no object, which is a fault already."""
_Part = TypeVar("_Part")

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


# Bytes, of a part of a path and of all of it: no system takes more.
_LONGEST_NAME, _LONGEST_PATH = 255, 4096


@dataclass(frozen=True, slots=True)
class CocoData:
    """What a COCO file holds, as values of the project model.

    Attributes
    ----------
    images : tuple of ImageItem
        With the file's own names, relative to wherever its images are; hash and orientation are
        not known yet.
    categories : tuple of Category
    annotations : tuple of Annotation
    notes : tuple of str
        Sentences on everything that was not taken as it stood.
    """

    images: tuple[ImageItem, ...]
    categories: tuple[Category, ...]
    annotations: tuple[Annotation, ...]
    notes: tuple[str, ...] = ()


class _Records:
    """The records of a list; an entry that is none is `_NO_RECORD`."""

    def __init__(self, entries: list[object] | Entries) -> None:
        self._entries = entries

    def __iter__(self) -> Iterator[Record]:
        return (entry if isinstance(entry, Mapping) else _NO_RECORD for entry in self._entries)


class Reader:
    """Reads one document; afterwards ``faults`` says whether its result may be used."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._notes: dict[str, list[str]] = {}
        self._place = ("", 0)
        self._images: dict[RawId, ImageItem] = {}
        self._categories: dict[RawId, Category] = {}
        self._at_fault: set[RawId | None] = set()

    def read(self, document: object) -> CocoData:
        """Return what a document holds; incomplete if there are faults."""
        if not isinstance(document, Mapping):
            what = "is not a COCO data set: it should hold images, categories and annotations"
            self.faults.append(Fault("", None, what))
            return CocoData((), (), ())
        self._categories = self._read_categories(self._records(document, "categories"))
        self._images = self._read_images(self._records(document, "images"))
        annotations = self._read_annotations(self._records(document, "annotations"))
        return CocoData(
            tuple(self._images.values()),
            tuple(self._categories.values()),
            annotations,
            tuple(self._note_sentences()),
        )

    def _records(self, document: Record, name: str) -> _Records:
        """Return a list of the document; one that is not there is empty."""
        entries = listed(document, name)
        if entries is None and (document.get(name) is not None or name == "images"):
            self.faults.append(Fault("", None, f"has no list '{name}'"))
        return _Records(entries or [])

    def _ids(self, name: str, records: _Records) -> list[RawId | None]:
        """Return each record's id, whatever it is; faults entries that are no records."""
        ids: list[RawId | None] = []
        for i, record in enumerate(records):
            if record is _NO_RECORD:
                self.faults.append(Fault(name, i, "is not an object"))
            ids.append(raw_id(record.get("id")))
        return ids

    def _note(self, text: str) -> None:
        """Remember that the record being read was not taken as it stood."""
        self._notes.setdefault(text, []).append(f"{self._place[0]}[{self._place[1]}]")

    def _note_sentences(self) -> list[str]:
        """Return a sentence per kind of note, with the places."""
        sentences = []
        for text, places in self._notes.items():
            named = ", ".join(places[:_NAMED_PLACES])
            more = len(places) - _NAMED_PLACES
            sentences.append(f"{text} ({named}{f' and {more} more' if more > 0 else ''}).")
        return sentences

    def _keys(self, name: str, records: _Records) -> list[RawId | None]:
        """Return each record's id as others refer to it; faults those without, or used twice."""
        keys: list[RawId | None] = []
        seen: dict[RawId, int] = {}
        ids = self._ids(name, records)
        for i, (record, key) in enumerate(zip(records, ids, strict=True)):
            if key is None:
                if record is not _NO_RECORD:
                    self.faults.append(Fault(name, i, "has no id"))
            elif key in seen:
                self.faults.append(
                    Fault(name, i, f"has the id {shown(key)} of {name}[{seen[key]}]")
                )
                key = None
            else:
                seen[key] = i
            keys.append(key)
        return keys

    def _numbers(self, name: str, keys: Sequence[RawId | None]) -> list[int]:
        """Return an id from 1 for each key: itself where it can be, a new one otherwise."""
        used: set[int] = set()
        numbers: list[int] = []
        for key in keys:
            numbers.append(key if is_whole(key, 1, MAX_ID) and key not in used else 0)
            used.add(numbers[-1])
        fresh = max(used, default=0) if max(used, default=0) + len(keys) <= MAX_ID else 0
        for i, number in enumerate(numbers):
            if number == 0:
                fresh += 1
                while fresh in used:
                    fresh += 1
                numbers[i] = fresh
                self._place = (name, i)
                self._note(
                    f"Ids of {name} that are missing, no whole numbers from 1, or used twice"
                    " were replaced"
                )
        return numbers

    def _read_images(self, records: _Records) -> dict[RawId, ImageItem]:
        """Return the images by the ids they have in the file."""
        keys = self._keys("images", records)
        numbers = self._numbers("images", keys)
        images: dict[RawId, ImageItem] = {}
        names: dict[str, int] = {}
        for i, (record, key, number) in enumerate(zip(records, keys, numbers, strict=True)):
            if record is _NO_RECORD:
                continue
            self._place = ("images", i)
            try:
                path, size = self._file_name(record), _size(record)
                if path in names:
                    raise Broken(f"has the file_name '{path}' of images[{names[path]}]")
            except Broken as broken:
                self.faults.append(Fault("images", i, str(broken)))
                self._at_fault.add(key)
                continue
            names[path] = i
            if key is not None:
                images[key] = ImageItem(number, path, size, "")
        return images

    def _file_name(self, record: Record) -> str:
        """Return an image's name with slashes, in its shortest form."""
        name = text_of(record.get("file_name"))
        if name is None:
            raise Broken("has no file_name")
        if "\\" in name:
            self._note("Backslashes in file names were taken for slashes")
            name = name.replace("\\", "/")
        if name.startswith("//"):
            # Looking for a file on a share would tell its server who asks.
            self._note("Names on network shares were taken for names in folders")
            name = name.lstrip("/")
        name = posixpath.normpath(name)
        if (
            len(name.encode()) > _LONGEST_PATH
            or max(len(part.encode()) for part in name.split("/")) > _LONGEST_NAME
        ):
            raise Broken("has a file_name that is longer than a name of a file can be")
        return name

    def _read_categories(self, records: _Records) -> dict[RawId, Category]:
        """Return the categories by the ids they have in the file."""
        keys = self._keys("categories", records)
        numbers = self._numbers("categories", keys)
        categories: dict[RawId, Category] = {}
        names: set[str] = set()
        for i, (record, key, number) in enumerate(zip(records, keys, numbers, strict=True)):
            if record is _NO_RECORD:
                continue
            self._place = ("categories", i)
            try:
                category = self._category(record, number)
            except Broken as broken:
                self.faults.append(Fault("categories", i, str(broken)))
                self._at_fault.add(key)
                continue
            if category.name in names:
                self._note("Categories whose name was taken already got their id added to it")
                category = replace(category, name=f"{category.name} ({number})")
            names.add(category.name)
            if key is not None:
                categories[key] = category
        return categories

    def _category(self, record: Record, number: int) -> Category:
        """Return a category; raises Broken."""
        name = text_of(record.get("name"))
        if name is None:
            raise Broken("has no name")
        raw = record.get("keypoints") or []
        if not isinstance(raw, list):
            raise Broken("has keypoints that are not a list of names")
        keypoints = tuple(text for entry in raw if (text := text_of(entry)) is not None)
        if len(keypoints) != len(raw) or len(set(keypoints)) != len(raw):
            raise Broken("has keypoints that are not a list of different names")
        m = len(keypoints)
        flip_pairs = self._pairs(record, "flip_pairs", m)
        flipped = [i for pair in flip_pairs for i in pair]
        if len(set(flipped)) != len(flipped):
            raise Broken("has a keypoint in two flip_pairs")
        return Category(
            number,
            name,
            text_of(record.get("supercategory")) or "object",
            keypoints,
            self._pairs(record, "skeleton", m),
            flip_pairs,
            _sigmas(record, m),
            _colors(record, m),
        )

    def _pairs(self, record: Record, name: str, m: int) -> tuple[tuple[int, int], ...]:
        """Return pairs of keypoints counted from 0; raises Broken."""
        pairs = record.get(name) or []
        if not isinstance(pairs, list) or not all(
            isinstance(pair, list) and len(pair) == 2 and all(is_whole(i, 0, m) for i in pair)
            for pair in pairs
        ):
            raise Broken(f"has a {name} that is not a list of pairs between 1 and {m}")
        numbers = [i for pair in pairs for i in pair]
        first = 1
        if 0 in numbers:
            if m in numbers:
                raise Broken(f"has a {name} with both 0 and {m}: it counts from 1")
            self._note(f"A {name} that counts from 0 was taken as such, though COCO counts from 1")
            first = 0
        if any(a == b for a, b in pairs):
            self._note(f"Pairs of a keypoint with itself were left out of the {name}")
        return tuple((a - first, b - first) for a, b in pairs if a != b)

    def _read_annotations(self, records: _Records) -> tuple[Annotation, ...]:
        """Return the annotations."""
        keys = self._ids("annotations", records)
        numbers = self._numbers("annotations", keys)
        # Of ids used twice the first keeps it, and is the one meant by others.
        number_of: dict[RawId, int] = {}
        for key, number in zip(keys, numbers, strict=True):
            if key is not None:
                number_of.setdefault(key, number)
        annotations = []
        for i, (record, number) in enumerate(zip(records, numbers, strict=True)):
            if record is _NO_RECORD:
                continue
            self._place = ("annotations", i)
            try:
                image = self._listed(self._images, record, "image")
                category = self._listed(self._categories, record, "category")
                if image is not None and category is not None:
                    annotations.append(
                        annotation_of(record, number, image, category, number_of, self._note)
                    )
            except Broken as broken:
                self.faults.append(Fault("annotations", i, str(broken)))
        return tuple(annotations)

    def _listed(self, parts: Mapping[RawId, _Part], record: Record, kind: str) -> _Part | None:
        """Return the image or category that an annotation refers to, None if it is at fault.

        Raises Broken if the file has none of this id.
        """
        value = record.get(f"{kind}_id")
        key = raw_id(value)
        if key is not None and key in parts:
            return parts[key]
        if key not in self._at_fault:
            raise Broken(f"refers to {kind} {shown(value)}, which is not listed")
        return None


def _sigmas(record: Record, m: int) -> tuple[float, ...]:
    """Return a category's own sigmas, empty without any; raises Broken."""
    sigmas = record.get("sigmas")
    if not sigmas or record.get("sigmas_are_default") is True:
        return ()
    if not is_numbers(sigmas, m) or min(sigmas) <= 0:
        raise Broken(f"has sigmas that are not {m} numbers above 0")
    return tuple(map(float, sigmas))


def _colors(record: Record, m: int) -> tuple[str, ...]:
    """Return a category's colours, empty where the file has none of our kind."""
    colors = record.get("colors")
    if not isinstance(colors, list) or len(colors) not in {1, m}:
        return ()
    fitting = [color for color in colors if isinstance(color, str) and _COLOR.fullmatch(color)]
    return tuple(fitting) if len(fitting) == len(colors) else ()


def _size(record: Record) -> ImageSize:
    """Return an image's size; raises Broken."""
    sides: list[int] = []
    for name in ("width", "height"):
        value = raw_id(record.get(name))
        if not is_whole(value, 1, MAX_SIDE):
            wrong = shown(record.get(name))
            raise Broken(f"has the {name} {wrong}: it is a whole number of pixels")
        sides.append(value)
    if sides[0] * sides[1] > MAX_PIXELS:
        limit = f"{MAX_PIXELS / 1e6:,.0f} million"
        raise Broken(f"has {sides[0]} x {sides[1]} pixels, more than the limit of {limit}")
    return ImageSize(sides[0], sides[1])
