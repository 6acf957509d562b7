"""The studio: everything that the window is made of, put together once."""

from pathlib import Path

from PySide6.QtCore import QObject, QRect, QSettings, QStandardPaths
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from fmstudio.project.doubt import Reason
from fmstudio.session_jobs import Device, list_devices
from fmstudio.ui import theme
from fmstudio.ui.actions import ActionTable
from fmstudio.ui.annotate_next import AnnotateNext
from fmstudio.ui.canvas.match_overlay import MatchOverlay
from fmstudio.ui.canvas.pair import CanvasPair
from fmstudio.ui.collection import LANE as COLLECTION_LANE
from fmstudio.ui.collection import CollectionMapping
from fmstudio.ui.competing import Competing
from fmstudio.ui.controller import Controller, Level
from fmstudio.ui.downloads import Downloads, Ended, How
from fmstudio.ui.hints import HintStrip
from fmstudio.ui.inspector import LANE, POINT_LANE, Inspector
from fmstudio.ui.inspector_view import InspectorView
from fmstudio.ui.live_source import LiveSource
from fmstudio.ui.main_window import MainWindow, Parts
from fmstudio.ui.opening import Opening
from fmstudio.ui.panels.annotation import AnnotationPanel
from fmstudio.ui.panels.categories import CategoriesPanel
from fmstudio.ui.panels.collection import CollectionPanel
from fmstudio.ui.panels.history import HistoryPanel
from fmstudio.ui.panels.images import ImagesPanel
from fmstudio.ui.panels.inspector import InspectorPanel
from fmstudio.ui.panels.log import LogPanel
from fmstudio.ui.panels.log_model import LogModel
from fmstudio.ui.panels.queue import QueuePanel
from fmstudio.ui.panels.spectrum import SpectrumPanel
from fmstudio.ui.panels.tasks import TasksPanel
from fmstudio.ui.panels.thumbnails import Thumbnails
from fmstudio.ui.preferences import Preferences
from fmstudio.ui.propagation import Propagation
from fmstudio.ui.questions import Questions
from fmstudio.ui.recent import keep_picture, listed, remembered
from fmstudio.ui.reweighing import Reweighing
from fmstudio.ui.running import Running
from fmstudio.ui.settling import AHEAD_LANE, Settling
from fmstudio.ui.settling import LANE as SETTLE_LANE
from fmstudio.ui.spectrum import BAND_LANE, SPECTRUM_LANE, SpectrumViewer
from fmstudio.ui.status_bar import StatusBar
from fmstudio.ui.tasks import Tasks
from fmstudio.ui.toolbox import Toolbox
from fmstudio.ui.welcome import WelcomePage
from fmstudio.ui.wiring import Wiring
from fmstudio.ui.workspaces import DockName
from fmstudio.worker.service import EngineService

# What ends when a project is closed.
_LANES_OF_A_PROJECT = (
    "propagate",
    "improve",
    "import",
    "export",
    "thumbnails",
    "assist",
    "reweigh",
    SETTLE_LANE,
    AHEAD_LANE,
    "next",
    COLLECTION_LANE,
    LANE,
    POINT_LANE,
    SPECTRUM_LANE,
    BAND_LANE,
)
# Preferences that something has to be done about.
_FOLLOWED = (
    "point_colors",
    "key_overrides",
    "hint_dismissed",
    "linked_views",
    "settles_points",
    "device",
)


