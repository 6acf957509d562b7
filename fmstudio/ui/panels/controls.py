"""Small controls that several panels have."""

from PySide6.QtGui import QPalette, QWheelEvent
from PySide6.QtWidgets import QLabel, QSlider

from fmstudio.ui.panels.glyphs import caption_font
from fmstudio.ui.plain import PlainLabel


def caption(text: str) -> QLabel:
    """Return what stands beside or over something: smaller and fainter than text."""
    label = PlainLabel(text)
    label.setFont(caption_font(label.font()))
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


class CalmSlider(QSlider):
    """A slider that the wheel does not change."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to what scrolls."""
        event.ignore()
