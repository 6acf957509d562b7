"""Strokes as pixels."""

from itertools import pairwise

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.ui.canvas.draft import Stroke
from fmstudio.ui.canvas.tool_masks import swept


def stroke_mask(stroke: Stroke, size: ImageSize) -> Mask:
    """Return the pixels of an image whose centres a stroke covers."""
    places = [(x, y) for x, y in stroke.xy.tolist()]
    steps = list(pairwise(places)) or [(place, place) for place in places]
    return Mask.union(size, [swept(a, b, stroke.radius, size) for a, b in steps])
