"""The looks: Fusion, one neutral grey, one accent; light, dark, or as the system says.

Widgets take their colours from `QPalette`, and what a palette has no role for from `tokens`.
"""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from fmstudio.resources import resource


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of a scheme, each a ``#rrggbb`` as `QColor`.

    Attributes
    ----------
    window, canvas, base, raised : QColor
        Behind panels, behind images, behind lists and fields, and of buttons and cards.
    text, muted : QColor
        Of what is said, and of what is said beside it.
    hairline : QColor
        Of lines between things.
    accent, on_accent : QColor
        The one colour, and text upon it.
    ok, warn, error : QColor
        For shapes and text on ``window``; never the only carrier of a meaning.
    """

    window: QColor
    canvas: QColor
    base: QColor
    raised: QColor
    text: QColor
    muted: QColor
    hairline: QColor
    accent: QColor
    on_accent: QColor
    ok: QColor
    warn: QColor
    error: QColor


def _tokens(*colors: str) -> Tokens:
    """Return tokens of colours in the order of the attributes."""
    return Tokens(*(QColor(color) for color in colors))


_DARK = _tokens(
    "#1f2124", "#17181a", "#1a1b1e", "#2b2e32", "#e8eaed", "#9aa0a6", "#34373c",
    "#3b82f6", "#ffffff", "#4fb477", "#e3a33b", "#f0766c",
)  # fmt: skip
_LIGHT = _tokens(
    "#f3f4f5", "#e3e5e7", "#ffffff", "#fbfbfc", "#1d2024", "#565c63", "#cdd1d5",
    "#2563eb", "#ffffff", "#146639", "#774b00", "#ad281f",
)  # fmt: skip

# What a style sheet says of metrics alone; every colour in it is a palette role, so it stays when
# the scheme changes. Controls come out 28 px high under Fusion.
_SHEET = """
QPushButton { min-height: 18px; padding: 4px 10px; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QLineEdit { min-height: 26px; padding: 0 4px; }
QAbstractSpinBox { min-height: 25px; }
QAbstractSpinBox QLineEdit { min-height: 0; padding: 0; }
QComboBox { min-height: 22px; padding: 2px 6px; }
QToolBar { border: 0; spacing: 2px; padding: 0 4px; }
QToolBar::separator { width: 1px; margin: 6px 4px; background: palette(mid); }
QMainWindow::separator { width: 4px; height: 4px; background: palette(window); }
QMainWindow::separator:hover { background: palette(highlight); }
QStatusBar { max-height: 29px; }
QStatusBar::item { border: 0; }
QTabWidget::pane { border: 1px solid palette(mid); top: -1px; }
QCheckBox, QRadioButton { min-height: 24px; spacing: 8px; }
QCheckBox::indicator, QRadioButton::indicator, QAbstractItemView::indicator {
    width: 14px; height: 14px; background: palette(base);
    border: 1px solid palette(placeholder-text); border-radius: 3px;
}
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked {
    background: palette(highlight); border-color: palette(highlight); image: url(%CHECK%);
}
QRadioButton::indicator:checked {
    width: 6px; height: 6px; border: 5px solid palette(highlight);
    background: palette(highlighted-text);
}
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { border-color: palette(mid); }
QToolTip {
    border: 1px solid palette(mid); padding: 4px;
    background: palette(tooltip-base); color: palette(tooltip-text);
}
"""


def _sheet() -> str:
    """Return the style sheet with the place of its one picture."""
    return _SHEET.replace("%CHECK%", resource("icons/check-mark.svg").as_posix())


class _Follower(QObject):
    """Gives the palette anew when the system changes its scheme."""

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.refresh)

    def refresh(self) -> None:
        """Set the palette of the scheme that holds now."""
        # A style sheet remembers each widget's palette; what it remembers must go first.
        self._app.setStyleSheet("")
        self._app.setPalette(palette_of(tokens()))
        self._app.setStyleSheet(_sheet())
        self.changed.emit()


_follower: _Follower | None = None
_forced = "system"


def apply(app: QApplication, scheme: str) -> None:
    """Give a program its looks; may be called again at any time.

    Parameters
    ----------
    app : QApplication
    scheme : str
        ``"light"``, ``"dark"`` or ``"system"``; anything else is the system's.
    """
    global _follower, _forced
    _forced = scheme
    if _follower is None or _follower.parent() is not app:
        app.setStyle("Fusion")
        _follower = _Follower(app)
    hints = QGuiApplication.styleHints()
    wanted = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}.get(scheme)
    if wanted is None:
        hints.unsetColorScheme()
    else:
        hints.setColorScheme(wanted)
    _follower.refresh()


def is_dark() -> bool:
    """Return whether the scheme that holds now is the dark one."""
    if _forced in ("light", "dark"):
        return _forced == "dark"
    return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark


def tokens() -> Tokens:
    """Return the colours of the scheme that holds now."""
    return _DARK if is_dark() else _LIGHT


def palette_of(colors: Tokens) -> QPalette:
    """Return the palette of a scheme."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    palette = QPalette(colors.raised, colors.window)
    for name, color in (
        (role.WindowText, colors.text),
        (role.Text, colors.text),
        (role.ButtonText, colors.text),
        (role.BrightText, colors.error),
        (role.ToolTipText, colors.text),
        (role.ToolTipBase, colors.raised),
        (role.Base, colors.base),
        (role.AlternateBase, colors.window),
        (role.PlaceholderText, colors.muted),
        (role.Highlight, colors.accent),
        (role.HighlightedText, colors.on_accent),
        (role.Accent, colors.accent),
        (role.Link, colors.accent),
        (role.LinkVisited, colors.accent),
        (role.Mid, colors.hairline),
        (role.Midlight, colors.hairline),
    ):
        palette.setColor(name, color)
    faint = _mixed(colors.text, colors.window, 0.42)
    for name in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(group.Disabled, name, faint)
    palette.setColor(group.Disabled, role.Highlight, colors.hairline)
    return palette


def _mixed(a: QColor, b: QColor, share: float) -> QColor:
    """Return a colour between two: ``share`` of the first."""
    values = [
        round(share * x + (1 - share) * y)
        for x, y in zip(a.getRgb()[:3], b.getRgb()[:3], strict=True)  # type: ignore[index]
    ]
    return QColor(*values)
