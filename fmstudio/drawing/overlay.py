"""Draw keypoints, skeleton and mask of one object over a photo.

Shapes carry the meaning, colour repeats it: a visible point is a disc, a hidden one a ring with a
slash, one of low confidence a hollow ring; a proposal's mask has a dashed outline, an accepted one
a solid line.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fmstudio.drawing.canvas import Canvas, Point, text_width
from fmstudio.drawing.colors import (
    MASK,
    OUTLINE,
    TEXT,
    WHITE,
    Rgb,
    confidence_color,
    keypoint_colors,
)
from fmstudio.drawing.labels import place_labels
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import HIDDEN, Keypoints

LOW_CONFIDENCE = 0.5
_FINE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """What to draw over a photo.

    Attributes
    ----------
    keypoints : Keypoints, optional
        In pixels of the photo.
    mask : Mask, optional
        Of the photo's size.
    names : tuple of str
        Names of the points; written beside them when ``has_labels``.
    skeleton : tuple of (int, int)
        Pairs of points to join, counted from 0.
    colors : tuple of str
        ``#rrggbb`` per point; points without one get the Okabe-Ito set in turn.
    truth : Keypoints, optional
        Where the points should be: a cross, and a line from the point to it.
    is_proposed : bool
        Draw the confidence as a ring around each point, and the mask's outline dashed.
    has_labels : bool
        Write the points' names.
    """

    keypoints: Keypoints | None = None
    mask: Mask | None = None
    names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    colors: tuple[str, ...] = ()
    truth: Keypoints | None = None
    is_proposed: bool = False
    has_labels: bool = False

    def subject_box(self) -> tuple[float, float, float, float] | None:
        """Return (x, y, width, height) around mask or points, or None without either."""
        if self.mask is not None and self.mask.bbox is not None:
            x, y, width, height = self.mask.bbox
            return float(x), float(y), float(width), float(height)
        return self.keypoints.bbox() if self.keypoints is not None else None


def draw_overlay(
    rgb: NDArray[np.uint8], overlay: Overlay, *, size: ImageSize | None = None
) -> NDArray[np.uint8]:
    """Return the photo with an overlay, resized to ``size`` first.

    Lines and marks keep their size relative to the returned picture, and shrink for a small
    subject so that they do not cover it.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3) uint8
    overlay : Overlay
        In the photo's pixels.
    size : ImageSize, optional
        Of the returned picture; the photo's own by default.

    Returns
    -------
    ndarray, (size.height, size.width, 3) uint8

    Raises
    ------
    ValueError
        If the mask has another size than the photo, the skeleton names a point that is not there,
        or names, truth and points differ in number.
    """
    _check(rgb, overlay)
    own = ImageSize(rgb.shape[1], rgb.shape[0])
    size = size or own
    canvas = Canvas(resize(rgb, size))
    scale = np.array([size.width / own.width, size.height / own.height])
    if overlay.mask is not None:
        _draw_mask(canvas, overlay.mask, overlay.is_proposed)
    if overlay.keypoints is not None:
        radius = mark_radius(overlay, own, size)
        _draw_skeleton(canvas, overlay, overlay.keypoints.xy * scale, radius)
        _draw_truth(canvas, overlay, scale, radius)
        _draw_points(canvas, overlay, overlay.keypoints.xy * scale, radius)
        if overlay.has_labels:
            _draw_labels(canvas, overlay, overlay.keypoints.xy * scale, radius)
    return canvas.rgb()


def mark_radius(overlay: Overlay, own: ImageSize, size: ImageSize) -> float:
    """Return the radius of a point's disc in pixels of a picture of this size."""
    radius = max(0.0072 * (size.width + size.height), 3.6)
    box = overlay.subject_box()
    if box is not None:
        side = max(box[2] * size.width / own.width, box[3] * size.height / own.height)
        radius = min(radius, 0.045 * side)
    return max(radius, 2.0)


