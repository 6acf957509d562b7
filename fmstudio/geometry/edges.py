"""Draw a soft mask to the edges of its image."""

import cv2
import numpy as np
from numpy.typing import NDArray

# What is surely outside and surely inside; the threshold of what is probably so.
_OUTSIDE, _INSIDE, _PROBABLY = 0.2, 0.8, 0.45
# Colours are learned once, from every third pixel of every third row: learning them again, or from
# all pixels, changes the IoU by 0.1 % at most and takes half as long again.
_ROUNDS, _EVERY = 1, 3
# Of each side, among the pixels that are learned from.
_FEWEST = 10
# What is cut: the box of what is not surely outside, and this share of its longer side around it,
# for the colours of the background.
_MARGIN = 0.1


def snap_to_edges(rgb: NDArray[np.uint8], soft: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return the mask that colours and edges make of a probability.

    A graph cut between two colour mixtures that are learned from the image itself; pixels that
    are sure keep their side.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3) uint8
    soft : ndarray, (H, W)
        Probability of the object in [0, 1].

    Returns
    -------
    mask : ndarray, (H, W) bool
        The probability above 0.45 where it leaves the cut nothing to learn from.

    References
    ----------
    Rother, Kolmogorov and Blake 2004, "GrabCut", doi:10.1145/1015706.1015720 (OpenCV's
    implementation).
    """
    around = _around(soft >= _OUTSIDE)
    if around is None:
        return np.asarray(soft > _PROBABLY)
    mask = np.zeros(soft.shape, dtype=bool)
    mask[around] = _cut(rgb[around], soft[around])
    return mask


def _around(uncertain: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Return the rows and columns to cut, or None where there is nothing."""
    rows, cols = np.flatnonzero(uncertain.any(axis=1)), np.flatnonzero(uncertain.any(axis=0))
    if len(rows) == 0:
        return None
    margin = 4 + round(_MARGIN * max(np.ptp(rows), np.ptp(cols)))
    top, left = (max(int(found[0]) - margin, 0) for found in (rows, cols))
    return slice(top, int(rows[-1]) + margin + 1), slice(left, int(cols[-1]) + margin + 1)


def _cut(rgb: NDArray[np.uint8], soft: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return what is inside, (h, w)."""
    labels = np.where(soft > _PROBABLY, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[soft > _INSIDE] = cv2.GC_FGD
    labels[soft < _OUTSIDE] = cv2.GC_BGD
    some = np.ascontiguousarray(labels[::_EVERY, ::_EVERY])
    is_on = np.isin(some, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if min(np.count_nonzero(is_on), np.count_nonzero(~is_on)) < _FEWEST:
        return np.asarray(soft > _PROBABLY)
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    models = np.zeros((1, 65)), np.zeros((1, 65))
    # Its mixtures start from a random clustering: the same one for the same image.
    cv2.setRNGSeed(0)
    fewer = np.ascontiguousarray(bgr[::_EVERY, ::_EVERY])
    cv2.grabCut(fewer, some, (0, 0, 0, 0), *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    cv2.grabCut(bgr, labels, (0, 0, 0, 0), *models, _ROUNDS, cv2.GC_EVAL_FREEZE_MODEL)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
