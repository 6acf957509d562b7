"""Masks joined, cut, moved and painted by their runs: the cost goes with the outline, not the area.

No array of the image's size is made here, so that a brush follows the hand on large photos too.
"""

import math

import numpy as np
from numpy.typing import NDArray

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask

Point = tuple[float, float]


def joined(mask: Mask | None, other: Mask) -> Mask:
    """Return what either mask covers."""
    return other if mask is None else Mask.union(other.size, [mask, other])


def cut(mask: Mask, other: Mask) -> Mask:
    """Return what a mask covers and the other does not."""
    return _inverted(Mask.union(mask.size, [_inverted(mask), other]))


def moved(mask: Mask, dx: int, dy: int) -> Mask:
    """Return a mask moved by whole pixels; raises ValueError if some would leave the image."""
    box = mask.bbox
    if box is None:
        return mask
    x, y, width, height = box
    is_inside = 0 <= x + dx <= mask.size.width - width and 0 <= y + dy <= mask.size.height - height
    if not is_inside:
        raise ValueError(f"a mask at {box} cannot move by {dx}, {dy} within {mask.size}")
    # A run goes on into the next column only where the mask is as high as the image, and then it
    # cannot move up or down: so no run is torn.
    by = dx * mask.size.height + dy
    counts = mask.counts.astype(np.int64)
    if len(counts) % 2 == 0:
        counts = np.append(counts, 0)
    counts[0] += by
    counts[-1] -= by
    return Mask(mask.size, counts.astype(np.uint32))


def pasted(pixels: NDArray[np.bool_], at: tuple[int, int], size: ImageSize) -> Mask:
    """Return the mask of pixels (h, w) whose upper left corner lies at (x, y), within an image."""
    h, w = pixels.shape
    is_edge = np.empty((h + 1, w), dtype=bool)
    is_edge[0], is_edge[-1] = pixels[0], pixels[-1]
    np.not_equal(pixels[1:], pixels[:-1], out=is_edge[1:-1])
    rows, cols = np.divmod(np.flatnonzero(is_edge), w)
    return _of_edges(np.sort((at[0] + cols) * size.height + at[1] + rows), size)


def swept(a: Point, b: Point, radius: float, size: ImageSize) -> Mask:
    """Return the pixels whose centres a disc covers on its way from one place to another.

    Parameters
    ----------
    a, b : tuple of float
        In pixels; may lie outside the image.
    radius : float
        In pixels, above 0.
    size : ImageSize
        Of the image.
    """
    first = max(math.ceil(min(a[0], b[0]) - radius - 0.5), 0)
    stop = min(math.floor(max(a[0], b[0]) + radius - 0.5) + 1, size.width)
    if first >= stop:
        return Mask.empty(size)
    columns = np.arange(first, stop, dtype=np.int64)
    low, high = _crossed(a, b, radius, np.arange(first, stop, dtype=np.float64) + 0.5)
    top = np.clip(np.ceil(low - 0.5), 0, size.height).astype(np.int64)
    bottom = np.clip(np.floor(high - 0.5) + 1, 0, size.height).astype(np.int64)
    edges = columns[:, None] * size.height + np.stack([top, np.maximum(top, bottom)], axis=1)
    return _of_edges(edges.ravel(), size)


def _crossed(
    a: Point, b: Point, radius: float, x: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where vertical lines at x (c,) enter and leave the swept disc, (c,) each.

    It is convex, so a line crosses it once; its rim is made of the two end discs and of the two
    straight sides between them.
    """
    low, high = np.full(x.shape, np.inf), np.full(x.shape, -np.inf)
    for px, py in (a, b):
        half = np.sqrt(np.maximum(radius**2 - (x - px) ** 2, 0.0))
        is_on = np.abs(x - px) <= radius
        low = np.where(is_on, np.minimum(low, py - half), low)
        high = np.where(is_on, np.maximum(high, py + half), high)
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy)
    if abs(dx) > 1e-9 * max(radius, length):
        for side in (radius / length, -radius / length):
            start = a[0] - side * dy, a[1] + side * dx
            is_on = (x - start[0]) * (x - start[0] - dx) <= 0
            y = start[1] + (x - start[0]) / dx * dy
            low = np.where(is_on, np.minimum(low, y), low)
            high = np.where(is_on, np.maximum(high, y), high)
    return low, high


def _of_edges(edges: NDArray[np.int64], size: ImageSize) -> Mask:
    """Return the mask whose runs start and end in turn at ascending flat indices."""
    n = size.width * size.height
    return Mask(size, np.diff(np.concatenate([[0], edges, [n]])).astype(np.uint32))


def _inverted(mask: Mask) -> Mask:
    """Return what a mask does not cover."""
    counts = mask.counts
    return Mask(mask.size, counts[1:] if counts[0] == 0 else np.append(0, counts))
