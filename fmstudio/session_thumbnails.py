"""Small pictures of a project's images, kept beside its other caches."""

import secrets
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fmstudio.errors import ImageError
from fmstudio.io.images import read_rgb, thumbnail
from fmstudio.project.model import ImageItem

SIDE = 128
"""Longer side of a thumbnail in pixels."""


def thumbnail_of(image: ImageItem, path: Path, cache_dir: Path) -> NDArray[np.uint8]:
    """Return a thumbnail (h, w, 3), from the cache where it has it; safe on any thread.

    Parameters
    ----------
    image : ImageItem
    path : Path
        Where the image's file is.
    cache_dir : Path
        Of the session; may be deleted at any time.

    Raises
    ------
    ImageError
        If the image cannot be read.
    """
    kept = cache_dir / "thumbnails" / image.sha256[:2] / f"{image.sha256}-{SIDE}.jpg"
    known = _recalled(kept) if image.sha256 else None
    if known is not None:
        return known
    rgb = thumbnail(path, SIDE)
    if image.sha256:
        _keep(kept, rgb)
    return rgb


def _recalled(path: Path) -> NDArray[np.uint8] | None:
    """Return a thumbnail from the cache, or None; a damaged one counts as none."""
    try:
        # Whatever came with a project's folder need not be one of ours.
        return read_rgb(path, max_pixels=SIDE * SIDE)
    except ImageError:
        return None


def _keep(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Put a thumbnail into the cache, whole; where that is not possible, there is none.

    Not flushed to the disk, which would take three times as long as making it anew: one that a
    power cut leaves damaged counts as none.
    """
    beside = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(rgb)).save(beside, format="JPEG", quality=88)
        beside.replace(path)
    except OSError:
        # A full or read-only disk costs time at the next start, nothing else.
        with suppress(OSError):
            beside.unlink()
