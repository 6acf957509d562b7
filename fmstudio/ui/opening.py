"""Opening and closing: folders, projects, images and the sample, dropped, chosen or typed."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFileOpenEvent

from fmstudio import session_backups
from fmstudio.errors import DamagedError, FmstudioError
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.edits import AddImages
from fmstudio.project.model import ImageItem
from fmstudio.project.wording import counted
from fmstudio.session import Session
from fmstudio.ui.adding import Looked, look_at
from fmstudio.ui.controller import Controller, Level
from fmstudio.ui.sample import sample_project
from fmstudio.ui.tasks import Tasks, sentence_of

SUFFIX = ".fmstudio"
_LANE = "import"


class Opening(QObject):
    """Opens what a person points at.

    Parameters
    ----------
    controller : Controller
    tasks : Tasks
    data : Path
        The person's folder for the sample.
    """

    leaving = Signal()
    """The open project is about to be closed; what belongs to it ends now."""
    opened = Signal(object)
    """Path of a project that is open now."""
    cocoDropped = Signal(object)
    """Path of a COCO file that was dropped on an open project."""
    restoreWanted = Signal(object)
    """Path of a project that is damaged: ask which backup is to take its place."""
    newProjectWanted = Signal(object)
    """Folder of photos that cannot hold a project: ask where it shall be."""

    def __init__(
        self, controller: Controller, tasks: Tasks, data: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._tasks = tasks
        self._data = data
        # Queued: every view shows the project before anything is said of it.
        controller.sessionChanged.connect(self._on_session, Qt.ConnectionType.QueuedConnection)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Open a file that the system asks the application to open."""
        if isinstance(event, QFileOpenEvent):
            self.open_paths([Path(event.file())])
            return True
        return super().eventFilter(watched, event)

    # What a person points at

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open what was dropped or typed: a project, a folder, images, or labels.

        Images and folders are added to the project that is open; without one, a project is made
        where they are.
        """
        projects = [path for path in paths if path.suffix == SUFFIX]
        labels = [path for path in paths if path.suffix == ".json"]
        rest = [path for path in paths if path not in projects and path not in labels]
        # Path.exists raises for a name that is too long.
        missing = [path for path in rest if not os.path.exists(path)]  # noqa: PTH110
        if missing:
            self._controller.notify(
                self.tr("There is no file or folder {0}.").format(missing[0]), Level.ERROR
            )
        elif projects:
            self.open_project(projects[0])
        elif labels and self._controller.session is not None:
            self.cocoDropped.emit(labels[0])
        elif rest and self._controller.session is not None:
            self.add_images(rest)
        elif len(rest) == 1 and rest[0].is_dir():
            self.open_folder(rest[0])
        elif rest:
            self._open_beside(rest)

    def open_project(self, path: Path) -> bool:
        """Open a project file; return whether it is open.

        The project that was open stays so if this one cannot be opened.
        """
        session = self._controller.session
        if session is not None and session.path == path.resolve():
            return True
        return self._enter(lambda: Session.open(path, may_look=True))

    def restore(self, path: Path, backup: Path) -> None:
        """Put a backup in a project's place and open it; what it was is kept."""
        session = self._controller.session
        if session is not None and session.path == path:
            self.close_project()
        is_restored = self._controller.attempt(lambda: session_backups.restore(path, backup))
        if self.open_project(path) and is_restored:
            self._controller.notify(
                self.tr("The backup is in place; what was there before is among the backups.")
            )

    def open_folder(self, folder: Path) -> None:
        """Open the project of a folder of photos; make one if there is none.

        A project without images that is open already takes the folder's photos in.
        """
        project = self._controller.project
        there = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: -path.stat().st_mtime)
        if there:
            if self.open_project(there[0]) and len(there) > 1:
                self._controller.notify(
                    self.tr("'{0}' has {1}; this is the one that was changed last.").format(
                        folder.name, counted(len(there), "project")
                    ),
                    details="\n".join(str(path) for path in there),
                )
        elif project is not None and not project.images:
            self.add_images([folder])
        elif not os.access(folder, os.W_OK):
            self.newProjectWanted.emit(folder)
        elif self.new_project(folder / f"{folder.absolute().name or 'photos'}{SUFFIX}"):
            self.add_images([folder])

    def new_project(self, path: Path) -> bool:
        """Make a project file and open it; return whether it is open."""
        return self._enter(lambda: Session.create(path))

    def try_sample(self) -> None:
        """Open the sample, as the person left it or afresh."""
        found: list[Path] = []
        if self._controller.attempt(lambda: found.append(sample_project(self._data))):
            self.open_project(found[0])

    def close_project(self) -> None:
        """Close the project and go back to the welcome page."""
        if self._controller.session is not None:
            self.leaving.emit()
            self._controller.set_session(None)

    def add_images(self, paths: Sequence[Path]) -> None:
        """Add image files, and those in and under folders, as a task and one edit."""
        session = self._controller.session
        if session is None:
            return
        project, base = session.project, session.path.parent
        adding = _Adding(self._controller, session)
        self._tasks.start(
            self.tr("Adding images"),
            _LANE,
            lambda token: look_at(project, base, paths, token),
            on_item=adding.take,
            on_done=adding.land,
            on_error=adding.fail,
            on_cancelled=adding.land_part,
            unit=self.tr("img"),
        )

    # Private

    def _enter(self, make: Callable[[], Session]) -> bool:
        """Show a session that is opened or made now; say it if it cannot be."""
        try:
            session = make()
        except DamagedError as error:
            self._offer_backups(error)
            return False
        except FmstudioError as error:
            self._controller.notify(sentence_of(error), Level.ERROR)
            return False
        self.leaving.emit()
        self._controller.set_session(session)
        return True

    def _offer_backups(self, error: DamagedError) -> None:
        """Say what is damaged, and let the person choose what to go on with."""
        self._controller.notify(
            sentence_of(error),
            Level.ERROR,
            action=self.tr("Restore a backup..."),
            run=lambda: self.restoreWanted.emit(Path(error.path)),
        )

    def _on_session(self) -> None:
        """Greet the project that is open now, whoever opened it."""
        session = self._controller.session
        if session is None:
            return
        if session.refusal:
            self._say_refusal(session)
        else:
            self._land_what_waited(session)
        self.opened.emit(session.path)

    def _say_refusal(self, session: Session) -> None:
        """Say that this project can only be looked at, and why."""
        path = session.path

        def open_again() -> None:
            if self._controller.session is session:
                self.close_project()
                self.open_project(path)

        self._controller.notify(
            self.tr("Only to be looked at: {0}").format(session.refusal),
            Level.WARNING,
            action=self.tr("Open again"),
            run=open_again,
        )

    def _land_what_waited(self, session: Session) -> None:
        """Land the proposals of a run that ended before it could."""
        if not session.inbox:
            return

        def land() -> None:
            before = session.project
            report = session.land()
            self._controller.announce(ProjectDiff.between(before, session.project))
            self._controller.notify(
                self.tr("{0} of a run that was cut short were kept.").format(
                    counted(len(report.landed), "proposal")
                ),
                action=self.tr("Undo") if report.landed else "",
                run=self._controller.undo,
                details="\n".join(report.left_out),
            )

        self._controller.attempt(land)

    def _open_beside(self, files: Sequence[Path]) -> None:
        """Make or open the project of the folder where images are, and add these images."""
        folder = files[0].absolute().parent
        there = sorted(folder.glob(f"*{SUFFIX}"))
        path = there[0] if there else folder / f"{folder.name or 'photos'}{SUFFIX}"
        if self.open_project(path) if there else self.new_project(path):
            self.add_images(files)


