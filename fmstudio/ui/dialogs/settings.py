"""Settings: looks, device, memory, cache; matching; keys. Each holds at once."""

from itertools import chain

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from fmstudio.session_jobs import Device, clear_cache, list_devices, measure_cache
from fmstudio.session_models import list_models
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.fields import GAP, MARGIN, Caption, Choice, Number, heading
from fmstudio.ui.dialogs.settings_keys import KeysPage
from fmstudio.ui.dialogs.settings_matching import MatchingPage
from fmstudio.ui.panels.glyphs import tabular
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.preferences import CACHE_MB, MEMORY_MB, Preferences
from fmstudio.ui.running import Running
from fmstudio.ui.tasks import Tasks, sentence_of
from fmstudio.worker.service import EngineService

_MIB = 1 << 20


class SettingsDialog(QDialog):
    """Three pages: general, matching, keys.

    Parameters
    ----------
    controller : Controller
    preferences : Preferences
    parent : QWidget or None
    service : EngineService or None
        Asks for devices and networks, which takes its time; None leaves both unasked.
    """

    def __init__(
        self,
        controller: Controller,
        preferences: Preferences,
        parent: QWidget | None = None,
        *,
        service: EngineService | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Settings"))
        self.setMinimumSize(480, 440)
        self.resize(560, 560)
        tasks = None if service is None else Tasks(service, self)
        self.general = GeneralPage(controller, preferences, tasks)
        self.matching = MatchingPage(preferences)
        self.keys = KeysPage(preferences)
        self.pages = QTabWidget(self)
        for page, title in (
            (self.general, self.tr("General")),
            (self.matching, self.tr("Matching")),
        ):
            self.pages.addTab(_scrolled(page), title)
        self.pages.addTab(self.keys, self.tr("Keys"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(Caption(self.tr("Every change holds at once.")), 1)
        row.addWidget(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.setSpacing(GAP)
        layout.addWidget(self.pages, 1)
        layout.addLayout(row)
        self._asking = Running(tasks, "models", self)
        self._asking.stepped.connect(self._on_item)
        if tasks is not None:
            self._asking.start(
                self.tr("Looking at this machine"),
                lambda token: chain(list_devices(token), list_models(token)),
            )

    def done(self, result: int) -> None:
        """Close; what is still asked for is let go of."""
        self._asking.stop()
        self.general.stop()
        super().done(result)

    def _on_item(self, item: object) -> None:
        """Show what this machine has."""
        if isinstance(item, tuple) and item and isinstance(item[0], Device):
            self.general.show_devices(item)
        elif isinstance(item, tuple):
            self.matching.show_models(item)


class GeneralPage(QWidget):
    """Looks, device, memory, and the cache of the open project.

    Parameters
    ----------
    controller : Controller
    preferences : Preferences
    tasks : Tasks or None
        Where the cache is measured and cleared; None does it at once.
    """

    def __init__(
        self, controller: Controller, preferences: Preferences, tasks: Tasks | None
    ) -> None:
        super().__init__()
        self._controller, self._preferences = controller, preferences
        self._make_fields()
        self._lay_out()
        self._running = Running(tasks, "cache", self)
        self._running.stepped.connect(self._on_measured)
        self._running.failed.connect(self._on_failed)
        self._measure()
        controller.sessionChanged.connect(self._measure)

    def _make_fields(self) -> None:
        """Make the fields, as they are chosen now."""
        chosen = self._preferences
        self.theme = Choice(
            self.tr("Theme"),
            (
                ("system", self.tr("As the system")),
                ("light", self.tr("Light")),
                ("dark", self.tr("Dark")),
            ),
        )
        self.theme.choose(chosen.theme)
        self.theme.currentIndexChanged.connect(self._keep_theme)
        self.device = Choice(
            self.tr("Compute on"),
            (
                ("auto", self.tr("The fastest there is")),
                ("cpu", self.tr("Processor (CPU)")),
                ("cuda", self.tr("NVIDIA graphics card (CUDA)")),
                ("mps", self.tr("Apple graphics (Metal)")),
            ),
        )
        self.device.choose(chosen.device)
        self.device.currentIndexChanged.connect(self._keep_device)
        self.devices = Caption(self.tr("Holds from the next propagation on."))
        self.memory = Number(self.tr("Memory for features"), MEMORY_MB, 128, self.tr(" MB"))
        self.memory.setValue(chosen.memory_budget_mb)
        self.memory.valueChanged.connect(self._keep_memory)
        self.limit = Number(self.tr("Limit of the cache"), CACHE_MB, 1024, self.tr(" MB"))
        self.limit.setValue(chosen.cache_limit_mb)
        self.limit.valueChanged.connect(self._keep_limit)
        self.cache = PlainLabel()
        self.cache.setFont(tabular(self.cache.font()))
        self.clear = QPushButton(self.tr("Clear"))
        self.clear.setAccessibleName(self.tr("Clear the cache"))
        self.clear.setAutoDefault(False)
        self.clear.clicked.connect(self._clear)

    def _lay_out(self) -> None:
        """Put the fields in their places."""
        form = QFormLayout(self)
        form.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        form.setHorizontalSpacing(MARGIN)
        form.setVerticalSpacing(GAP)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.tr("Theme"), self.theme)
        form.addRow(self.tr("Compute on"), self.device)
        form.addRow("", self.devices)
        form.addRow(self.tr("Memory for features"), self.memory)
        form.addRow("", Caption(self.tr("How much of what it has computed a run keeps at hand.")))
        form.addRow(heading(self.tr("Cache of this project")))
        row = QHBoxLayout()
        row.addWidget(self.cache, 1)
        row.addWidget(self.clear)
        form.addRow(self.tr("In use"), row)
        form.addRow(self.tr("Limit"), self.limit)
        form.addRow(
            "",
            Caption(
                self.tr(
                    "Features and thumbnails, so that nothing is computed twice. What was not used "
                    "for longest goes first; clearing costs time, never work."
                )
            ),
        )

    def show_devices(self, devices: tuple[Device, ...]) -> None:
        """Say what this machine has; what it lacks can no longer be chosen."""
        here = {device.kind for device in devices}
        model = self.device.model()
        for row in range(self.device.count()):
            kind = str(self.device.itemData(row))
            is_here = kind == "auto" or kind in here
            flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            value = flags if is_here else Qt.ItemFlag.NoItemFlags
            # Qt's own store of a box's rows: its flags are kept one role before the person's.
            model.setData(model.index(row, 0), value.value, int(Qt.ItemDataRole.UserRole) - 1)
        names = ", ".join(device.name for device in devices)
        text = self.tr("This machine has: {0}. Holds from the next propagation on.").format(names)
        if self.device.key not in {"auto", *here}:
            text = self.tr("This machine has no such device. It has: {0}.").format(names)
        self.devices.setText(text)

    def stop(self) -> None:
        """Let go of what is under way."""
        self._running.stop()

    # What a person chooses

    def _keep_theme(self) -> None:
        """Change the looks."""
        self._preferences.theme = self.theme.key

    def _keep_device(self) -> None:
        """Change where the next propagation computes."""
        self._preferences.device = self.device.key

    def _keep_memory(self, value: int) -> None:
        """Change how much the next propagation holds."""
        self._preferences.memory_budget_mb = value

    def _keep_limit(self, value: int) -> None:
        """Change how much the cache may take."""
        self._preferences.cache_limit_mb = value

    # The cache

    def _measure(self) -> None:
        """Have the cache measured."""
        session = self._controller.session
        self.clear.setEnabled(False)
        if session is None:
            self._running.stop()
            self.cache.setText(self.tr("No project is open."))
            return
        self.cache.setText(self.tr("Measuring…"))
        folder = session.cache_dir
        self._running.start(
            self.tr("Measuring the cache"), lambda token: measure_cache(folder, token)
        )

    def _clear(self) -> None:
        """Have the cache deleted; all of it can be computed again."""
        session = self._controller.session
        if session is not None:
            self.clear.setEnabled(False)
            self.cache.setText(self.tr("Clearing…"))
            folder = session.cache_dir
            self._running.start(
                self.tr("Clearing the cache"), lambda token: clear_cache(folder, token)
            )

    def _on_measured(self, size: object) -> None:
        """Say how large the cache is."""
        if isinstance(size, int):
            self.cache.setText(self.tr("{0} MB").format(f"{size / _MIB:,.1f}"))
            self.clear.setEnabled(size > 0)

    def _on_failed(self, error: Exception) -> None:
        """Say why the size is not known."""
        self.cache.setText(sentence_of(error))


def _scrolled(page: QWidget) -> QScrollArea:
    """Return a page that can be scrolled where the window is low."""
    area = QScrollArea()
    area.setWidget(page)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
