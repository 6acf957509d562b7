"""Draw a soft mask to the edges of its image."""

import cv2
import numpy as np
from numpy.typing import NDArray

# What is surely outside and surely inside; the threshold of what is probably so.
_OUTSIDE, _INSIDE, _PROBABLY = 0.2, 0.8, 0.45
_ROUNDS = 3
_FEWEST = 10


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
    labels = np.where(soft > _PROBABLY, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[soft > _INSIDE] = cv2.GC_FGD
    labels[soft < _OUTSIDE] = cv2.GC_BGD
    is_on = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if min(np.count_nonzero(is_on), np.count_nonzero(~is_on)) < _FEWEST:
        return np.asarray(soft > _PROBABLY)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    # Its mixtures start from a random clustering: the same one for the same image.
    cv2.setRNGSeed(0)
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    cv2.grabCut(bgr, labels, (0, 0, 0, 0), *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
