"""The project file: one SQLite database, one transaction per edit, nothing lost by a kill.

Every commit is flushed to the disk before it returns (write-ahead log, ``synchronous=FULL``).
While a project is open for work, ``-wal`` and ``-shm`` files stand beside it and belong to it.
`fmstudio.io.store_schema` describes the tables for other programs.
"""

import gc
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from fmstudio.errors import NotWritableError, StoreError
from fmstudio.io import store_schema as schema
from fmstudio.io.atomic import flush_folder
from fmstudio.io.backups import Backups
from fmstudio.io.store_connection import (
    APPLICATION_ID,
    SUFFIX,
    check_header,
    check_health,
    connect,
    connect_to_look,
    migrate,
    sane_rows,
    sentences,
    transaction,
)
from fmstudio.io.store_lock import WriterLock
from fmstudio.io.store_rows import insert, write_difference
from fmstudio.io.store_schema import Value
from fmstudio.project.model import Annotation, InboxEntry, NextIds, Project
from fmstudio.project.validate import check

__all__ = ["APPLICATION_ID", "SUFFIX", "Store"]

# Images and annotations together; looking for cycles in fewer takes some 50 ms.
_LARGE = 20_000
# Rows of annotations that are read at a time.
_PART = 10_000


class Store:
    """An open project file; the only writer while it is open.

    Make one with `create` or `open`. Belongs to the thread that opened it.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        lock: WriterLock | None,
        refusal: str = "",
    ) -> None:
        self._path = path
        self._connection = connection
        self._lock = lock
        self.backups = Backups(path)
        self._place = path.stat()
        self.refusal = refusal
        """Why nothing can be written, a sentence; empty where it can."""

    @classmethod
    def create(cls, path: Path, project: Project) -> Self:
        """Make a project file and open it.

        The file appears under its name only when it is complete.

        Raises
        ------
        StoreError
            If there is a file of this name already, the folder is missing or cannot be written,
            or another process holds the project.
        """
        path = _real(path)
        lock = WriterLock(path)
        try:
            if path.exists():
                raise StoreError(f"There is a file {path} already: open it, or take another name.")
            with sentences(path):
                _remove_stale_log(path)
                _write_new(path, project)
            return cls._opened(path, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a project file; one of an older version is brought up to date.

        Raises
        ------
        StoreError
            If it is missing, no project, of a newer program, damaged, not writable, or open in
            another process.
        """
        path = _real(path)
        check_header(path)
        lock = WriterLock(path)
        try:
            store = cls._opened(path, lock)
        except BaseException:
            lock.release()
            raise
        store.backups.begin()
        return store

    @classmethod
    def look(cls, path: Path, refusal: str) -> Self:
        """Open a project file to be read only, also while another process works on it.

        Parameters
        ----------
        path : Path
        refusal : str
            What is said to whoever wants to write.

        Raises
        ------
        StoreError
            If it is missing, no project, damaged, or of another version than this program's.
        """
        path = _real(path)
        check_header(path)
        with sentences(path):
            connection = connect_to_look(path)
            try:
                check_health(path, connection, is_newest=True)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection, None, refusal)

    @classmethod
    def _opened(cls, path: Path, lock: WriterLock) -> Self:
        """Return the store of a locked file, checked and up to date."""
        if not os.access(path, os.W_OK):
            raise NotWritableError(f"{path} is read-only: copy it or change its permissions.")
        with sentences(path):
            connection = connect(path)
            try:
                check_health(path, connection)
                connection.execute("PRAGMA journal_mode = WAL")
                migrate(path, connection)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection, lock)

    @property
    def path(self) -> Path:
        """Return the project file's absolute path, links resolved."""
        return self._path

    def load(self) -> Project:
        """Read the whole project.

        Raises
        ------
        StoreError
            If what is stored is damaged or breaks a project's invariants.
        """
        with sane_rows(self._path), _no_collections():
            meta = {row["key"]: row["value"] for row in self._all("meta", "key")}
            project = Project.build(
                str(meta["name"]),
                schema.images_of(self._all("images").fetchall()),
                [schema.category_of(row) for row in self._all("categories")],
                self._annotations(),
                NextIds(
                    schema.counter_of(meta["next_image_id"]),
                    schema.counter_of(meta["next_category_id"]),
                    schema.counter_of(meta["next_annotation_id"]),
                ),
            )
            check(project)
            _spare_collections(project)
        return project

    def commit(
        self, before: Project, after: Project, label: str, *, clear_inbox: bool = False
    ) -> None:
        """Write the difference of two projects in one transaction, safe on the disk on return.

        Parameters
        ----------
        before : Project
            What the file holds: loaded from it, or committed last.
        after : Project
        label : str
            The edit's name, kept as the file's last edit.
        clear_inbox : bool
            Also empty the inbox, in the same transaction: its entries have landed in ``after``.

        Raises
        ------
        StoreError
            If it cannot be written, or the file does not hold ``before``; the file is as it was.
        """
        with self._writing():
            write_difference(self._connection, before, after, label)
            if clear_inbox:
                self._connection.execute("DELETE FROM inbox")
        self.backups.make_if_due()

    def inbox(self) -> tuple[InboxEntry, ...]:
        """Return what waits to be landed, in order of arrival.

        Entries of images that have been removed are gone with them.

        Raises
        ------
        StoreError
            If what is stored is damaged.
        """
        with sane_rows(self._path):
            entries = self._all("inbox").fetchall()
            image_of = {row["id"]: row["image_id"] for row in entries}
            rows = self._all("inbox_annotations").fetchall()
            places = [(0, image_of[row["inbox_id"]]) for row in rows]
            drafts: dict[int, list[Annotation]] = {}
            for row, draft in zip(rows, schema.annotations_of(rows, places), strict=True):
                drafts.setdefault(row["inbox_id"], []).append(draft)
            return tuple(
                InboxEntry(
                    row["image_id"],
                    tuple(drafts.get(row["id"], ())),
                    schema.keys_of(row["source_keys"]),
                    schema.texts_of(row["notes"]),
                    row["id"],
                )
                for row in entries
            )

    def inbox_add(self, entry: InboxEntry) -> InboxEntry:
        """Keep an entry, safe on the disk on return, and return it with its number.

        Raises
        ------
        StoreError
            If it cannot be written, or names an image or category the file does not have.
        """
        with self._writing():
            row: dict[str, Value] = {
                "image_id": entry.image_id,
                "source_keys": schema.keys_text(entry.source_keys),
                "notes": schema.texts_text(entry.notes),
            }
            id_ = insert(self._connection, "inbox", [row]).lastrowid
            if id_ is None:
                raise StoreError(f"{self._path} gave an inbox entry no number.")
            drafts = [{"inbox_id": id_, **schema.content_row(a)} for a in entry.annotations]
            insert(self._connection, "inbox_annotations", drafts)
        return InboxEntry(entry.image_id, entry.annotations, entry.source_keys, entry.notes, id_)

    def inbox_clear(self) -> None:
        """Throw away what waits; raises StoreError if that cannot be written."""
        with self._writing():
            self._connection.execute("DELETE FROM inbox")

    def close(self) -> None:
        """Fold the log into the file and let others open it; closing twice does nothing."""
        try:
            self.backups.wait()
            self._connection.close()
        finally:
            if self._lock is not None:
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Commit what happens inside, or nothing of it; refused where nothing can be written."""
        if self.refusal:
            raise NotWritableError(self.refusal)
        with sentences(self._path):
            self._check_place()
            with transaction(self._connection):
                yield

    def _check_place(self) -> None:
        """Raise StoreError if the open file no longer has its name: what is written would be lost.

        The system lets a process write on to a file that was deleted or replaced.
        """
        try:
            is_there = os.path.samestat(self._path.stat(), self._place)
        except FileNotFoundError:
            is_there = False
        if not is_there:
            raise StoreError(
                f"{self._path} was moved, deleted or replaced while it was open: put it back, or "
                "open it where it is now; what was done before is in it."
            )

    def _annotations(self) -> Iterator[Annotation]:
        """Yield all annotations of the project."""
        found = self._all("annotations")
        # Rows are as large as what is made of them: only a part is held at a time.
        while rows := found.fetchmany(_PART):
            yield from schema.annotations_of(rows, [(row["id"], row["image_id"]) for row in rows])

    def _all(self, table: str, order: str = "id") -> sqlite3.Cursor:
        """Return all rows of a table."""
        return self._connection.execute(f"SELECT * FROM {table} ORDER BY {order}")


def _real(path: Path) -> Path:
    """Return the path that all names of a file share, so that they share its lock and its log.

    Raises StoreError for one that no file can have.
    """
    try:
        return Path(os.path.realpath(path))
    except ValueError as error:
        raise StoreError(f"{str(path)!r} is no name that a file can have.") from error


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep Python from looking for cycles while hundreds of thousands of objects come to stay."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _spare_collections(project: Project) -> None:
    """Have Python never look for cycles in a large project: there are none, and it takes long.

    With 100,000 images each look would hold the window for half a second.
    """
    if len(project.images) + len(project.annotations) >= _LARGE:
        gc.freeze()


def _write_new(path: Path, project: Project) -> None:
    """Write a whole project file beside ``path``, then put it there."""
    temporary = path.with_name(f".fmstudio-{secrets.token_hex(8)}.tmp")
    try:
        temporary.touch(exist_ok=False)
        connection = connect(temporary)
        try:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            migrate(temporary, connection)
            with transaction(connection):
                write_difference(connection, Project(project.name), project, "New project")
        finally:
            connection.close()
        temporary.replace(path)
        flush_folder(path.parent)
    finally:
        for ending in ("", "-journal"):
            temporary.with_name(temporary.name + ending).unlink(missing_ok=True)


def _remove_stale_log(path: Path) -> None:
    """Remove the log of a deleted project of this name: SQLite would play it into the new one."""
    for ending in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
