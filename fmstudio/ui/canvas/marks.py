"""Annotations as the canvas draws them: in screen pixels, the same size at every zoom."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QTransform

from fmstudio.drawing.colors import Rgb, keypoint_colors
from fmstudio.project.doubt import value_text
from fmstudio.ui.canvas.looks import Look, screen_xy
from fmstudio.ui.canvas.outline import Outlines
from fmstudio.ui.canvas.sprites import RADIUS, Shape, Sprites
from fmstudio.ui.canvas.text import Name, draw_names, place_names, small_font
from fmstudio.ui.panels.glyphs import category_rgb

# More names than this on the screen say nothing: then only the points that are pointed at have one.
_NAMED = 40
# Keypoints in a schema from which on they are drawn smaller.
_MANY = 60
# Nor do names say anything where points lie closer, in screen pixels, than this on average.
_CLOSE = 24.0
_CASING = QColor(14, 15, 17, 130)
_LIMB = QColor(255, 255, 255, 220)


class MarkPainter:
    """Draws annotations with a painter in screen pixels; keeps outlines and pictures of points."""

    def __init__(self) -> None:
        self._outlines = Outlines()
        self._sprites = Sprites()

    def draw(
        self, painter: QPainter, looks: Sequence[Look], to_screen: QTransform, area: QRectF
    ) -> None:
        """Draw annotations: all masks first, then points, then names.

        Parameters
        ----------
        painter : QPainter
            In screen pixels.
        looks : sequence of Look
            The last is on top.
        to_screen : QTransform
            From image pixels to screen pixels.
        area : QRectF
            The screen: what lies outside is not drawn.
        """
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for look in looks:
            painter.setOpacity(look.opacity)
            self._draw_region(painter, look, to_screen, area)
        for look in looks:
            painter.setOpacity(look.opacity)
            _draw_limbs(painter, look, to_screen, area)
            self._draw_points(painter, look, to_screen, area)
        painter.setOpacity(1.0)
        painter.setFont(small_font(painter.font()))
        names, marks = names_of(looks, to_screen, area)
        metrics = QFontMetricsF(painter.font())
        draw_names(painter, place_names(names, marks, metrics, area.adjusted(4, 4, -4, -4)))

    def _draw_region(
        self, painter: QPainter, look: Look, to_screen: QTransform, area: QRectF
    ) -> None:
        """Draw a mask: a faint fill, and a contour that is dashed for a proposal."""
        annotation = look.annotation
        pen = QPen(QColor(*category_rgb(look.category)), 2.2 if look.is_selected else 1.6)
        if look.is_proposed:
            pen.setDashPattern([4.0, 3.0])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if annotation.mask is None:
            if annotation.bbox is not None and annotation.keypoints is None:
                box = to_screen.mapRect(QRectF(*annotation.bbox))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                for line in (QPen(_CASING, pen.widthF() + 1.6), pen):
                    painter.setPen(line)
                    painter.drawRect(box)
            return
        inverse, _ = to_screen.inverted()
        path = self._outlines.path(annotation.mask, to_screen.m11(), inverse.mapRect(area))
        path = to_screen.map(path)
        fill = QColor(pen.color())
        fill.setAlphaF(0.18 if look.is_selected else 0.1)
        painter.fillPath(path, fill)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # A dark line below keeps the contour visible on any photo.
        for line in (QPen(_CASING, pen.widthF() + 1.6), pen):
            painter.setPen(line)
            painter.drawPath(path)

    def _draw_points(
        self, painter: QPainter, look: Look, to_screen: QTransform, area: QRectF
    ) -> None:
        """Draw the keypoints that are on the screen, those that are pointed at last."""
        points = look.annotation.keypoints
        if points is None:
            return
        places = screen_xy(points, to_screen)
        colors = _colors(len(places), look.category.colors)
        drawn = np.flatnonzero(points.labelled & _within(places, area, 2 * RADIUS)).tolist()
        is_small = len(places) > _MANY
        scores = look.scores()
        for index in sorted(drawn, key=lambda i: i in (look.hovered, look.keypoint)):
            shape = Shape(
                colors[index],
                int(points.visibility[index]),
                None if scores is None else float(scores[index]),
                is_corrected=look.is_corrected,
                is_hovered=index == look.hovered,
                is_selected=index == look.keypoint,
                is_small=is_small,
            )
            x, y = places[index].tolist()
            self._sprites.draw(painter, (x, y), shape)


@lru_cache(maxsize=64)
def _colors(m: int, given: tuple[str, ...]) -> tuple[Rgb, ...]:
    """Return the colours of m keypoints; they are asked for with every frame."""
    return keypoint_colors(m, given)


def names_of(
    looks: Sequence[Look], to_screen: QTransform, area: QRectF
) -> tuple[list[Name], NDArray[np.float64]]:
    """Return the names to write, the important ones first, and the places of all marks (n, 2)."""
    names: list[Name] = []
    marks = [np.zeros((0, 2))]
    for look in reversed(looks):
        points = look.annotation.keypoints
        if points is None or not points.labelled.any():
            names += _tag(look, to_screen, area)
            continue
        places = screen_xy(points, to_screen)
        seen = points.labelled & _within(places, area, 0)
        marks.append(places[seen])
        wanted = [i for i in (look.keypoint, look.hovered) if i is not None and seen[i]]
        spread = np.ptp(places[points.labelled], axis=0)
        spacing = np.sqrt((spread + _CLOSE).prod() / points.labelled.sum())
        room = _NAMED - len(names)
        if not look.is_dimmed and spacing >= _CLOSE and seen.sum() <= room:
            wanted += np.flatnonzero(seen).tolist()
        middle = places[points.labelled].mean(axis=0)
        for index in dict.fromkeys(wanted):
            away = places[index] - middle
            away /= max(float(np.hypot(*away)), 1e-9)
            x, y = places[index].tolist()
            is_pointed_at = index in (look.keypoint, look.hovered)
            outward = float(away[0]), float(away[1])
            text = name_of(look, index)
            names.append(Name((x, y), text, outward, is_pointed_at, look.opacity))
    return names, np.vstack(marks)


def name_of(look: Look, index: int) -> str:
    """Return a keypoint's name, of a proposal with the figure that its colour stands for."""
    name = look.category.keypoints[index]
    points = look.annotation.keypoints
    if not look.is_proposed or points is None:
        return name
    if look.coloring is None:
        return f"{name} {points.score[index]:.2f}"
    doubt = look.annotation.doubt
    value = None
    if doubt is not None and len(doubt) == len(points):
        value = doubt.value(look.coloring, index)
    return f"{name} ?" if value is None else f"{name} {value_text(look.coloring, value)}"


