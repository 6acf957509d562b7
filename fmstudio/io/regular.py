"""Read files that other people made: regular ones only, since anything else may never end."""

import errno
import os
import stat
from pathlib import Path


def is_file_or_folder(path: Path) -> bool:
    """Return whether a path leads to a regular file or a folder; raises OSError if there is none.

    Opening a pipe waits for somebody to write, and some devices have no end.
    """
    mode = path.stat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def read_regular(path: Path) -> bytes:
    """Return the bytes of a regular file.

    Raises
    ------
    OSError
        If it cannot be read, or is a folder, a pipe or a device.
    """
    if not is_file_or_folder(path):
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file", os.fspath(path))
    return path.read_bytes()
