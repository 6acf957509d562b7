"""A project's health and its backups, for the command line and the window; nothing is opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fmstudio.errors import FmstudioError, StoreError
from fmstudio.io.backups import Contents, contents_of, folder_of, list_backups, restore
from fmstudio.io.store import SUFFIX
from fmstudio.project.wording import counted

__all__ = ["BackupItem", "backups_of", "project_file", "restore_latest", "restore_project"]


@dataclass(frozen=True, slots=True)
class BackupItem:
    """A backup, and what it holds.

    Attributes
    ----------
    path : Path
    made : datetime
        In UTC.
    contents : Contents or None
        None if it is damaged.
    """

    path: Path
    made: datetime
    contents: Contents | None

    @property
    def is_whole(self) -> bool:
        """Return whether it can be restored."""
        return self.contents is not None

    @property
    def words(self) -> str:
        """Return what it holds, in words."""
        if self.contents is None:
            return "damaged"
        images = counted(self.contents.images, "image")
        annotations = counted(self.contents.annotations, "annotation")
        return f"{images}, {annotations}; last: {self.contents.last_edit}"


def project_file(path: Path) -> Path:
    """Return a project's file, whose ending may be left out, and which may be lost."""
    return path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)


def backups_of(project: Path) -> list[BackupItem]:
    """Return the backups of a project file, latest first; raises StoreError if none can be read."""
    return [
        BackupItem(backup.path, backup.made, _contents(backup.path))
        for backup in list_backups(project)
    ]


def restore_project(project: Path, backup: Path) -> Path | None:
    """Put a backup in a project's place; return where what was there is kept.

    Raises
    ------
    StoreError
        If the project is open, the backup is damaged, or it cannot be written.
    """
    return restore(project, backup)


def restore_latest(project: Path) -> tuple[BackupItem, Path | None]:
    """Put the latest whole backup in a project's place; return it, and where the rest is kept.

    Raises
    ------
    StoreError
        If there is none, or as `restore_project`.
    """
    whole = next(_whole(project), None)
    if whole is None:
        raise StoreError(
            f"There is no whole backup of {project} in {folder_of(project)}: look for a copy of "
            "yours."
        )
    return whole, restore(project, whole.path)


def _whole(project: Path) -> Iterator[BackupItem]:
    """Yield the backups that can be restored, latest first."""
    for backup in list_backups(project):
        contents = _contents(backup.path)
        if contents is not None:
            yield BackupItem(backup.path, backup.made, contents)


def _contents(backup: Path) -> Contents | None:
    """Return what a backup holds, or None if it is damaged."""
    try:
        return contents_of(backup)
    except FmstudioError:
        return None
