"""Run in the bundle before anything else: give back what the program's start has changed."""

import os
import sys

# PyInstaller's start lets the loader look into the bundle first. The loader has read that by now;
# a browser or a file manager that is opened from here must not, or it takes the bundle's libraries.
for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
    before = os.environ.pop(f"{name}_ORIG", None)
    if before is not None:
        os.environ[name] = before
    elif getattr(sys, "frozen", False):
        os.environ.pop(name, None)

# A program without a console has no streams on Windows, and libraries write to them all the same.
if sys.stdout is None:
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
if sys.stderr is None:
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
