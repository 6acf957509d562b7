"""Brings the engine in, and with it torch, without stopping the other threads.

An ordinary ``import`` on the compute thread stops the window for half a second at a time, because
all of this holds the interpreter lock:

- the loader maps torch's native libraries and runs their initialisers within ``import torch``;
- some 100,000 modules, classes and functions come into being, and the garbage collector looks at
  all of them again and again: the more there are, the longer.

So the libraries are opened beforehand by a foreign call, which lets go of the lock, and the
collector rests until everything is there; what is there by then is never garbage.
"""

import atexit
import ctypes
import gc
import importlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_LOCK = threading.Lock()

# What torch's extension needs; the rest comes with them. Those that a build lacks are passed over.
_LIBRARIES = ("libtorch_cpu", "libtorch_cuda", "libtorch_hip")


def load_engine() -> None:
    """Import the engine; quick when it is there already. Any thread may call it."""
    with _LOCK:
        if "fmstudio.engine.propagate" in sys.modules:
            return
        with _collector_resting(), _libraries_opened_freely():
            importlib.import_module("fmstudio.engine.propagate")


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Stop collecting garbage, and leave alone for good what has come meanwhile."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
        # At the end the collector must see them again: extensions report what it leaves as leaked.
        atexit.register(gc.unfreeze)
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _libraries_opened_freely() -> Iterator[None]:
    """Open native libraries without holding the interpreter lock."""
    if os.name != "posix" or "torch" in sys.modules:
        yield
        return
    opener = _FreeOpener()
    held = getattr(ctypes, "_dlopen")  # noqa: B009 (private: unknown to type checkers)
    setattr(ctypes, "_dlopen", opener.dlopen)  # noqa: B010
    sys.meta_path.insert(0, opener)
    try:
        yield
    finally:
        sys.meta_path.remove(opener)
        setattr(ctypes, "_dlopen", held)  # noqa: B010


class _FreeOpener:
    """Opens what torch opens, in torch's order, by calls that let go of the interpreter lock.

    ``ctypes.CDLL`` and the import of an extension hold the lock while they open a library; a call
    of the C function ``dlopen`` through ctypes does not. What is open already, they find at once.
    """

    def __init__(self) -> None:
        self._held = getattr(ctypes, "_dlopen")  # noqa: B009
        self._function = ctypes.CDLL(None).dlopen
        self._function.argtypes = (ctypes.c_char_p, ctypes.c_int)
        self._function.restype = ctypes.c_void_p

    def dlopen(self, name: str | None, mode: int) -> int:
        """Open a library as `ctypes` does, with its errors."""
        if name is not None:
            self._function(os.fsencode(name), mode | os.RTLD_NOW)
        return int(self._held(name, mode))

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> None:
        """Open torch's libraries just before its extension is imported; find no module."""
        del target
        if name == "torch._C" and path:
            ending = ".dylib" if sys.platform == "darwin" else ".so"
            for library in _LIBRARIES:
                file = Path(path[0]) / "lib" / f"{library}{ending}"
                if file.exists():
                    self._function(os.fsencode(file), os.RTLD_NOW)
