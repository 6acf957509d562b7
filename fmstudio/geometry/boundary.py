"""How well the outline of a mask follows the true one."""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray


def boundary_f(mask: ArrayLike, mask_true: ArrayLike, *, tolerance: float = 0.008) -> float:
    """Return the F-measure of two masks' outlines, in [0, 1].

    ``2 p r / (p + r)`` with p the share of the mask's outline pixels that lie within a distance of
    the true outline, and r the share of the true ones within that distance of the mask's. An
    outline without pixels has no wrong ones: p is 1 where the mask has none, r where the truth has
    none; so two masks without an outline agree, and one against the other has F 0.

    Parameters
    ----------
    mask, mask_true : array_like, (H, W) bool
    tolerance : float
        The distance as a share of the image's diagonal, rounded up to whole pixels; above 0.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    Perazzi et al. 2016, "A benchmark dataset and evaluation methodology for video object
    segmentation", doi:10.1109/CVPR.2016.85, section 4: by dilation with a disc.
    """
    a, b = np.asarray(mask, dtype=bool), np.asarray(mask_true, dtype=bool)
    if a.shape != b.shape:
        raise ValueError(f"masks of shapes {a.shape} and {b.shape} cannot be compared")
    reach = int(np.ceil(tolerance * np.hypot(*a.shape)))
    edge_a, edge_b = outline(a), outline(b)
    p, r = _near(edge_a, edge_b, reach), _near(edge_b, edge_a, reach)
    return 2 * p * r / (p + r) if p + r > 0 else 0.0


def outline(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels (H, W) bool with a right, lower or lower right neighbour on the other side.

    One pixel wide and the same for a mask and its complement; what touches the image's border has
    no outline there.
    """
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    right, down, both = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    return np.asarray((mask != right) | (mask != down) | (mask != both))


def _near(edge: NDArray[np.bool_], other: NDArray[np.bool_], reach: int) -> float:
    """Return the share of an outline's pixels that lie within reach of the other outline."""
    count = np.count_nonzero(edge)
    if count == 0:
        return 1.0
    span = np.arange(-reach, reach + 1)
    disc = (span[:, None] ** 2 + span[None, :] ** 2 <= reach**2).astype(np.uint8)
    grown = cv2.dilate(other.astype(np.uint8), disc) > 0
    return float(np.count_nonzero(edge & grown) / count)
