"""Optical flow files of the Middlebury kind, ``.flo``."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmstudio.errors import FormatError
from fmstudio.io.atomic import write_bytes

_MAGIC = 202021.25
_HEADER = struct.Struct("<fii")
# What the format's authors write where the flow is not known is 1e10.
_UNKNOWN = 1e9
_MOST_PIXELS = 1 << 28


def read_flow(path: Path) -> NDArray[np.float32]:
    """Return a flow (H, W, 2): what to add to a pixel's x and y; NaN where it is not known.

    Raises
    ------
    FormatError
        If it is no such file, or its size is not the one that its header states.
    OSError
        If it cannot be read.

    References
    ----------
    Baker et al. 2011, "A database and evaluation methodology for optical flow",
    doi:10.1007/s11263-010-0390-2.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size or _HEADER.unpack(header)[0] != np.float32(_MAGIC):
            raise FormatError(f"{path}: this is no .flo file; fetch it anew.")
        _, width, height = _HEADER.unpack(header)
        # Compared before anything of that size is asked for.
        whole = _HEADER.size + 8 * width * height
        if min(width, height) < 1 or width * height > _MOST_PIXELS or size != whole:
            raise FormatError(
                f"{path}: {size} bytes are not a flow of {width} x {height} pixels; fetch it anew."
            )
        data = np.frombuffer(file.read(), dtype="<f4").reshape(height, width, 2)
    flow = data.astype(np.float32)
    is_known = (np.abs(flow) < _UNKNOWN).all(axis=2)
    flow[~is_known] = np.nan
    return flow


def write_flow(path: Path, flow: NDArray[np.floating]) -> None:
    """Write a flow (H, W, 2), NaN as not known; whole or not at all."""
    height, width = flow.shape[:2]
    data = np.where(np.isfinite(flow), flow, 10 * _UNKNOWN).astype("<f4")
    write_bytes(path, _HEADER.pack(_MAGIC, width, height) + data.tobytes())
