"""The command doctor on a project: is its file whole, are its images there, can it be put back."""

from collections import Counter
from pathlib import Path

from fmstudio.cli_doctor import Line, report
from fmstudio.cli_output import note
from fmstudio.errors import DamagedError, FmstudioError
from fmstudio.project.wording import counted
from fmstudio.session import Session
from fmstudio.session_backups import backups_of, project_file, restore_latest
from fmstudio.session_cache import damaged_cache_files


def doctor_project(project: Path, *, repair: bool, as_json: bool) -> None:
    """Say what there is of a project and what is wrong with it, and mend what can be.

    Raises
    ------
    FmstudioError
        If something is wrong and was not mended; each fault has been said.
    """
    path = project_file(project)
    try:
        session = _opened(path, repair=repair)
    except FmstudioError as error:
        lines = [Line("project", str(path), _refused(path, error))]
    else:
        with session:
            lines = _of_project(session, repair=repair)
    report([*lines, *_of_backups(path)], as_json=as_json)


def _opened(path: Path, *, repair: bool) -> Session:
    """Return a project, put back from a backup where it is damaged or lost and that is wanted."""
    try:
        return Session.open(path)
    except FmstudioError as error:
        if not (repair and _can_be_put_back(path, error)):
            raise
        if isinstance(error, DamagedError):
            note(str(error))
        _put_back(path)
        return Session.open(path)


def _can_be_put_back(path: Path, error: FmstudioError) -> bool:
    """Return whether a project is damaged or lost, so that a backup may take its place."""
    return isinstance(error, DamagedError) or not path.exists()


def _refused(path: Path, error: FmstudioError) -> str:
    """Return why a project does not open, and what to do."""
    if not _can_be_put_back(path, error):
        return str(error)
    return f"{error} 'fmstudio doctor --repair' puts the latest whole backup back."


def _put_back(path: Path) -> None:
    """Restore the latest whole backup, and say so."""
    item, kept = restore_latest(path)
    note(f"Put back as it was on {item.when}: {item.words}.")
    if kept is not None:
        note(f"The damaged file is kept as {kept}.")


def _of_project(session: Session, *, repair: bool) -> list[Line]:
    """Return the findings on a project, its images and its caches."""
    project = session.project
    states = Counter(a.status.value for a in project.annotations.values())
    said = ", ".join(f"{n:,} {name}" for name, n in sorted(states.items()))
    return [
        Line("project", f"{session.path} is whole"),
        Line("images", f"{len(project.images):,}", _image_fault(session)),
        Line("annotations", f"{len(project.annotations):,}" + (f" ({said})" if said else "")),
        Line("inbox", counted(len(session.inbox), "proposal")),
        Line("cache", str(session.cache_dir), _cache_fault(session.cache_dir, repair=repair)),
    ]


def _cache_fault(cache: Path, *, repair: bool) -> str | None:
    """Return what is wrong with a project's cache, or None; what is mended is said."""
    damaged = damaged_cache_files(cache)
    if not damaged:
        return None
    if not repair:
        return f"{counted(len(damaged), 'cache file')} damaged: --repair removes them."
    for file in damaged:
        file.unlink(missing_ok=True)
    note(f"Removed {counted(len(damaged), 'damaged cache file')} from {cache}.")
    return None


def _image_fault(session: Session) -> str | None:
    """Return what is wrong with the files of a project's images, or None."""
    faults = Counter(fault for _, fault in session.missing_or_changed())
    if not faults:
        return None
    said = " and ".join(f"{n:,} {fault}" for fault, n in sorted(faults.items()))
    return f"{said}: put the files back, or show the window where they are."


def _of_backups(path: Path) -> list[Line]:
    """Return the findings on a project's backups."""
    try:
        found = backups_of(path)
    except FmstudioError as error:
        return [Line("backups", "not found out", str(error))]
    if not found:
        return [Line("backups", "none yet")]
    broken = [item.path.name for item in found if not item.is_whole]
    latest = next((item for item in found if item.is_whole), None)
    value = f"{len(found)}" if latest is None else f"{len(found)}, the latest {latest.path.name}"
    fault = f"Damaged: {', '.join(broken)}." if broken else None
    return [Line("backups", value, fault)]
