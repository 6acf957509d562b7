"""A real pair with a measured truth: the motorcycle of the Middlebury stereo sets."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fmstudio.errors import DatasetError
from fmstudio.evaluation.datasets.dense import DensePair, by_pixel


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
    to_right = by_pixel(np.stack([-disparity, np.zeros_like(disparity)], axis=2))
    return DensePair("motorcycle", "stereo", right, left, to_right, known)
