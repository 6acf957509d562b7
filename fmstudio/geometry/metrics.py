"""How right a transfer is: PCK, IoU, end-point error, smoothness, cycle error.

Every metric says what it is divided by. One that has nothing to be measured on returns None, never
0 or 1, so that an average can leave it out.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fmstudio.geometry.points import NOT_LABELLED


def counted_points(visibility_s: ArrayLike, visibility_t: ArrayLike) -> NDArray[np.bool_]:
    """Return which keypoints a pair is judged on, (m,) bool: labelled in both images.

    Parameters
    ----------
    visibility_s, visibility_t : array_like, (m,)
        COCO's: 0 not labelled, 1 labelled but hidden, 2 visible; above 0 counts.

    Raises
    ------
    ValueError
        If the lengths differ: the two objects follow different keypoint schemas.
    """
    v_s, v_t = np.asarray(visibility_s), np.asarray(visibility_t)
    if v_s.shape != v_t.shape:
        raise ValueError(f"{v_s.size} keypoints on the source, {v_t.size} on the target")
    return np.asarray((v_s > NOT_LABELLED) & (v_t > NOT_LABELLED))


def pck(
    xy: ArrayLike, xy_true: ArrayLike, counted: ArrayLike, *, alpha: float, length: float
) -> float | None:
    """Return the percentage-of-correct-keypoints share: points within ``alpha * length``.

    ``|{i counted : |xy_i - xy_true_i| <= alpha * length}| / |{i counted}|``: the denominator is
    the number of counted points (see `counted_points`) of this one pair.

    Parameters
    ----------
    xy, xy_true : array_like, (m, 2)
        Pixels of the target image: predicted and true.
    counted : array_like, (m,) bool
        Which points are judged. A counted prediction that is not finite is wrong.
    alpha : float
        Above 0; 0.05 and 0.1 are customary.
    length : float
        Pixels, above 0: what alpha is a share of. Say which: fmstudio's benchmark takes the longest
        side of the target annotation's box.

    Returns
    -------
    share : float or None
        In [0, 1]; None when no point is counted.

    Raises
    ------
    ValueError
        If shapes do not fit, or alpha or length is not above 0.

    References
    ----------
    Yang and Ramanan 2013, "Articulated human detection with flexible mixtures of parts",
    doi:10.1109/TPAMI.2012.261, section 6.1 (threshold by the object's box).
    """
    if not (alpha > 0 and length > 0):
        raise ValueError(f"alpha and length must be above 0, not {alpha} and {length}")
    distance = _distances(xy, xy_true)[_selection(counted, xy_true)]
    if distance.size == 0:
        return None
    return float(np.mean(distance <= alpha * length))


def epe(xy: ArrayLike, xy_true: ArrayLike, counted: ArrayLike | None = None) -> float | None:
    """Return the end-point error: the mean of ``|xy_i - xy_true_i|`` over the counted points.

    Parameters
    ----------
    xy, xy_true : array_like, (m, 2)
        Any one unit; the result has it too.
    counted : array_like, (m,) bool, or None
        None counts every point.

    Returns
    -------
    error : float or None
        At least 0; None when no point is counted.

    Raises
    ------
    ValueError
        If shapes do not fit.

    References
    ----------
    Otte and Nagel 1994, "Optical flow estimation: advances and comparisons",
    doi:10.1007/3-540-57956-7_5.
    """
    distance = _distances(xy, xy_true)
    if counted is not None:
        distance = distance[_selection(counted, xy_true)]
    return float(np.mean(distance)) if distance.size else None


def iou(mask: ArrayLike, mask_true: ArrayLike) -> float | None:
    """Return the intersection over union of two masks: ``|A and B| / |A or B|`` in pixels.

    Parameters
    ----------
    mask, mask_true : array_like, (H, W) bool

    Returns
    -------
    share : float or None
        In [0, 1]; None when both masks are empty.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    a, b = np.asarray(mask, dtype=bool), np.asarray(mask_true, dtype=bool)
    if a.shape != b.shape:
        raise ValueError(f"masks of shapes {a.shape} and {b.shape} cannot be compared")
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else None


def smoothness(displacement: ArrayLike, inside: ArrayLike | None = None) -> float | None:
    """Return how much a dense displacement changes from patch to patch; lower is smoother.

    The mean, over all pairs of horizontally or vertically neighbouring patches, of
    ``|displacement_a - displacement_b|`` (Euclidean): the first-order difference of the flow.
    0 for a translation; ``2 sin(angle / 2)`` for a rotation by ``angle``;
    ``|s - 1|`` for a scaling by ``s``. The denominator is the number of neighbour pairs.

    Parameters
    ----------
    displacement : array_like, (rows, cols, 2)
        Target to source: where each target patch's source point lies, less where it would lie if
        nothing moved. In patches; the result has the same unit.
    inside : array_like, (rows, cols) bool, or None
        Only pairs with both patches inside are counted; None counts all.

    Returns
    -------
    difference : float or None
        At least 0; None when there is no pair of neighbours.

    Raises
    ------
    ValueError
        If shapes do not fit.

    References
    ----------
    Zhang et al. 2023, "A tale of two features", arXiv:2305.15347 (first-order difference of the
    flow on TSS, there per pixel; used the same way in arXiv:2403.12038); TSS itself: Taniai,
    Sinha and Sato 2016, doi:10.1109/CVPR.2016.461.
    """
    field = np.asarray(displacement, dtype=np.float64)
    if field.ndim != 3 or field.shape[2] != 2:
        raise ValueError(f"a displacement is (rows, cols, 2), not {field.shape}")
    if inside is None:
        chosen = np.ones(field.shape[:2], dtype=bool)
    else:
        chosen = np.asarray(inside, dtype=bool)
    if chosen.shape != field.shape[:2]:
        raise ValueError(f"{chosen.shape} patches are marked, of {field.shape[:2]}")
    across = np.linalg.norm(np.diff(field, axis=1), axis=2)[chosen[:, 1:] & chosen[:, :-1]]
    down = np.linalg.norm(np.diff(field, axis=0), axis=2)[chosen[1:] & chosen[:-1]]
    steps = np.concatenate([across, down])
    return float(steps.mean()) if steps.size else None


def relative_smoothness(displacement: ArrayLike, inside: ArrayLike | None = None) -> float | None:
    """Return `smoothness` divided by the grid's longer side, max(rows, cols).

    Comparable between grids: the mean first difference per patch step as a share of the image.
    Parameters, shapes and errors as there.
    """
    value = smoothness(displacement, inside)
    return None if value is None else value / max(np.asarray(displacement).shape[:2])


def cycle_error(
    xy: ArrayLike, xy_back: ArrayLike, *, long_side: float | None = None
) -> float | None:
    """Return how far points come back from where they started: source to target to source.

    The mean of ``|xy_back_i - xy_i|`` over all points; divided by ``long_side`` where it is given.

    Parameters
    ----------
    xy, xy_back : array_like, (m, 2)
        Pixels of the source image: the points, and the same after the round trip.
    long_side : float or None
        The source image's longer side in pixels, above 0; None leaves the result in pixels.

    Returns
    -------
    error : float or None
        At least 0, in pixels or as a share of the long side; None without points.

    Raises
    ------
    ValueError
        If shapes do not fit, or the long side is not above 0.
    """
    if long_side is not None and not (long_side > 0 and math.isfinite(long_side)):
        raise ValueError(f"a long side is above 0, not {long_side}")
    error = epe(xy_back, xy)
    return error if error is None or long_side is None else error / long_side


def _distances(xy: ArrayLike, xy_true: ArrayLike) -> NDArray[np.float64]:
    """Return the distances (m,) of paired points (m, 2)."""
    a, b = np.asarray(xy, dtype=np.float64), np.asarray(xy_true, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 2 or a.shape[1] != 2:
        raise ValueError(f"points must be two (m, 2) arrays, not {a.shape} and {b.shape}")
    return np.asarray(np.hypot(a[:, 0] - b[:, 0], a[:, 1] - b[:, 1]))


def _selection(counted: ArrayLike, xy_true: ArrayLike) -> NDArray[np.bool_]:
    """Return ``counted`` as (m,) bool, checked against the points."""
    chosen = np.asarray(counted, dtype=bool)
    m = len(np.asarray(xy_true))
    if chosen.shape != (m,):
        raise ValueError(f"{chosen.shape} does not say of {m} points which are counted")
    return chosen
