"""Annotate next: from the wish to the image on the canvas, with the reason in one sentence."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from fmstudio.errors import FmstudioError
from fmstudio.session_live import Live
from fmstudio.session_next import NextImage, next_image, next_request
from fmstudio.ui.controller import Controller, Level
from fmstudio.ui.running import Running
from fmstudio.ui.tasks import Tasks, sentence_of

LANE = "next"


class AnnotateNext(QObject):
    """Looks for the image whose annotation would help the rest most, and shows it.

    Parameters
    ----------
    controller : Controller
    tasks : Tasks
    live : callable
        Returns the engine for the open project, or None.
    parent : QObject or None
    """

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
        self._running.stepped.connect(self._take)
        self._running.failed.connect(self._fail)
        controller.sessionChanged.connect(self._running.stop)

    def start(self) -> None:
        """Look for the image, as a task; a later wish takes the place of an earlier one."""
        project, live = self._controller.project, self._live()
        if project is None or live is None:
            return
        try:
            request = next_request(project)
        except FmstudioError as error:
            self._controller.notify(str(error))
            return
        title = self.tr("Looking for the image to annotate next")
        self._running.start(
            title, lambda token: next_image(live, request, token), unit=self.tr("img")
        )

    def _take(self, item: object) -> None:
        """Show the image that was found, and say why."""
        project = self._controller.project
        if not isinstance(item, NextImage) or project is None:
            return
        image = project.images.get(item.image_id)
        if image is None:
            self._controller.notify(self.tr("The image to annotate next was removed meanwhile."))
            return
        self._controller.show_target(image.id)
        text = self.tr("Annotate {0} next. {1}").format(image.file_name, item.reason)
        names = [project.images[i].path for i in item.covered if i in project.images]
        details = "\n".join(names)
        if item.unread:
            unread = self.tr("Images that could not be read: {0}.").format(f"{item.unread:,}")
            details = "\n".join([*names, unread])
        self._controller.notify(text, details=details)

    def _fail(self, error: Exception) -> None:
        """Say why none was found."""
        self._controller.notify(sentence_of(error), Level.ERROR)
