"""Read files that other people made: regular ones only, since anything else may never end."""

import errno
import os
import stat
from pathlib import Path


def is_regular(path: Path) -> bool:
    """Return whether a path leads to a regular file; raises OSError if there is none."""
    return stat.S_ISREG(path.stat().st_mode)


def read_regular(path: Path) -> bytes:
    """Return the bytes of a regular file.

    Raises
    ------
    OSError
        If it cannot be read, or is a folder, a pipe or a device.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        # Opening a pipe waits for somebody to write, and some devices have no end.
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file", os.fspath(path))
    return path.read_bytes()
