"""Rolling backups of a project file: whole copies beside it, and the way back to one of them.

They stand in ``<name>.backups``, numbered, each a project file that opens by itself. One is made
when a project is opened that has changed since the last, and one every ten minutes of work.
"""

import logging
import re
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fmstudio.errors import StoreError
from fmstudio.io.atomic import flush_file, flush_folder
from fmstudio.io.store_connection import (
    SUFFIX,
    check_header,
    check_health,
    connect,
    connect_unchanged,
    sane_rows,
    sentences,
)
from fmstudio.io.store_lock import WriterLock

_LOG = logging.getLogger(__name__)

EVERY_S = 600.0
"""Seconds of work between two backups."""
# Kept: the latest, and of each of the latest days the last.
_LATEST, _DAYS = 5, 10
# Copying so much takes a tenth of a second.
_LARGE_BYTES = 16 << 20
_NAME = re.compile(r"(\d{6,})-(\d{8}T\d{6})Z\.fmstudio")
_TIME = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True, order=True)
class Backup:
    """A whole copy of a project as it was.

    Attributes
    ----------
    number : int
        Counts up, whatever the clock says.
    made : datetime
        In UTC, by the clock of then.
    path : Path
    """

    number: int
    made: datetime
    path: Path


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds.

    Attributes
    ----------
    images, annotations : int
    last_edit : str
        What was done last before it was made.
    revision : int
        Counts the project's edits.
    """

    images: int
    annotations: int
    last_edit: str
    revision: int


class Backups:
    """Makes backups of the project that is open for work; belongs to its store's thread.

    Parameters
    ----------
    project : Path
    """

    def __init__(self, project: Path) -> None:
        self._project = project
        self._last = time.monotonic()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Make one of what was opened: at once, or, of a large project, in the background."""
        if self._project.stat().st_size < _LARGE_BYTES:
            self.make()
        else:
            self._start()

    def make(self) -> None:
        """Make a backup unless the latest is of the same state; what fails is logged."""
        self._last = time.monotonic()
        try:
            back_up(self._project)
        except StoreError as error:
            # Work goes on without backups: a full disk says so with the next edit anyway.
            _LOG.warning("No backup: %s", error)

    def make_if_due(self) -> None:
        """Make one in the background when the last is long ago; returns at once."""
        is_running = self._thread is not None and self._thread.is_alive()
        if time.monotonic() - self._last >= EVERY_S and not is_running:
            self._start()

    def _start(self) -> None:
        """Make one on a thread of its own."""
        self._last = time.monotonic()
        self._thread = threading.Thread(target=self.make, name="fmstudio-backup", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when no backup is being made."""
        if self._thread is not None:
            self._thread.join()


def folder_of(project: Path) -> Path:
    """Return the folder of a project's backups; it need not exist."""
    return project.with_suffix(".backups")


def list_backups(project: Path) -> list[Backup]:
    """Return a project's backups, latest first; raises StoreError if they cannot be listed."""
    found = []
    try:
        for path in folder_of(project).iterdir():
            if (parts := _NAME.fullmatch(path.name)) is None:
                continue
            try:
                made = datetime.strptime(parts[2], _TIME).replace(tzinfo=UTC)
            except ValueError:
                continue  # Someone else's file: no such date.
            found.append(Backup(int(parts[1]), made, path))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(
            f"{folder_of(project)} cannot be read: {error.strerror or error}."
        ) from error
    return sorted(found, reverse=True)


def contents_of(backup: Path) -> Contents:
    """Return what a backup holds; raises StoreError if it is damaged or no project."""
    check_header(backup)
    with sane_rows(backup), closing(connect_unchanged(backup)) as connection:
        check_health(backup, connection)
        images, annotations = (
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("images", "annotations")
        )
        return Contents(images, annotations, *_state(connection))


def back_up(project: Path) -> Backup | None:
    """Make a backup of a project, also while it is worked on; None if there is one of this state.

    Raises
    ------
    StoreError
        If it cannot be written; nothing is left then.
    """
    known = list_backups(project)
    folder = folder_of(project)
    with sane_rows(project), closing(connect(project)) as source:
        if known and _is_of_state(known[0].path, _state(source)):
            return None
        number = 1 + (known[0].number if known else 0)
        now = datetime.now(UTC)
        path = folder / f"{number:06d}-{now.strftime(_TIME)}Z{SUFFIX}"
        with sentences(folder):
            folder.mkdir(exist_ok=True)
            # Who holds the project is alone here, so this is what a killed process left.
            for left in folder.glob(".fmstudio-*"):
                left.unlink(missing_ok=True)
            _copy(source, path)
    made = Backup(number, now.replace(microsecond=0), path)
    for old in outdated([made, *known]):
        old.path.unlink(missing_ok=True)
    return made


def outdated(backups: Sequence[Backup]) -> list[Backup]:
    """Return which of a project's backups, latest first, are to go."""
    last_of_day: dict[object, Backup] = {}
    for backup in backups:
        last_of_day.setdefault(backup.made.date(), backup)
    kept = {*backups[:_LATEST], *list(last_of_day.values())[:_DAYS]}
    return [backup for backup in backups if backup not in kept]


def restore(project: Path, backup: Path) -> Path | None:
    """Put a backup in a project's place; what was there is kept among the backups.

    Parameters
    ----------
    project : Path
        Open in no process; may be damaged, or missing.
    backup : Path

    Returns
    -------
    kept : Path or None
        Where what was there is now; None if nothing was there.

    Raises
    ------
    StoreError
        If the project is open, the backup is damaged, or something cannot be written; then the
        project is as it was.
    """
    contents = contents_of(backup)
    lock = WriterLock(project)
    try:
        kept, revision = _set_aside(project)
        temporary = project.with_name(f".fmstudio-{secrets.token_hex(8)}.tmp")
        try:
            with sentences(project):
                with closing(connect_unchanged(backup)) as source:
                    _copy(source, temporary, 1 + max(revision, contents.revision))
                # The log of what was there would be played into what comes: it is kept with it.
                for ending in ("-wal", "-shm"):
                    project.with_name(project.name + ending).unlink(missing_ok=True)
                temporary.replace(project)
                flush_folder(project.parent)
        finally:
            temporary.unlink(missing_ok=True)
    finally:
        lock.release()
    return kept


def _set_aside(project: Path) -> tuple[Path | None, int]:
    """Keep what is under a project's name among its backups; return where, and its revision."""
    if not project.exists():
        return None, 0
    try:
        check_header(project)
        with sane_rows(project), closing(connect(project)) as connection:
            check_health(project, connection)
            _, revision = _state(connection)
        made = back_up(project) or list_backups(project)[0]
    except StoreError:
        return _keep_damaged(project), 0
    return made.path, revision


def _keep_damaged(project: Path) -> Path:
    """Copy a damaged project, with its log, to a name of its own among its backups."""
    folder, stamp = folder_of(project), datetime.now(UTC).strftime(_TIME)
    kept = folder / f"damaged-{stamp}Z-{secrets.token_hex(2)}{SUFFIX}"
    with sentences(folder):
        folder.mkdir(exist_ok=True)
        for ending in ("", "-wal"):
            part = project.with_name(project.name + ending)
            if part.exists():
                shutil.copyfile(part, kept.with_name(kept.name + ending))
                flush_file(kept.with_name(kept.name + ending))
    return kept


def _copy(source: sqlite3.Connection, path: Path, revision: int | None = None) -> None:
    """Copy a database whole to a new file that needs no log, under its name only when complete."""
    temporary = path.with_name(f".fmstudio-{secrets.token_hex(8)}.tmp")
    try:
        with closing(sqlite3.connect(temporary, isolation_level=None)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
            if revision is not None:
                target.execute("UPDATE meta SET value = ? WHERE key = 'revision'", (revision,))
        flush_file(temporary)
        temporary.replace(path)
        flush_folder(path.parent)
    finally:
        for ending in ("", "-journal", "-wal", "-shm"):
            temporary.with_name(temporary.name + ending).unlink(missing_ok=True)


def _state(connection: sqlite3.Connection) -> tuple[str, int]:
    """Return the last edit and the revision of a project."""
    meta = dict(map(tuple, connection.execute("SELECT key, value FROM meta").fetchall()))
    return str(meta.get("last_edit", "")), int(meta.get("revision", 0))


def _is_of_state(backup: Path, state: tuple[str, int]) -> bool:
    """Return whether a backup is of this state, as far as it says."""
    try:
        with sane_rows(backup), closing(connect_unchanged(backup)) as connection:
            return _state(connection) == state
    except StoreError:
        return False
