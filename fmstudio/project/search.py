"""The search language of the image list: ``score:<0.6 status:proposed name:*.jpg cat``."""

import operator
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate

from fmstudio.errors import ProjectError
from fmstudio.project.model import ImageItem, ImageState, Project, Status

Test = Callable[[Project, ImageItem], bool]

_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_COMPARISON = re.compile(r"(<=|>=|<|>|=)?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": lambda a, b: abs(a - b) < 0.005,  # as it is shown, with two decimals
}
_STATES = {
    "none": (ImageState.NONE,),
    "proposed": (ImageState.PROPOSED, ImageState.PARTLY_REVIEWED),
    "partly": (ImageState.PARTLY_REVIEWED,),
    "accepted": (ImageState.ACCEPTED,),
    "rejected": (ImageState.REJECTED,),
}
_HINT = {"name": "*.jpg", "status": "proposed", "score": "<0.6", "category": "cat"}

WORDS = (
    *(f"status:{state}" for state in _STATES),
    *("score:<0.6", "score:>=0.9", "name:*.jpg", "category:"),
)
"""What a search can be put together from, to be offered while a person types."""


@dataclass(frozen=True, slots=True)
class Query:
    """What an image must be; all tests hold together.

    Attributes
    ----------
    tests : tuple of callable
    """

    tests: tuple[Test, ...] = ()

    def matches(self, project: Project, image: ImageItem) -> bool:
        """Return whether an image is what is asked for."""
        return all(test(project, image) for test in self.tests)


def parse_query(text: str) -> Query:
    """Return what a line of search words asks for.

    ``name:*.jpg`` the file name or path by wildcards; ``status:`` none, proposed, partly, accepted
    or rejected; ``score:<0.6`` a proposal's confidence; ``category:cat`` an annotation's category;
    ``-`` before a word turns it round; any other word is looked for in the path. A value with
    spaces stands in double quotes. Upper and lower case are alike.

    Raises
    ------
    ProjectError
        If a word cannot be understood.
    """
    return Query(tuple(_test(word) for word in _WORD.findall(text)))


def quoted(value: str) -> str:
    """Return a value as it can stand behind a search word's colon."""
    return f'"{value}"' if re.search(r"\s", value) else value


def _test(word: str) -> Test:
    """Return the test of one word."""
    rest = word.lstrip("-")
    if rest and (len(word) - len(rest)) % 2:
        test = _plain_test(rest)
        return lambda project, image: not test(project, image)
    return _plain_test(rest or word)


def _plain_test(word: str) -> Test:
    """Return the test of a word that has no minus before it."""
    name, colon, value = word.partition(":")
    key, value = name.lower(), value.replace('"', "")
    make = _KEYS.get(key) if colon else None
    if make is not None:
        if not value:
            raise ProjectError(f"'{word}' has no value: write something like {key}:{_HINT[key]}.")
        return make(value)
    if colon and name.isalpha():
        known = ", ".join(f"{known}:" for known in _KEYS)
        raise ProjectError(f"There is no search word '{name}:'; there are {known}.")
    return _by_part(word.replace('"', ""))


def _by_part(part: str) -> Test:
    """Return a test of what the path contains."""
    wanted = _folded(part)
    return lambda _project, image: wanted in _folded(image.path)


def _by_name(pattern: str) -> Test:
    """Return a test of path and file name by wildcards; without any, of a part of the path."""
    if not set("*?[") & set(pattern):
        return _by_part(pattern)
    fits = re.compile(translate(_folded(pattern))).match
    return lambda _project, image: bool(fits(_folded(image.path)) or fits(_folded(image.file_name)))


def _by_status(value: str) -> Test:
    """Return a test of where an image stands."""
    states = _STATES.get(value.lower())
    if states is None:
        raise ProjectError(f"There is no status '{value}'; there are {', '.join(_STATES)}.")
    return lambda project, image: project.image_state(image.id) in states


def _by_score(value: str) -> Test:
    """Return a test of the confidence of an image's proposals: one of them is enough."""
    match = _COMPARISON.fullmatch(value)
    if match is None:
        raise ProjectError(f"'score:{value}' is no comparison: write something like score:<0.6.")
    compare, limit = _COMPARE[match[1] or "="], float(match[2])
    return lambda project, image: any(
        a.status is Status.PROPOSED and compare(a.confidence or 0.0, limit)
        for a in project.annotations_of(image.id)
    )


def _by_category(value: str) -> Test:
    """Return a test of the categories on an image."""
    wanted = _folded(value)
    return lambda project, image: any(
        wanted in _folded(project.categories[a.category_id].name)
        for a in project.annotations_of(image.id)
    )


def _folded(text: str) -> str:
    """Return a text by which alike ones are found: file systems write accents in two ways."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


_KEYS: dict[str, Callable[[str], Test]] = {
    "name": _by_name,
    "status": _by_status,
    "score": _by_score,
    "category": _by_category,
}
