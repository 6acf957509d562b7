import base64
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest

from fmstudio.drawing.figure import Circle, Dot, Figure, Label, Picture, Segment
from fmstudio.drawing.svg import to_svg

NS = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
INK = (0x1F, 0x21, 0x24)


def embedded(image: ET.Element) -> np.ndarray:
    head, _, data = image.attrib[HREF].partition(",")
    assert head == "data:image/png;base64"
    bgr = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def parsed(*elements: object, width: int | None = None) -> ET.Element:
    return ET.fromstring(to_svg(Figure(200, 100, "a & b", elements), width))  # type: ignore[arg-type]


def test_the_size_and_the_title_are_stated() -> None:
    root = parsed(width=500)
    assert root.tag == f"{NS}svg"
    assert (root.attrib["width"], root.attrib["height"]) == ("500", "250")
    assert root.attrib["viewBox"] == "0 0 200 100"
    assert root.findtext(f"{NS}title") == "a & b"


def test_text_is_text_whatever_it_says() -> None:
    root = parsed(
        Label((10, 20), "<é> & λ\x07", 14, INK, "rs"), Label((5, 50), "mid", 20, INK, "mm")
    )
    first, second = root.findall(f"{NS}text")
    assert first.text == "<é> & λ?"
    assert first.attrib["text-anchor"] == "end"
    assert first.attrib["fill"] == "#1f2124"
    assert (first.attrib["x"], first.attrib["y"]) == ("10", "20")
    # The baseline of text that is centred lies below its middle.
    assert float(second.attrib["y"]) == pytest.approx(57.2)
    assert second.attrib["text-anchor"] == "middle"


def test_lines_and_marks_are_vectors() -> None:
    root = parsed(
        Segment((1, 2), (3.456, 4), 1.5, INK, 0.4), Dot((5, 6), 7, INK), Circle((8, 9), 3, 2, INK)
    )
    (line,) = root.findall(f"{NS}line")
    assert (line.attrib["x2"], line.attrib["stroke-opacity"]) == ("3.46", "0.4")
    dot, ring = root.findall(f"{NS}circle")
    assert (dot.attrib["r"], dot.attrib["fill"]) == ("7", "#1f2124")
    assert (ring.attrib["fill"], ring.attrib["stroke-width"]) == ("none", "2")
    assert not root.findall(f"{NS}image")


def test_small_photos_are_embedded_as_they_are() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    (image,) = parsed(Picture(10, 5, 60, 40, rgb)).findall(f"{NS}image")
    assert np.array_equal(embedded(image), rgb)
    assert (image.attrib["x"], image.attrib["width"], image.attrib["height"]) == ("10", "60", "40")


def test_large_photos_are_embedded_at_twice_their_size_on_the_page() -> None:
    (image,) = parsed(Picture(0, 0, 50, 40, np.full((800, 1000, 3), 9, np.uint8))).findall(
        f"{NS}image"
    )
    assert embedded(image).shape == (80, 100, 3)


def test_cells_are_embedded_in_whole_pixels() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (4, 7, 3), dtype=np.uint8)
    (image,) = parsed(Picture(0, 0, 70, 40, rgb, is_cells=True)).findall(f"{NS}image")
    assert np.array_equal(embedded(image), rgb.repeat(20, axis=0).repeat(20, axis=1))
