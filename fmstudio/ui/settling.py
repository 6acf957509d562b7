"""After a correction: the points that nobody placed move by what it says of them, as one step."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from fmstudio.project.edits import ChangeAnnotation, Edit, SettlePoints
from fmstudio.project.edits_proposals import is_pending
from fmstudio.project.model import Annotation, Project
from fmstudio.project.wording import counted
from fmstudio.session_live import Live
from fmstudio.session_settle import SettleRequest, heard, settle_request, settled
from fmstudio.ui.canvas.layers import TrailLayer
from fmstudio.ui.controller import Controller, Level
from fmstudio.ui.running import Running
from fmstudio.ui.tasks import Tasks, sentence_of
from fmstudio.worker.service import EngineService, Priority

LANE, AHEAD_LANE = "settle", "settle-ahead"

# A person who looks so long may correct; who only accepts is soon elsewhere.
_LOOKS_MS = 400


class Settling(QObject):
    """Asks what a correction says of the annotation's other points, and moves them.

    An annotation is open from the first correction of its proposal until anything else changes it
    or another image is shown: all that was placed meanwhile is said against the proposal. Taking
    the move back closes it, so that nothing moves again that a person has put back.

    Parameters
    ----------
    controller : Controller
    tasks : Tasks
    service : EngineService
    live : callable
        Returns the engine for the open project, or None.
    parent : QObject or None
    """

    trailChanged = Signal(object, object)
    """On which image points have moved, and the layer that shows it; both None when it is over."""

    def __init__(
        self,
        controller: Controller,
        tasks: Tasks,
        service: EngineService,
        live: Callable[[], Live | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller, self._service, self._live = controller, service, live
        self._running = Running(tasks, LANE, self)
        self._is_on = True
        # The proposal that is open, and how it was left.
        self._proposed: Annotation | None = None
        self._left: Annotation | None = None
        self._asked: SettleRequest | None = None
        self._has_trail = False
        self._looking = QTimer(self)
        self._looking.setSingleShot(True)
        self._looking.setInterval(_LOOKS_MS)
        self._looking.timeout.connect(self._match_ahead)
        self._running.stepped.connect(self._take)
        self._running.failed.connect(self._fail)
        controller.performed.connect(self._on_performed)
        controller.projectChanged.connect(self._on_project)
        controller.selectionChanged.connect(self._on_selection)
        controller.shownChanged.connect(self._close)
        controller.sessionChanged.connect(self._close)

    def set_on(self, is_on: bool) -> None:
        """Move points after corrections, or leave them where they are."""
        self._is_on = is_on
        if not is_on:
            self._close()

    # What the person does

    def _on_performed(self, edit: Edit, before: Project) -> None:
        """Ask what a correction says, if it is one."""
        project, live = self._controller.project, self._live()
        if not (self._is_on and isinstance(edit, ChangeAnnotation)) or project is None:
            return
        old, now = before.annotations[edit.id], project.annotations[edit.id]
        if is_pending(old):
            self._proposed = old
        elif old is not self._left:
            self._proposed = None
        self._left = now
        request = None
        if self._proposed is not None and live is not None:
            request = settle_request(project, now, self._proposed)
        if request is None or live is None:
            self._running.stop()
            return
        self._asked = request
        title = self.tr("Moving the other points")
        self._running.start(title, lambda token: settled(live, request, token))

    def _on_selection(self) -> None:
        """Get ready for a correction once a person has looked at a proposal for a while."""
        self._service.cancel(AHEAD_LANE)
        self._looking.start()

    def _on_project(self) -> None:
        """End the trail when the points are no longer as they were left."""
        if self._has_trail and self._now() is not self._left:
            self._show(None)

    # What comes of it

    def _match_ahead(self) -> None:
        """Match the references of the selected proposal, so that corrections are answered soon."""
        project, selected, live = self._controller.project, self._controller.selected, self._live()
        # Who only accepts never waits for networks to be loaded: the first correction does that.
        if not (self._is_on and live is not None and live.is_loaded):
            return
        if project is None or selected is None:
            return
        if selected.keypoints is not None and selected.votes and is_pending(selected):
            # What fails here is said when it is asked for.
            self._service.submit(
                AHEAD_LANE,
                lambda token: heard(live, project, selected, token),
                priority=Priority.BATCH,
            )

    def _take(self, item: object) -> None:
        """Move the points, unless the annotation was changed meanwhile."""
        asked = self._asked
        if not isinstance(item, SettlePoints) or asked is None:
            return
        if self._now() is asked.annotation and self._controller.perform(item) is not None:
            self._left = self._now()
            self._show(item)

    def _fail(self, error: Exception) -> None:
        """Say why the other points stay."""
        self._controller.notify(sentence_of(error), Level.WARNING)

    def _show(self, edit: SettlePoints | None) -> None:
        """Show from where to where points have moved, or no longer."""
        self._has_trail = edit is not None
        if edit is None or self._left is None:
            self.trailChanged.emit(None, None)
            return
        before, after = edit.before.xy, edit.after.xy
        moved = np.any(before != after, axis=1) & edit.after.labelled
        text = self.tr("{0} moved along, which Undo takes back.").format(
            counted(int(moved.sum()), "point")
        )
        layer = TrailLayer(before[moved], after[moved], text)
        self.trailChanged.emit(self._left.image_id, layer)

    def _close(self) -> None:
        """Let the open proposal go."""
        self._running.stop()
        self._service.cancel(AHEAD_LANE)
        self._looking.stop()
        self._proposed = self._left = self._asked = None
        if self._has_trail:
            self._show(None)

    def _now(self) -> Annotation | None:
        """Return the open annotation as it is now."""
        project = self._controller.project
        if project is None or self._left is None:
            return None
        return project.annotations.get(self._left.id)
