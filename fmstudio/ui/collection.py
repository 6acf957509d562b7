"""The map of a collection: from the wish to what is shown of it, and when it no longer holds."""

from collections.abc import Callable
from enum import Enum, auto

from PySide6.QtCore import QObject, Signal

from fmstudio.errors import FmstudioError
from fmstudio.session import Progress
from fmstudio.session_collection import (
    FEWEST,
    CollectionRequest,
    Overview,
    annotated_images,
    collection_request,
    map_collection,
)
from fmstudio.session_live import Live
from fmstudio.ui.controller import Controller
from fmstudio.ui.running import Running
from fmstudio.ui.tasks import Tasks, sentence_of
from fmstudio.worker.service import Priority

LANE = "collection"


class Stage(Enum):
    """What there is to show."""

    NO_IMAGES = auto()
    TOO_FEW = auto()
    UNMAPPED = auto()
    RUNNING = auto()
    FAILED = auto()
    MAPPED = auto()


class CollectionMapping(QObject):
    """Maps the open project's images on the compute thread, and keeps what was found.

    Parameters
    ----------
    controller : Controller
    tasks : Tasks
    live : callable
        Returns the engine for the open project, or None.
    parent : QObject or None
    """

    changed = Signal()
    """What there is to show is another."""

    def __init__(
        self,
        controller: Controller,
        tasks: Tasks,
        live: Callable[[], Live | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller, self._live = controller, live
        self._running = Running(tasks, LANE, self)
        self._asked: CollectionRequest | None = None
        self._of: CollectionRequest | None = None
        self.overview: Overview | None = None
        self.progress: Progress | None = None
        self.error = ""
        self._running.stepped.connect(self._take)
        self._running.ended.connect(self.changed)
        self._running.stopped.connect(self.changed)
        self._running.failed.connect(self._fail)
        controller.sessionChanged.connect(self._forget)
        controller.projectChanged.connect(self.changed)

    @property
    def stage(self) -> Stage:
        """Return what there is to show."""
        project = self._controller.project
        if project is None or not project.images:
            return Stage.NO_IMAGES
        if self._running.is_busy:
            return Stage.RUNNING
        if self.error:
            return Stage.FAILED
        if self.overview is not None:
            return Stage.MAPPED
        return Stage.TOO_FEW if len(project.images) < FEWEST else Stage.UNMAPPED

    @property
    def is_outdated(self) -> bool:
        """Return whether images or references are others than were mapped; looks at all of them."""
        project, of = self._controller.project, self._of
        if project is None or of is None:
            return False
        mapped = {image.id: image.key for image in of.images}
        annotated = {i for i, has in zip(mapped, of.is_annotated, strict=True) if has}
        return (
            annotated != annotated_images(project)
            or len(mapped) != len(project.images)
            or any(
                i not in project.images or project.images[i].sha256 != key
                for i, key in mapped.items()
            )
        )

    def start(self) -> None:
        """Map the collection, as a task that lets what the person asks meanwhile go first."""
        project, live = self._controller.project, self._live()
        if project is None or live is None:
            return
        try:
            request = collection_request(project)
        except FmstudioError as error:
            self._controller.notify(str(error))
            return
        self._asked, self.progress, self.error = request, None, ""
        self._running.start(
            self.tr("Mapping the collection"),
            lambda token: map_collection(live, request, token),
            unit=self.tr("img"),
            priority=Priority.BATCH,
        )
        self.changed.emit()

    def cancel(self) -> None:
        """Stop; what was mapped before stays."""
        self._running.cancel()

    def _take(self, item: object) -> None:
        """Keep what has come."""
        if isinstance(item, Progress):
            self.progress = item
        elif isinstance(item, Overview):
            self.overview, self._of = item, self._asked
        self.changed.emit()

    def _fail(self, error: Exception) -> None:
        """Keep why there is nothing."""
        self.error = sentence_of(error)
        self.changed.emit()

    def _forget(self) -> None:
        """End the work of a project that is no longer open."""
        self._running.stop()
        self._asked = self._of = self.overview = self.progress = None
        self.error = ""
        self.changed.emit()
