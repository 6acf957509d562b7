"""A figure as a list of elements, of which PNG and SVG are two renderings.

Places and sizes are in units of the page: one unit is a pixel at the figure's own width. What
decides a figure's look is decided once, here and in `fmstudio.drawing.page`; the writers only
repeat it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fmstudio.drawing.canvas import Canvas, Point
from fmstudio.drawing.colors import PAPER, Rgb
from fmstudio.drawing.overlay import resize
from fmstudio.geometry.grid import ImageSize

Anchor = str
"""Pillow's: ``l``, ``m`` or ``r``, then ``s`` (baseline) or ``m`` (middle)."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture in a box.

    Attributes
    ----------
    left, top, width, height : float
    rgb : ndarray, (h, w, 3) uint8
    is_cells : bool
        Its pixels are cells with sharp borders, such as those of a matrix; else a photo.
    """

    left: float
    top: float
    width: float
    height: float
    rgb: NDArray[np.uint8]
    is_cells: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text; ``at`` is where ``anchor`` says."""

    at: Point
    text: str
    size: int
    color: Rgb
    anchor: Anchor = "ls"


@dataclass(frozen=True, slots=True)
class Segment:
    """A line with round ends."""

    a: Point
    b: Point
    width: float
    color: Rgb
    alpha: float = 1.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled disc."""

    at: Point
    radius: float
    color: Rgb
    alpha: float = 1.0


@dataclass(frozen=True, slots=True)
class Circle:
    """A ring whose line of ``width`` runs along ``radius``."""

    at: Point
    radius: float
    width: float
    color: Rgb
    alpha: float = 1.0


Element = Picture | Label | Segment | Dot | Circle


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A page of elements, those in front last.

    Attributes
    ----------
    width, height : int
        Units, at least 1.
    title : str
        What it shows, in a line.
    elements : tuple of Element
    background : (int, int, int)
    """

    width: int
    height: int
    title: str
    elements: tuple[Element, ...]
    background: Rgb = PAPER

    def size_at(self, width: int) -> ImageSize:
        """Return the size in pixels of a rendering of this width."""
        return ImageSize(width, max(1, round(self.height * width / self.width)))


def render(figure: Figure, width: int | None = None) -> NDArray[np.uint8]:
    """Return a figure as a picture.

    Parameters
    ----------
    figure : Figure
    width : int, optional
        Pixels; the figure's own by default. Everything grows with it, text and lines too.

    Returns
    -------
    ndarray, (H, W, 3) uint8
    """
    size = figure.size_at(width or figure.width)
    canvas = Canvas.plain(size.width, size.height, figure.background)
    paint(canvas, figure.elements, size.width / figure.width)
    return canvas.rgb()


def paint(canvas: Canvas, elements: Iterable[Element], scale: float = 1.0) -> None:
    """Paint elements on a canvas, ``scale`` pixels to a unit."""

    def at(point: Point) -> Point:
        return point[0] * scale, point[1] * scale

    for element in elements:
        match element:
            case Picture():
                _paint_picture(canvas, element, scale)
            case Label():
                size = max(1, round(element.size * scale))
                canvas.text(at(element.at), element.text, size, element.color, element.anchor)
            case Segment():
                width = element.width * scale
                canvas.line(at(element.a), at(element.b), width, element.color, element.alpha)
            case Dot():
                canvas.disc(at(element.at), element.radius * scale, element.color, element.alpha)
            case Circle():
                radius, width = element.radius * scale, element.width * scale
                canvas.ring(at(element.at), radius, width, element.color, element.alpha)


def _paint_picture(canvas: Canvas, picture: Picture, scale: float) -> None:
    """Paint a picture, its edges on whole pixels."""
    left, top = round(picture.left * scale), round(picture.top * scale)
    right = max(left + 1, round((picture.left + picture.width) * scale))
    bottom = max(top + 1, round((picture.top + picture.height) * scale))
    size = ImageSize(right - left, bottom - top)
    canvas.paste(
        cells(picture.rgb, size) if picture.is_cells else resize(picture.rgb, size), left, top
    )


def cells(rgb: NDArray[np.uint8], size: ImageSize) -> NDArray[np.uint8]:
    """Return a picture (h, w, 3) at another size, its pixels as cells with sharp borders."""
    shape = (size.width, size.height)
    return np.asarray(cv2.resize(rgb, shape, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
