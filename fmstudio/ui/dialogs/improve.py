"""Improve the rest: what accepted images would change of what waits, before anything is."""

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fmstudio.errors import FmstudioError
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.wording import counted
from fmstudio.session import (
    CacheLimits,
    Failure,
    MatchSettings,
    Progress,
    PropagationRequest,
    Proposal,
)
from fmstudio.session_improve import (
    NEAREST,
    Improvement,
    improve_request,
    improvement,
    land_improvement,
)
from fmstudio.ui.controller import Controller
from fmstudio.ui.dialogs.fields import GAP, MARGIN, Caption, Number, heading
from fmstudio.ui.dialogs.preview_box import PreviewBox
from fmstudio.ui.plain import PlainLabel
from fmstudio.ui.running import Running
from fmstudio.ui.tasks import Tasks, sentence_of

LANE = "improve"
_MOST = 50


class ImproveDialog(QDialog):
    """How many references an image takes, a preview of what would change, and one button.

    Nothing is in the project before the person says so; a dialog that is closed forgets it all.

    Parameters
    ----------
    controller : Controller
    parent : QWidget or None
    tasks : Tasks or None
        Where it is computed; None does it at once.
    how : (MatchSettings or None, str, CacheLimits or None)
        Settings of the request; device and limits as for `Session.job`.
    """

    def __init__(
        self,
        controller: Controller,
        parent: QWidget | None = None,
        *,
        tasks: Tasks | None = None,
        how: tuple[MatchSettings | None, str, CacheLimits | None] = (None, "auto", None),
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._how = how
        self._request: PropagationRequest | None = None
        self._proposals: list[Proposal] = []
        self._failed: list[str] = []
        self._is_known = False
        self.setWindowTitle(self.tr("Improve the rest"))
        self.setMinimumSize(460, 320)
        self.resize(540, 360)
        self.nearest = Number(self.tr("References per image"), (1, _MOST), 1)
        self.nearest.setValue(NEAREST)
        self.report = PreviewBox(self)
        self.take = QPushButton(self)
        self.take.setDefault(True)
        self.take.clicked.connect(self._on_take)
        self._lay_out()
        self._running = Running(tasks, LANE, self)
        self._running.stepped.connect(self._on_step)
        self._running.ended.connect(self._on_ended)
        self._running.failed.connect(self._on_failed)
        self._running.stopped.connect(self._on_stopped)
        self.nearest.valueChanged.connect(self._begin_anew)
        controller.projectChanged.connect(self._begin_anew)
        controller.sessionChanged.connect(self.reject)
        self._begin_anew()

    def _lay_out(self) -> None:
        """Put the parts in their places."""
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        buttons.addButton(self.take, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        label = PlainLabel(self.tr("References that each image takes, the most alike"), self)
        label.setBuddy(self.nearest)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(label, 1)
        row.addWidget(self.nearest)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(GAP)
        layout.addWidget(heading(self.tr("Carry all that is accepted to what waits for review")))
        layout.addLayout(row)
        layout.addWidget(self.report, 1)
        layout.addWidget(
            Caption(
                self.tr(
                    "Reviewed work never moves, and a proposal never becomes a reference. "
                    "It is one step that can be undone."
                )
            )
        )
        layout.addWidget(buttons)

    def done(self, result: int) -> None:
        """Close; what is under way is stopped."""
        self._running.stop()
        super().done(result)

    # What is computed

    def _begin_anew(self) -> None:
        """Say what there is to do; what was computed of another project counts no more."""
        self._running.stop()
        self._proposals, self._failed, self._is_known = [], [], False
        self._request = None
        session = self._controller.session
        self.take.setText(self.tr("Preview"))
        self.take.setEnabled(False)
        if session is None:
            return
        try:
            self._request = improve_request(session, self._how[0], self.nearest.value())
        except FmstudioError as error:
            self.report.show_hint(str(error))
            return
        text = self.tr("{0} for {1} with proposals. Preview what would change.").format(
            counted(len(self._request.references), "accepted image"),
            counted(len(self._request.targets), "image"),
        )
        self.report.show_hint(text)
        self.take.setEnabled(True)

    def _on_take(self) -> None:
        """Compute the preview, or replace what it says."""
        if self._is_known:
            self._land()
            return
        session, request = self._controller.session, self._request
        if session is None or request is None:
            return
        _, device, limits = self._how
        self.take.setEnabled(False)
        self.report.show_busy(self.tr("Looking at the images…"))
        title = self.tr("Improving {0}").format(counted(len(request.targets), "image"))
        self._running.start(
            title, lambda token: session.job(request, token, device, limits), unit="img"
        )

    def _on_step(self, item: object) -> None:
        """Show how far it has come, and keep what it brings."""
        if isinstance(item, Proposal):
            self._proposals.append(item)
        elif isinstance(item, Failure):
            self._failed.append(item.message)
        elif isinstance(item, Progress):
            text = self.tr("{0} of {1} done…").format(
                f"{item.done:,}", counted(item.total, "image")
            )
            self.report.show_busy(text, item.done, item.total)

    def _on_ended(self) -> None:
        """Say what would change."""
        project = self._controller.project
        if project is None:
            return
        found = improvement(project, self._proposals)
        if not found.images:
            self.report.show_faults(self.tr("Nothing was found that could replace a proposal."),
                                    self._failed)  # fmt: skip
            return
        notes = dict.fromkeys(note for p in self._proposals for note in p.notes)
        self.report.show_result(
            self.tr("Would replace the proposals on {0}.").format(counted(found.images, "image")),
            [*self._failed, *notes],
            self._facts(found),
        )
        self._is_known = True
        self.take.setText(self.tr("Replace on {0}").format(counted(found.images, "image")))
        self.take.setEnabled(True)
        # While it was off, the focus went on to Cancel.
        self.take.setFocus()

    def _facts(self, found: Improvement) -> list[str]:
        """Return what would change, in words."""
        moved = self.tr("{0} of {1} move by more than a tenth of their object.").format(
            f"{found.moved:,}", counted(found.points, "keypoint")
        )
        sure = self.tr("Mean confidence {0} now, {1} then.").format(
            f"{found.before:.2f}", f"{found.after:.2f}"
        )
        return [moved, sure] if found.points else [sure]

    def _on_failed(self, error: Exception) -> None:
        """Say why nobody knows what would change."""
        self.report.show_faults(sentence_of(error), ())
        self.take.setEnabled(True)

    def _on_stopped(self) -> None:
        """Say that it was stopped from the list of tasks."""
        self._begin_anew()

    def _land(self) -> None:
        """Replace what waits for review, as one edit."""
        session, request = self._controller.session, self._request
        if session is None or request is None:
            return
        before, proposals = session.project, tuple(self._proposals)
        # What follows changes the project, which would begin this anew.
        self._controller.projectChanged.disconnect(self._begin_anew)
        try:
            report = land_improvement(session, request, proposals)
        except FmstudioError as error:
            self._controller.projectChanged.connect(self._begin_anew)
            self.report.show_faults(str(error), ())
            return
        self._controller.inboxChanged.emit()
        self._controller.announce(ProjectDiff.between(before, session.project))
        images = len({session.project.annotations[id_].image_id for id_ in report.landed})
        self._controller.notify(
            self.tr("The proposals on {0} were replaced.").format(counted(images, "image")),
            action=self.tr("Undo"),
            run=self._controller.undo,
            details="\n".join([*self._failed, *report.left_out]),
        )
        self.accept()
