"""Two maps that compete for one object: which is taken, and what that says of the rest."""

from PySide6.QtCore import QObject

from fmstudio.geometry.votes import AlternativeMark, Pose
from fmstudio.project.edits_proposals import SwapAlternatives, is_pending
from fmstudio.project.model import Annotation, Status
from fmstudio.project.poses import Choices, swaps_by_evidence
from fmstudio.project.wording import counted
from fmstudio.ui.controller import Controller


class Competing(QObject):
    """Takes the other map where a person says so, and offers the same for those like it.

    Parameters
    ----------
    controller : Controller
    parent : QObject or None
    """

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller

    def swap(self) -> None:
        """Take the other map of the selected proposal, or of the only one; or say why not."""
        annotation, controller = self._meant(), self._controller
        if annotation is None:
            controller.notify(self.tr("Select the annotation whose other map is to be taken."))
            return
        if annotation.alternative is None:
            controller.notify(
                self.tr("No second map is known here: only one fitted this object well enough.")
            )
            return
        if not is_pending(annotation):
            controller.notify(
                self.tr("This annotation is reviewed, and reviewed work is never moved.")
            )
            return
        if controller.perform(SwapAlternatives((annotation.id,))) is not None:
            controller.select(annotation.id)
            self._offer_rest(annotation.id)

    def _meant(self) -> Annotation | None:
        """Return the selected annotation, else the one proposal on the target with two maps."""
        controller, project = self._controller, self._controller.project
        if controller.selected is not None or project is None or controller.target_id is None:
            return controller.selected
        here = project.annotations_of(controller.target_id)
        pending = [a for a in here if a.status is Status.PROPOSED]
        doubled = [a for a in pending if a.alternative is not None] or pending
        return doubled[0] if len(doubled) == 1 else None

    def _offer_rest(self, annotation_id: int) -> None:
        """Say what the choices so far agree on, and offer to take it for those like this one."""
        project = self._controller.project
        assert project is not None
        annotation = project.annotations[annotation_id]
        evidence = Choices(project).evidence(annotation)
        settled, ids = evidence.settled, swaps_by_evidence(project, annotation)
        if settled is None or not ids:
            return
        text = self.tr("All {0} choices so far took the map {1}; {2} took the other one.").format(
            evidence.total, pose_words(self, settled), counted(len(ids), "proposal")
        )

        def swap_rest() -> None:
            now = self._controller.project
            if now is not None and annotation_id in now.annotations:
                rest = swaps_by_evidence(now, now.annotations[annotation_id])
                if rest:
                    self._controller.perform(SwapAlternatives(rest, is_chosen=False))

        action = self.tr("Swap {0}").format(f"{len(ids):,}")
        self._controller.notify(text, action=action, run=swap_rest)


def pose_words(owner: QObject, pose: Pose) -> str:
    """Return a pose in words, as they follow "the map"."""
    return {
        Pose.PLAIN: owner.tr("as is"),
        Pose.MIRRORED: owner.tr("mirrored"),
        Pose.TURNED: owner.tr("turned"),
    }[pose]


def support_words(owner: QObject, alternative: AlternativeMark) -> str:
    """Return which two maps compete, and with which support."""
    taken, other = alternative.taken_pose, alternative.pose
    return owner.tr("Two maps compete: {0} {1:.0f}\u00a0%, {2} {3:.0f}\u00a0%.").format(
        pose_words(owner, taken),
        100 * alternative.taken_support,
        pose_words(owner, other),
        100 * alternative.support,
    )
