"""Heat maps from annotated keypoints: on the source to be carried, on the target as the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmstudio.errors import DatasetError
from fmstudio.evaluation.heat import gaussian_heat
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from fmstudio.io.coco import CocoData, read_coco
from fmstudio.project.model import Annotation, Status

# Of the box's longer side: as far from a keypoint as PCK@0.1 counts it right.
BOX_SIGMA = 0.1


@dataclass(frozen=True, slots=True)
class NamedImage:
    """An image as a COCO file knows it: the last part of its name, and its size in pixels."""

    name: str
    size: ImageSize


@dataclass(frozen=True, slots=True, eq=False)
class KeypointHeat:
    """Heat maps around the same keypoints of two images.

    Attributes
    ----------
    source : ndarray, (H, W) float32
        In [0, 1].
    truth : ndarray, (H_t, W_t) float32, or None
        None where the target is not annotated.
    names : tuple of str
        The keypoints.
    """

    source: NDArray[np.float32]
    truth: NDArray[np.float32] | None
    names: tuple[str, ...]


def keypoint_heat(
    path: Path,
    source: NamedImage,
    target: NamedImage,
    *,
    names: Sequence[str] = (),
    sigma: float | None = None,
) -> KeypointHeat:
    """Return Gaussians around keypoints of two images from a COCO file.

    Of the source the annotation with the lowest id that has keypoints is taken, of the target the
    first of its category; proposals and crowds are passed over. With an annotated target only
    keypoints that are labelled on both count.

    Parameters
    ----------
    path : Path
        The COCO file.
    source, target : NamedImage
    names : sequence of str
        Keypoints to take; empty means all.
    sigma : float, optional
        As a share of the longer side of the annotation's box: around its mask, else around its
        keypoints. 0.1 by default.

    Raises
    ------
    FormatError
        If the file is missing or breaks the format.
    DatasetError
        If it does not know the source or its keypoints, or states another size.
    """
    data = read_coco(path)
    marked = _annotation(path, data, source, None)
    if marked is None or marked.keypoints is None:
        raise DatasetError(f"{path}: {source.name} has no keypoints there; annotate it first.")
    schema = next(c.keypoints for c in data.categories if c.id == marked.category_id)
    chosen = marked.keypoints.labelled & _named(path, schema, names)
    other = _annotation(path, data, target, marked.category_id)
    if other is not None and other.keypoints is not None:
        chosen &= other.keypoints.labelled
    if not chosen.any():
        what = " and ".join(names) if names else "every keypoint"
        raise DatasetError(
            f"{path}: {what} lacks a label on {source.name} or on {target.name}: choose others."
        )
    share = BOX_SIGMA if sigma is None else sigma
    truth = None
    if other is not None and other.keypoints is not None:
        truth = _around(other, other.keypoints, chosen, target.size, share)
    heat = _around(marked, marked.keypoints, chosen, source.size, share)
    return KeypointHeat(heat, truth, tuple(schema[i] for i in np.flatnonzero(chosen)))


def _annotation(
    path: Path, data: CocoData, image: NamedImage, category_id: int | None
) -> Annotation | None:
    """Return an image's first annotation with keypoints, of a category unless that is None."""
    known = [item for item in data.images if item.file_name == image.name]
    if len(known) > 1:
        raise DatasetError(f"{path}: {len(known)} images are called {image.name}; rename them.")
    for item in known:
        if item.size != image.size:
            raise DatasetError(
                f"{path}: {image.name} has {item.size.width} x {item.size.height} pixels there, "
                f"but {image.size.width} x {image.size.height} in its file."
            )
    found = [
        a
        for a in data.annotations
        if known
        and a.image_id == known[0].id
        and a.keypoints is not None
        and category_id in (None, a.category_id)
        and a.status is Status.ACCEPTED
        and not a.is_crowd
    ]
    return min(found, key=lambda a: a.id, default=None)


def _named(path: Path, schema: tuple[str, ...], names: Sequence[str]) -> NDArray[np.bool_]:
    """Return which keypoints of a schema are asked for, (m,) bool."""
    for name in names:
        if name not in schema:
            raise DatasetError(f"{path}: there is no keypoint '{name}', only {', '.join(schema)}.")
    return np.array([not names or name in names for name in schema])


def _around(
    annotation: Annotation,
    keypoints: Keypoints,
    chosen: NDArray[np.bool_],
    size: ImageSize,
    share: float,
) -> NDArray[np.float32]:
    """Return Gaussians around an annotation's chosen keypoints."""
    mask = annotation.mask
    box = mask.bbox if mask is not None and mask.bbox is not None else keypoints.bbox()
    side = max(box[2:]) if box is not None else 0.0
    # A single keypoint has no extent: the image's own is all there is.
    return gaussian_heat(size, keypoints.xy[chosen], share * (side or size.long_side))
