"""What was measured, as figures: means with their intervals, categories as small dots."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fmstudio.drawing.canvas import elide, text_width
from fmstudio.drawing.colors import ACCENT, INK, INK_DIM, RULE
from fmstudio.drawing.figure import Dot, Figure, Label, Segment
from fmstudio.drawing.page import BODY, MARGIN, ROOM, SLACK, SMALL, Page
from fmstudio.evaluation.bootstrap import Interval
from fmstudio.evaluation.calibration import Bin

_ROW = 30.0
_AXIS, _SQUARE = 40.0, 420.0
_LABELS, _NUMBERS = 300.0, 150.0
_STEPS = (1, 2, 5, 10, 20, 25, 50)
_TICKS = 8


@dataclass(frozen=True, slots=True)
class PlotRow:
    """A line of a plot.

    Attributes
    ----------
    name : str
    interval : Interval or None
        None where nothing was measured: the line stays empty.
    dots : tuple of float
        Such as the means of the categories.
    """

    name: str
    interval: Interval | None
    dots: tuple[float, ...] = ()


def interval_plot(title: str, subtitle: str, rows: Sequence[PlotRow]) -> Figure:
    """Return a page with a line per row: its mean, its interval, its dots, on one scale.

    Parameters
    ----------
    title, subtitle : str
        What is shown and in what unit.
    rows : sequence of PlotRow
        Values in [-1, 1], shown in percent; at least one.
    """
    page = Page(title, subtitle)
    labels = min(_LABELS, SLACK * max(text_width(row.name, BODY) for row in rows) + 16)
    left, right = MARGIN + labels, MARGIN + ROOM - _NUMBERS
    low, high, step = _scale(rows)

    def across(value: float) -> float:
        return left + (100 * value - low) / (high - low) * (right - left)

    top = page.bottom
    bottom = top + len(rows) * _ROW
    for tick in range(low, high + 1, step):
        x = across(tick / 100)
        page.add(Segment((x, top), (x, bottom), 1, INK_DIM if tick == 0 else RULE))
        page.add(Label((x, bottom + 18), str(tick), SMALL, INK_DIM, "ms"))
    for index, row in enumerate(rows):
        y = top + (index + 0.5) * _ROW
        name = elide(row.name, BODY, labels / SLACK)
        page.add(Label((left - 12, y), name, BODY, INK, "rm"))
        page.add(*(Dot((across(value), y), 2.5, INK_DIM, 0.55) for value in row.dots))
        if row.interval is not None:
            a, at, b = (
                (across(v), y) for v in (row.interval.low, row.interval.mean, row.interval.high)
            )
            page.add(Segment(a, b, 3, ACCENT), Dot(at, 5.5, ACCENT))
            page.add(Label((right + 16, y), _spoken(row.interval), SMALL, INK, "lm"))
    page.reach(MARGIN + ROOM, bottom + 26)
    return page.figure()


def reliability_plot(title: str, subtitle: str, bins: Sequence[Bin]) -> Figure:
    """Return a reliability diagram: what was said, against what share of it was right.

    On the diagonal, confidences mean what they say; a dot's area is its bin's share of all points.

    Parameters
    ----------
    title, subtitle : str
    bins : sequence of Bin
        See `reliability`.
    """
    page = Page(title, subtitle)
    left, top = MARGIN + _AXIS, page.bottom

    def at(said: float, right: float) -> tuple[float, float]:
        return left + said * _SQUARE, top + (1 - right) * _SQUARE

    for tick in range(0, 101, 20):
        share = tick / 100
        page.add(Segment(at(share, 0), at(share, 1), 1, RULE))
        page.add(Segment(at(0, share), at(1, share), 1, RULE))
        page.add(Label((at(share, 0)[0], top + _SQUARE + 18), str(tick), SMALL, INK_DIM, "ms"))
        page.add(Label((left - 10, at(0, share)[1]), str(tick), SMALL, INK_DIM, "rm"))
    page.add(Segment(at(0, 0), at(1, 1), 1, INK_DIM))
    seen = [(b.confidence, b.right, b.share) for b in bins if b.confidence is not None]
    places = [(at(said, right), share) for said, right, share in seen if right is not None]
    for (a, _), (b, _) in pairwise(places):
        page.add(Segment(a, b, 2, ACCENT))
    page.add(*(Dot(place, 4 + 14 * share**0.5, ACCENT, 0.85) for place, share in places))
    said = "confidence, %, against points within the threshold, %"
    page.add(Label((left, top + _SQUARE + 42), said, SMALL, INK_DIM, "ls"))
    page.reach(left + _SQUARE + MARGIN, top + _SQUARE + 54)
    return page.figure()


def _scale(rows: Sequence[PlotRow]) -> tuple[int, int, int]:
    """Return the first and last tick and their distance, in percent."""
    values = [value for row in rows for value in row.dots]
    values += [v for row in rows if row.interval for v in (row.interval.low, row.interval.high)]
    least, most = (100 * min(values), 100 * max(values)) if values else (0.0, 100.0)
    step = next(s for s in (*_STEPS, 100) if (most - least) / s <= _TICKS or s == 100)
    low = int(least // step) * step
    high = int(-(-most // step)) * step
    return low, max(high, low + step), step


def _spoken(interval: Interval) -> str:
    """Return an interval as text."""
    mean, low, high = (100 * v for v in (interval.mean, interval.low, interval.high))
    return f"{mean:.1f}  ({low:.1f} to {high:.1f})"
