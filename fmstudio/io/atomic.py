"""Write files whole or not at all: beside the target, flushed to the disk, then put in place."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path


def write_bytes(
    path: Path, data: bytes | Iterable[bytes], *, check: Callable[[Path], None] | None = None
) -> None:
    """Write ``data`` to ``path`` so that readers see the old file or the new one, never a part.

    A symbolic link is written through. An existing file keeps its permissions.

    Parameters
    ----------
    path : Path
        Its folder must exist.
    data : bytes or iterable of bytes
        Pieces are written as they come.
    check : callable, optional
        Called with the path of the finished temporary file before it takes the target's place;
        what it raises stops the replacement.

    Raises
    ------
    OSError
        If the file cannot be written; the target is as it was and nothing is left beside it.
    """
    target = Path(os.path.realpath(path))
    # Not derived from the target's name, which may already be as long as the system allows.
    temporary = target.with_name(f".fmstudio-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        if check is not None:
            check(temporary)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    flush_folder(target.parent)


def write_text(path: Path, text: str, *, check: Callable[[Path], None] | None = None) -> None:
    """Write ``text`` as UTF-8 with its line ends as they are; otherwise as `write_bytes`."""
    write_bytes(path, text.encode("utf-8"), check=check)


def flush_file(path: Path) -> None:
    """Make what was written to a file survive a power cut."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` survive a power cut, where the system has a way to ask."""
    if os.name == "nt":
        return
    # Some network file systems refuse to flush a folder: the file itself is in place already.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
