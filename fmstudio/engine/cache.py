"""What was computed once per image: a byte-bounded memory over a byte-bounded folder.

The folder may be deleted at any time; a damaged file counts as absent and is removed.
"""

import contextlib
import os
import stat
import tempfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

Tensors = Mapping[str, torch.Tensor]

_SUM = "crc32"
# Share of a folder's bound that may be written before all that is there is counted again.
_UNCOUNTED = 0.05


class TensorCache:
    """Named tensors under content keys, least recently used out first.

    Parameters
    ----------
    folder : Path or None
        Where entries are kept between runs; None keeps them in memory only.
    memory_bytes, disk_bytes : int
        Upper bounds of what is held.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        memory_bytes: int = 512 << 20,
        disk_bytes: int = 8 << 30,
    ) -> None:
        self._folder = folder
        self._memory_bytes = memory_bytes
        self._disk_bytes = disk_bytes
        self._entries: OrderedDict[str, Tensors] = OrderedDict()
        self._held = 0
        self._on_disk: int | None = None
        self._uncounted = 0

    def __contains__(self, key: str) -> bool:
        """Return whether there is an entry; that it is whole shows when it is read."""
        if key in self._entries:
            return True
        return self._folder is not None and self._path(self._folder, key).is_file()

    def get(self, key: str) -> Tensors | None:
        """Return the tensors under ``key``, or None."""
        if key in self._entries:
            self._entries.move_to_end(key)
            return self._entries[key]
        tensors = self._read(key)
        if tensors is not None:
            self._remember(key, tensors)
        return tensors

    def put(self, key: str, tensors: Tensors) -> None:
        """Keep tensors (on the CPU) under ``key``, in memory and, where there is one, on disk."""
        self._remember(key, tensors)
        if self._folder is not None:
            self._write(self._folder, key, tensors)

    def _remember(self, key: str, tensors: Tensors) -> None:
        """Hold an entry in memory and let go of the least recently used beyond the bound."""
        if key in self._entries:
            self._held -= _bytes(self._entries.pop(key))
        self._entries[key] = tensors
        self._held += _bytes(tensors)
        while self._held > self._memory_bytes and len(self._entries) > 1:
            _, oldest = self._entries.popitem(last=False)
            self._held -= _bytes(oldest)

    def _path(self, folder: Path, key: str) -> Path:
        """Return the file of a key; two letters a sub-folder keep folders small."""
        return folder / key[:2] / f"{key}.safetensors"

    def _read(self, key: str) -> Tensors | None:
        """Return an entry from disk, or None if it is absent or damaged."""
        if self._folder is None:
            return None
        path = self._path(self._folder, key)
        try:
            tensors = _load(path)
        except FileNotFoundError:
            return None
        if tensors is None:
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        # The least recently used is found by this time.
        with contextlib.suppress(OSError):
            os.utime(path)
        return tensors

    def _write(self, folder: Path, key: str, tensors: Tensors) -> None:
        """Write an entry beside its place and move it there, then keep to the bound.

        A full or read-only disk costs the next run its head start and nothing else, so it is no
        reason to stop this one.
        """
        path = self._path(folder, key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=path.parent, suffix=".part")
            os.close(handle)
            try:
                save_file(dict(tensors), beside, {_SUM: _checksum(tensors)})
                written = Path(beside).stat().st_size
                Path(beside).replace(path)
            finally:
                Path(beside).unlink(missing_ok=True)
        except (OSError, SafetensorError):
            return
        self._keep_to_bound(folder, written)

    def _keep_to_bound(self, folder: Path, added: int) -> None:
        """Delete the least recently used files while the folder is over its bound.

        Other caches may write to the folder too, so what is there is counted now and then.
        """
        self._uncounted += added
        known = None if self._on_disk is None else self._on_disk + self._uncounted
        is_stale = self._uncounted > _UNCOUNTED * self._disk_bytes
        if known is not None and known <= self._disk_bytes and not is_stale:
            return
        files = sorted(_files(folder))
        self._on_disk, self._uncounted = sum(size for _, size, _ in files), 0
        if self._on_disk <= self._disk_bytes:
            return
        # One tenth below the bound, so that this is rare.
        for _, size, path in files:
            if self._on_disk <= 0.9 * self._disk_bytes:
                break
            self._on_disk -= size
            path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """Yield when each file was last used, its bytes and its path; others may delete meanwhile.

    What a killed process left half written is among them.
    """
    for path in folder.rglob("*"):
        if path.suffix in (".safetensors", ".part"):
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                yield found.st_mtime, found.st_size, path


def damaged_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a cache's folder that cannot be read or hold other bits than written."""
    for path in sorted(folder.rglob("*.safetensors")):
        with contextlib.suppress(FileNotFoundError):
            if _load(path) is None:
                yield path


def _load(path: Path) -> dict[str, torch.Tensor] | None:
    """Return a file's tensors, or None if it is damaged; raises FileNotFoundError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            # Opening a pipe waits for somebody to write.
            return None
        with safe_open(path, framework="pt") as file:
            known = (file.metadata() or {}).get(_SUM)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors if known == _checksum(tensors) else None
    except FileNotFoundError:
        raise
    # Of kinds of numbers that torch does not have, the readers raise what they like.
    except (SafetensorError, OSError, RuntimeError, TypeError, ValueError, KeyError):
        return None


def _checksum(tensors: Tensors) -> str:
    """Return the checksum of tensors: a disk may give other bits back than were written."""
    crc = 0
    for name in sorted(tensors):
        flat = tensors[name].contiguous().flatten()
        crc = zlib.crc32(flat.view(torch.uint8).numpy().data, zlib.crc32(name.encode(), crc))
    return f"{crc:08x}"


def _bytes(tensors: Tensors) -> int:
    """Return the size of an entry in bytes."""
    return sum(t.numel() * t.element_size() for t in tensors.values())
