"""Make the one-folder build of this environment's fmstudio, with PyInstaller.

``python packaging/bundle.py --out dist``, run with an environment that holds this checkout and its
extra "bundle", writes ``dist/fmstudio``, and on macOS ``dist/fmstudio.app`` too. It holds its own
list of parts and their licences, in ``notices``. Then ``packaging/smoke.py`` tries it.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def build(out: Path, work: Path) -> Path:
    """Build into a folder and return the bundle; raises OSError if PyInstaller gives up."""
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    places = ["--distpath", str(out), "--workpath", str(work)]
    # The checkout's code before any other that is installed.
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    spec = str(ROOT / "packaging" / "fmstudio.spec")
    done = subprocess.run([*command, *places, spec], env=environment, check=False)
    if done.returncode:
        raise OSError("The bundle could not be built: PyInstaller says above why.")
    return out / ("fmstudio.app" if sys.platform == "darwin" else "fmstudio")


def size_of(folder: Path) -> int:
    """Return the bytes of a folder's files, links and second names of one file not counted."""
    seen = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            stat = path.stat()
            seen[stat.st_dev, stat.st_ino or str(path)] = stat.st_size
    return sum(seen.values())


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--work", type=Path, default=ROOT / "build", help="for what is in between")
    given = parser.parse_args()
    if importlib.util.find_spec("PyInstaller") is None:
        print("PyInstaller is missing: run 'pip install -e \".[bundle]\"'.", file=sys.stderr)
        return 1
    start = time.monotonic()
    try:
        bundle = build(given.out.resolve(), given.work.resolve())
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    free = shutil.disk_usage(bundle).free
    seconds, size = time.monotonic() - start, size_of(bundle)
    print(f"{bundle}: {size / 1e6:,.0f} MB in {seconds:,.0f} s, {free / 1e9:,.0f} GB left")
    return 0


if __name__ == "__main__":
    sys.exit(main())
