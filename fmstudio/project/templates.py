"""Ready-made categories: a schema, and where its keypoints stand in a schematic drawing."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

from fmstudio.errors import FormatError
from fmstudio.project.model import Category


@dataclass(frozen=True, slots=True)
class Template:
    """A category to start from.

    Attributes
    ----------
    title : str
        What a menu calls it.
    about : str
        Where it comes from, in a sentence or two.
    category : Category
        With id 0.
    layout : tuple of (float, float)
        For each keypoint its place in a schematic drawing: x to the right and y down, in [0, 1].
    """

    title: str
    about: str
    category: Category
    layout: tuple[tuple[float, float], ...]


def parse_template(text: str) -> Template:
    """Return the template of a JSON text, in which pairs are written by name.

    Raises
    ------
    FormatError
        If it is not JSON, or a part is missing or not of its kind.
    """
    try:
        raw = json.loads(text)
        points = raw["keypoints"]
        names = tuple(str(point["name"]) for point in points)
        index = {name: i for i, name in enumerate(names)}
        category = Category(
            0,
            str(raw["name"]),
            str(raw["supercategory"]),
            names,
            _pairs(raw, "skeleton", index),
            _pairs(raw, "flip_pairs", index),
            tuple(float(point["sigma"]) for point in points),
        )
        layout = tuple(_place(point["at"]) for point in points)
        return Template(str(raw["title"]), str(raw["about"]), category, layout)
    except KeyError as error:
        raise FormatError(f"A template lacks {error}.") from error
    except (TypeError, ValueError) as error:
        raise FormatError(f"A template cannot be read: {error}.") from error


def _pairs(
    raw: Mapping[str, list[tuple[str, str]]], name: str, index: Mapping[str, int]
) -> tuple[tuple[int, int], ...]:
    """Return pairs of names as pairs of indices from 0."""
    return tuple((index[a], index[b]) for a, b in raw[name])


def _place(values: tuple[float, float]) -> tuple[float, float]:
    """Return a place of the drawing, checked."""
    x, y = map(float, values)
    if not all(math.isfinite(v) and 0 <= v <= 1 for v in (x, y)):
        raise ValueError(f"the place {x}, {y} lies outside of the drawing")
    return x, y
