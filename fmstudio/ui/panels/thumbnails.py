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
from fmstudio.project.model import ImageItem
from fmstudio.session import CancelToken
from fmstudio.session_thumbnails import thumbnail_of
from fmstudio.ui.controller import Controller
from fmstudio.worker.service import EngineService, Priority, Ticket

LANE = "thumbnails"
_KEPT = 1500
# Rows scrolled past meanwhile are not worth a thumbnail: ask for those that stay.
_PAUSE_MS = 40


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A thumbnail, or None where the image cannot be read."""

    key: str
    rgb: NDArray[np.uint8] | None


class Thumbnails(QObject):
    """Hands out pixmaps; what is not there yet comes with `arrived`."""

    arrived = Signal(str)
    """Key of the image whose thumbnail has come."""

    def __init__(self, controller: Controller, service: EngineService) -> None:
        super().__init__(controller)
        self._controller, self._service = controller, service
        self._pixmaps: OrderedDict[str, QPixmap] = OrderedDict()
        self._wanted: dict[str, ImageItem] = {}
        self._ticket: Ticket | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        service.itemReady.connect(self._on_made)
        service.finished.connect(self._on_finished)
        controller.sessionChanged.connect(self._forget)

    def pixmap(self, image: ImageItem) -> QPixmap | None:
        """Return an image's thumbnail, or None while it is on its way; null if unreadable."""
        key = _key(image)
        known = self._pixmaps.get(key)
        if known is None:
            self._wanted[key] = image
            self._timer.start()
            return None
        self._pixmaps.move_to_end(key)
        return known

    def _ask(self) -> None:
        """Have those made that were painted last; what was asked before and scrolled by is not."""
        session = self._controller.session
        if session is None or not self._wanted or not self._service.is_open:
            return
        images = list(self._wanted.values())[-64:]
        self._wanted.clear()
        paths = [session.path_of(image) for image in images]
        job = _make(images, paths, session.cache_dir)
        self._ticket = self._service.submit(LANE, job, priority=Priority.PREVIEW)

    def _on_made(self, ticket: Ticket, item: object) -> None:
        """Keep a thumbnail that has come."""
        if ticket != self._ticket or not isinstance(item, Made):
            return
        self._pixmaps[item.key] = QPixmap() if item.rgb is None else as_pixmap(item.rgb)
        if len(self._pixmaps) > _KEPT:
            self._pixmaps.popitem(last=False)
        self._wanted.pop(item.key, None)
        self.arrived.emit(item.key)

    def _on_finished(self, ticket: Ticket) -> None:
        """Go on with what was wanted meanwhile."""
        if ticket == self._ticket and self._wanted:
            self._timer.start()

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
    """Return a job that yields thumbnails, the one painted last first."""

    def make(token: CancelToken) -> Iterator[Made]:
        for image, path in reversed(list(zip(images, paths, strict=True))):
            token.check()
            try:
                yield Made(_key(image), thumbnail_of(image, path, cache_dir))
            except ImageError:
                yield Made(_key(image), None)

    return make
