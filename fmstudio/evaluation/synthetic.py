"""Pairs whose true displacement is known everywhere: photos and their known distortions."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fmstudio.evaluation.datasets import LabelledImage
from fmstudio.evaluation.datasets.dense import DensePair
from fmstudio.evaluation.warps import Warp, affine_warp, mirror_warp, smooth_warp, warp_image
from fmstudio.geometry.grid import ImageSize
from fmstudio.io.images import read_rgb

KINDS = ("smooth", "affine", "occlusion", "mirror")
_LONG_SIDE = 640
# Of an occluder: sides in shares of the target's.
_COVERED = (0.25, 0.45)


def synthetic_pairs(
    images: Sequence[LabelledImage], kinds: Sequence[str] = KINDS, *, seed: int = 0
) -> Iterator[DensePair]:
    """Yield a pair of each kind for every photo, one in memory at a time.

    Parameters
    ----------
    images : sequence of LabelledImage
        At least two where "occlusion" is among the kinds: what covers a photo is a part of the
        next one. Reduced to 640 pixels first.
    kinds : sequence of str
        Of `KINDS`.
    seed : int
        Equal seeds give equal pairs, whatever other photos there are beside it and the next.

    Raises
    ------
    ImageError
        If a photo cannot be read.
    """
    for index, image in enumerate(images):
        rgb = _reduced(read_rgb(image.path))
        for kind in kinds:
            # A string's own hash differs from run to run; its place among the kinds does not.
            generator = np.random.default_rng([seed, image.id, KINDS.index(kind)])
            other = images[(index + 1) % len(images)] if kind == "occlusion" else None
            cover = None if other is None else _reduced(read_rgb(other.path))
            yield _pair(image.path.name, kind, rgb, cover, generator)


def _pair(
    name: str,
    kind: str,
    rgb: NDArray[np.uint8],
    cover: NDArray[np.uint8] | None,
    generator: np.random.Generator,
) -> DensePair:
    """Return one photo's pair of a kind."""
    size = ImageSize(rgb.shape[1], rgb.shape[0])
    warp: Warp
    if kind == "mirror":
        warp = mirror_warp(size)
    elif kind == "affine":
        warp = affine_warp(size, generator)
    else:
        warp = smooth_warp(size, generator)
    target = warp_image(rgb, warp)
    visible = np.ones(rgb.shape[:2], dtype=bool)
    if cover is not None:
        height, width = (int(s * generator.uniform(*_COVERED)) for s in rgb.shape[:2])
        y, x = (
            int(generator.integers(0, s - h + 1))
            for s, h in zip(rgb.shape[:2], (height, width), strict=True)
        )
        patch = cv2.resize(cover, (width, height), interpolation=cv2.INTER_AREA)
        target[y : y + height, x : x + width] = patch
        visible[y : y + height, x : x + width] = False
    return DensePair(name, kind, rgb, target, warp.to_source, visible)


def _reduced(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a photo whose longer side is at most 640 pixels."""
    scale = _LONG_SIDE / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