def draw_mark(
    canvas: Canvas,
    at: Point,
    radius: float,
    color: Rgb,
    *,
    is_hidden: bool = False,
    score: float | None = None,
) -> None:
    """Paint one point: its own colour inside, its confidence (if any) as a ring around.

    ``score`` is None for points a person placed; below ``LOW_CONFIDENCE`` the mark is hollow.
    """
    is_hollow = is_hidden or (score is not None and score < LOW_CONFIDENCE)
    line = max(1.1, radius * 0.36)
    outer = radius + (line if score is not None else 0)
    if is_hollow:
        canvas.ring(at, radius, line + 2, OUTLINE, 0.75)
        canvas.ring(at, radius, line, color)
    else:
        canvas.disc(at, outer + 1.0, OUTLINE, 0.85)
        canvas.disc(at, radius, color)
    if score is not None:
        if is_hollow:
            canvas.ring(at, radius + line * 1.15, line * 0.9 + 1.2, OUTLINE, 0.6)
        canvas.ring(at, radius + line * (1.15 if is_hollow else 0.6), line, confidence_color(score))
    if is_hidden:
        reach = (radius + line) * 0.92
        a, b = (at[0] - reach, at[1] + reach), (at[0] + reach, at[1] - reach)
        canvas.line(a, b, line + 2, OUTLINE, 0.75)
        canvas.line(a, b, line, color)


def draw_cross(canvas: Canvas, at: Point, reach: float) -> None:
    """Paint the cross that marks the truth."""
    for width, color, alpha in ((2.6, OUTLINE, 0.8), (1.2, WHITE, 1.0)):
        for dx, dy in ((reach, reach), (reach, -reach)):
            a, b = (at[0] - dx, at[1] - dy), (at[0] + dx, at[1] + dy)
            canvas.line(a, b, width, color, alpha)


def resize(rgb: NDArray[np.uint8], size: ImageSize) -> NDArray[np.uint8]:
    """Return the photo (H, W, 3) at another size: averaged when smaller, cubic when larger."""
    height, width = rgb.shape[:2]
    if (width, height) == (size.width, size.height):
        return rgb
    is_smaller = size.width * size.height < width * height
    method = cv2.INTER_AREA if is_smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (size.width, size.height), interpolation=method), np.uint8)


def _check(rgb: NDArray[np.uint8], overlay: Overlay) -> None:
    """Raise ValueError if the overlay's parts do not fit the photo or each other."""
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"a photo is (H, W, 3) uint8, not {rgb.shape} {rgb.dtype}")
    mask = overlay.mask
    if mask is not None and (mask.size.height, mask.size.width) != rgb.shape[:2]:
        raise ValueError(f"a mask of {mask.size} does not fit a photo of {rgb.shape[1::-1]}")
    m = 0 if overlay.keypoints is None else len(overlay.keypoints)
    if overlay.truth is not None and len(overlay.truth) != m:
        raise ValueError(f"the truth has {len(overlay.truth)} points, the overlay {m}")
    if overlay.has_labels and overlay.keypoints is not None and len(overlay.names) != m:
        raise ValueError(f"{len(overlay.names)} names do not fit {m} points")
    if overlay.keypoints is not None:
        for pair in overlay.skeleton:
            if not all(0 <= index < m for index in pair):
                raise ValueError(f"skeleton pair {pair} names a point that is not there")


