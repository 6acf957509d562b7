"""A mask's outline as a path to draw, no finer than the screen shows."""

import math
from collections import OrderedDict
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QPainterPath, QPolygonF

from fmstudio.geometry.masks import Mask

_KEPT = 64
_SMALLEST_TILE = 64
# Screen pixels beyond what is seen that a tile covers, so that its cut edges stay out of sight.
_MARGIN = 8.0
# From 2 ** 2 screen pixels per image pixel on, the stairs of the pixels are shown as they are.
_EXACT = 2
# Screen pixels, up to twice of which a smoothed outline may lie beside the true one.
_TOLERANCE = 0.6

_Key = tuple[int, int, tuple[int, int, int, int]]


class Outlines:
    """Paths of masks in image pixels, kept by mask, coarseness and part."""

    def __init__(self) -> None:
        # The mask itself is kept with its path, so that an id is never taken for another's.
        self._paths: OrderedDict[_Key, tuple[Mask, QPainterPath]] = OrderedDict()

    def path(self, mask: Mask, scale: float, seen: QRectF) -> QPainterPath:
        """Return a mask's outline, holes included, to be filled odd-even.

        Parameters
        ----------
        mask : Mask
        scale : float
            Screen pixels per image pixel: below 1 only every so many pixels are looked at.
        seen : QRectF
            Part of the image on the screen; little more is outlined.
        """
        box = mask.bbox
        if box is None:
            return QPainterPath()
        octave = math.floor(math.log2(scale))
        part = QRect(*box) & _tiles(seen, _MARGIN / scale)
        # A rectangle has no hash; its corners have.
        key = (id(mask), octave, (part.x(), part.y(), part.width(), part.height()))
        if key not in self._paths:
            self._paths[key] = (mask, make_path(mask, octave, part))
            if len(self._paths) > _KEPT:
                self._paths.popitem(last=False)
        self._paths.move_to_end(key)
        return self._paths[key][1]


def make_path(mask: Mask, octave: int, part: QRect) -> QPainterPath:
    """Return the outline of a part of a mask, along pixel edges.

    Parameters
    ----------
    mask : Mask
    octave : int
        Screen pixels per image pixel are between 2 ** octave and twice that. Below 0 only every
        ``2 ** -octave``-th pixel is looked at.
    part : QRect
        In image pixels, within the mask's image.
    """
    path = QPainterPath()
    if part.isEmpty():
        return path
    if octave >= _EXACT:
        shown = Mask.from_array(sampled(mask, part, 1).T.astype(bool))
        for polygon in shown.polygons():
            for corners in polygon.rings:
                path.addPolygon(_closed(corners + np.array([part.x(), part.y()])))
        return path
    step = 2 ** max(0, -octave - 1)
    array: NDArray[Any] = np.pad(sampled(mask, part, step), 1)
    # Doubled, a contour through pixel centres lies a quarter of a pixel from the edges; where a
    # pixel of the mask is less than one of the screen, half a pixel does no harm.
    finer = 2 if octave >= 0 else 1
    if finer == 2:
        array = cv2.resize(array, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    rings, _ = cv2.findContours(array, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    tolerance = _TOLERANCE * 2.0**-octave * finer / step
    for ring in rings:
        ring = cv2.approxPolyDP(ring, tolerance, closed=True)
        # The array lies on its side: columns of the image are its rows.
        points = (ring[:, 0, ::-1].astype(np.float64) + 0.5) / finer - 1
        path.addPolygon(_closed(points * step + [part.x(), part.y()]))
    return path


def sampled(mask: Mask, part: QRect, step: int) -> NDArray[np.uint8]:
    """Return every ``step``-th pixel of a part of a mask, (columns, rows), 1 where it is set.

    Looks at the runs of the columns that are wanted; the mask is never spread out as a whole.
    """
    height = mask.size.height
    starts = np.arange(part.x(), part.x() + part.width(), step, dtype=np.int64) * height
    n_columns, n_rows = len(starts), -(-part.height() // step)
    ends = np.cumsum(mask.counts, dtype=np.int64)
    first = np.searchsorted(ends, starts, side="right")
    n_ends = np.searchsorted(ends, starts + height, side="left") - first
    # In each column a run from its top, and one from every end of a run within it.
    n_runs = n_ends + 1
    column = np.repeat(np.arange(n_columns), n_runs)
    nth = np.arange(n_runs.sum()) - np.repeat(np.cumsum(n_runs) - n_runs, n_runs)
    before = np.maximum(first[column] + nth - 1, 0)
    rows = -(-(ends[before] - starts[column] - part.y()) // step)
    rows = np.where(nth == 0, 0, np.clip(rows, 0, n_rows))
    lengths = np.diff(column * n_rows + rows, append=n_columns * n_rows)
    # Runs of the mask are of zeros and of ones in turn, zeros first.
    values = ((first[column] + nth) % 2).astype(np.uint8)
    return np.repeat(values, lengths).reshape(n_columns, n_rows)


def _tiles(seen: QRectF, margin: float) -> QRect:
    """Return the smallest rectangle of whole tiles that covers what is seen and a margin.

    Tiles are a quarter to a half of what is seen, so that a pan seldom needs new ones.
    """
    longest = max(seen.width(), seen.height(), 1.0) / 4
    side = max(_SMALLEST_TILE, 2 ** math.ceil(math.log2(longest)))
    left, top = (math.floor((v - margin) / side) * side for v in (seen.left(), seen.top()))
    right, bottom = (math.ceil((v + margin) / side) * side for v in (seen.right(), seen.bottom()))
    return QRect(left, top, right - left, bottom - top)


def _closed(points: NDArray[np.float64]) -> QPolygonF:
    """Return a closed polygon of points (m, 2)."""
    return QPolygonF([QPointF(px, py) for px, py in (*points.tolist(), points[0].tolist())])
