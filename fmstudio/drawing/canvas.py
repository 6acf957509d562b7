"""A picture to paint on: antialiased discs, rings, lines and text at sub-pixel places.

Shapes are painted by their signed distance to every pixel centre, so a disc at (10.5, 10.5) is
centred on pixel (10, 10): the same pixel-centre rule as in ``fmstudio.geometry.grid``.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fmstudio.drawing.colors import Rgb

Point = tuple[float, float]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Multiplication sign, dashes, minus, arrow, inequalities, apostrophe.
_REPLACED = {
    "\u00d7": "x",
    "\u2013": "-",
    "\u2014": "-",
    "\u2212": "-",
    "\u2192": ">",
    "\u2265": ">=",
    "\u2264": "<=",
    "\u2019": "'",
}


class Canvas:
    """A picture being painted; ``rgb`` gives it as an array."""

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        self._pixels = np.array(rgb, dtype=np.float32)

    @classmethod
    def plain(cls, width: int, height: int, color: Rgb) -> "Canvas":
        """Return a canvas of one colour."""
        return cls(np.full((height, width, 3), color, dtype=np.uint8))

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        return int(self._pixels.shape[1])

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        return int(self._pixels.shape[0])

    def rgb(self) -> NDArray[np.uint8]:
        """Return the picture, (H, W, 3) uint8."""
        return np.asarray(np.clip(np.rint(self._pixels), 0, 255), dtype=np.uint8)

    def paste(self, rgb: NDArray[np.uint8], left: int, top: int) -> None:
        """Put a picture (h, w, 3) at a corner; what sticks out is cut off."""
        height, width = rgb.shape[:2]
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + width, self.width), min(top + height, self.height)
        if x0 < x1 and y0 < y1:
            self._pixels[y0:y1, x0:x1] = rgb[y0 - top : y1 - top, x0 - left : x1 - left]

    def blend(
        self, coverage: NDArray[np.floating], color: Rgb, left: int = 0, top: int = 0
    ) -> None:
        """Mix a colour in where ``coverage`` (h, w) in [0, 1] says, its corner at (left, top)."""
        height, width = coverage.shape
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + width, self.width), min(top + height, self.height)
        if x0 >= x1 or y0 >= y1:
            return
        part = coverage[y0 - top : y1 - top, x0 - left : x1 - left, None].astype(np.float32)
        window = self._pixels[y0:y1, x0:x1]
        window += (np.array(color, dtype=np.float32) - window) * part

    def disc(self, at: Point, radius: float, color: Rgb, alpha: float = 1.0) -> None:
        """Paint a filled disc."""
        dx, dy, left, top = self._around([at], radius)
        self.blend(_cover(radius - np.hypot(dx - at[0], dy - at[1])) * alpha, color, left, top)

    def ring(self, at: Point, radius: float, width: float, color: Rgb, alpha: float = 1.0) -> None:
        """Paint a ring whose line of ``width`` runs along ``radius``."""
        dx, dy, left, top = self._around([at], radius + width)
        off = np.abs(np.hypot(dx - at[0], dy - at[1]) - radius)
        self.blend(_cover(width / 2 - off) * alpha, color, left, top)

    def line(self, a: Point, b: Point, width: float, color: Rgb, alpha: float = 1.0) -> None:
        """Paint a line with round ends."""
        dx, dy, left, top = self._around([a, b], width)
        along = np.array([b[0] - a[0], b[1] - a[1]])
        length2 = max(float(along @ along), 1e-12)
        share = np.clip(((dx - a[0]) * along[0] + (dy - a[1]) * along[1]) / length2, 0, 1)
        off = np.hypot(dx - a[0] - share * along[0], dy - a[1] - share * along[1])
        self.blend(_cover(width / 2 - off) * alpha, color, left, top)

    def box(
        self, left: float, top: float, width: float, height: float, color: Rgb, radius: float = 0.0
    ) -> None:
        """Paint a filled box with round corners."""
        xs, ys, x0, y0 = self._around([(left, top), (left + width, top + height)], 1)
        dx = np.abs(xs - left - width / 2) - width / 2 + radius
        dy = np.abs(ys - top - height / 2) - height / 2 + radius
        off = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0)
        self.blend(_cover(radius - off), color, x0, y0)

    def frame(self, left: float, top: float, width: float, height: float, color: Rgb) -> None:
        """Paint the border of a box, 1 px wide and inside it."""
        for x, y, w, h in (
            (left, top, width, 1.0),
            (left, top + height - 1, width, 1.0),
            (left, top, 1.0, height),
            (left + width - 1, top, 1.0, height),
        ):
            self.box(x, y, w, h, color)

    def text(
        self, at: Point, text: str, size: int, color: Rgb, anchor: str = "ls", alpha: float = 1.0
    ) -> None:
        """Write text; ``anchor`` is Pillow's (``ls``: ``at`` is left end of the baseline)."""
        text = printable(text)
        font = _font(size)
        x, y = round(at[0]), round(at[1])
        x0, y0, x1, y1 = font.getbbox(text, anchor=anchor)
        left, top = int(np.floor(x0)) - 1, int(np.floor(y0)) - 1
        plate = Image.new("L", (int(np.ceil(x1)) - left + 2, int(np.ceil(y1)) - top + 2))
        ImageDraw.Draw(plate).text((-left, -top), text, fill=255, font=font, anchor=anchor)
        self.blend(np.asarray(plate) / 255.0 * alpha, color, x + left, y + top)

    def _around(
        self, points: Sequence[Point], margin: float
    ) -> tuple[NDArray[np.floating], NDArray[np.floating], int, int]:
        """Return pixel centres (1, w) and (h, 1) near the points, and the window's corner."""
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        left = int(np.clip(np.floor(min(xs) - margin - 1), 0, self.width))
        top = int(np.clip(np.floor(min(ys) - margin - 1), 0, self.height))
        right = int(np.clip(np.ceil(max(xs) + margin + 1), left, self.width))
        bottom = int(np.clip(np.ceil(max(ys) + margin + 1), top, self.height))
        return np.arange(left, right)[None] + 0.5, np.arange(top, bottom)[:, None] + 0.5, left, top


def text_width(text: str, size: int) -> float:
    """Return how wide a text is, in pixels."""
    return float(_font(size).getlength(printable(text)))


def elide(text: str, size: int, width: float) -> str:
    """Return the text, its middle left out if it is wider than ``width`` pixels."""
    text = printable(text)
    if text_width(text, size) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        short = f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
        if text_width(short, size) <= width:
            return short
    return "…"


def printable(text: str) -> str:
    """Return the text in signs that the built-in font has; others become their base or ``?``."""
    signs = []
    for sign in text:
        plain = _REPLACED.get(sign, sign)
        if not plain.isascii() and plain not in "·°…":
            bare = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
            plain = bare or "?"
        signs.append(plain if plain.isprintable() else "?")
    return "".join(signs)


@lru_cache(maxsize=32)
def _font(size: int) -> Font:
    """Return Pillow's own font, so that every machine draws the same picture."""
    return ImageFont.load_default(size=size)


def _cover(inside: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the share of each pixel inside a shape, from the distance inside its border."""
    return np.asarray(np.clip(inside + 0.5, 0, 1))
