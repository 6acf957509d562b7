"""How the review goes, kept up to date edit by edit for whatever shows it."""

import time

from PySide6.QtCore import QObject, Signal

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.estimate import Calibration, Estimate
from fmstudio.project.model import Project
from fmstudio.project.outcome import Tally
from fmstudio.project.pace import Pace
from fmstudio.project.review import ReviewQueue
from fmstudio.ui.controller import Controller


class ReviewMeter(QObject):
    """Counts what a person decides and says how much of the rest is wrong.

    Make it before the views that ask it: it then knows of an edit before they do.

    Parameters
    ----------
    controller : Controller
    parent : QObject or None
    """

    changed = Signal()

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._project: Project | None = None
        controller.sessionChanged.connect(self._on_session)
        controller.projectChanged.connect(self._on_project)
        self._on_session()

    @property
    def calibration(self) -> Calibration:
        """Return what reviewing has taught about the confidences."""
        return self._calibration

    @property
    def waiting(self) -> Estimate:
        """Return how many points of the proposals are wrong."""
        return self._waiting

    def above(self, queue: ReviewQueue, limit: float) -> tuple[int, int, float]:
        """Return how many proposals and points are at least this sure, and how many are wrong."""
        points, confidences = queue.points_above(limit)
        wrong = float(points @ self._calibration.error(confidences))
        return len(points), int(points.sum()), wrong

    def _on_session(self) -> None:
        """Count another project."""
        self._project = self._controller.project
        self.tally = Tally.none() if self._project is None else Tally.of(self._project)
        self.pace = Pace(time.monotonic())
        self._estimate()

    def _on_project(self, diff: ProjectDiff) -> None:
        """Follow an edit."""
        before, after = self._project, self._controller.project
        if before is None or after is None:
            return
        self._project = after
        if diff.annotations:
            self.tally = self.tally.follow(before, after, diff)
            self.pace.follow(before, after, diff, time.monotonic())
            self._estimate()

    def _estimate(self) -> None:
        """Learn from what was decided, and say so."""
        self._calibration = Calibration.of(self.tally)
        self._waiting = self._calibration.estimate(self.tally.waiting)
        self.changed.emit()
