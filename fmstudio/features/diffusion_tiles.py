"""Windows over an image that is too large to be seen at once, and their features made one."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the latent: rows and columns in its cells."""

    rows: slice
    cols: slice

    def in_pixels(self, stride: int) -> tuple[slice, slice]:
        """Return the rows and columns of the input that it covers."""
        rows, cols = (slice(s.start * stride, s.stop * stride) for s in (self.rows, self.cols))
        return rows, cols


def windows_of(rows: int, cols: int, side: int, factor: int) -> list[Window]:
    """Return overlapping windows that cover a latent.

    Parameters
    ----------
    rows, cols : int
        Of the latent, in cells; multiples of ``factor``.
    side : int
        Longest side of a window, a multiple of ``factor`` and twice that at least.
    factor : int
        Windows start and end at multiples of it, so that their coarsest cells are the image's.

    Returns
    -------
    list of Window
        Row by row; one alone if the latent fits into it.
    """
    return [Window(r, c) for r in _spans(rows, side, factor) for c in _spans(cols, side, factor)]


def blend(
    windows: Sequence[Window], pieces: Sequence[torch.Tensor], rows: int, cols: int
) -> torch.Tensor:
    """Return a feature block of the whole latent from those of its windows.

    Where windows overlap they are averaged, each with a weight that falls linearly towards its
    edges, where it knows least of what is around.

    Parameters
    ----------
    windows : sequence of Window
        As from `windows_of`.
    pieces : sequence of Tensor, (d, h, w)
        A block of each, all of one stride.
    rows, cols : int
        Of the latent, in cells.

    Returns
    -------
    Tensor, (d, h, w)
    """
    if len(windows) == 1:
        return pieces[0]
    first, piece = windows[0], pieces[0]
    # Cells of the block per cell of the latent; windows start where both have an edge.
    scale = piece.shape[1] / (first.rows.stop - first.rows.start)
    height, width = round(rows * scale), round(cols * scale)
    total = piece.new_zeros(piece.shape[0], height, width)
    weight = piece.new_zeros(height, width)
    for window, piece in zip(windows, pieces, strict=True):
        top, left = round(window.rows.start * scale), round(window.cols.start * scale)
        share = torch.outer(_ramp(piece.shape[1]), _ramp(piece.shape[2])).to(piece)
        place = (slice(top, top + piece.shape[1]), slice(left, left + piece.shape[2]))
        total[(slice(None), *place)] += piece * share
        weight[place] += share
    return total / weight


def _spans(length: int, side: int, factor: int) -> list[slice]:
    """Return the spans of windows along one axis, evenly spread; neighbours share a quarter."""
    if length <= side:
        return [slice(0, length)]
    overlap = max(factor, side // 4)
    count = 1 + -(-(length - side) // (side - overlap))
    room = (length - side) // factor
    starts = [round(i * room / (count - 1)) * factor for i in range(count)]
    return [slice(start, start + side) for start in starts]


def _ramp(cells: int) -> torch.Tensor:
    """Return weights (cells,) that rise from the edges to the middle; none is 0."""
    at = torch.arange(cells, dtype=torch.float32) + 0.5
    return torch.minimum(at, cells - at)
