"""JSON documents with lists too long to be kept: their entries are made when they are asked for.

A million annotations are some gigabytes as Python's dictionaries, and a tenth of that as text.
"""

import json
import re
from array import array
from collections.abc import Callable, Iterator, Mapping

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class Entries:
    """A list whose entries are made anew each time that it is gone through.

    Parameters
    ----------
    length : int
    make : callable
        Returns an iterator over so many entries.
    """

    def __init__(self, length: int, make: Callable[[], Iterator[object]]) -> None:
        self._length, self._make = length, make

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[object]:
        return self._make()


def listed(document: Mapping[str, object], name: str) -> list[object] | Entries | None:
    """Return a list of a document, None where something else or nothing stands."""
    value = document.get(name)
    return value if isinstance(value, list | Entries) else None


def parse(text: str) -> object:
    """Return a JSON document as `json.loads` does, with the lists of its top object as `Entries`.

    Raises
    ------
    json.JSONDecodeError
        If it is none; with the place.
    RecursionError, ValueError
        If something in it is nested too deeply, or a number has too many digits.
    """
    start = _skip(text, 0)
    if not text.startswith("{", start):
        return json.loads(text)
    document: dict[str, object] = {}

    def member(at: int) -> int:
        if not text.startswith('"', at):
            what = "Expecting property name enclosed in double quotes"
            raise json.JSONDecodeError(what, text, at)
        name, at = _DECODER.raw_decode(text, at)
        at = _past(text, at, ":")
        read = _list if text.startswith("[", at) else _DECODER.raw_decode
        document[name], at = read(text, at)
        return at

    end = _skip(text, _each(text, start, "}", member))
    if end != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return document


def _list(text: str, at: int) -> tuple[Entries, int]:
    """Return the list that begins at a place, and where it ends."""
    starts = array("q")

    def entry(at: int) -> int:
        starts.append(at)
        _, at = _DECODER.raw_decode(text, at)
        return at

    end = _each(text, at, "]", entry)
    return Entries(len(starts), lambda: (_DECODER.raw_decode(text, at)[0] for at in starts)), end


def _each(text: str, at: int, close: str, take: Callable[[int], int]) -> int:
    """Call ``take`` with the start of each part of a list or an object; return where it ends.

    ``take`` returns where the part ends.
    """
    at = _skip(text, at + 1)
    if text.startswith(close, at):
        return at + 1
    while True:
        at = _skip(text, take(at))
        if text.startswith(close, at):
            return at + 1
        at = _past(text, at, ",")


def _past(text: str, at: int, sign: str) -> int:
    """Return where what follows a sign begins, which must stand here."""
    at = _skip(text, at)
    if not text.startswith(sign, at):
        raise json.JSONDecodeError(f"Expecting '{sign}' delimiter", text, at)
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    """Return where the white space that begins at a place ends."""
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()
