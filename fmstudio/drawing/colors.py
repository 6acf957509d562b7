"""The colours of fmstudio's pictures: a keypoint palette, a confidence ramp, a position code."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Rgb = tuple[int, int, int]

CANVAS: Rgb = (0x17, 0x18, 0x1A)
PANEL: Rgb = (0x1F, 0x21, 0x24)
HAIRLINE: Rgb = (0x34, 0x37, 0x3C)
TEXT: Rgb = (0xE8, 0xEA, 0xED)
TEXT_DIM: Rgb = (0x9A, 0xA0, 0xA6)
ACCENT: Rgb = (0x3B, 0x82, 0xF6)
OUTLINE: Rgb = (0x0E, 0x0F, 0x11)
WHITE: Rgb = (0xFF, 0xFF, 0xFF)
MASK: Rgb = (0x56, 0xB4, 0xE9)

PAPER: Rgb = (0xFF, 0xFF, 0xFF)
INK: Rgb = (0x1F, 0x21, 0x24)
INK_DIM: Rgb = (0x5A, 0x5F, 0x66)
RULE: Rgb = (0xC9, 0xCD, 0xD2)

OKABE_ITO: tuple[Rgb, ...] = (
    (0xE6, 0x9F, 0x00),
    (0x56, 0xB4, 0xE9),
    (0x00, 0x9E, 0x73),
    (0xF0, 0xE4, 0x42),
    (0xD5, 0x5E, 0x00),
    (0xCC, 0x79, 0xA7),
    (0x00, 0x72, 0xB2),
    (0xBB, 0xBB, 0xBB),
)
"""Colours that stay apart for colour-blind eyes; black, lost on dark photos, is grey here.

Okabe and Ito 2002, "Color Universal Design", https://jfly.uni-koeln.de/color/.
"""

_CORNERS: tuple[Rgb, ...] = (
    (0xFF, 0xDD, 0x33),
    (0xFF, 0x4F, 0x5E),
    (0x2E, 0xD5, 0x9B),
    (0x5B, 0x5B, 0xFF),
)

_CIVIDIS_ANCHORS = (
    "00224e 00285b 002e6a 043371 1a386f 273e6e 32436d 3b496c 434e6c 4b546c 52596d 5a5f6e 61656f "
    "686a71 6f7073 757676 7c7b78 848179 8b8778 938d78 9b9376 a39a75 aba072 b3a670 bbad6c c3b469 "
    "ccba64 d4c15f ddc958 e6d051 efd748 f8df3c fee838"
)

_DIVERGING_ANCHORS = "053061 2166ac 4393c3 92c5de d1e5f0 f7f7f7 fddbc7 f4a582 d6604d b2182b 67001f"


def parse_hex(text: str) -> Rgb:
    """Return the colour of ``#rrggbb`` or ``rrggbb``.

    Raises
    ------
    ValueError
        If the text is no such colour.
    """
    digits = text.removeprefix("#")
    if len(digits) != 6 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise ValueError(f"a colour is written #rrggbb, not {text!r}")
    value = int(digits, 16)
    return value >> 16, value >> 8 & 255, value & 255


def keypoint_colors(m: int, colors: tuple[str, ...] = ()) -> tuple[Rgb, ...]:
    """Return m colours: those of the schema first, then the Okabe-Ito set in rounds."""
    given = [parse_hex(color) for color in colors[:m]]
    return (*given, *(_palette(i) for i in range(len(given), m)))


def _palette(index: int) -> Rgb:
    """Return a point's Okabe-Ito colour: lighter in the second round, darker in the third."""
    red, green, blue = OKABE_ITO[index % len(OKABE_ITO)]
    toward, share = ((0, 0.0), (255, 0.55), (0, 0.4))[index // len(OKABE_ITO) % 3]
    mixed = [round(value + (toward - value) * share) for value in (red, green, blue)]
    return mixed[0], mixed[1], mixed[2]


def cividis(values: ArrayLike) -> NDArray[np.uint8]:
    """Return the cividis colours (..., 3) of values (...) in [0, 1]; outside is clipped.

    Linear between 33 anchors of the published map, so within 6 of 255 of it.

    References
    ----------
    Nunez, Anderton and Renslow 2018, "Optimizing colormaps with consideration for color vision
    deficiency", doi:10.1371/journal.pone.0199239.
    """
    return _ramp(_CIVIDIS_ANCHORS, np.asarray(values, dtype=np.float64))


def diverging(values: ArrayLike) -> NDArray[np.uint8]:
    """Return the colours (..., 3) of values (...) in [-1, 1]: blue below 0, red above; clipped.

    Linear between the 11 colours of ColorBrewer's RdBu, which red-green blind eyes tell apart.

    References
    ----------
    Harrower and Brewer 2003, "ColorBrewer.org: an online tool for selecting colour schemes for
    maps", doi:10.1179/000870403235002042.
    """
    return _ramp(_DIVERGING_ANCHORS, np.asarray(values, dtype=np.float64) / 2 + 0.5)


def _ramp(colors: str, values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return colours (..., 3) on a ramp of evenly spaced colours, for values (...) in [0, 1]."""
    anchors = np.array([parse_hex(text) for text in colors.split()], dtype=np.float64)
    at = np.clip(values, 0, 1) * (len(anchors) - 1)
    steps = np.arange(len(anchors))
    channels = [np.interp(at, steps, anchors[:, channel]) for channel in range(3)]
    return np.asarray(np.rint(np.stack(channels, axis=-1)), dtype=np.uint8)


def confidence_color(score: float) -> Rgb:
    """Return the cividis colour of one confidence in [0, 1]."""
    red, green, blue = cividis(score).tolist()
    return red, green, blue


def position_colors(
    xy: ArrayLike, width: float, height: float, *, has_squares: bool = True
) -> NDArray[np.uint8]:
    """Return a colour (..., 3) for every place (..., 2) of a ``width`` x ``height`` image.

    Four corner colours blended bilinearly, under a checkerboard of eight squares along the longer
    side: a fold, a flip or a swap shows as colours out of order, a stretch as long squares. Places
    outside get the colour of the nearest border. Without squares the colours are smooth: what a
    basis of slowly varying functions can hold.
    """
    places = np.clip(np.asarray(xy, dtype=np.float64), 0, [width, height])
    x, y = places[..., :1] / width, places[..., 1:] / height
    corners = np.array(_CORNERS, dtype=np.float64)
    top = (1 - x) * corners[0] + x * corners[1]
    bottom = (1 - x) * corners[2] + x * corners[3]
    blended = (1 - y) * top + y * bottom
    if not has_squares:
        return np.asarray(np.rint(blended), dtype=np.uint8)
    square = max(width, height) / 8
    is_dark = np.floor(places / square).sum(axis=-1) % 2 == 1
    return np.asarray(np.rint(blended * np.where(is_dark, 0.72, 1.0)[..., None]), dtype=np.uint8)
