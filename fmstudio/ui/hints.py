"""The first minute: look, propagate, review. Three steps, dismissed for good by a click."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QToolButton, QWidget

from fmstudio.project.diff import ProjectDiff
from fmstudio.project.model import Status
from fmstudio.ui.actions import ActionTable
from fmstudio.ui.controller import Controller
from fmstudio.ui.icons import icon
from fmstudio.ui.plain import PlainLabel

_STEPS = 3
_WIDEST = 720
# Below it a canvas has room for a line of its own.
_ABOVE = 44
_CURRENT = "background: palette(highlight); color: palette(highlighted-text); border-radius: 10px;"


class HintStrip(QFrame):
    """A strip over the foot of the canvases: what to do next, until the person has done it.

    It goes on by itself when proposals arrive and when the first is decided on. Like a notice it
    lies over the canvases, and moves nothing.

    Parameters
    ----------
    controller : Controller
    actions : ActionTable
        For the keys that it names.
    parent : QWidget
        What it lies over.
    """

    dismissed = Signal()
    """The person never wants to see it again."""

    def __init__(self, controller: Controller, actions: ActionTable, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self._controller = controller
        self._actions = actions
        self._is_dismissed = False
        self._step = 0
        self._build()
        parent.installEventFilter(self)
        controller.sessionChanged.connect(self._start)
        controller.projectChanged.connect(self._follow)
        self._start()

    @property
    def step(self) -> int:
        """Return the step that is shown: 0 look, 1 propagate, 2 review."""
        return self._step

    def set_dismissed(self, is_dismissed: bool) -> None:
        """Say whether the person has dismissed it, now or long ago."""
        self._is_dismissed = is_dismissed
        self._start()

    def _build(self) -> None:
        """Make the widgets."""
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Button)
        self.setAccessibleName(self.tr("First steps"))
        self._marks = [PlainLabel(str(number)) for number in range(1, _STEPS + 1)]
        for mark in self._marks:
            mark.setFixedSize(20, 20)
            mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text = PlainLabel()
        self._next = QPushButton(self.tr("Next"))
        self._next.clicked.connect(self._advance)
        close = QToolButton()
        close.setIcon(icon("close"))
        close.setAutoRaise(True)
        close.setFixedSize(28, 28)
        close.setAccessibleName(self.tr("Never show the first steps again"))
        close.setToolTip(self.tr("Never show this again"))
        close.clicked.connect(self._dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 4, 4)
        row.setSpacing(8)
        for widget in self._marks:
            row.addWidget(widget)
        row.addSpacing(4)
        row.addWidget(self._text, 1)
        row.addWidget(self._next)
        row.addWidget(close)

    def _start(self) -> None:
        """Begin where the project stands, if it has something to show."""
        project, reference = self._controller.project, self._controller.reference_id
        marked = () if project is None or reference is None else project.annotations_of(reference)
        has_work = any(annotation.status is Status.ACCEPTED for annotation in marked)
        self.setVisible(has_work and not self._is_dismissed)
        self._show(0)

    def _follow(self, diff: ProjectDiff) -> None:
        """Go on when proposals have come, and be done when one is decided on."""
        project = self._controller.project
        if not self.isVisible() or project is None:
            return
        added = [project.annotations[id_] for id_ in diff.annotations.added]
        if any(annotation.status is Status.PROPOSED for annotation in added):
            self._show(2)
        elif self._step == 2 and any(
            project.annotations[id_].is_reviewed for id_ in diff.annotations.changed
        ):
            self._dismiss()

    def _advance(self) -> None:
        """Go to the next step; after the last be gone."""
        if self._step + 1 < _STEPS:
            self._show(self._step + 1)
        else:
            self._dismiss()

    def _dismiss(self) -> None:
        """Be gone for good."""
        self._is_dismissed = True
        self.hide()
        self.dismissed.emit()

    def _show(self, step: int) -> None:
        """Show a step."""
        self._step = step
        key = {id_: next(iter(self._actions.keys(id_)), "") for id_ in self._actions}
        texts = (
            self.tr("Look: the reference, on the left, has named points and a mask."),
            self.tr("Press {0}: they are carried to the other photos.").format(key["propagate"]),
            self.tr(
                "Review: {0} shows the most doubtful, {1} accepts, {2} rejects; drag a point that "
                "is off."
            ).format(key["next-review"], key["accept"], key["reject"]),
        )
        self._text.setText(texts[step])
        self._next.setText(self.tr("Next") if step + 1 < _STEPS else self.tr("Got it"))
        for number, mark in enumerate(self._marks):
            mark.setStyleSheet(_CURRENT if number == step else "")
            mark.setEnabled(number == step)
        self._place()

    def _place(self) -> None:
        """Lie at the foot of the parent, in its middle."""
        width = min(_WIDEST, self._over.width() - 16)
        height = self.sizeHint().height()
        left, top = (self._over.width() - width) // 2, self._over.height() - height - _ABOVE
        self.setGeometry(left, top, width, height)
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the parent's size."""
        if isinstance(event, QResizeEvent) and watched is self._over:
            self._place()
        return super().eventFilter(watched, event)
