"""Write a figure as SVG: lines, discs and text as such, photos as PNG data inside."""

import base64
from xml.etree import ElementTree as ET

import cv2
import numpy as np
from numpy.typing import NDArray

from fmstudio.drawing.colors import Rgb
from fmstudio.drawing.figure import Circle, Dot, Element, Figure, Label, Picture, Segment, cells
from fmstudio.drawing.overlay import resize
from fmstudio.geometry.grid import ImageSize

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
# The first is the face of the PNG; the others are about as wide.
_FONTS = "Aileron, Helvetica, Arial, sans-serif"
_ANCHORS = {"l": "start", "m": "middle", "r": "end"}
# From the middle of a line of text to its baseline, of its size.
_HALF_CAPITAL = 0.36
# Photos are embedded with at most so many pixels to a unit of the page: sharp on dense screens.
_DENSITY = 2.0


def to_svg(figure: Figure, width: int | None = None) -> bytes:
    """Return a figure as an SVG file.

    Parameters
    ----------
    figure : Figure
    width : int, optional
        Pixels at which it is shown unless scaled; the figure's own by default.

    Returns
    -------
    bytes
        UTF-8, with an XML declaration.

    References
    ----------
    W3C 2011, "Scalable Vector Graphics (SVG) 1.1 (Second Edition)",
    https://www.w3.org/TR/SVG11/.
    """
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    size = figure.size_at(width or figure.width)
    root = ET.Element(
        f"{{{_SVG}}}svg",
        {
            "version": "1.1",
            "width": str(size.width),
            "height": str(size.height),
            "viewBox": f"0 0 {figure.width} {figure.height}",
            "font-family": _FONTS,
        },
    )
    ET.SubElement(root, f"{{{_SVG}}}title").text = _allowed(figure.title)
    ET.SubElement(
        root,
        f"{{{_SVG}}}rect",
        {"width": "100%", "height": "100%", "fill": _hex(figure.background)},
    )
    for element in figure.elements:
        _add(root, element)
    ET.indent(root, " ")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _add(root: ET.Element, element: Element) -> None:
    """Append a figure's element."""
    match element:
        case Picture():
            name, attributes = "image", _image(element)
        case Label():
            name, attributes = "text", _text(element)
        case Segment():
            ends = {"x1": element.a[0], "y1": element.a[1], "x2": element.b[0], "y2": element.b[1]}
            name, attributes = "line", _numbers(ends)
            attributes |= {"stroke-linecap": "round"} | _stroke(element)
        case Dot():
            name = "circle"
            attributes = _numbers({"cx": element.at[0], "cy": element.at[1], "r": element.radius})
            attributes |= {"fill": _hex(element.color)} | _opacity("fill", element.alpha)
        case Circle():
            name = "circle"
            attributes = _numbers({"cx": element.at[0], "cy": element.at[1], "r": element.radius})
            attributes |= {"fill": "none"} | _stroke(element)
    node = ET.SubElement(root, f"{{{_SVG}}}{name}", attributes)
    if isinstance(element, Label):
        node.text = _allowed(element.text)


def _image(picture: Picture) -> dict[str, str]:
    """Return the attributes of a picture, its pixels among them."""
    box = {"x": picture.left, "y": picture.top, "width": picture.width, "height": picture.height}
    place = _numbers(box) | {"preserveAspectRatio": "none"}
    return place | {f"{{{_XLINK}}}href": _data_uri(_embedded(picture))}


def _embedded(picture: Picture) -> NDArray[np.uint8]:
    """Return a picture's pixels at the size in which they are embedded."""
    height, width = picture.rgb.shape[:2]
    share = _DENSITY * picture.width / width
    if picture.is_cells:
        # Whole pixels to a cell: viewers that smooth what they enlarge leave the cells sharp.
        each = max(1, round(share))
        return cells(picture.rgb, ImageSize(width * each, height * each))
    if share >= 1:
        return picture.rgb
    return resize(
        picture.rgb, ImageSize(max(1, round(width * share)), max(1, round(height * share)))
    )


def _data_uri(rgb: NDArray[np.uint8]) -> str:
    """Return a picture as PNG in a data URI."""
    done, png = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"a picture of shape {rgb.shape} cannot be encoded as PNG")
    return f"data:image/png;base64,{base64.b64encode(png.tobytes()).decode('ascii')}"


def _text(label: Label) -> dict[str, str]:
    """Return the attributes of a text."""
    # Not by dominant-baseline or dy, which several viewers do not know.
    down = _HALF_CAPITAL * label.size if label.anchor[1] == "m" else 0.0
    attributes = _numbers({"x": label.at[0], "y": label.at[1] + down, "font-size": label.size})
    return attributes | {"fill": _hex(label.color), "text-anchor": _ANCHORS[label.anchor[0]]}


def _stroke(element: Segment | Circle) -> dict[str, str]:
    """Return the attributes of a line."""
    attributes = {"stroke": _hex(element.color)} | _numbers({"stroke-width": element.width})
    return attributes | _opacity("stroke", element.alpha)


def _opacity(kind: str, alpha: float) -> dict[str, str]:
    """Return the attribute of a share of opacity; none where it is whole."""
    return _numbers({f"{kind}-opacity": alpha}) if alpha < 1 else {}


def _numbers(values: dict[str, float]) -> dict[str, str]:
    """Return numbers as short text."""
    return {name: f"{value:.2f}".rstrip("0").rstrip(".") for name, value in values.items()}


def _hex(color: Rgb) -> str:
    """Return a colour as SVG writes it."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def _allowed(text: str) -> str:
    """Return the text without signs that XML cannot hold, such as control characters."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