class _Adding(QObject):
    """Images on their way into one session's project."""

    def __init__(self, controller: Controller, session: Session) -> None:
        super().__init__(controller)
        self._controller = controller
        self._session = session
        self._items: list[ImageItem] = []
        self._skipped: list[str] = []
        self._done = self._total = 0

    def take(self, looked: object) -> None:
        """Keep what a chunk of files turned out to be."""
        assert isinstance(looked, Looked)
        self._items += looked.items
        self._skipped += looked.skipped
        self._done, self._total = looked.done, looked.total

    def land(self) -> None:
        """Add what was found, as one edit, and say what was left out."""
        if not self._perform():
            return
        if not self._items and not self._skipped:
            self._controller.notify(self.tr("There is no image in there."), Level.WARNING)
        elif self._skipped:
            self._controller.notify(
                self.tr("{0} added, {1} left out.").format(
                    counted(len(self._items), "image"), counted(len(self._skipped), "file")
                ),
                Level.WARNING,
                details="\n".join(self._skipped),
            )

    def land_part(self) -> None:
        """Add what was found before the person stopped it."""
        if self._perform() and self._items:
            self._controller.notify(
                self.tr("Stopped: {0} of {1} files were looked at, {2} added.").format(
                    f"{self._done:,}", f"{self._total:,}", counted(len(self._items), "image")
                ),
                action=self.tr("Undo"),
                run=self._controller.undo,
            )

    def fail(self, error: Exception) -> None:
        """Say why it broke off, and add what was found until then."""
        self._perform()
        self._controller.notify(sentence_of(error), Level.ERROR)

    def _perform(self) -> bool:
        """Add the images to the project if it is still open; return whether it is."""
        self.deleteLater()
        if self._controller.session is not self._session:
            return False
        taken = self._session.project.of_path
        self._items = [item for item in self._items if item.path not in taken]
        if self._items:
            self._controller.perform(AddImages(tuple(self._items)))
        return True
