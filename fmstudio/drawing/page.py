"""Lay out a figure: a title, rows of captioned pictures, colour ramps; dark on light, for print."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmstudio.drawing.canvas import Point, elide, text_width
from fmstudio.drawing.colors import INK, INK_DIM
from fmstudio.drawing.figure import Element, Figure, Label, Picture, Segment

MARGIN, GAP = 32, 16
TITLE, BODY, SMALL = 22, 14, 12
LINE = 18
# Of the rows, between the margins; and of the page where all rows are narrow.
ROOM, _LEAST = 1136, 520
TALL = 460
_RAMP = 120
# An SVG is shown in whatever face is there: so much wider than the built-in one it may be.
SLACK = 1.15

Rgb8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A picture of a row and what is written below it.

    Attributes
    ----------
    rgb : ndarray, (h, w, 3) uint8
    caption, note : str
        First and second line; the second is dimmer. Left out when empty.
    shape : (float, float), optional
        Width and height to which it is drawn in proportion; the picture's own by default.
    """

    rgb: Rgb8
    caption: str = ""
    note: str = ""
    shape: tuple[float, float] | None = None

    @property
    def aspect(self) -> float:
        """Return width over height."""
        width, height = self.shape or (self.rgb.shape[1], self.rgb.shape[0])
        return width / height


@dataclass(frozen=True, slots=True)
class Box:
    """Where a picture lies on the page, in units."""

    left: float
    top: float
    width: float
    height: float

    def place(self, xy: Sequence[float] | NDArray[np.floating], size: tuple[int, int]) -> Point:
        """Return where a point (x, y) of a picture of ``size`` (width, height) lies."""
        x, y = float(xy[0]) / size[0], float(xy[1]) / size[1]
        return self.left + x * self.width, self.top + y * self.height


class Page:
    """A figure in the making: rows go below one another."""

    def __init__(self, title: str, subtitle: str = "") -> None:
        self._title, self._subtitle = title, subtitle
        self._elements: list[Element] = []
        self._right = 0.0
        self._bottom = MARGIN + 24.0 + (LINE + 6 if subtitle else 0) + 16

    @property
    def bottom(self) -> float:
        """Return where the next row starts."""
        return self._bottom

    def add(self, *elements: Element) -> None:
        """Put elements in front of those that are there."""
        self._elements += elements

    def reach(self, right: float, bottom: float) -> None:
        """Make room for elements added at places of the caller's choice."""
        self._right, self._bottom = max(self._right, right), max(self._bottom, bottom)

    def heading(self, text: str) -> None:
        """Write a line above the next row."""
        self.add(Label((MARGIN, self._bottom + BODY), text, BODY, INK))
        self._bottom += BODY + 10

    def row(
        self,
        panels: Sequence[Panel],
        *,
        columns: int | None = None,
        aspect: float | None = None,
        tall: float = TALL,
    ) -> list[Box]:
        """Put panels side by side, all of one height, and return where their pictures lie.

        Parameters
        ----------
        panels : sequence of Panel
            At least one.
        columns : int, optional
            Panels for which there is room, so that shorter rows keep the size of longer ones.
        aspect : float, optional
            Width over height of every column, at least that of each panel: rows with the same one
            stand in line. By default each panel is its own column.
        tall : float
            Units that the pictures are high at most.
        """
        columns = max(columns or len(panels), len(panels))
        widths = [panel.aspect if aspect is None else aspect for panel in panels]
        room = ROOM - GAP * (columns - 1)
        height = min(room / (sum(widths) * columns / len(panels)), tall)
        left, boxes = float(MARGIN), list[Box]()
        for panel, width in zip(panels, widths, strict=True):
            boxes.append(Box(left, self._bottom, height * panel.aspect, height))
            self._put(panel, boxes[-1])
            left += height * width + GAP
        lines = max(bool(p.caption) + bool(p.note) for p in panels)
        self.reach(left - GAP, self._bottom + height + lines * LINE + GAP + 4)
        return boxes

    def ramp(self, text: str, colors: Rgb8, low: str, high: str) -> None:
        """Explain a colour ramp (n, 3) in a line: its name, and what its two ends stand for."""
        baseline = self._bottom + SMALL
        elements, right = ramp_elements((MARGIN, baseline), text, colors, low, high)
        self.add(*elements)
        self.reach(right, baseline + 14)

    def figure(self) -> Figure:
        """Return what has been laid out."""
        width = round(max(self._right, _LEAST) + MARGIN)
        room = (width - 2 * MARGIN) / SLACK
        head: list[Element] = [
            Label((MARGIN, MARGIN + 18), elide(self._title, TITLE, room), TITLE, INK)
        ]
        if self._subtitle:
            line = elide(self._subtitle, BODY, room)
            head.append(Label((MARGIN, MARGIN + 18 + LINE + 6), line, BODY, INK_DIM))
        height = round(self._bottom - GAP + MARGIN)
        return Figure(width, height, self._title, (*head, *self._elements))

    def _put(self, panel: Panel, box: Box) -> None:
        """Add a panel's picture and what is written below it."""
        self.add(Picture(box.left, box.top, box.width, box.height, panel.rgb))
        baseline = box.top + box.height + LINE
        for text, color in ((panel.caption, INK), (panel.note, INK_DIM)):
            if text:
                self.add(
                    Label((box.left, baseline), elide(text, SMALL, box.width / SLACK), SMALL, color)
                )
                baseline += LINE


def ramp_elements(
    at: Point, text: str, colors: Rgb8, low: str, high: str
) -> tuple[list[Element], float]:
    """Return the elements of a colour ramp (n, 3) on a baseline from ``at``, and where they end."""
    left = at[0] + _width(text) + 18 + _width(low)
    elements: list[Element] = [
        Label(at, text, SMALL, INK_DIM),
        Label((left - 6, at[1]), low, SMALL, INK, "rs"),
        Picture(left, at[1] - 10, _RAMP, 11, colors[None], is_cells=True),
        Label((left + _RAMP + 6, at[1]), high, SMALL, INK),
    ]
    return elements, left + _RAMP + 6 + _width(high)


def border(box: Box, color: tuple[int, int, int], width: float = 1.0) -> list[Element]:
    """Return a line around a box."""
    x0, y0, x1, y1 = box.left, box.top, box.left + box.width, box.top + box.height
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    ends = zip(corners, corners[1:] + corners[:1], strict=True)
    return [Segment(a, b, width, color) for a, b in ends]


def _width(text: str) -> float:
    """Return how wide small text may become, in units."""
    return SLACK * text_width(text, SMALL)
