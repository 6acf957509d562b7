"""The looks: two schemes that can be read, switched at once, and icons that follow."""

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QLineEdit, QPushButton, QSpinBox

from fmstudio.resources import resource
from fmstudio.ui import theme
from fmstudio.ui.icons import app_icon, icon, icon_pixmap

# Drawn in colours of their own.
OWN = {"fmstudio", "check-mark"}
ICONS = sorted(path.stem for path in resource("icons").glob("*.svg") if path.stem not in OWN)


@pytest.fixture
def looks(qapp):
    """A function that gives the program a scheme; the system's comes back afterwards."""
    yield lambda scheme: theme.apply(qapp, scheme)
    theme.apply(qapp, "system")


def luminance(color: QColor) -> float:
    """Return the relative luminance of WCAG 2."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in color.getRgbF()[:3]
    ]
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a: QColor, b: QColor) -> float:
    """Return the contrast of WCAG 2, from 1 to 21."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("scheme", "window", "canvas", "accent"),
    [("dark", "#1f2124", "#17181a", "#3b82f6"), ("light", "#f3f4f5", "#e3e5e7", "#2563eb")],
)
def test_a_scheme_has_its_colours(looks, qapp, scheme, window, canvas, accent):
    looks(scheme)
    colors = theme.tokens()
    assert (colors.window.name(), colors.canvas.name(), colors.accent.name()) == (
        window,
        canvas,
        accent,
    )
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == window
    assert qapp.palette().color(QPalette.ColorRole.Highlight).name() == accent


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_words_can_be_read(looks, scheme):
    looks(scheme)
    colors = theme.tokens()
    for behind in (colors.window, colors.base, colors.raised, colors.canvas):
        assert contrast(colors.text, behind) >= 7
        for beside in (colors.muted, colors.ok, colors.warn, colors.error):
            assert contrast(beside, behind) >= 4.5
    assert contrast(colors.on_accent, colors.accent) >= 3


@pytest.mark.parametrize("name", ICONS)
def test_an_icon_is_drawn_in_the_colour_of_text(looks, qapp, name):
    for scheme in ("dark", "light"):
        looks(scheme)
        image = icon(name).pixmap(QSize(48, 48)).toImage()
        shades = [
            image.pixelColor(x, y).lightness()
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() > 200
        ]
        assert shades, f"{name} is empty"
        text = theme.tokens().text.lightness()
        assert abs(sum(shades) / len(shades) - text) < 12


def test_an_icon_takes_any_colour_and_scale(qapp):
    pixmap = icon_pixmap("accept", 24, QColor("#ff0000"), 2.0)
    assert (pixmap.width(), pixmap.devicePixelRatio()) == (48, 2.0)
    assert not app_icon().isNull()


@pytest.mark.parametrize("kind", [QPushButton, QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox])
def test_controls_are_28_pixels_high(looks, qtbot, kind):
    looks("dark")
    control = kind()
    qtbot.addWidget(control)
    control.ensurePolished()
    assert abs(control.sizeHint().height() - 28) <= 2
