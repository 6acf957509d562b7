"""Boxes of whole pixels: parts of an image that are looked at by themselves."""

from collections.abc import Sequence

PartBox = tuple[int, int, int, int]
"""Part of an image: (x0, y0, x1, y1) in whole pixels, the last two outside."""


def box_around(boxes: Sequence[PartBox]) -> PartBox:
    """Return the smallest box that holds all of at least one."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
