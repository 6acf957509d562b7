"""References weighed by hand: from a switch to the proposal as it is now, as one undo step."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from fmstudio.errors import FmstudioError
from fmstudio.project.edits_proposals import ReviseProposals
from fmstudio.session_live import Live
from fmstudio.session_reweigh import ReweighRequest, reweigh_request, reweighed
from fmstudio.ui.controller import Controller, Level
from fmstudio.ui.running import Running
from fmstudio.ui.tasks import Tasks, sentence_of

LANE = "reweigh"


class Reweighing(QObject):
    """Fuses a proposal anew on the compute thread; a later wish takes the place of an earlier one.

    Parameters
    ----------
    controller : Controller
    tasks : Tasks
    live : callable
        Returns the engine for the open project, or None.
    parent : QObject or None
    """

    busyChanged = Signal(bool)
    """A proposal is being fused, or no longer."""

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
        self._asked: ReweighRequest | None = None
        # What was wished and is not done yet, of one annotation.
        self._wished: tuple[int, dict[int, float]] | None = None
        self._running.stepped.connect(self._take)
        self._running.ended.connect(self._end)
        self._running.stopped.connect(self._end)
        self._running.failed.connect(self._fail)
        controller.sessionChanged.connect(self._leave)

    def weigh(self, annotation_id: int, source: int, say: float) -> None:
        """Let a reference count so much for an annotation, 0 to leave it out."""
        project, live = self._controller.project, self._live()
        if project is None or live is None:
            return
        says = dict(self._wished[1]) if self._wished and self._wished[0] == annotation_id else {}
        says[source] = say
        try:
            request = reweigh_request(project, annotation_id, says)
        except FmstudioError as error:
            self._controller.notify(str(error), Level.WARNING)
            self.busyChanged.emit(False)
            return
        self._wished, self._asked = (annotation_id, says), request
        title = self.tr("Weighing the references")
        self.busyChanged.emit(True)
        self._running.start(title, lambda token: reweighed(live, request, token))

    def _take(self, item: object) -> None:
        """Put the proposal as it is now in its place, unless it was changed meanwhile."""
        asked, project = self._asked, self._controller.project
        if not isinstance(item, ReviseProposals) or asked is None or project is None:
            return
        if project.annotations.get(asked.annotation.id) is asked.annotation:
            self._controller.perform(item)

    def _end(self) -> None:
        """Let the switches show what holds."""
        self._asked = self._wished = None
        self.busyChanged.emit(False)

    def _fail(self, error: Exception) -> None:
        """Say why the references could not be weighed."""
        self._controller.notify(sentence_of(error), Level.ERROR)
        self._end()

    def _leave(self) -> None:
        """End the work of a project that is no longer open."""
        self._running.stop()
        self._asked = self._wished = None
