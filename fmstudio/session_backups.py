"""A project's health and its backups, for the command line and the window; nothing is opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fmstudio.errors import FmstudioError, StoreError
from fmstudio.io.backups import Contents, contents_of, folder_of, list_backups, restore
from fmstudio.io.store import SUFFIX
from fmstudio.project.wording import counted

__all__ = ["BackupItem", "backups_of", "project_file", "restore", "restore_latest"]


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
    def when(self) -> str:
        """Return when it was made, by this machine's clock."""
        return f"{self.made.astimezone():%Y-%m-%d %H:%M}"

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
    return list(_items(project))


def restore_latest(project: Path) -> tuple[BackupItem, Path | None]:
    """Put the latest whole backup in a project's place; return it, and where the rest is kept.

    Raises
    ------
    StoreError
        If there is none, or as `restore`.
    """
    whole = next((item for item in _items(project) if item.is_whole), None)
    if whole is None:
        raise StoreError(
            f"There is no whole backup of {project} in {folder_of(project)}: look for a copy of "
            "yours."
        )
    return whole, restore(project, whole.path)


def _items(project: Path) -> Iterator[BackupItem]:
    """Yield the backups of a project, latest first; each is looked into when it is wanted."""
    for backup in list_backups(project):
        yield BackupItem(backup.path, backup.made, _contents(backup.path))


def _contents(backup: Path) -> Contents | None:
    """Return what a backup holds, or None if it is damaged."""
    try:
        return contents_of(backup)
    except FmstudioError:
        return None
