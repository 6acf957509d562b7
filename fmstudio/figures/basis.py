"""The first eigenfunctions of photos, as a grid of diverging colours."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fmstudio.drawing.colors import diverging
from fmstudio.drawing.figure import Figure
from fmstudio.drawing.page import GAP, Page, Panel
from fmstudio.figures.photos import Photo

_COLUMNS = 6
_FUNCTIONS = 11
_SIDE = 360  # pixels of a tile's longer side


def basis_figure(photos: Sequence[Photo], count: int = _FUNCTIONS) -> Figure:
    """Return a page with each photo and the first functions of its basis.

    Parameters
    ----------
    photos : sequence of Photo
        At least one.
    count : int
        Functions of each, at least 1; at most all are shown.
    """
    count = min(count, *(photo.analysis.basis.k for photo in photos))
    page = Page(
        f"Eigenfunctions of {' and '.join(photo.name for photo in photos)}",
        f"The {count} with the smallest eigenvalues, numbered from 1; "
        "each has colours of its own scale, white at 0.",
    )
    for photo in photos:
        tiles = [Panel(photo.rgb, photo.name)]
        tiles += [_function(photo, index) for index in range(count)]
        if photo is not photos[0]:
            page.reach(0, page.bottom + GAP)
        for start in range(0, len(tiles), _COLUMNS):
            page.row(tiles[start : start + _COLUMNS], columns=min(_COLUMNS, len(tiles)), tall=280)
    page.ramp("value", diverging(np.linspace(-1, 1, 120)), "-max", "max")
    return page.figure()


def _function(photo: Photo, index: int) -> Panel:
    """Return one function of a basis as a panel."""
    basis, grid = photo.analysis.basis, photo.analysis.grid
    values = basis.evecs[:, index].reshape(grid.rows, grid.cols).cpu().numpy()
    caption = f"{index + 1}: eigenvalue {max(float(basis.evals[index]), 0.0):.4f}"
    return Panel(_colored(values, photo.size), caption, shape=photo.size)


def _colored(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return patch values (rows, cols) as a smooth picture of an image's shape."""
    share = _SIDE / max(size)
    shape = max(1, round(size[0] * share)), max(1, round(size[1] * share))
    fine = cv2.resize(values, shape, interpolation=cv2.INTER_CUBIC)
    return diverging(fine / max(float(np.abs(values).max()), 1e-12))
