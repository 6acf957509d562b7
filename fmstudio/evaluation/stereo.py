"""A real pair with a measured truth: the motorcycle of the Middlebury stereo sets."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmstudio.errors import DatasetError
from fmstudio.evaluation.synthetic import DensePair

Field = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def motorcycle_pair() -> DensePair:
    """Return the motorcycle: the left image is the target, the right one the source.

    The disparity belongs to the left image: what lies at x there lies at ``x - disparity`` in the
    right one. Where it was not measured nothing is judged; what only the left camera sees is.

    Raises
    ------
    DatasetError
        If scikit-image, which ships the pair, is not installed.

    References
    ----------
    Scharstein et al. 2014, "High-resolution stereo datasets with subpixel-accurate ground truth",
    doi:10.1007/978-3-319-11752-2_3 (reduced to a quarter by scikit-image).
    """
    try:
        from skimage.data import stereo_motorcycle
    except ImportError as error:
        raise DatasetError(
            "The stereo pair comes with scikit-image, which is not installed: run "
            "'pip install scikit-image'."
        ) from error
    load: Callable[[], tuple[Any, Any, Any]] = stereo_motorcycle
    left, right, disparity = load()
    known = np.isfinite(disparity)
    return DensePair("motorcycle", "stereo", right, left, along_rows(disparity), known)


def along_rows(disparity: NDArray[np.floating]) -> Field:
    """Return the field of a disparity map (H, W): from target to source pixels, (m, 2).

    Each place takes the disparity of its pixel; an unknown one moves nothing.
    """
    moved = np.where(np.isfinite(disparity), disparity, 0.0).astype(np.float64)

    def to_source(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        limit = np.array(moved.shape[::-1]) - 1
        at = np.clip(np.floor(xy).astype(np.int64), 0, limit)
        return np.stack([xy[:, 0] - moved[at[:, 1], at[:, 0]], xy[:, 1]], axis=1)

    return to_source
