"""Thumbnails on demand: asked for when a row is painted, made on the compute thread."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage, QPixmap

from fmstudio.errors import ImageError
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.model import ImageItem
from fmstudio.session import CancelToken
from fmstudio.session_thumbnails import thumbnail_of
from fmstudio.ui.controller import Controller
from fmstudio.worker.service import EngineService, Priority, Ticket

LANE = "thumbnails"
_KEPT = 1000
# So many rows fit on a high screen, in both lists.
_AT_ONCE = 128
# Rows scrolled past meanwhile are not worth a thumbnail: ask for those that stay.
_PAUSE_MS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A thumbnail, or None where the image cannot be read."""

    key: str
    rgb: NDArray[np.uint8] | None


class Thumbnails(QObject):
    """Hands out pixmaps; what is not there yet comes with `arrived`.

    Views ask whenever they paint a row, so what was asked for since the last pause is what is
    seen: the rest of an older request is dropped.
    """

    arrived = Signal(str)
    """Key of the image whose thumbnail has come."""

    def __init__(self, controller: Controller, service: EngineService) -> None:
        super().__init__(controller)
        self._controller, self._service = controller, service
        self._pixmaps: OrderedDict[str, QPixmap] = OrderedDict()
        self._wanted: dict[str, ImageItem] = {}
        self._on_the_way: set[str] = set()
        self._ticket: Ticket | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        service.itemReady.connect(self._on_made)
        service.finished.connect(self._on_end)
        service.failed.connect(self._on_end)
        service.cancelled.connect(self._on_end)
        controller.sessionChanged.connect(self._forget)
        controller.projectChanged.connect(self._on_project)

    def pixmap(self, image: ImageItem) -> QPixmap | None:
        """Return an image's thumbnail, or None while it is on its way; null if unreadable."""
        key = _key(image)
        known = self._pixmaps.get(key)
        if known is None:
            self._wanted[key] = image
            if not self._timer.isActive():
                self._timer.start()
            return None
        self._pixmaps.move_to_end(key)
        return known

    def _ask(self) -> None:
        """Have those made that were painted last; what was asked before and scrolled by is not."""
        session = self._controller.session
        images = list(self._wanted.items())[-_AT_ONCE:]
        self._wanted.clear()
        if session is None or not self._service.is_open:
            return
        if self._on_the_way.issuperset(key for key, _ in images):
            return
        paths = [session.path_of(image) for _, image in images]
        job = _make([image for _, image in images], paths, session.cache_dir)
        self._ticket = self._service.submit(LANE, job, priority=Priority.PREVIEW)
        self._on_the_way = {key for key, _ in images}

    def _on_made(self, ticket: Ticket, item: object) -> None:
        """Keep a thumbnail that has come."""
        if ticket != self._ticket or not isinstance(item, Made):
            return
        self._pixmaps[item.key] = QPixmap() if item.rgb is None else as_pixmap(item.rgb)
        if len(self._pixmaps) > _KEPT:
            self._pixmaps.popitem(last=False)
        self._on_the_way.discard(item.key)
        self.arrived.emit(item.key)

    def _on_end(self, ticket: Ticket, _error: object = None) -> None:
        """Let what did not come be asked for again."""
        if ticket == self._ticket:
            self._on_the_way.clear()

    def _on_project(self, diff: ProjectDiff) -> None:
        """Try anew to read what could not be read, now that files may be found again."""
        if diff.images.changed:
            for key in [key for key, pixmap in self._pixmaps.items() if pixmap.isNull()]:
                del self._pixmaps[key]

    def _forget(self) -> None:
        """Forget another project's thumbnails."""
        self._pixmaps.clear()
        self._wanted.clear()


def as_pixmap(rgb: NDArray[np.uint8]) -> QPixmap:
    """Return a pixmap of an image (h, w, 3)."""
    rgb = np.ascontiguousarray(rgb)
    height, width = rgb.shape[:2]
    image = QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.copy())


def _key(image: ImageItem) -> str:
    """Return what an image's thumbnail is kept under."""
    return image.sha256 or image.path


def _make(
    images: Sequence[ImageItem], paths: Sequence[Path], cache_dir: Path
) -> Callable[[CancelToken], Iterator[Made]]:
    """Return a job that yields thumbnails, the one painted first first."""

    def make(token: CancelToken) -> Iterator[Made]:
        for image, path in zip(images, paths, strict=True):
            token.check()
            try:
                yield Made(_key(image), thumbnail_of(image, path, cache_dir))
            except ImageError:
                yield Made(_key(image), None)

    return make
