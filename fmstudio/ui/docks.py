"""A dock: a panel under a thin title, which can be closed, floated and moved."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QToolButton, QWidget

from fmstudio.ui.icons import icon
from fmstudio.ui.plain import PlainLabel

TITLE_HEIGHT = 28
# The images come first: a panel may be made this narrow even where it would like more.
NARROWEST = 152


class DockTitle(QWidget):
    """The title of a dock; drag it to move the dock, double-click to float it."""

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._label = PlainLabel(dock.windowTitle())
        self._label.setForegroundRole(self.palette().ColorRole.PlaceholderText)
        dock.windowTitleChanged.connect(self._label.setText)
        close = QToolButton()
        close.setIcon(icon("close"))
        close.setIconSize(QSize(14, 14))
        close.setAutoRaise(True)
        close.setFixedSize(20, 20)
        close.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        name = self.tr("Close {0}").format(dock.windowTitle())
        close.setAccessibleName(name)
        close.setToolTip(name)
        close.clicked.connect(dock.close)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 4, 0)
        row.addWidget(self._label, 1)
        row.addWidget(close)

    def sizeHint(self) -> QSize:
        """Return a low title's size."""
        return QSize(64, TITLE_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(32, TITLE_HEIGHT)


class Dock(QDockWidget):
    """A dock with a panel in it.

    Parameters
    ----------
    name : str
        By which its place is remembered.
    title : str
    panel : QWidget
    parent : QWidget
    """

    def __init__(self, name: str, title: str, panel: QWidget, parent: QWidget) -> None:
        super().__init__(title, parent)
        self.setObjectName(name)
        panel.setMinimumWidth(NARROWEST)
        self.setWidget(panel)
        self.setTitleBarWidget(DockTitle(self))
        self.toggleViewAction().setObjectName(f"show-{name}")

    def reveal(self) -> None:
        """Show it, before the docks that share its place, and give its panel the focus."""
        self.show()
        self.raise_()
        panel = self.widget()
        if panel is not None:
            panel.setFocus(Qt.FocusReason.ShortcutFocusReason)
