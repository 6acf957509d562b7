"""A mask from a rough stroke or a box: GrabCut on the part of the image that matters."""

from collections.abc import Callable, Iterator, Sequence
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
from fmstudio.ui.canvas.tool_masks import cut, joined, pasted

Box = tuple[float, float, float, float]
Labels = NDArray[np.uint8]

# The longer side of what is worked on, in pixels: larger is slower and hardly better.
_SIDE = 320
# After the first round something can be shown; the rest makes it better.
_ROUNDS = (1, 2)
# How far around strokes the object may reach, and how far it probably does, in shares of their
# extent; how much is looked at around a box or a mask.
_AROUND, _NEAR, _BESIDE = 1.0, 0.6, 0.3
# How much of a mask, from its rim on, may change where no stroke says otherwise.
_RIM = 0.04
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
    frame = _region(marked, size)
    rows = slice(frame.y(), frame.y() + frame.height())
    part = rgb[rows, frame.x() : frame.x() + frame.width()]
    shrink = min(1.0, _SIDE / max(part.shape[:2]))
    small = ImageSize(*(max(round(side * shrink), 1) for side in part.shape[1::-1]))
    old = _start(marked, frame, small)
    labels = _labels(marked, frame, small, size, old)
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
        if old is None or marked.start is None:
            yield _placed(found, frame, size)
            continue
        # Where nothing was found to be wrong, the mask keeps its own fine rim.
        grown = joined(marked.start, _placed(found & ~old, frame, size))
        yield cut(grown, _placed(old & ~found, frame, size))


def assist(rgb: NDArray[np.uint8], marked: Marked) -> Callable[[CancelToken], Iterator[Mask]]:
    """Return a job that yields the masks of `find_masks`."""

    def make(token: CancelToken) -> Iterator[Mask]:
        for mask in find_masks(rgb, marked):
            yield mask
            token.check()

    return make


def _region(marked: Marked, size: ImageSize) -> QRect:
    """Return where the object is looked for."""
    corners = [stroke.xy for stroke in marked.strokes if not stroke.is_erasing]
    boxes = [marked.box, None if marked.start is None else marked.start.bbox]
    corners += [np.array([[x, y], [x + w, y + h]]) for x, y, w, h in filter(None, boxes)]
    if not corners:
        return QRect(0, 0, size.width, size.height)
    places = np.concatenate(corners)
    low, high = places.min(axis=0), places.max(axis=0)
    share = _AROUND if marked.box is None and marked.start is None else _BESIDE
    margin = share * max(float((high - low).max()), 64.0)
    # Strokes may lie beside the image.
    left, top = (np.minimum(low - margin, [size.width - 1, size.height - 1])).clip(0).astype(int)
    right, bottom = np.minimum(high + margin + 1, [size.width, size.height]).astype(int)
    return QRect(left, top, max(right - left, 1), max(bottom - top, 1))


def _start(marked: Marked, frame: QRect, small: ImageSize) -> NDArray[np.bool_] | None:
    """Return the mask to begin with in the small picture (h, w); None where a box says enough."""
    if marked.start is None or marked.box is not None:
        return None
    step = max(frame.width() // small.width, 1)
    fine = np.ascontiguousarray(sampled(marked.start, frame, step).T)
    old = cv2.resize(fine, (small.width, small.height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(old > 0)


def _labels(
    marked: Marked, frame: QRect, small: ImageSize, size: ImageSize, old: NDArray[np.bool_] | None
) -> Labels:
    """Return what GrabCut is told of every pixel of the small picture (h, w)."""
    labels = np.full((small.height, small.width), cv2.GC_PR_BGD, dtype=np.uint8)
    scale = np.array([small.width / frame.width(), small.height / frame.height()])
    corner = np.array([frame.x(), frame.y()])
    strokes = [
        Stroke((s.xy - corner) * scale, max(s.radius * scale[0], 0.71), s.is_erasing)
        for s in marked.strokes
    ]
    drawn = [(stroke_mask(stroke, small).to_array(), stroke.is_erasing) for stroke in strokes]
    if marked.box is not None:
        x, y, width, height = marked.box
        ends = (np.array([[x, y], [x + width, y + height]]) - corner) * scale
        (left, top), (right, bottom) = np.rint(ends).astype(int).clip(0).tolist()
        labels[:] = cv2.GC_BGD
        labels[top:bottom, left:right] = cv2.GC_PR_FGD
    elif old is not None:
        # A stroke matters where it says something else than the mask.
        wrong = [pixels & (old == is_erasing) for pixels, is_erasing in drawn]
        _keep_most(labels, old.astype(np.uint8), _zone(wrong, labels.shape))
    else:
        on = [pixels for pixels, is_erasing in drawn if not is_erasing]
        labels[_zone(on, labels.shape)] = cv2.GC_PR_FGD
        _fence(labels, frame, size)
    for pixels, is_erasing in drawn:
        labels[pixels] = cv2.GC_BGD if is_erasing else cv2.GC_FGD
    return labels


def _keep_most(labels: Labels, old: Labels, is_free: NDArray[np.bool_]) -> None:
    """Say that a mask (h, w) is right but for its rim, and for what is free."""
    labels[old > 0] = cv2.GC_PR_FGD
    rows, cols = np.nonzero(old)
    disc = _disc(_RIM * float(max(np.ptp(rows), np.ptp(cols)))) if len(rows) else _disc(0)
    labels[~is_free & (cv2.erode(old, disc) > 0)] = cv2.GC_FGD
    labels[~is_free & (cv2.dilate(old, disc) == 0)] = cv2.GC_BGD


def _zone(strokes: Sequence[NDArray[np.bool_]], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the hulls of strokes and what is close around them, all (h, w)."""
    zone = np.zeros(shape, dtype=bool)
    for stroke in strokes:
        places = np.argwhere(stroke)[:, ::-1].astype(np.int32)
        if len(places):
            hull = np.zeros(shape, dtype=np.uint8)
            cv2.fillConvexPoly(hull, cv2.convexHull(places), 1)
            disc = _disc(_NEAR * float(np.ptp(places, axis=0).max()))
            zone |= cv2.dilate(hull, disc) > 0
    return zone


def _disc(radius: float) -> Labels:
    """Return a disc to shrink or grow a mask by, of at least two pixels."""
    side = 2 * max(round(radius), 2) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


def _fence(labels: Labels, frame: QRect, size: ImageSize) -> None:
    """Say that the object ends within the frame, but where the image itself ends."""
    rim = max(min(labels.shape) // 50, 1)
    if frame.x() > 0:
        labels[:, :rim] = cv2.GC_BGD
    if frame.y() > 0:
        labels[:rim] = cv2.GC_BGD
    if frame.x() + frame.width() < size.width:
        labels[:, -rim:] = cv2.GC_BGD
    if frame.y() + frame.height() < size.height:
        labels[-rim:] = cv2.GC_BGD


def _tidied(found: NDArray[np.bool_], surely: Labels) -> NDArray[np.bool_]:
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


def _placed(found: NDArray[np.bool_], frame: QRect, size: ImageSize) -> Mask:
    """Return the mask of a small picture (h, w) of a part of an image, its stairs smoothed."""
    if found.shape != (frame.height(), frame.width()):
        soft = cv2.GaussianBlur(found.astype(np.uint8) * 255, (0, 0), 0.8)
        to = frame.width(), frame.height()
        found = np.asarray(cv2.resize(soft, to, interpolation=cv2.INTER_LINEAR) > 127)
    return pasted(found, (frame.x(), frame.y()), size)