class Studio(QObject):
    """The window with all that stands behind it.

    Parameters
    ----------
    settings : QSettings or None
        None takes the person's own.
    data : Path or None
        Folder for the sample and for pictures of recent projects; None takes the person's own.
    """

    def __init__(self, settings: QSettings | None = None, data: Path | None = None) -> None:
        super().__init__()
        self._settings = settings or QSettings()
        place = QStandardPaths.StandardLocation.AppDataLocation
        self._data = data or Path(QStandardPaths.writableLocation(place))
        self._pictures = self._data / "recent"
        self.preferences = Preferences(self._settings, self)
        self._on_preference("theme")
        self.controller = Controller(self)
        self.service = EngineService(self)
        self.tasks = Tasks(self.service, self)
        self.downloads = Downloads(self)
        self.propagation = Propagation(self.controller, self.tasks, self)
        self.live = LiveSource(self.controller, self.preferences, self)
        self.competing = Competing(self.controller, self)
        self.reweighing = Reweighing(self.controller, self.tasks, self.live.live, self)
        self.settling = Settling(self.controller, self.tasks, self.service, self.live.live, self)
        self.annotate_next = AnnotateNext(self.controller, self.tasks, self.live.live, self)
        self.collection = CollectionMapping(self.controller, self.tasks, self.live.live, self)
        self.opening = Opening(self.controller, self.tasks, self._data, self)
        self.actions = ActionTable(self.controller, self)
        self._asking = Running(self.tasks, "device", self)
        self._asking.stepped.connect(self._on_devices)
        self._devices: tuple[Device, ...] = ()
        self.log = LogModel(self)
        self.controller.noticeRaised.connect(self.log.add_notice)
        self._build()
        self.questions = Questions(self.window)
        self.toolbox = Toolbox(self.controller, self.service, self.canvases)
        self._follow_preferences()
        self._remember_projects()
        self._wiring = Wiring(self)
        self.window.closing.connect(self.leave)
        self._has_left = False

    def begin(self, path: Path | None) -> None:
        """Open what was named on the command line, or stay on the welcome page."""
        if path is not None:
            self.opening.open_paths([path])

    def leave(self) -> None:
        """End what runs, keep what has come, and close the project."""
        if self._has_left:
            return
        self._has_left = True
        self.downloads.shut_down()
        self._leave_project()
        session = self.controller.session
        if session is not None:
            session.close()
        self._settings.sync()

    def shut_down(self) -> bool:
        """End the compute thread; return whether it ended in time."""
        self.leave()
        return self.service.shutdown()

    def ask_for_devices(self) -> None:
        """Have the status bar say what this machine computes on, once it is known."""
        if not self._devices and not self._asking.is_busy:
            self._asking.start(self.tr("Starting the engine"), list_devices)

    # Private

    def _build(self) -> None:
        """Make the window and what is in it."""
        self.thumbnails = Thumbnails(self.controller, self.service)
        self.canvases = CanvasPair(self.controller, self.service)
        self.welcome = WelcomePage(self.actions)
        # A splitter would take the strip for a third pane, so it lies over what holds the splitter.
        area = QWidget()
        column = QVBoxLayout(area)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.canvases)
        self.settling.trailChanged.connect(self.canvases.show_trail)
        self.match_overlay = MatchOverlay(self.canvases, area)
        self.inspector = Inspector(
            self.controller, self.service, self.preferences, self.live.live, self
        )
        self.spectrum = SpectrumViewer(self.inspector, self.service, self.live.live, self)
        InspectorView(
            self.controller, self.inspector, self.spectrum, self.canvases, self.match_overlay
        )
        self.hints = HintStrip(self.controller, self.actions, area)
        self.images = ImagesPanel(self.controller, self.thumbnails)
        self.queue = QueuePanel(self.controller, self.thumbnails)
        self.annotation = AnnotationPanel(self.controller)
        self.categories = CategoriesPanel(self.controller)
        self.log_panel = LogPanel(self.log)
        panels = {
            DockName.IMAGES: self.images,
            DockName.QUEUE: self.queue,
            DockName.ANNOTATION: self.annotation,
            DockName.HISTORY: HistoryPanel(self.controller),
            DockName.CATEGORIES: self.categories,
            DockName.INSPECTOR: InspectorPanel(self.controller, self.inspector, self.actions),
            DockName.COLLECTION: CollectionPanel(self.controller, self.collection, self.thumbnails),
            DockName.SPECTRUM: SpectrumPanel(self.inspector, self.spectrum),
            DockName.TASKS: TasksPanel(self.tasks),
            DockName.LOG: self.log_panel,
        }
        self.status_bar = StatusBar(self.controller, self.tasks, self.log)
        parts = Parts(area, self.welcome, panels, self.status_bar)
        self.window = MainWindow(self.controller, self.actions, parts, self._settings)

    def _follow_preferences(self) -> None:
        """Do as the person has chosen, now and when it changes."""
        self.hints.dismissed.connect(self._dismiss_hints)
        self.downloads.ended.connect(self._on_download)
        self.preferences.changed.connect(self._on_preference)
        self.controller.coloringChanged.connect(self._keep_coloring)
        for name in _FOLLOWED:
            self._on_preference(name)

    def _on_preference(self, name: str) -> None:
        """Do as one choice says."""
        chosen = self.preferences
        if name == "theme":
            app = QGuiApplication.instance()
            assert isinstance(app, QApplication)
            theme.apply(app, chosen.theme)
        elif name == "key_overrides":
            self.actions.set_keys(chosen.key_overrides)
        elif name == "hint_dismissed":
            self.hints.set_dismissed(chosen.is_hint_dismissed)
        elif name == "linked_views":
            self.canvases.set_linked(chosen.linked_views)
            self.actions["link-views"].setChecked(chosen.linked_views)
        elif name == "settles_points":
            self.settling.set_on(chosen.settles_points)
            self.actions["settle-points"].setChecked(chosen.settles_points)
        elif name == "point_colors":
            by = chosen.point_colors
            self.controller.set_coloring(None if by == "confidence" else Reason(by))
        elif name == "device":
            self.status_bar.show_device(self._device_name())

    def _keep_coloring(self) -> None:
        """Keep what points are coloured by for good."""
        reason = self.controller.coloring
        self.preferences.point_colors = "confidence" if reason is None else reason.value

    def _on_devices(self, devices: tuple[Device, ...]) -> None:
        """Name the device from now on."""
        self._devices = devices
        self._on_preference("device")

    def _on_download(self, ended: Ended) -> None:
        """Say how a download ended: its dialog may be closed."""
        level = Level.WARNING if ended.how is How.FAILED else Level.INFO
        self.controller.notify(ended.text, level)

    def _device_name(self) -> str:
        """Return what is computed on, in words: its name as soon as that is known."""
        chosen = self.preferences.device
        for device in self._devices:
            if chosen in ("auto", device.kind):
                return device.name
        if chosen == "auto":
            return self.tr("fastest device")
        return chosen.upper()

    def _dismiss_hints(self) -> None:
        """Never show the first steps again."""
        self.preferences.is_hint_dismissed = True

    # The projects that were open last

    def _remember_projects(self) -> None:
        """Keep the list of projects, and pictures of them."""
        self.opening.leaving.connect(self._leave_project)
        self.opening.opened.connect(self._remember)
        self.welcome.forgetWanted.connect(self._forget)
        self._list_recent()

    def _remember(self, path: Path) -> None:
        """Put a project first in the list."""
        self.preferences.recent_projects = remembered(self.preferences.recent_projects, path)
        self._list_recent()

    def _forget(self, path: Path) -> None:
        """Take a project out of the list."""
        rest = [text for text in self.preferences.recent_projects if text != str(path)]
        self.preferences.recent_projects = rest
        self._list_recent()

    def _list_recent(self) -> None:
        """Show the list where it is shown."""
        projects = listed(self.preferences.recent_projects, self._pictures)
        self.welcome.set_recent(projects)
        self.window.set_recent(projects)

    def _leave_project(self) -> None:
        """End what belongs to the open project, and take its picture."""
        session = self.controller.session
        if session is None:
            return
        for lane in _LANES_OF_A_PROJECT:
            self.service.cancel(lane)
        picture = self._picture()
        if picture is not None:
            keep_picture(session.path, self._pictures, picture)
        self._list_recent()

    def _picture(self) -> QPixmap | None:
        """Return how the project looks: its reference with what is marked on it, if it is shown."""
        for canvas in self.canvases.canvases:
            if canvas.is_ready and canvas.isVisible():
                whole = canvas.image_rect()
                corners = (whole.topLeft(), whole.bottomRight())
                shown = [canvas.map_from_image(c.x(), c.y()).toPoint() for c in corners]
                picture: QPixmap = canvas.grab(QRect(*shown).intersected(canvas.rect()))
                return picture
        return None
