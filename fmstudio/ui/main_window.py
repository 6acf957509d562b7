"""The main window: layout, docks and menus. What they do is connected in `fmstudio.ui.wiring`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
)
from PySide6.QtWidgets import (
    QMainWindow,
    QMenu,
    QStackedWidget,
    QStatusBar,
    QWidget,
)

from fmstudio.ui.actions import ActionTable
from fmstudio.ui.controller import Controller
from fmstudio.ui.docks import Dock
from fmstudio.ui.icons import app_icon
from fmstudio.ui.notice_bar import NoticeBar
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.recent import RecentProject
from fmstudio.ui.tool_bar import MainToolBar
from fmstudio.ui.workspaces import FIRST, WORKSPACES, DockName

# Of another number when docks come or go: Qt then leaves an older arrangement alone.
_LAYOUT_VERSION = 4
_GEOMETRY, _LAYOUT = "window/geometry", "window/layout"
_FIRST_SIZE = QSize(1280, 800)
# Of the docks: shares of the window's width, of which a large one needs less; and a height.
_LEFT, _RIGHT, _BOTTOM = 0.12, 0.146, 128
_WIDEST_LEFT, _WIDEST_RIGHT = 264, 328

# Ids of commands; "-" is a line, "@..." a part that is filled when it is known.
_MENUS = {
    "file": "new-project open-folder open-project @recent - add-images import-coco export - "
    "save restore-backup - "
    "close quit",
    "edit": "undo redo - delete - categories - settings",
    "tools": "select-tool keypoint-tool polygon-tool brush-tool eraser-tool box-tool assist-tool - "
    "brush-smaller brush-larger - @categories",
    "review": "next-image previous-image search-images use-as-reference - "
    "propagate improve cancel-run - "
    "next-review accept reject swap-map settle-points accept-above review-summary - "
    "annotate-next map-collection - models",
    "view": "fit zoom-100 zoom-in zoom-out - link-views show-reference hide-overlays "
    "next-coloring show-votes show-other-map - "
    "workspace-annotate workspace-review workspace-inspect - collection @docks - full-screen",
    "inspect": "inspect - inspect-heat inspect-colour inspect-checker inspect-contour inspect-grid "
    "inspect-lines inspect-pin - spectrum - save-view",
    "help": "shortcuts palette - about",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What others make and the window puts in its place.

    Attributes
    ----------
    canvases : QWidget
    welcome : QWidget
    panels : mapping of DockName to QWidget
    status_bar : QStatusBar
    """

    canvases: QWidget
    welcome: QWidget
    panels: Mapping[DockName, QWidget]
    status_bar: QStatusBar


