"""Make fmstudio known to a Linux desktop: menu entry, icons, project files, software centre.

Writes below ``PREFIX/share``, where desktops look: ``~/.local`` for one person, ``/usr/local`` for
all. Run from the repository root, with the environment in which fmstudio is installed::

    python packaging/desktop_files.py --prefix ~/.local
"""

import argparse
import os
import shutil
import subprocess
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QGuiApplication

from fmstudio.app import DESKTOP_ID as ID
from fmstudio.resources import resource
from fmstudio.ui.icons import app_icon

ROOT = Path(__file__).resolve().parents[1]
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)

# What is where below ``share``.
FILES = {
    f"{ID}.desktop": "applications",
    f"{ID}.metainfo.xml": "metainfo",
    f"{ID}.mime.xml": "mime/packages",
}


def install(prefix: Path) -> list[Path]:
    """Write everything below a prefix and return the files."""
    share, written = prefix / "share", []
    for name, folder in FILES.items():
        target = share / folder / name.replace(".mime.xml", ".xml")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "packaging" / "linux" / name, target)
        written.append(target)
    return [*written, *_write_icons(share / "icons" / "hicolor")]


def refresh(prefix: Path) -> None:
    """Let the desktop read what is new, by its own programs, where they are installed."""
    share = prefix / "share"
    for command in (
        ["update-desktop-database", str(share / "applications")],
        ["update-mime-database", str(share / "mime")],
        ["gtk-update-icon-cache", "--ignore-theme-index", str(share / "icons" / "hicolor")],
    ):
        if shutil.which(command[0]):
            subprocess.run(command, check=True)


def _write_icons(theme: Path) -> list[Path]:
    """Write the program's icon in all sizes, and as it was drawn."""
    app = QGuiApplication.instance() or QGuiApplication([])
    assert app is not None
    picture, written = app_icon(), []
    for size in SIZES:
        target = theme / f"{size}x{size}" / "apps" / f"{ID}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        if not picture.pixmap(size, size).save(str(target)):
            raise OSError(f"{target} cannot be written.")
        written.append(target)
    scalable = theme / "scalable" / "apps" / f"{ID}.svg"
    scalable.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(resource("icons/fmstudio.svg"), scalable)
    return [*written, scalable]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python packaging/desktop_files.py", description=__doc__)
    parser.add_argument("--prefix", type=Path, default=Path.home() / ".local")
    prefix = parser.parse_args().prefix.expanduser()
    for path in install(prefix):
        print(path)
    refresh(prefix)


if __name__ == "__main__":
    main()
