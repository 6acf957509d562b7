"""Whether the program came to its end last time; if not, a word about it at the next start."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QFileInfo, QLockFile, QObject

from fmstudio.ui.controller import Controller, Level
from fmstudio.ui.crash import RUN_ID

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BrokenRun:
    """A run of the program that did not come to its end.

    Attributes
    ----------
    project : Path or None
        What was open.
    trace : str
        What the processor's fault left, if there was one.
    """

    project: Path | None
    trace: str


class RunMarker(QObject):
    """Marks that the program runs, and finds the marks of those that died.

    The mark is a locked file; the system says whether the one who locked it is still alive, so two
    windows at once are no crash.

    Parameters
    ----------
    controller : Controller
        Whose project is noted.
    folder : Path
    parent : QObject or None
    """

    def __init__(self, controller: Controller, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._folder = folder
        self._path = folder / f"run-{RUN_ID}.json"
        self._lock = _lock_of(self._path)

    def begin(self) -> None:
        """Mark this run, and raise a notice if an earlier one was cut off."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return  # a read-only home: nothing can be marked, and nothing was
        broken = _find_broken(self._folder)
        if self._lock.tryLock(0):
            self._note()
            self._controller.sessionChanged.connect(self._note)
        if broken:
            self._say(broken[-1])

    def end(self) -> None:
        """Take the mark away: this run has come to its end."""
        if self._lock.isLocked():
            self._controller.sessionChanged.disconnect(self._note)
            self._path.unlink(missing_ok=True)
            self._lock.unlock()

    def _note(self) -> None:
        """Write down which project is open."""
        session = self._controller.session
        project = None if session is None else str(session.path)
        try:
            self._path.write_text(json.dumps({"project": project}), encoding="utf-8")
        except OSError as error:
            _LOG.warning("This run cannot be marked in %s: %s", self._path, error)

    def _say(self, run: BrokenRun) -> None:
        """Say that the last run was cut off and that nothing is lost."""
        text = self.tr("fmstudio was cut off last time. Nothing is lost: every edit was saved.")
        project = run.project
        if project is None or not QFileInfo.exists(str(project)):
            self._controller.notify(text, Level.WARNING, details=run.trace)
            return
        self._controller.notify(
            text,
            Level.WARNING,
            action=self.tr("Open '{0}'").format(project.stem),
            run=lambda: self._controller.open_project(project),
            details=run.trace,
        )


def _lock_of(path: Path) -> QLockFile:
    """Return the lock beside a mark; it is stale only when its process is gone."""
    lock = QLockFile(str(path.with_suffix(".lock")))
    lock.setStaleLockTime(0)
    return lock


def _find_broken(folder: Path) -> list[BrokenRun]:
    """Return the runs that died, oldest first, and forget them."""
    found = []
    for path in sorted(folder.glob("run-*.json"), key=_written):
        lock = _lock_of(path)
        if not lock.tryLock(0):
            continue  # it runs
        fault = folder / f"fault-{path.stem.removeprefix('run-')}.txt"
        found.append(BrokenRun(_project_in(path), _text_of(fault)))
        path.unlink(missing_ok=True)
        fault.unlink(missing_ok=True)
        lock.unlock()
    return found


def _project_in(path: Path) -> Path | None:
    """Return the project that a mark names."""
    try:
        project = json.loads(_text_of(path))["project"]
    except (ValueError, KeyError, TypeError):
        return None  # cut off while it was written
    return Path(project) if isinstance(project, str) else None


def _written(path: Path) -> float:
    """Return when a file was written; 0 if it is gone, which another start may see to."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _text_of(path: Path) -> str:
    """Return a file's text; nothing if there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
