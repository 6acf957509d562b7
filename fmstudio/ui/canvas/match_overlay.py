"""Match lines from the one canvas to the other, over both."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from fmstudio.drawing.colors import cividis
from fmstudio.session_inspect import MatchLines
from fmstudio.ui.canvas.pair import CanvasPair
from fmstudio.ui.canvas.view import CanvasView

_CASING = QColor(14, 15, 17, 120)
_DOT = 3.0


class MatchOverlay(QWidget):
    """Draws matched places and the lines between them; the mouse goes through it.

    Parameters
    ----------
    pair : CanvasPair
    over : QWidget
        What the pair lies in, and this over it.
    """

    def __init__(self, pair: CanvasPair, over: QWidget) -> None:
        super().__init__(over)
        self._pair, self._over = pair, over
        self._lines: MatchLines | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(self.tr("Match lines"))
        over.installEventFilter(self)
        for canvas in pair.canvases:
            canvas.viewChanged.connect(self.update)
        pair.splitterMoved.connect(self.update)
        self.hide()

    @property
    def lines(self) -> MatchLines | None:
        """Return what is drawn."""
        return self._lines

    def show_lines(self, lines: MatchLines | None) -> None:
        """Draw matches, or nothing."""
        if lines is not self._lines:
            self._lines = lines
            self.setGeometry(self._over.rect())
            self.setVisible(lines is not None)
            self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as what lies below."""
        if watched is self._over and event.type() == QEvent.Type.Resize:
            self.setGeometry(self._over.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the lines whose ends are both in sight."""
        lines, (s, t) = self._lines, self._pair.canvases
        if lines is None or not (s.isVisible() and s.is_ready and t.is_ready):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw(painter, lines, s, t)

    def _draw(self, painter: QPainter, lines: MatchLines, s: CanvasView, t: CanvasView) -> None:
        """Draw matches between two canvases, the surest on top."""
        colors = cividis(lines.confidence)
        starts, ends = self._places(s, lines.xy_s), self._places(t, lines.xy_t)
        area_s, area_t = self._area(s), self._area(t)
        for index in np.argsort(lines.confidence).tolist():
            start, end = starts[index], ends[index]
            if not (area_s.contains(start) and area_t.contains(end)):
                continue
            color = QColor(*colors[index].tolist())
            for shade, width in ((_CASING, 3.0), (color, 1.4)):
                painter.setPen(QPen(shade, width))
                painter.drawLine(start, end)
            painter.setPen(QPen(_CASING, 1.0))
            painter.setBrush(color)
            for place in (start, end):
                painter.drawEllipse(place, _DOT, _DOT)

    def _places(self, canvas: CanvasView, xy: NDArray[np.float64]) -> list[QPointF]:
        """Return image pixels (m, 2) of a canvas as places of this widget."""
        to_screen, corner = canvas.to_screen(), self._corner(canvas)
        points: Iterable[list[float]] = xy.tolist()
        return [to_screen.map(QPointF(x, y)) + corner for x, y in points]

    def _area(self, canvas: CanvasView) -> QRectF:
        """Return where a canvas lies in this widget."""
        return QRectF(self._corner(canvas), canvas.viewport().size().toSizeF())

    def _corner(self, canvas: CanvasView) -> QPointF:
        """Return the corner of a canvas in this widget."""
        return QPointF(canvas.viewport().mapTo(self._over, QPoint(0, 0)))
