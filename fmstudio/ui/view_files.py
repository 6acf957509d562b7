"""The two canvases as they are seen, in a file: PNG, or SVG whose lines stay lines."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QRect, QSaveFile, QSize
from PySide6.QtGui import QImage, QImageWriter, QPainter, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from fmstudio.errors import FmstudioError
from fmstudio.ui import theme

# Screen pixels become so many on each side.
_FINER = 2


def save_view(path: Path, *widgets: QWidget) -> None:
    """Write widgets that lie on one another as they are seen.

    Parameters
    ----------
    path : Path
        Its ending says of which kind: ``.svg``, and PNG otherwise.
    *widgets : QWidget
        The lowest first, all as large as that; others that are hidden are left out.

    Raises
    ------
    FmstudioError
        If the file cannot be written.
    """
    shown = [widgets[0], *(widget for widget in widgets[1:] if widget.isVisible())]
    size = widgets[0].size()
    is_drawing = path.suffix.lower() == ".svg"
    data = _svg(shown, size) if is_drawing else _png(shown, size)
    # Written beside and put in place: a picture that was there stays until the new one is whole.
    file = QSaveFile(str(path))
    is_written = file.open(QIODevice.OpenModeFlag.WriteOnly) and file.write(data) == data.size()
    if not (is_written and file.commit()):
        raise FmstudioError(f"'{path}' cannot be written: {file.errorString()}.")


def _png(widgets: list[QWidget], size: QSize) -> QByteArray:
    """Return widgets as a PNG."""
    image = QImage(size * _FINER, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(_FINER)
    painter = QPainter(image)
    _paint(painter, widgets, size)
    painter.end()
    return _buffered(lambda buffer: QImageWriter(buffer, b"png").write(image))


def _svg(widgets: list[QWidget], size: QSize) -> QByteArray:
    """Return widgets as an SVG."""

    def write(buffer: QBuffer) -> None:
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(size)
        # Of the screen: at another one texts would have another size than what they stand on.
        generator.setResolution(widgets[0].logicalDpiX())
        generator.setViewBox(QRect(QPoint(0, 0), size))
        generator.setTitle("fmstudio")
        painter = QPainter(generator)
        _paint(painter, widgets, size)
        painter.end()

    return _buffered(write)


def _paint(painter: QPainter, widgets: list[QWidget], size: QSize) -> None:
    """Paint widgets on one another, and the window's colour behind them."""
    painter.fillRect(QRect(QPoint(0, 0), size), theme.tokens().window)
    flags = QWidget.RenderFlag.DrawChildren
    for widget in widgets:
        widget.render(painter, QPoint(0, 0), QRegion(), flags)


def _buffered(write: Callable[[QBuffer], object]) -> QByteArray:
    """Return what is written into a buffer."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    write(buffer)
    buffer.close()
    return data