def _draw_mask(canvas: Canvas, mask: Mask, is_proposed: bool) -> None:
    """Paint a mask: a light fill and an outline, dashed for a proposal."""
    size = (canvas.width * _FINE, canvas.height * _FINE)
    fine = cv2.resize(mask.to_array().astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    blur = _FINE * max(1.6 * canvas.width / mask.size.width, 0.5)
    is_inside = cv2.GaussianBlur(fine, (0, 0), blur) > 0.5
    fill = cv2.resize(
        is_inside.astype(np.float32), (canvas.width, canvas.height), interpolation=cv2.INTER_AREA
    )
    canvas.blend(fill * 0.14, MASK)
    width = max(1.2, 0.0022 * (canvas.width + canvas.height))
    dash = 10 * width if is_proposed else 0.0
    for extra, color, alpha in ((1.6, OUTLINE, 0.55), (0.0, MASK, 1.0)):
        canvas.blend(_outline(is_inside, width + extra, dash) * alpha, color)


def _outline(is_inside: NDArray[np.bool_], width: float, dash: float) -> NDArray[np.floating]:
    """Return the coverage (h, w) of a mask's outline, from the mask at ``_FINE`` times the size."""
    fine = np.zeros(is_inside.shape, dtype=np.uint8)
    thickness = max(1, round(width * _FINE))
    method = (cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    contours, _ = cv2.findContours(is_inside.astype(np.uint8), *method)
    for contour in contours:
        if dash <= 0:
            cv2.polylines(fine, [contour], True, 255, thickness, cv2.LINE_AA)
            continue
        count = max(2, round(len(contour) / (dash * _FINE)))
        for piece in np.array_split(contour, count):
            part = piece[: max(2, round(len(piece) * 0.62))]
            cv2.polylines(fine, [part], False, 255, thickness, cv2.LINE_AA)
    height, width_px = is_inside.shape
    target = (width_px // _FINE, height // _FINE)
    return np.asarray(cv2.resize(fine, target, interpolation=cv2.INTER_AREA) / 255.0)


def _draw_skeleton(
    canvas: Canvas, overlay: Overlay, xy: NDArray[np.floating], radius: float
) -> None:
    """Paint lines between joined points that are both labelled."""
    points = overlay.keypoints
    if points is None:
        return
    width = max(1.0, radius * 0.34)
    for a, b in overlay.skeleton:
        if points.labelled[a] and points.labelled[b]:
            is_hidden = HIDDEN in (points.visibility[a], points.visibility[b])
            ends = _between(xy[a], xy[b], radius, radius)
            canvas.line(*ends, width + 1.6, OUTLINE, 0.3 if is_hidden else 0.5)
            canvas.line(*ends, width, TEXT, 0.45 if is_hidden else 0.85)


def _draw_truth(
    canvas: Canvas, overlay: Overlay, scale: NDArray[np.floating], radius: float
) -> None:
    """Paint a cross where each point should be and a line to it from where it is."""
    points, truth = overlay.keypoints, overlay.truth
    if points is None or truth is None:
        return
    for index in np.flatnonzero(truth.labelled & points.labelled):
        wanted = truth.xy[index] * scale
        ends = _between(points.xy[index] * scale, wanted, radius, 0)
        canvas.line(*ends, 2.4, OUTLINE, 0.7)
        canvas.line(*ends, 1.2, WHITE, 0.9)
        draw_cross(canvas, _point(wanted), radius * 0.9)


def _draw_points(canvas: Canvas, overlay: Overlay, xy: NDArray[np.floating], radius: float) -> None:
    """Paint the labelled points."""
    points = overlay.keypoints
    if points is None:
        return
    colors = keypoint_colors(len(points), overlay.colors)
    for index in np.flatnonzero(points.labelled):
        draw_mark(
            canvas,
            _point(xy[index]),
            radius,
            colors[index],
            is_hidden=bool(points.visibility[index] == HIDDEN),
            score=float(points.score[index]) if overlay.is_proposed else None,
        )


def _draw_labels(canvas: Canvas, overlay: Overlay, xy: NDArray[np.floating], radius: float) -> None:
    """Write the points' names beside the subject, with a thin line to points far away."""
    points = overlay.keypoints
    if points is None:
        return
    shown = np.flatnonzero(points.labelled)
    text_size = max(10, round(0.016 * (canvas.width + canvas.height) / 1.4))
    sizes = [(text_width(overlay.names[i], text_size) + 8, text_size * 1.35) for i in shown]
    subject = np.zeros((canvas.height, canvas.width), dtype=bool)
    if overlay.mask is not None:
        covered = overlay.mask.to_array().astype(np.uint8)
        subject = cv2.resize(covered, subject.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    places = place_labels(xy[shown], sizes, subject=subject, clearance=radius * 2.2)
    colors = keypoint_colors(len(points), overlay.colors)
    for index, place in zip(shown, places, strict=True):
        if place.is_far:
            end = np.array(place.nearest(_point(xy[index])))
            ends = _between(xy[index], end, 1.8 * radius, 0)
            canvas.line(*ends, 2.2, OUTLINE, 0.6)
            canvas.line(*ends, 1.0, colors[index], 0.9)
    for index, place in zip(shown, places, strict=True):
        canvas.box(place.left, place.top, place.width, place.height, OUTLINE, place.height / 4)
        x, y = place.centre
        red, green, blue = (round(value + (255 - value) * 0.35) for value in colors[index])
        canvas.text((x, y), overlay.names[index], text_size, (red, green, blue), "mm")


def _between(
    a: NDArray[np.floating], b: NDArray[np.floating], off_a: float, off_b: float
) -> tuple[Point, Point]:
    """Return the ends of a line from a to b that keeps off both, so that marks stay clear."""
    length = max(float(np.hypot(*(b - a))), 1e-9)
    way = (b - a) / length
    share = min(1.0, length / max(off_a + off_b, 1e-9))
    return _point(a + way * off_a * share), _point(b - way * off_b * share)


def _point(xy: NDArray[np.floating]) -> Point:
    """Return an array (2,) as a point."""
    return float(xy[0]), float(xy[1])