def _tag(look: Look, to_screen: QTransform, area: QRectF) -> list[Name]:
    """Return the name of an annotation that has no points to name, above its region."""
    annotation = look.annotation
    box = annotation.bbox if annotation.mask is None else annotation.mask.bbox
    if box is None or look.is_dimmed:
        return []
    rect = to_screen.mapRect(QRectF(*box)) & area
    if rect.isEmpty():
        return []
    text = look.category.name
    if look.is_proposed and annotation.confidence is not None:
        text = f"{text} {annotation.confidence:.2f}"
    return [Name((rect.center().x(), rect.top()), text, (0.0, -1.0), False, look.opacity)]


def _draw_limbs(painter: QPainter, look: Look, to_screen: QTransform, area: QRectF) -> None:
    """Draw the skeleton between points that are labelled."""
    points = look.annotation.keypoints
    if points is None or not look.category.skeleton:
        return
    limbs = np.asarray(look.category.skeleton)
    limbs = limbs[points.labelled[limbs].all(axis=1)]
    places = screen_xy(points, to_screen)
    ends = clipped(np.hstack([places[limbs[:, 0]], places[limbs[:, 1]]]), area)
    lines = [QLineF(*row) for row in ends.tolist()]
    for pen in (QPen(_CASING, 3.0), QPen(_LIMB, 1.4)):
        painter.setPen(pen)
        painter.drawLines(lines)


def clipped(lines: NDArray[np.float64], area: QRectF) -> NDArray[np.float64]:
    """Return the parts of lines (n, 4) of x0, y0, x1, y1 near an area, those that have one.

    Painting a line that goes on for thousands of pixels outside the screen is slow.

    References
    ----------
    Liang and Barsky 1984, "A new concept and method for line clipping",
    doi:10.1145/357332.357333.
    """
    near = area.adjusted(-RADIUS, -RADIUS, RADIUS, RADIUS)
    start, way = lines[:, :2], lines[:, 2:] - lines[:, :2]
    safe = np.where(way == 0, 1e-9, way)
    low = (np.array([near.left(), near.top()]) - start) / safe
    high = (np.array([near.right(), near.bottom()]) - start) / safe
    enters = np.clip(np.minimum(low, high).max(axis=1), 0, 1)
    leaves = np.clip(np.maximum(low, high).min(axis=1), 0, 1)
    ends = np.hstack([start + way * enters[:, None], start + way * leaves[:, None]])
    return np.asarray(ends[enters < leaves])


def _within(places: NDArray[np.float64], area: QRectF, margin: float) -> NDArray[np.bool_]:
    """Return which places (m, 2) lie in an area or within a margin of it, (m,)."""
    low = [area.left() - margin, area.top() - margin]
    high = [area.right() + margin, area.bottom() + margin]
    return np.asarray(((places >= low) & (places <= high)).all(axis=1))
