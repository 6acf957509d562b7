"""A picture that is painted once and shown again until something in it changes."""

from collections.abc import Callable, Hashable

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QWidget


class Still:
    """Keeps what was painted over a whole widget.

    What is painted for the first time goes straight to the screen, so that zooming and panning,
    where every frame is another, cost nothing more; the second time it is kept.
    """

    def __init__(self) -> None:
        self._key: Hashable = None
        self._pixmap: QPixmap | None = None

    def forget(self) -> None:
        """Paint anew the next time."""
        self._key = self._pixmap = None

    def draw(
        self,
        painter: QPainter,
        widget: QWidget,
        key: Hashable,
        paint: Callable[[QPainter], object],
    ) -> None:
        """Paint, or show what was painted under the same key.

        Parameters
        ----------
        painter : QPainter
            In the widget's pixels.
        widget : QWidget
        key : hashable
            What the picture depends on, beside what `forget` is told of and the widget's size.
        paint : callable
        """
        whole = (key, widget.size().toTuple(), widget.devicePixelRatioF())
        if whole != self._key:
            self._key, self._pixmap = whole, None
            paint(painter)
            return
        if self._pixmap is None:
            ratio = widget.devicePixelRatioF()
            self._pixmap = QPixmap(widget.size() * ratio)
            self._pixmap.setDevicePixelRatio(ratio)
            self._pixmap.fill(Qt.GlobalColor.transparent)
            own = QPainter(self._pixmap)
            own.setFont(painter.font())
            paint(own)
            own.end()
        painter.drawPixmap(0, 0, self._pixmap)
