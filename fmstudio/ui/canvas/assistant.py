"""A mask from a rough stroke or a box: GrabCut on the part of the image that matters."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.session import CancelToken
from fmstudio.ui.canvas.draft import Stroke
from fmstudio.ui.canvas.outline import sampled
from fmstudio.ui.canvas.strokes import stroke_mask
from fmstudio.ui.canvas.tool_masks import pasted

Box = tuple[float, float, float, float]

# The longer side of what is worked on, in pixels: larger is slower and hardly better.
_SIDE = 320
# After the first round something can be shown; the rest makes it better.
_ROUNDS = (1, 2)
# How far around what was marked the object may reach, in shares of its longer side.
_AROUND = 1.0
# How far around strokes it probably reaches.
_NEAR = 0.6
# Pieces that were not marked are dropped below this share of the largest, and gaps filled.
_CRUMB = 0.05
_ON, _OFF = (cv2.GC_FGD, cv2.GC_PR_FGD), (cv2.GC_BGD, cv2.GC_PR_BGD)


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """What a person says about where an object is.

    Attributes
    ----------
    strokes : tuple of Stroke
        On the object; those that erase, on what is not the object.
    box : tuple of float, or None
        (x, y, width, height) around the object: nothing outside belongs to it.
    start : Mask or None
        What was taken for the object so far.
    """

    strokes: tuple[Stroke, ...] = ()
    box: Box | None = None
    start: Mask | None = None


def find_masks(rgb: NDArray[np.uint8], marked: Marked) -> Iterator[Mask]:
    """Yield the object that was marked, better each time.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3) uint8
    marked : Marked

    Yields
    ------
    mask : Mask
        Of the image's size; empty when nothing was found.

    References
    ----------
    Rother, Kolmogorov and Blake 2004, "GrabCut", doi:10.1145/1015706.1015720 (OpenCV's
    implementation).
    """
    size = ImageSize(rgb.shape[1], rgb.shape[0])
    left, top, right, bottom = _region(marked, size)
    part = rgb[top:bottom, left:right]
    shrink = min(1.0, _SIDE / max(part.shape[:2]))
    small = ImageSize(*(max(round(side * shrink), 1) for side in part.shape[1::-1]))
    frame = QRect(left, top, right - left, bottom - top)
    labels = _labels(marked, frame, small, size)
    if not (np.isin(labels, _ON).any() and np.isin(labels, _OFF).any()):
        yield Mask.empty(size)
        return
    bgr = cv2.resize(part, (small.width, small.height), interpolation=cv2.INTER_AREA)
    bgr = np.ascontiguousarray(bgr[..., ::-1])
    models, mode = (np.zeros((1, 65)), np.zeros((1, 65))), cv2.GC_INIT_WITH_MASK
    surely = labels.copy()
    cv2.setRNGSeed(0)
    for rounds in _ROUNDS:
        cv2.grabCut(bgr, labels, (0, 0, 0, 0), *models, rounds, mode)
        mode = cv2.GC_EVAL
        found = _tidied(np.isin(labels, _ON), surely)
        yield pasted(_enlarged(found, part.shape[1::-1]), (left, top), size)


def assist(rgb: NDArray[np.uint8], marked: Marked) -> Callable[[CancelToken], Iterator[Mask]]:
    """Return a job that yields the masks of `find_masks`."""

    def make(token: CancelToken) -> Iterator[Mask]:
        for mask in find_masks(rgb, marked):
            yield mask
            token.check()

    return make


def _region(marked: Marked, size: ImageSize) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of where the object is looked for."""
    corners = [stroke.xy for stroke in marked.strokes if not stroke.is_erasing]
    boxes = [marked.box, None if marked.start is None else marked.start.bbox]
    corners += [np.array([[x, y], [x + w, y + h]]) for x, y, w, h in filter(None, boxes)]
    if not corners:
        return 0, 0, size.width, size.height
    places = np.concatenate(corners)
    low, high = places.min(axis=0), places.max(axis=0)
    margin = _AROUND * max(float((high - low).max()), 64.0)
    left, top = (max(int(v), 0) for v in (low - margin).tolist())
    right, bottom = np.minimum(high + margin + 1, [size.width, size.height]).astype(int).tolist()
    # Strokes may lie beside the image.
    left, top = min(left, size.width - 1), min(top, size.height - 1)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _labels(marked: Marked, frame: QRect, small: ImageSize, size: ImageSize) -> NDArray[np.uint8]:
    """Return what GrabCut is told of every pixel of the small picture (h, w)."""
    labels = np.full((small.height, small.width), cv2.GC_PR_BGD, dtype=np.uint8)
    scale = np.array([small.width / frame.width(), small.height / frame.height()])
    corner = np.array([frame.x(), frame.y()])
    if marked.start is not None and marked.box is None:
        step = max(frame.width() // small.width, 1)
        old = np.ascontiguousarray(sampled(marked.start, frame, step).T)
        is_old = cv2.resize(old, (small.width, small.height), interpolation=cv2.INTER_NEAREST) > 0
        labels[is_old] = cv2.GC_PR_FGD
    if marked.box is not None:
        x, y, width, height = marked.box
        low = np.rint((np.array([x, y]) - corner) * scale).astype(int).clip(0)
        high = np.rint((np.array([x + width, y + height]) - corner) * scale).astype(int).clip(0)
        labels[:] = cv2.GC_BGD
        labels[low[1] : high[1], low[0] : high[0]] = cv2.GC_PR_FGD
    else:
        _fence(labels, frame, size)
    if marked.box is None and marked.start is None:
        _fill_around([(s.xy - corner) * scale for s in marked.strokes if not s.is_erasing], labels)
    for stroke in marked.strokes:
        thin = Stroke((stroke.xy - corner) * scale, max(stroke.radius * scale[0], 0.71))
        pixels = stroke_mask(thin, small).to_array()
        labels[pixels] = cv2.GC_BGD if stroke.is_erasing else cv2.GC_FGD
    return labels


def _fill_around(strokes: list[NDArray[np.float64]], labels: NDArray[np.uint8]) -> None:
    """Say that the object is probably between strokes (m, 2) on it and close around them."""
    if not strokes:
        return
    places = np.concatenate(strokes).astype(np.float32)
    hull = cv2.convexHull(places).astype(np.int32)
    near = np.zeros_like(labels)
    cv2.fillConvexPoly(near, hull, 1)
    reach = max(round(_NEAR * float(np.ptp(places, axis=0).max())), 2)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    labels[(cv2.dilate(near, disc) > 0) & (labels == cv2.GC_PR_BGD)] = cv2.GC_PR_FGD


def _fence(labels: NDArray[np.uint8], frame: QRect, size: ImageSize) -> None:
    """Say that the object ends within the frame, but where the image itself ends."""
    rim = max(min(labels.shape) // 50, 1)
    if frame.left() > 0:
        labels[:, :rim] = cv2.GC_BGD
    if frame.top() > 0:
        labels[:rim] = cv2.GC_BGD
    if frame.left() + frame.width() < size.width:
        labels[:, -rim:] = cv2.GC_BGD
    if frame.top() + frame.height() < size.height:
        labels[-rim:] = cv2.GC_BGD


def _tidied(found: NDArray[np.bool_], surely: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return a mask without crumbs and pinholes, but for those that a person marked."""
    for wanted, keeps in ((True, cv2.GC_FGD), (False, cv2.GC_BGD)):
        n, parts, stats, _ = cv2.connectedComponentsWithStats(
            (found == wanted).astype(np.uint8), connectivity=4
        )
        if n <= 1:
            continue
        areas = stats[1:, cv2.CC_STAT_AREA]
        limit = _CRUMB * (areas.max() if wanted else found.sum())
        is_kept = np.append(True, areas >= limit)
        is_kept[np.unique(parts[surely == keeps])] = True
        if not wanted:
            # What goes on beyond the picture is no gap.
            is_kept[
                np.unique(np.concatenate([parts[[0, -1]].ravel(), parts[:, [0, -1]].ravel()]))
            ] = True
        found = np.where(is_kept[parts], found, ~found)
    return found


def _enlarged(found: NDArray[np.bool_], to: tuple[int, int]) -> NDArray[np.bool_]:
    """Return a small mask (h, w) at (width, height), its stairs smoothed."""
    if found.shape == to[::-1]:
        return found
    soft = cv2.GaussianBlur(found.astype(np.uint8) * 255, (0, 0), 0.8)
    return np.asarray(cv2.resize(soft, to, interpolation=cv2.INTER_LINEAR) > 127)
