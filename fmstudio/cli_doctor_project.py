"""The command doctor on a project: is its file whole, are its images there, can it be put back."""

from collections import Counter
from pathlib import Path

from fmstudio.cli_doctor import Line, report
from fmstudio.cli_output import note
from fmstudio.errors import DamagedError, FmstudioError, NotWritableError
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
    if repair:
        _mend(path)
    lines = [*_of_file(path), *_of_backups(path)]
    report(lines, as_json=as_json)


def _mend(path: Path) -> None:
    """Put the latest whole backup in the place of a project that is damaged or lost."""
    try:
        with Session.open(path) as session:
            cache = session.cache_dir
    except DamagedError as error:
        note(str(error))
        _put_back(path)
        return
    except NotWritableError:
        return
    except FmstudioError:
        if path.exists():
            return
        _put_back(path)
        return
    damaged = damaged_cache_files(cache)
    for file in damaged:
        file.unlink(missing_ok=True)
    if damaged:
        note(f"Removed {counted(len(damaged), 'damaged cache file')} from {cache}.")


def _put_back(path: Path) -> None:
    """Restore the latest whole backup, and say so."""
    item, kept = restore_latest(path)
    note(f"Put back as it was on {item.made.astimezone():%Y-%m-%d %H:%M}: {item.words}.")
    if kept is not None:
        note(f"The damaged file is kept as {kept}.")


def _of_file(path: Path) -> list[Line]:
    """Return the findings on the project file, its images and its caches."""
    try:
        session = Session.open(path)
    except FmstudioError as error:
        text = str(error)
        if isinstance(error, DamagedError) or not path.exists():
            text = f"{text} 'fmstudio doctor --repair' puts the latest whole backup back."
        return [Line("project", str(path), text)]
    with session:
        project = session.project
        states = Counter(a.status.value for a in project.annotations.values())
        said = ", ".join(f"{n:,} {name}" for name, n in sorted(states.items()))
        lines = [
            Line("project", f"{path} is whole"),
            Line("images", f"{len(project.images):,}", _image_fault(session)),
            Line("annotations", f"{len(project.annotations):,}" + (f" ({said})" if said else "")),
            Line("inbox", counted(len(session.inbox), "proposal")),
        ]
        damaged = damaged_cache_files(session.cache_dir)
    fault = None
    if damaged:
        fault = f"{counted(len(damaged), 'cache file')} damaged: --repair removes them."
    return [*lines, Line("cache", str(session.cache_dir), fault)]


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
