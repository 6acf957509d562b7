"""The pictures of the spectrum panel: the map as a matrix, and the eigenfunctions."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from fmstudio.session_spectrum import HeatMap, Spectrum
from fmstudio.ui import theme
from fmstudio.ui.canvas.layers import signed_image
from fmstudio.ui.keys import claim
from fmstudio.ui.panels.glyphs import caption_font
from fmstudio.ui.spectrum import Shown

_SIDE, _GAP, _NUMBER = 42, 4, 16
_MOVES = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}
_PRESSES = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class MatrixView(QWidget):
    """The functional map: a column a function of the source, a row one of the target."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(72, 48)
        self.setAccessibleName(self.tr("Functional map"))
        self.setToolTip(
            self.tr(
                "The functional map: what each function of the reference (column) is made of on "
                "the target (row). Blue is below 0, red above."
            )
        )

    def show_map(self, C: NDArray[np.float32]) -> None:
        """Draw a map (k_t, k_s)."""
        self._image = signed_image(C / max(float(np.abs(C).max()), 1e-12))
        self.update()

    def sizeHint(self) -> QSize:
        """Return a square as high as there is room."""
        return QSize(max(72, self.height()), 96)

    def resizeEvent(self, _event: object) -> None:
        """Stay square."""
        self.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the map as large a square as fits."""
        if self._image is None:
            return
        side = min(self.width(), self.height())
        QPainter(self).drawImage(QRect(0, 0, side, side), self._image)


class FunctionStrip(QWidget):
    """Eigenfunctions as small pictures: the reference's above, the target's below."""

    chosen = Signal(object)
    """A `Shown` that was pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[list[QImage], list[QImage]] = ([], [])
        self._shown: Shown | None = None
        self._at = (0, 0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Eigenfunctions"))
        self.setToolTip(self.tr("Click a function to draw it over its image, again to remove it"))

    def show_spectrum(self, spectrum: Spectrum | None) -> None:
        """Draw the functions of another pair, or none."""
        functions = ((), ()) if spectrum is None else (spectrum.functions_s, spectrum.functions_t)
        self._rows = (_thumbnails(functions[0]), _thumbnails(functions[1]))
        self._at = (0, 0)
        self.setFixedSize(self.sizeHint())
        self.update()

    def mark(self, shown: Shown | None) -> None:
        """Frame the function that is drawn over its image."""
        if shown != self._shown:
            self._shown = shown
            self.update()

    def sizeHint(self) -> QSize:
        """Return the room of all pictures."""
        count = max(len(row) for row in self._rows)
        return QSize(max(count, 1) * (_SIDE + _GAP), 2 * (_SIDE + _GAP) + _NUMBER)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the pictures, their numbers, and a frame around the one that is shown."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(caption_font(self.font()))
        colors = theme.tokens()
        for row, images in enumerate(self._rows):
            for index, image in enumerate(images):
                cell = self._cell(row, index)
                painter.drawImage(_fitted(image, cell), image)
                if self._shown == (row == 0, index):
                    painter.setPen(QPen(colors.accent, 2))
                    painter.drawRect(cell.adjusted(1, 1, -1, -1))
                elif self.hasFocus() and self._at == (row, index):
                    painter.setPen(QPen(colors.text, 1, Qt.PenStyle.DotLine))
                    painter.drawRect(cell.adjusted(0, 0, -1, -1))
        painter.setPen(colors.muted)
        high = QFontMetrics(painter.font()).height()
        for index in range(max(len(row) for row in self._rows)):
            below = self._cell(1, index).translated(0, _SIDE + 1)
            below.setHeight(high)
            painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, f"{index + 1}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the picture under the pointer."""
        for row, images in enumerate(self._rows):
            for index in range(len(images)):
                if self._cell(row, index).contains(event.position().toPoint()):
                    self._at = (row, index)
                    self.chosen.emit((row == 0, index))
                    return

    def event(self, event: QEvent) -> bool:
        """Claim the keys that this widget understands before an action takes them."""
        # With nothing to take away, Esc steps back elsewhere.
        leaving = (Qt.Key.Key_Escape,) if self._shown is not None else ()
        return claim(event, (*_MOVES, *_PRESSES, *leaving)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from picture to picture, and choose one."""
        key = Qt.Key(event.key())
        if key in _MOVES:
            row = min(1, max(0, self._at[0] + _MOVES[key][0]))
            last = len(self._rows[row]) - 1
            self._at = (row, max(0, min(last, self._at[1] + _MOVES[key][1])))
            self.update()
        elif key in _PRESSES and self._at[1] < len(self._rows[self._at[0]]):
            self.chosen.emit((self._at[0] == 0, self._at[1]))
        elif key == Qt.Key.Key_Escape and self._shown is not None:
            self.chosen.emit(self._shown)
        else:
            super().keyPressEvent(event)

    def _cell(self, row: int, index: int) -> QRect:
        """Return where a picture lies."""
        return QRect(index * (_SIDE + _GAP), row * (_SIDE + _GAP), _SIDE, _SIDE)


def _thumbnails(functions: tuple[HeatMap, ...]) -> list[QImage]:
    """Return functions as pictures."""
    return [signed_image(function.values) for function in functions]


def _fitted(image: QImage, cell: QRect) -> QRect:
    """Return the largest place in the middle of a cell that an image fills undistorted."""
    size = image.size().scaled(cell.size(), Qt.AspectRatioMode.KeepAspectRatio)
    place = QRect(cell.topLeft(), size)
    place.moveCenter(cell.center())
    return place