class MainWindow(QMainWindow):
    """The window around the canvases.

    Parameters
    ----------
    controller : Controller
    actions : ActionTable
    parts : Parts
    settings : QSettings
        Where the place of the window and of its docks is remembered.
    """

    closing = Signal()
    """The person closes the window; what must end first ends now."""
    dropped = Signal(object)
    """A list of paths, dropped anywhere on the window."""
    recentWanted = Signal(object)
    """Path of a project, chosen in the menu."""
    steppedBack = Signal()
    """Esc, and nobody nearer wanted it."""
    workspaceChosen = Signal(object)
    """A Workspace; the docks are arranged already."""

    def __init__(
        self, controller: Controller, actions: ActionTable, parts: Parts, settings: QSettings
    ) -> None:
        super().__init__()
        self._controller = controller
        self._actions = actions
        self._settings = settings
        self._layout: QByteArray | None = None
        self.setObjectName("main")
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.setAnimated(False)
        self.setStatusBar(parts.status_bar)
        self._build_centre(parts)
        self._tool_bar = MainToolBar(controller, actions, self)
        self.addToolBar(self._tool_bar)
        self._docks = {name: self._dock(name, parts.panels[name]) for name in DockName}
        self._arrange()
        self._build_menus()
        self.addActions(list(actions.actions()))
        self.notices = NoticeBar(controller, self._stack)
        self._veil = _Veil(self._stack)
        controller.sessionChanged.connect(self._show_what_is_open)
        controller.projectChanged.connect(self._entitle)
        self._restore()
        self._show_what_is_open()

    # What others ask for

    def dock(self, name: DockName) -> Dock:
        """Return a dock."""
        return self._docks[name]

    def reveal(self, name: DockName, share: float) -> None:
        """Bring a dock to the front, as high as a share of the window where it is lower."""
        dock = self._docks[name]
        dock.reveal()
        high = round(share * self.height())
        if not dock.isFloating() and dock.height() < high:
            self.resizeDocks([dock], [high], Qt.Orientation.Vertical)

    def use_workspace(self, name: str) -> None:
        """Arrange the docks for a kind of work: annotate, review or inspect."""
        workspace = WORKSPACES[name]
        self._arrange()
        for dock_name, dock in self._docks.items():
            dock.setVisible(dock_name in workspace.docks)
        for dock_name in workspace.docks:
            self._docks[dock_name].raise_()
        self._size_docks()
        self.workspaceChosen.emit(workspace)

    def set_recent(self, projects: Sequence[RecentProject]) -> None:
        """List the projects that were open last in the File menu."""
        self._recent.clear()
        for project in projects:
            action = self._recent.addAction(f"{project.name}    {project.path.parent}")
            action.setEnabled(project.is_there)
            action.setData(project.path)
        self._recent.setEnabled(bool(projects))

    def save_layout(self) -> None:
        """Remember where everything is."""
        self._settings.setValue(_GEOMETRY, self.saveGeometry())
        if self._controller.session is not None:
            self._layout = self.saveState(_LAYOUT_VERSION)
        if self._layout is not None:
            self._settings.setValue(_LAYOUT, self._layout)

    # Building

    def _build_centre(self, parts: Parts) -> None:
        """Put the welcome page and the canvases on one another."""
        self._canvases = parts.canvases
        self._stack = QStackedWidget()
        self._stack.addWidget(parts.welcome)
        self._stack.addWidget(parts.canvases)
        self.setCentralWidget(self._stack)

    def _dock(self, name: DockName, panel: QWidget) -> Dock:
        """Return a panel in its dock."""
        titles = {
            DockName.IMAGES: self.tr("Images"),
            DockName.QUEUE: self.tr("Queue"),
            DockName.ANNOTATION: self.tr("Annotation"),
            DockName.HISTORY: self.tr("History"),
            DockName.CATEGORIES: self.tr("Categories"),
            DockName.INSPECTOR: self.tr("Inspector"),
            DockName.COLLECTION: self.tr("Collection"),
            DockName.SPECTRUM: self.tr("Spectrum"),
            DockName.TASKS: self.tr("Tasks"),
            DockName.LOG: self.tr("Log"),
        }
        return Dock(name.value, titles[name], panel, self)

    def _arrange(self) -> None:
        """Put every dock where it is at first."""
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        docks = self._docks
        for name, area in (
            (DockName.IMAGES, left),
            (DockName.ANNOTATION, right),
            (DockName.INSPECTOR, Qt.DockWidgetArea.BottomDockWidgetArea),
            (DockName.TASKS, Qt.DockWidgetArea.BottomDockWidgetArea),
        ):
            docks[name].setFloating(False)
            self.addDockWidget(area, docks[name])
        for above, below in (
            (DockName.IMAGES, DockName.QUEUE),
            (DockName.ANNOTATION, DockName.HISTORY),
        ):
            docks[below].setFloating(False)
            self.splitDockWidget(docks[above], docks[below], Qt.Orientation.Vertical)
        docks[DockName.CATEGORIES].setFloating(False)
        self.tabifyDockWidget(docks[DockName.HISTORY], docks[DockName.CATEGORIES])
        for behind in (DockName.COLLECTION, DockName.SPECTRUM):
            docks[behind].setFloating(False)
            self.tabifyDockWidget(docks[DockName.INSPECTOR], docks[behind])
        docks[DockName.LOG].setFloating(False)
        self.splitDockWidget(docks[DockName.TASKS], docks[DockName.LOG], Qt.Orientation.Horizontal)

    def _size_docks(self) -> None:
        """Give the docks their first sizes: the images get the rest."""
        docks = self._docks
        wide, high = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        left = min(_WIDEST_LEFT, round(_LEFT * self.width()))
        right = min(_WIDEST_RIGHT, round(_RIGHT * self.width()))
        sides = [docks[DockName.IMAGES], docks[DockName.ANNOTATION]]
        self.resizeDocks(sides, [left, right], wide)
        self.resizeDocks([docks[DockName.INSPECTOR], docks[DockName.TASKS]], [_BOTTOM] * 2, high)
        self.resizeDocks([docks[DockName.TASKS], docks[DockName.LOG]], [1, 1], wide)
        height = self._stack.height()
        for upper, lower, share in (
            (DockName.IMAGES, DockName.QUEUE, 0.6),
            (DockName.ANNOTATION, DockName.HISTORY, 0.7),
        ):
            first = round(share * height)
            self.resizeDocks([docks[upper], docks[lower]], [first, height - first], high)

    def _build_menus(self) -> None:
        """Fill the menus from the table of commands."""
        titles = {
            "file": self.tr("&File"),
            "edit": self.tr("&Edit"),
            "tools": self.tr("&Tools"),
            "review": self.tr("&Review"),
            "view": self.tr("&View"),
            "inspect": self.tr("&Inspect"),
            "help": self.tr("&Help"),
        }
        self._recent = QMenu(self.tr("Open a recent project"), self)
        self._recent.triggered.connect(self._choose_recent)
        for name, ids in _MENUS.items():
            menu = self.menuBar().addMenu(titles[name])
            menu.setToolTipsVisible(True)
            for id_ in ids.split():
                self._fill(menu, id_)

    def _fill(self, menu: QMenu, id_: str) -> None:
        """Add one entry to a menu."""
        if id_ == "-":
            menu.addSeparator()
        elif id_ == "@recent":
            menu.addMenu(self._recent)
        elif id_ == "@categories":
            menu.addActions([self._actions[f"category-{number}"] for number in range(1, 10)])
        elif id_ == "@docks":
            menu.addActions([dock.toggleViewAction() for dock in self._docks.values()])
        else:
            menu.addAction(self._actions[id_])

    # What is open

    def _show_what_is_open(self) -> None:
        """Show the project with its docks, or the welcome page alone."""
        is_open = self._controller.session is not None
        was_open = self._stack.currentWidget() is self._canvases
        if was_open and not is_open:
            self._layout = self.saveState(_LAYOUT_VERSION)
        self._stack.setCurrentIndex(1 if is_open else 0)
        for dock in self._docks.values():
            dock.toggleViewAction().setEnabled(is_open)
        if is_open and not was_open:
            self._tool_bar.show()
            if self._layout is None or not self.restoreState(self._layout, _LAYOUT_VERSION):
                self.use_workspace(FIRST)
        elif not is_open:
            self._tool_bar.hide()
            for dock in self._docks.values():
                dock.hide()
        self.notices.clear()
        self._entitle()

    def _entitle(self) -> None:
        """Name the project in the title."""
        project = self._controller.project
        session = self._controller.session
        mark = self.tr(" (to be looked at)") if session is not None and session.refusal else ""
        self.setWindowTitle(f"{project.name}{mark} \u2013 fmstudio" if project else "fmstudio")
        self.setWindowFilePath(str(session.path) if session else "")

    def _restore(self) -> None:
        """Take the place where the window was last, or a first one."""
        geometry, layout = self._settings.value(_GEOMETRY), self._settings.value(_LAYOUT)
        if not (isinstance(geometry, QByteArray) and self.restoreGeometry(geometry)):
            self.resize(_FIRST_SIZE)
        self._layout = layout if isinstance(layout, QByteArray) else None

    def _choose_recent(self, action: QAction) -> None:
        """Ask for a project of the menu."""
        self.recentWanted.emit(action.data())

    # Events

    def createPopupMenu(self) -> QMenu:
        """Return what a right click on a title offers: the docks."""
        menu = QMenu(self)
        menu.addActions([dock.toggleViewAction() for dock in self._docks.values()])
        return menu

    def closeEvent(self, event: QCloseEvent) -> None:
        """End what must end, then go."""
        self.save_layout()
        self.closing.emit()
        super().closeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take one step back by Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.steppedBack.emit()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Say what would become of files that are dropped."""
        if _paths(event.mimeData().urls()):
            is_open = self._controller.session is not None
            add, begin = self.tr("Drop to add to the project"), self.tr("Drop to open")
            self._veil.lie(add if is_open else begin)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Take the veil away."""
        self._veil.hide()
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand the dropped files on."""
        self._veil.hide()
        paths = _paths(event.mimeData().urls())
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)


class _Veil(PlainLabel):
    """Lies over the middle while files are held above the window."""

    def __init__(self, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setStyleSheet(
            "background: palette(window); border: 2px dashed palette(highlight);border-radius: 8px;"
        )
        self.hide()

    def lie(self, text: str) -> None:
        """Cover a place in the middle, with a text."""
        self.setText(text)
        width, height = min(480, self._over.width() - 32), 120
        left, top = (self._over.width() - width) // 2, (self._over.height() - height) // 2
        self.setGeometry(left, top, width, height)
        self.show()
        self.raise_()


def _paths(urls: Sequence[QUrl]) -> list[Path]:
    """Return the files of this machine among addresses."""
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
