"""A propagation in the window: from a wish to ghosts that arrive, to proposals as one undo step."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Signal

from fmstudio.errors import FmstudioError, StoreError
from fmstudio.project.diff import ProjectDiff
from fmstudio.session import (
    CacheLimits,
    Failure,
    LandReport,
    MatchSettings,
    PropagationRequest,
    Proposal,
    Session,
)
from fmstudio.session_requests import reviewed_targets
from fmstudio.ui.controller import Controller, Level
from fmstudio.ui.tasks import Task, Tasks, sentence_of
from fmstudio.worker.service import Priority

LANE = "propagate"


@dataclass(slots=True, eq=False)
class _Run:
    """One propagation under way.

    Attributes
    ----------
    session : Session
        Whose it is; another may be open when something of it arrives.
    request : PropagationRequest
    reviewed : int
        Images that were asked for and are reviewed already.
    failed : list of Failure
    empty : list of str
        Names of images on which nothing was found.
    notes : dict of str to None
        Degradations that the engine took, each once.
    fault : StoreError or None
        Why what came could not be kept.
    """

    session: Session
    request: PropagationRequest
    reviewed: int
    failed: list[Failure] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    fault: StoreError | None = None


class Propagation(QObject):
    """Starts propagations, keeps what they bring, and lands it when they end.

    Each proposal is in the project's file as soon as it has come, so whatever ends a run loses
    none. A later start ends the run before it.

    Parameters
    ----------
    controller : Controller
    tasks : Tasks
    parent : QObject or None
    """

    runningChanged = Signal(bool)
    """A run has begun, or the last one has ended."""

    def __init__(self, controller: Controller, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._tasks = tasks
        self._task: Task | None = None
        controller.sessionChanged.connect(self._leave)

    @property
    def is_running(self) -> bool:
        """Return whether a propagation is under way."""
        return self._task is not None and self._task.is_active

    def start(
        self,
        reference_ids: Sequence[int],
        target_ids: Sequence[int],
        settings: MatchSettings | None = None,
        device: str = "auto",
        limits: CacheLimits | None = None,
    ) -> Task | None:
        """Carry what is accepted on the references to the targets.

        Parameters
        ----------
        reference_ids, target_ids : sequence of int
            Targets that are references, or reviewed in all that would be carried, are not done.
        settings : MatchSettings or None
        device : str
        limits : CacheLimits or None
            As for `Session.job`.

        Returns
        -------
        task : Task or None
            None when there is nothing to do; a notice has said why.
        """
        session = self._controller.session
        if session is None:
            return None
        try:
            request = session.request(reference_ids, target_ids, settings)
        except FmstudioError as error:
            self._controller.notify(str(error), Level.WARNING)
            return None
        done = reviewed_targets(session.project, request)
        rest = tuple(target for target in request.targets if target.id not in done)
        if not rest:
            self._controller.notify(self.tr("All these images are reviewed already."))
            return None
        run = _Run(session, replace(request, targets=rest), len(done))
        self._task = self._tasks.start(
            self.tr("Propagating to {0}").format(self._images(len(rest))),
            LANE,
            lambda token: session.job(run.request, token, device, limits),
            priority=Priority.BATCH,
            on_item=lambda item: self._take(run, item),
            on_done=lambda: self._end(run),
            on_error=lambda error: self._fail(run, error),
            on_cancelled=lambda: self._end(run, is_stopped=True),
            unit=self.tr("img"),
        )
        self.runningChanged.emit(True)
        return self._task

    def cancel(self) -> None:
        """Stop the run; what has come has landed on return."""
        if self._task is not None:
            self._tasks.cancel(self._task)

    # What a run brings

    def _take(self, run: _Run, item: object) -> None:
        """Keep what has come for one image."""
        if run.session is not self._controller.session or run.fault is not None:
            return
        if isinstance(item, Failure):
            run.failed.append(item)
        elif isinstance(item, Proposal):
            run.notes.update(dict.fromkeys(item.notes))
            try:
                entry = run.session.receive(item, run.request)
            except StoreError as error:
                run.fault = error
                self.cancel()
                return
            if entry is None:
                run.empty.append(item.target.name)
            else:
                self._controller.inboxChanged.emit()

    def _end(self, run: _Run, *, is_stopped: bool = False) -> None:
        """Land what has come, and say what became of the run."""
        report = self._land(run)
        self._clear()
        if report is None:
            return
        if run.fault is not None:
            self._controller.notify(str(run.fault), Level.ERROR)
        elif is_stopped:
            self._say_stopped(run, report)
        else:
            self._say_done(run, report)

    def _fail(self, run: _Run, error: Exception) -> None:
        """Land what had come before an error, and say the error."""
        report = self._land(run)
        self._clear()
        if report is None:
            return
        text = sentence_of(error)
        if report.landed:
            text = self.tr("{0} What had come before is kept.").format(text)
        is_known = isinstance(error, FmstudioError)
        trace = "" if is_known else "".join(traceback.format_exception(error))
        self._controller.notify(text, Level.ERROR, details=trace)

    def _land(self, run: _Run) -> LandReport | None:
        """Turn the inbox into proposals as one undo step; None if that was not possible.

        When another project is open meanwhile, the inbox stays in the file that it belongs to.
        """
        session = run.session
        if session is not self._controller.session:
            return None
        before = session.project
        try:
            report = session.land()
        except StoreError as error:
            self._controller.notify(str(error), Level.ERROR)
            return None
        self._controller.inboxChanged.emit()
        self._controller.announce(ProjectDiff.between(before, session.project))
        return report

    def _leave(self) -> None:
        """End the run of a project that is no longer open."""
        self.cancel()

    def _clear(self) -> None:
        """Forget a run that has ended, unless the next one runs already."""
        if not self.is_running:
            self._task = None
            self.runningChanged.emit(False)

    # What is said of it

    def _say_done(self, run: _Run, report: LandReport) -> None:
        """Say what a run brought."""
        details = self._details(run, report)
        if not report.landed:
            text = self.tr("The run brought no proposals.")
            self._controller.notify(text, Level.WARNING, details=details)
            return
        images = self._images(self._landed_on(run, report))
        if run.failed:
            text = self.tr("Proposals on {0} wait for review; {1} could not be done.")
            text = text.format(images, self._images(len(run.failed)))
        else:
            text = self.tr("Proposals on {0} wait for review.").format(images)
        level = Level.WARNING if run.failed else Level.INFO
        self._offer(text, self.tr("Undo"), level, details)

    def _say_stopped(self, run: _Run, report: LandReport) -> None:
        """Say what is kept of a run that was stopped."""
        details = self._details(run, report)
        if not report.landed:
            text = self.tr("Stopped before there was a proposal.")
            self._controller.notify(text, details=details)
            return
        text = self.tr("Stopped: the proposals on {0} of {1} are kept.").format(
            f"{self._landed_on(run, report):,}", self._images(len(run.request.targets))
        )
        self._offer(text, self.tr("Discard"), Level.INFO, details)

    def _offer(self, text: str, action: str, level: Level, details: str) -> None:
        """Say something of what has just landed, and offer to take it back."""
        session = self._controller.session
        landed = None if session is None else session.project

        def take_back() -> None:
            if self._controller.session is session and self._controller.project is landed:
                self._controller.undo()
            else:
                self._controller.notify(
                    self.tr("Other edits came after this run: undo them first, then the run.")
                )

        self._controller.notify(text, level, action=action, run=take_back, details=details)

    def _details(self, run: _Run, report: LandReport) -> str:
        """Return a line for everything that a person may want to know."""
        lines = [failure.message for failure in run.failed]
        lines += [self.tr("Nothing of the references was found on '{0}'.").format(name)
                  for name in run.empty]  # fmt: skip
        lines += report.left_out
        lines += run.notes
        if run.reviewed:
            text = self.tr("Left as reviewed: {0}.").format(self._images(run.reviewed))
            lines.append(text)
        return "\n".join(lines)

    def _images(self, count: int) -> str:
        """Return a number of images in words."""
        return self.tr("1 image") if count == 1 else self.tr("{0} images").format(f"{count:,}")

    @staticmethod
    def _landed_on(run: _Run, report: LandReport) -> int:
        """Return on how many images something has landed."""
        annotations = run.session.project.annotations
        return len({annotations[id_].image_id for id_ in report.landed})
