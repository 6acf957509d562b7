"""What the correspondence inspector shows, as a person has chosen it."""

import json
from dataclasses import asdict, dataclass, fields, replace

HEATS = ("off", "map", "features", "both")
"""Which distribution is drawn where the counterpart of the pointer lies."""
PICTURES = ("off", "colour", "checker")
"""What is carried over as a picture; one at a time."""


@dataclass(frozen=True, slots=True)
class InspectorChoices:
    """The layers that are drawn.

    Attributes
    ----------
    heat : str
        One of `HEATS`.
    picture : str
        One of `PICTURES`.
    has_contour, has_grid, has_lines : bool
    wipe : float
        Share of the carried picture that is shown, from its left, in [0, 1].
    opacity : float
        Of the carried picture, in [0, 1].
    """

    heat: str = "map"
    picture: str = "off"
    has_contour: bool = False
    has_grid: bool = False
    has_lines: bool = False
    wipe: float = 1.0
    opacity: float = 0.85

    @property
    def is_wiped(self) -> bool:
        """Return whether a part of the carried picture is taken away."""
        return self.picture != "off" and self.wipe < 1.0

    def with_next_heat(self) -> "InspectorChoices":
        """Return the choices with the distribution that comes next."""
        return replace(self, heat=HEATS[(HEATS.index(self.heat) + 1) % len(HEATS)])


def to_text(choices: InspectorChoices) -> str:
    """Return choices as a text to keep."""
    return json.dumps(asdict(choices), sort_keys=True)


def from_text(text: str) -> InspectorChoices:
    """Return choices of a kept text; each that cannot be read is the first one."""
    try:
        kept = json.loads(text)
    except ValueError:
        kept = {}
    known = kept if isinstance(kept, dict) else {}
    first = InspectorChoices()
    usable = {
        each.name: known[each.name]
        for each in fields(first)
        if each.name in known and _is_usable(each.name, known[each.name])
    }
    return replace(first, **usable)


def _is_usable(name: str, value: object) -> bool:
    """Return whether a kept value is one that a choice can have."""
    if name in ("heat", "picture"):
        return value in (HEATS if name == "heat" else PICTURES)
    if name in ("wipe", "opacity"):
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return isinstance(value, bool)
