"""What is painted once: shown again, until something in it changes."""

import pytest
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

from fmstudio.ui.canvas.still import Still


class Shown:
    """A still over a widget, and how often it was painted."""

    def __init__(self, widget):
        self.still, self.widget, self.painted = Still(), widget, 0

    def draw(self, key, color="#d02010"):
        screen = QImage(self.widget.size(), QImage.Format.Format_RGB32)
        screen.fill(QColor("#203040"))
        painter = QPainter(screen)

        def paint(painter):
            self.painted += 1
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(QColor(color))
            painter.drawEllipse(5, 5, 30, 20)

        self.still.draw(painter, self.widget, key, paint)
        painter.end()
        return screen


@pytest.fixture
def shown(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(60, 40)
    return Shown(widget)


def test_it_is_painted_to_the_screen_once_and_once_to_be_kept(shown):
    first, second, third = (shown.draw("key") for _ in range(3))
    assert shown.painted == 2
    assert second == third
    # Blended once more, so a shade may be off by one.
    assert abs(first.pixelColor(20, 15).red() - third.pixelColor(20, 15).red()) <= 1
    assert first.pixelColor(0, 0) == third.pixelColor(0, 0) == QColor("#203040")


def test_every_other_key_is_painted_anew(shown):
    for key in range(5):
        shown.draw(key)
    assert shown.painted == 5


def test_what_is_forgotten_and_another_size_are_painted_anew(shown):
    for _ in range(3):
        shown.draw("key")
    shown.still.forget()
    assert shown.draw("key", "#10d020").pixelColor(20, 15).green() > 200
    shown.widget.resize(80, 40)
    shown.draw("key")
    assert shown.painted == 4
