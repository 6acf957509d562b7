"""Outlines of what is set in an array, along the edges of its pixels."""

import numpy as np
from numpy.typing import NDArray


def trace(padded: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return the closed outlines of a (H + 2, W + 2) mask with an empty border.

    Each ring is (v, 2) xy of corners only, in the frame of the inner H x W pixels, begins at its
    topmost and then leftmost corner and goes right. Corners are paired along rows and along
    columns; where two parts touch by a corner, that corner is taken twice and keeps them apart.
    """
    nw, ne, sw, se = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    is_double = (nw == se) & (ne == sw) & (nw != ne)
    is_corner = (nw ^ ne ^ sw ^ se) | is_double
    rows, cols = np.divmod(np.flatnonzero(is_corner), is_corner.shape[1])
    copies = 1 + is_double[rows, cols].astype(np.int64)
    # Row-major order pairs corners along rows: the first copy of a double one goes left.
    is_second = np.append(0, np.diff(np.repeat(np.arange(len(rows)), copies))) == 0
    is_second[:1] = False
    rows, cols = np.repeat(rows, copies), np.repeat(cols, copies)
    # Along columns the copy of the upper part comes first: the left-going one if that part is
    # the upper left pixel, the right-going one if it is the upper right pixel.
    is_lower = is_second ^ ~nw[rows, cols]
    order = np.lexsort((is_lower, rows, cols))
    vertical = np.empty(len(rows), dtype=np.int64)
    vertical[order[0::2]], vertical[order[1::2]] = order[1::2], order[0::2]
    points = np.stack([cols, rows], axis=1).astype(np.float64)
    partner = vertical.tolist()
    seen = bytearray(len(partner))
    rings = []
    for start in range(len(partner)):
        if seen[start]:
            continue
        ring, at = [], start
        while not seen[at]:
            across = at ^ 1
            seen[at] = seen[across] = 1
            ring += [at, across]
            at = partner[across]
        rings.append(points[ring])
    return rings
