"""The icons: own drawings in ``resources/icons``, in the colour of the text around them.

Each is an SVG on a grid of 24 with strokes of 1.5 in ``currentColor``. They are drawn when they
are shown, so a change of the palette, of the screen or of the size needs nobody to make them anew.
"""

from functools import cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QIcon,
    QIconEngine,
    QPainter,
    QPalette,
    QPixmap,
    QPixmapCache,
)
from PySide6.QtSvg import QSvgRenderer

from fmstudio.resources import resource

APP_ICON = "fmstudio"


def icon(name: str) -> QIcon:
    """Return an icon that follows the palette.

    Parameters
    ----------
    name : str
        A file's name in ``resources/icons``, without its ending.

    Raises
    ------
    DatasetError
        If there is no such file.
    """
    _source(name)
    return QIcon(_PaletteEngine(name))


def app_icon() -> QIcon:
    """Return the program's own icon, which keeps its colours."""
    return QIcon(str(resource(f"icons/{APP_ICON}.svg")))


def icon_pixmap(name: str, size: int, color: QColor, scale: float = 1.0) -> QPixmap:
    """Return one icon as a picture.

    Parameters
    ----------
    name : str
    size : int
        Length of its side in device-independent pixels.
    color : QColor
    scale : float
        Device pixels per device-independent pixel.
    """
    pixels = max(1, round(size * scale))
    key = f"fmstudio-icon/{name}/{pixels}/{color.name(QColor.NameFormat.HexArgb)}"
    pixmap = QPixmap()
    if not QPixmapCache.find(key, pixmap):
        pixmap = QPixmap(pixels, pixels)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        _draw(name, painter, QRectF(0, 0, pixels, pixels), color)
        painter.end()
        QPixmapCache.insert(key, pixmap)
    pixmap.setDevicePixelRatio(scale)
    return pixmap


class _PaletteEngine(QIconEngine):
    """Draws an SVG in the palette's colour for its mode."""

    # Qt asks for a clone when an icon is about to be changed, and takes what it gets without
    # keeping the Python object alive. Nothing here changes icons, so these stay few.
    _clones: tuple["_PaletteEngine", ...] = ()

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def paint(
        self,
        painter: QPainter,
        rect: QRect,
        mode: QIcon.Mode,
        state: QIcon.State,  # noqa: ARG002 (on and off look alike)
    ) -> None:
        """Draw the icon."""
        _draw(self._name, painter, QRectF(rect), _color(mode))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the icon as a picture of ``size`` device pixels."""
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        """Return an engine of the same icon."""
        made = _PaletteEngine(self._name)
        _PaletteEngine._clones += (made,)
        return made


def _color(mode: QIcon.Mode) -> QColor:
    """Return the palette's colour for an icon in a mode."""
    palette = QGuiApplication.palette()
    if mode == QIcon.Mode.Disabled:
        return palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
    if mode == QIcon.Mode.Selected:
        return palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.HighlightedText)
    return palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.ButtonText)


def _draw(name: str, painter: QPainter, rect: QRectF, color: QColor) -> None:
    """Draw an icon, as large as fits, in the middle of a rectangle."""
    side = min(rect.width(), rect.height())
    square = QRectF(0, 0, side, side)
    square.moveCenter(rect.center())
    text = _source(name).replace("currentColor", color.name())
    painter.save()
    painter.setOpacity(painter.opacity() * color.alphaF())
    QSvgRenderer(QByteArray(text.encode())).render(painter, square)
    painter.restore()


@cache
def _source(name: str) -> str:
    """Return an icon's SVG."""
    return resource(f"icons/{name}.svg").read_text(encoding="utf-8")
