"""One writer per project: a lock that the system itself gives back when a process dies."""

import contextlib
import errno
import os
import socket
import sys
from pathlib import Path
from typing import BinaryIO

from fmstudio.errors import NotWritableError, StoreError

# Windows locks bytes so that others cannot read them: one far behind the text that says who.
_LOCKED_BYTE = 1 << 30


class WriterLock:
    """Held from construction to `release`, and no longer than its process lives.

    The lock is a file beside the project, ``<name>.lock``, that says who holds it. What counts is
    the system's lock on it and not that it exists, so one left behind by a killed process is
    simply taken over.

    Parameters
    ----------
    project : Path
        The project file; need not exist yet.

    Raises
    ------
    StoreError
        If someone else holds it (also within this process), or the folder cannot be written.
    """

    def __init__(self, project: Path) -> None:
        self._path = project.with_name(project.name + ".lock")
        self._file = self._acquire(project)

    def release(self) -> None:
        """Give the lock back; doing so twice does nothing."""
        if self._file.closed:
            return
        if os.name == "nt":
            # An open file cannot be removed there; if another opened it meanwhile, it stays.
            self._file.close()
            with contextlib.suppress(OSError):
                self._path.unlink()
        else:
            # Removed while still held: who waits on this file sees that it is gone and retries.
            with contextlib.suppress(OSError):
                self._path.unlink()
            self._file.close()

    def _acquire(self, project: Path) -> BinaryIO:
        """Return the open, locked file."""
        while True:
            file = self._open(project)
            try:
                _lock(file)
            except OSError as error:
                holder = _holder(file)
                file.close()
                raise _refusal(project, holder, error) from error
            if self._is_current(file):
                file.seek(0)
                file.truncate()
                file.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
                file.flush()
                return file
            file.close()

    def _open(self, project: Path) -> BinaryIO:
        """Return the lock file, made when absent and never emptied."""
        try:
            # A link that came with a project would have the file that it leads to emptied.
            how = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            handle = os.open(self._path, how, 0o666)
        except FileNotFoundError as error:
            raise StoreError(f"There is no folder {project.parent}: make it first.") from error
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise StoreError(f"{self._path} is a link, not a lock: remove it.") from error
            raise NotWritableError(
                f"The folder {project.parent} cannot be written"
                f" ({error.strerror or error}): copy the project to one that can."
            ) from error
        return os.fdopen(handle, "r+b")

    def _is_current(self, file: BinaryIO) -> bool:
        """Return whether the locked file is still the one under this name."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False


def _refusal(project: Path, holder: str, error: OSError) -> StoreError:
    """Return the error for a lock that was not given."""
    if error.errno in {errno.EAGAIN, errno.EACCES, errno.EDEADLK}:
        return NotWritableError(f"{project} is open in {holder}: close it there first.")
    return StoreError(
        f"The file system of {project.parent} cannot lock files ({error.strerror or error}):"
        " keep the project on a local disk."
    )


def _holder(file: BinaryIO) -> str:
    """Return who holds the lock, as they wrote it."""
    file.seek(0)
    return file.read(300).decode("utf-8", "replace").strip() or "another process"


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> None:
        """Take the system's lock or raise OSError."""
        file.seek(_LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        """Take the system's lock or raise OSError."""
        # Not lockf: its locks vanish when any other handle of the file is closed.
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
