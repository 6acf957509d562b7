"""Draw the program's icon as Windows and macOS want it: fmstudio.ico, fmstudio.icns.

``python packaging/icons.py --out FOLDER``; `fmstudio.spec` does so for a build.
"""

import argparse
import io
import os
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QGuiApplication, QImageWriter

from fmstudio.ui.icons import app_icon

ICO_SIZES = (16, 20, 24, 32, 40, 48, 64, 128, 256)
ICNS_SIZES = (16, 32, 64, 128, 256, 512, 1024)


def write_icons(folder: Path) -> list[Path]:
    """Write both files into a folder and return them."""
    app = QGuiApplication.instance() or QGuiApplication([])
    assert app is not None
    folder.mkdir(parents=True, exist_ok=True)
    ico, icns = folder / "fmstudio.ico", folder / "fmstudio.icns"
    for path, sizes in ((ico, ICO_SIZES), (icns, ICNS_SIZES)):
        pictures = [_drawn(size) for size in sizes]
        # Each size as it is drawn at that size, none of them shrunk from the largest.
        pictures[-1].save(path, sizes=[(size, size) for size in sizes], append_images=pictures[:-1])
    return [ico, icns]


def _drawn(size: int) -> Image.Image:
    """Return the icon with sides of so many pixels."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture = app_icon().pixmap(size, size).toImage()
    if not QImageWriter(buffer, QByteArray(b"png")).write(picture):
        raise OSError(f"The icon cannot be drawn with {size} pixels.")
    return Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGBA")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    for path in write_icons(parser.parse_args().out):
        print(path)


if __name__ == "__main__":
    main()
