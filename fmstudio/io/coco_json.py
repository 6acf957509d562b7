"""JSON values as they come from files of unknown makers: anything may stand anywhere."""

import math
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

Record = Mapping[str, object]
RawId = int | str

MAX_ID = 2**53 - 1
"""The largest id that every JSON reader keeps exactly."""
MAX_SIDE = 1_000_000
"""The longest side of an image, in pixels, that is believed."""

# Of what is nested or long only the beginning is looked at, however much there is.
_BRIEF = reprlib.Repr()
_BRIEF.maxlist = _BRIEF.maxdict = 20
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 80
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule of a file.

    Attributes
    ----------
    list_name : str
        "images", "categories" or "annotations"; empty for the document itself.
    index : int or None
        Position in the list, from 0.
    what : str
        The fault, as the rest of a sentence.
    """

    list_name: str
    index: int | None
    what: str

    def __str__(self) -> str:
        place = self.list_name if self.index is None else f"{self.list_name}[{self.index}]"
        return f"{place or 'the file'} {self.what}"


class Broken(Exception):  # noqa: N818 - not an error of the program
    """A record cannot be read; the text is the rest of a sentence that begins with its place."""


def is_whole(value: object, low: int, high: int) -> TypeGuard[int]:
    """Return whether a JSON value is a whole number between two bounds; true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_finite(value: object) -> TypeGuard[float]:
    """Return whether a JSON value is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def is_numbers(value: object, length: int) -> TypeGuard[list[float]]:
    """Return whether a JSON value is a list of so many finite numbers."""
    if not isinstance(value, list) or len(value) != length:
        return False
    if set(map(type, value)) <= {int, float}:
        # Most of a file are such lists: one call each instead of one per number.
        try:
            return all(map(math.isfinite, value))
        except OverflowError:
            return False
    return all(map(is_finite, value))


def raw_id(value: object) -> RawId | None:
    """Return an id as it serves to find a record, None for what cannot."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return value


def text_of(value: object) -> str | None:
    """Return a text that can be stored and shown, None for anything else."""
    if not isinstance(value, str) or not value.strip() or _CONTROL.search(value):
        return None
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return value


def shown(value: object) -> str:
    """Return a value as a message shows it: on one line, and not endless."""
    text = _BRIEF.repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
