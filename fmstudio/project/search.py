"""The search language of the image list: ``score:<0.6 status:proposed name:*.jpg cat``."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from fmstudio.errors import ProjectError
from fmstudio.project.model import ImageItem, ImageState, Project, Status

Test = Callable[[Project, ImageItem], bool]

_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
_COMPARISON = re.compile(r"(<=|>=|<|>|=)?(\d+(?:\.\d*)?|\.\d+)")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
_STATES = {
    "none": (ImageState.NONE,),
    "proposed": (ImageState.PROPOSED, ImageState.PARTLY_REVIEWED),
    "partly": (ImageState.PARTLY_REVIEWED,),
    "accepted": (ImageState.ACCEPTED,),
    "rejected": (ImageState.REJECTED,),
}
EXAMPLES = ("status:proposed", "score:<0.6", "name:*.jpg", "category:cat", "status:none")


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
    spaces stands in double quotes.

    Raises
    ------
    ProjectError
        If a word cannot be understood.
    """
    return Query(tuple(_test(word) for word in _WORD.findall(text)))


def _test(word: str) -> Test:
    """Return the test of one word."""
    if word.startswith("-") and len(word) > 1:
        inner = _test(word[1:])
        return lambda project, image: not inner(project, image)
    key, colon, value = word.partition(":")
    value = value.replace('"', "")
    make = _KEYS.get(key.lower()) if colon else None
    if make is not None:
        if not value:
            raise ProjectError(f"'{word}' has no value: write something like {key}:{_HINT[key]}.")
        return make(value)
    if colon and key.isalpha():
        known = ", ".join(f"{name}:" for name in _KEYS)
        raise ProjectError(f"There is no search word '{key}:'; there are {known}.")
    wanted = word.replace('"', "").lower()
    return lambda _project, image: wanted in image.path.lower()


def _by_name(pattern: str) -> Test:
    """Return a test of path and file name by wildcards; without any, of a part of the path."""
    lowered = pattern.lower()
    if not set("*?[") & set(lowered):
        return lambda _project, image: lowered in image.path.lower()
    return lambda _project, image: (
        fnmatchcase(image.path.lower(), lowered) or fnmatchcase(image.file_name.lower(), lowered)
    )


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
    wanted = value.lower()
    return lambda project, image: any(
        wanted in project.categories[a.category_id].name.lower()
        for a in project.annotations_of(image.id)
    )


_KEYS: dict[str, Callable[[str], Test]] = {
    "name": _by_name,
    "status": _by_status,
    "score": _by_score,
    "category": _by_category,
}
_HINT = {"name": "*.jpg", "status": "proposed", "score": "<0.6", "category": "cat"}
