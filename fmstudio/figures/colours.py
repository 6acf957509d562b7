"""Colour transfer: the target repainted with the source's colours, by the map and without it."""

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.drawing.colors import position_colors
from fmstudio.drawing.figure import Figure
from fmstudio.drawing.page import Page, Panel
from fmstudio.drawing.pair import paint_patches
from fmstudio.figures.photos import Photo, PhotoPair
from fmstudio.spectral.transfer import patch_means

_OPACITY = 0.88


def colours_figure(pair: PhotoPair) -> Figure:
    """Return a page with a row of position colours and one of the photo's own colours.

    Columns: the source; the target with the source's colours carried by the functional map alone,
    by the score (the map with the raw similarity), and by nearest neighbours alone.
    """
    a, b = pair.a.name, pair.b.name
    page = Page(
        f"Colours of {a} on {b}",
        "Each patch of the target takes the colours of its counterparts in the source.",
    )
    own = torch.from_numpy(np.array(_position_colors(pair.a)))
    for heading, colors, is_photo in (
        ("Position colours", own, False),
        ("The photo's own colours", patch_means(pair.a.rgb, pair.a.analysis.grid), True),
    ):
        source = pair.a.rgb if is_photo else _painted(pair.a, colors)
        page.heading(heading)
        page.row(
            [
                Panel(source, a, "source"),
                Panel(_painted(pair.b, pair.through_map(colors)), b, "functional map"),
                Panel(_painted(pair.b, pair.by_score(colors)), b, "map and similarity"),
                Panel(_painted(pair.b, pair.by_nearest(colors)), b, "nearest neighbours alone"),
            ]
        )
    return page.figure()


def _position_colors(photo: Photo) -> NDArray[np.float32]:
    """Return smooth colours by place, at the photo's patches, (n, 3) in 0 to 255."""
    width, height = photo.size
    centers = photo.analysis.grid.centers()
    return position_colors(centers, width, height, has_squares=False).astype(np.float32)


def _painted(photo: Photo, colors: torch.Tensor) -> NDArray[np.uint8]:
    """Return a photo tinted by colours (n, 3) of its patches."""
    grid = photo.analysis.grid
    shaped = colors.clamp(0, 255).reshape(grid.rows, grid.cols, 3).cpu().numpy()
    return paint_patches(photo.rgb, shaped, _OPACITY)
