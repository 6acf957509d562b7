"""Where a schema can come from besides typing: templates, and lists of names."""

import re
from functools import lru_cache

from fmstudio.project.templates import Template, parse_template
from fmstudio.resources import resource

_SEPARATOR = re.compile(r"[\n\r\t,;]+")
_AROUND = " \"'[]"


@lru_cache(maxsize=1)
def load_templates() -> tuple[Template, ...]:
    """Return the templates that come with fmstudio, the largest first.

    Raises
    ------
    DatasetError
        If they are missing: the installation is damaged.
    """
    paths = sorted(resource("templates").glob("*.json"))
    templates = [parse_template(path.read_text(encoding="utf-8")) for path in paths]
    return tuple(sorted(templates, key=lambda t: len(t.category.keypoints), reverse=True))


def names_in(text: str) -> tuple[str, ...]:
    """Return the names in a pasted text, each once: one per line, or between commas."""
    names = (part.strip(_AROUND) for part in _SEPARATOR.split(text))
    return tuple(dict.fromkeys(name for name in names if name))
