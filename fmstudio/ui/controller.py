"""The controller: what the window shows, and the one way from a gesture to the session.

Views hold no truth. They read `Controller.project` and where the person is in it, repaint when a
signal says so, and hand edits to `Controller.perform`.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from fmstudio.errors import FmstudioError
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.doubt import REASONS, Reason
from fmstudio.project.edits import Edit, RemoveAnnotations, SetStatus
from fmstudio.project.model import Annotation, Project, Status
from fmstudio.session import Session


class Level(StrEnum):
    """How much a notice matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence for the person, with at most one thing to do about it.

    Attributes
    ----------
    text : str
    level : Level
    action : str
        What the button says; empty without a button.
    run : callable or None
        What the button does.
    details : str
        Shown on request: a list of files, a trace.
    """

    text: str
    level: Level = Level.INFO
    action: str = ""
    run: Callable[[], object] | None = None
    details: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is selected: an annotation, or one keypoint of it."""

    annotation_id: int | None = None
    keypoint: int | None = None


class Controller(QObject):
    """The window's state beside the project, and the wishes that change either.

    Signals come after the change; each is sent once for one change.
    """

    sessionChanged = Signal()
    """Another project is open, or none."""
    projectChanged = Signal(object)
    """An edit, undo or redo: ProjectDiff."""
    performed = Signal(object, object)
    """A person's edit, and the project before it; not sent for undo and redo."""
    inboxChanged = Signal()
    """Ghosts have come, or have been landed or thrown away."""
    shownChanged = Signal()
    """Another image is the reference or the target."""
    selectionChanged = Signal()
    categoryChanged = Signal()
    toolChanged = Signal()
    coloringChanged = Signal()
    """Proposed points are coloured by something else."""
    noticeRaised = Signal(object)
    """A Notice for the bar at the top of the canvases."""
    focusRequested = Signal(int)
    """Centre this annotation on the target canvas, and the same part on the reference."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session: Session | None = None
        self._reference_id: int | None = None
        self._target_id: int | None = None
        self._selection = Selection()
        self._category_id: int | None = None
        self._tool = "select"
        self._coloring: Reason | None = None

    # What there is

    @property
    def session(self) -> Session | None:
        """Return the open session, or None."""
        return self._session

    @property
    def project(self) -> Project | None:
        """Return the project as it is now, or None."""
        return None if self._session is None else self._session.project

    @property
    def reference_id(self) -> int | None:
        """Return the id of the image on the left canvas, or None."""
        return self._reference_id

    @property
    def target_id(self) -> int | None:
        """Return the id of the image on the right canvas, or None."""
        return self._target_id

    @property
    def selection(self) -> Selection:
        """Return what is selected."""
        return self._selection

    @property
    def selected(self) -> Annotation | None:
        """Return the selected annotation, or None."""
        number = self._selection.annotation_id
        return None if self.project is None or number is None else self.project.annotations[number]

    @property
    def category_id(self) -> int | None:
        """Return the id of the category that new annotations get, or None."""
        return self._category_id

    @property
    def tool(self) -> str:
        """Return the name of the active tool: see `fmstudio.ui.actions`."""
        return self._tool

    @property
    def coloring(self) -> Reason | None:
        """Return by which reason of doubt proposed points are coloured; None by confidence."""
        return self._coloring

    def ghosts(self, image_id: int) -> tuple[Annotation, ...]:
        """Return what the engine has sent for an image and nobody has landed yet."""
        if self._session is None:
            return ()
        entries = [e for e in self._session.inbox if e.image_id == image_id]
        return tuple(a for entry in entries for a in entry.annotations)

    # Where the person is

    def set_session(self, session: Session | None) -> None:
        """Show another project; the old session is closed."""
        old, self._session = self._session, session
        self._reference_id = self._target_id = None
        self._selection = Selection()
        self._category_id = None
        if session is not None:
            project = session.project
            images = [image.id for image in project.sorted_images()]
            annotated = (i for i in sorted(project.of_image) if self._has_accepted(project, i))
            self._reference_id = next(annotated, next(iter(images), None))
            self._target_id = next((i for i in images if i != self._reference_id), None)
            self._category_id = next((c.id for c in project.sorted_categories()), None)
        if old is not None:
            old.close()
        self.sessionChanged.emit()
        self.shownChanged.emit()
        self.selectionChanged.emit()
        self.categoryChanged.emit()

    def show_target(self, image_id: int | None) -> None:
        """Show an image on the right canvas."""
        if image_id != self._target_id:
            self._target_id = image_id
            self.shownChanged.emit()
            self.select(None)

    def show_reference(self, image_id: int | None) -> None:
        """Show an image on the left canvas."""
        if image_id != self._reference_id:
            self._reference_id = image_id
            self.shownChanged.emit()

    def step(self, by: int, among: Collection[int] | None = None) -> None:
        """Show the image that comes so many places after the target, or before it.

        Parameters
        ----------
        by : int
        among : collection of int, or None
            Images that count; None counts all.
        """
        if self.project is None or not self.project.images:
            return
        images = [
            image.id
            for image in self.project.sorted_images()
            if among is None or image.id in among or image.id == self._target_id
        ]
        at = images.index(self._target_id) if self._target_id in images else -by
        self.show_target(images[max(0, min(len(images) - 1, at + by))])

    def select(self, annotation_id: int | None, keypoint: int | None = None) -> None:
        """Select an annotation, or one keypoint of it, or nothing."""
        selection = Selection(annotation_id, keypoint)
        if selection != self._selection:
            self._selection = selection
            self.selectionChanged.emit()

    def set_category(self, category_id: int | None) -> None:
        """Choose what new annotations are."""
        if category_id != self._category_id:
            self._category_id = category_id
            self.categoryChanged.emit()

    def set_tool(self, name: str) -> None:
        """Take a tool."""
        if name != self._tool:
            self._tool = name
            self.toolChanged.emit()

    def set_coloring(self, reason: Reason | None) -> None:
        """Colour proposed points by a reason of doubt, or by confidence."""
        if reason != self._coloring:
            self._coloring = reason
            self.coloringChanged.emit()

    def next_coloring(self) -> None:
        """Colour proposed points by the next reason of doubt; after the last by confidence."""
        choices = (None, *REASONS)
        self.set_coloring(choices[(choices.index(self._coloring) + 1) % len(choices)])

    # Wishes

    def perform(self, edit: Edit) -> ProjectDiff | None:
        """Apply an edit; a refusal becomes a notice, and None is returned."""
        before = self.project
        diff = self._change(lambda session: session.perform(edit))
        if diff:
            self.performed.emit(edit, before)
        return diff

    def undo(self) -> None:
        """Take the last edit back."""
        self._change(lambda session: session.undo())

    def redo(self) -> None:
        """Make an undone edit again."""
        self._change(lambda session: session.redo())

    def accept(self, ids: Iterable[int]) -> None:
        """Accept annotations as one edit."""
        if chosen := tuple(ids):
            self.perform(SetStatus(chosen, Status.ACCEPTED))

    def reject(self, ids: Iterable[int]) -> None:
        """Reject annotations as one edit."""
        if chosen := tuple(ids):
            self.perform(SetStatus(chosen, Status.REJECTED))

    def remove_selected(self) -> None:
        """Remove the selected annotation."""
        if self.selected is not None:
            self.perform(RemoveAnnotations((self.selected.id,)))

    def notify(self, text: str, level: Level = Level.INFO, **more: object) -> None:
        """Raise a notice; further words as in `Notice`."""
        self.noticeRaised.emit(replace(Notice(text, level), **more))  # type: ignore[arg-type]

    def attempt(self, work: Callable[[], object]) -> bool:
        """Run something that may be refused; a refusal becomes a notice. Return whether it ran."""
        try:
            work()
        except FmstudioError as error:
            self.notify(str(error), Level.ERROR)
            return False
        return True

    def announce(self, diff: ProjectDiff) -> None:
        """Tell all views of a change that was made through the session itself."""
        if not diff:
            return
        self._drop_what_is_gone()
        self.projectChanged.emit(diff)

    def open_project(self, path: Path) -> bool:
        """Open a project file; return whether it is open."""
        return self.attempt(lambda: self.set_session(Session.open(path)))

    # Private

    def _change(self, change: Callable[[Session], ProjectDiff]) -> ProjectDiff | None:
        """Change the project and tell everyone, or say why not."""
        if self._session is None:
            return None
        try:
            diff = change(self._session)
        except FmstudioError as error:
            self.notify(str(error), Level.ERROR)
            return None
        self.announce(diff)
        return diff

    def _drop_what_is_gone(self) -> None:
        """Let go of images, annotations and categories that the project no longer has."""
        project = self.project
        assert project is not None
        if self._selection.annotation_id not in project.annotations:
            self.select(None)
        if self._category_id not in project.categories:
            self.set_category(next((c.id for c in project.sorted_categories()), None))
        shown = (self._reference_id, self._target_id)
        gone = any(id_ is not None and id_ not in project.images for id_ in shown)
        nothing_shown = self._reference_id is None and self._target_id is None
        if gone or (nothing_shown and project.images):
            images = [image.id for image in project.sorted_images()]
            if self._reference_id not in project.images:
                self._reference_id = next(iter(images), None)
            if self._target_id not in project.images:
                self._target_id = next((i for i in images if i != self._reference_id), None)
            self.shownChanged.emit()

    @staticmethod
    def _has_accepted(project: Project, image_id: int) -> bool:
        """Return whether an image has accepted work on it."""
        return any(a.status is Status.ACCEPTED for a in project.annotations_of(image_id))
