"""The mask that several references' soft masks make on one target."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from fmstudio.engine.object_map import SoftMask
from fmstudio.geometry.boxes import PartBox, box_around
from fmstudio.geometry.edges import snap_to_edges
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.spectral.transfer import MASK_THRESHOLD

Open = Callable[[], NDArray[np.uint8]]

# Longer side of the raster on which masks are averaged: enough for what patches know, and with
# edges as much as a graph cut does in a blink.
_SIDE, _CUT_SIDE = 640, 400
# Of that on which they are compared with each other.
_COARSE = 128


def fuse_masks(
    softs: Sequence[tuple[SoftMask, float]], size: ImageSize, open_target: Open | None
) -> tuple[Mask | None, float]:
    """Return the thresholded mean of soft masks weighted by quality, and how sure it is.

    Parameters
    ----------
    softs : sequence of (SoftMask, float)
        With the quality of each.
    size : ImageSize
        Of the target.
    open_target : callable or None
        Returns the target's pixels; None draws to no edges.

    Returns
    -------
    mask : Mask or None
        None without any, or where nothing on the target resembles the object.
    quality : float
        In [0, 1].
    """
    if not softs:
        return None, 0.0
    box = box_around([soft.box for soft, _ in softs])
    raster = _raster(box, _SIDE if open_target is None else _CUT_SIDE)
    weight = np.array([quality for _, quality in softs]) + 1e-6
    layers = np.stack([_drawn(soft, box, raster) for soft, _ in softs])
    soft = np.average(layers, axis=0, weights=weight).astype(np.float32)
    quality = mask_quality(soft)
    if quality == 0.0:
        return None, 0.0
    if open_target is None:
        inside = _resized(soft, _extent(box)) > MASK_THRESHOLD
    else:
        x0, y0, x1, y1 = box
        part = _shrunk(open_target()[y0:y1, x0:x1], raster)
        cut = snap_to_edges(part, soft).astype(np.float32)
        inside = _resized(cut, _extent(box)) > 0.5
    whole = np.zeros((size.height, size.width), dtype=bool)
    whole[box[1] : box[3], box[0] : box[2]] = inside
    mask = Mask.from_array(whole)
    # What nothing on the target resembles has no pixels: better no mask than an empty one.
    return (mask, quality) if mask.area > 0 else (None, 0.0)


def mask_spread(softs: Sequence[tuple[SoftMask, float]]) -> float:
    """Return how much several references' masks differ, in [0, 1].

    The mean over references of 1 less the IoU of the own mask with that of all together.

    Parameters
    ----------
    softs : sequence of (SoftMask, float)
        At least one, with the quality of each.
    """
    box = box_around([soft.box for soft, _ in softs])
    layers = np.stack([_drawn(soft, box, _raster(box, _COARSE)) for soft, _ in softs])
    weights = np.array([quality for _, quality in softs]) + 1e-6
    together = np.average(layers, axis=0, weights=weights) > MASK_THRESHOLD
    own = layers > MASK_THRESHOLD
    common = (own & together).sum(axis=(1, 2))
    either = (own | together).sum(axis=(1, 2))
    return float(np.mean(1 - np.where(either > 0, common / np.maximum(either, 1), 1.0)))


def mask_quality(soft: NDArray[np.float32] | None) -> float:
    """Return the mean of a soft mask over the patches it claims, 0 without any."""
    if soft is None or not (soft > MASK_THRESHOLD).any():
        return 0.0
    return float(soft[soft > MASK_THRESHOLD].mean())


def _extent(box: PartBox) -> tuple[int, int]:
    """Return a box's height and width in pixels."""
    return box[3] - box[1], box[2] - box[0]


def _raster(box: PartBox, side: int) -> tuple[int, int]:
    """Return rows and columns of a box's raster: its pixels, or fewer."""
    shrink = min(1.0, side / max(_extent(box)))
    height, width = (max(round(length * shrink), 1) for length in _extent(box))
    return height, width


def _drawn(soft: SoftMask, box: PartBox, raster: tuple[int, int]) -> NDArray[np.float32]:
    """Return a soft mask on the raster of a box that holds its own."""
    drawn = np.zeros(raster, dtype=np.float32)
    scale = np.array(raster) / _extent(box)
    low = np.round((np.array([soft.box[1], soft.box[0]]) - [box[1], box[0]]) * scale).astype(int)
    high = np.round((np.array([soft.box[3], soft.box[2]]) - [box[1], box[0]]) * scale).astype(int)
    high = np.maximum(high, low + 1)
    rows, cols = (slice(a, b) for a, b in zip(low, high, strict=True))
    drawn[rows, cols] = np.clip(_resized(soft.values, tuple(high - low), "bicubic"), 0, 1)
    return drawn


def _resized(
    values: NDArray[np.float32], shape: tuple[int, ...], mode: str = "bilinear"
) -> NDArray[np.float32]:
    """Return values (h, w) at another shape, by the pixel-centre rule of `geometry.grid`."""
    tensor = torch.from_numpy(values)[None, None]
    size = [int(length) for length in shape]
    fine = interpolate(tensor, size=size, mode=mode, align_corners=False)
    return np.asarray(fine[0, 0].numpy())


def _shrunk(rgb: NDArray[np.uint8], raster: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image (h, w, 3) at a smaller size, each pixel the mean of those that it covers."""
    if rgb.shape[:2] == raster:
        return rgb
    tensor = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float()
    small = interpolate(tensor, size=list(raster), mode="bilinear", antialias=True)
    return np.asarray(small[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy())
