"""How a project file is opened, checked, brought up to date, and what its faults are called."""

import sqlite3
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fmstudio.errors import DamagedError, ProjectError, StoreError
from fmstudio.io import store_schema as schema
from fmstudio.io.regular import is_file_or_folder

SUFFIX = ".fmstudio"
APPLICATION_ID = 0x464D5354
"""What marks a SQLite file as a project of this program: ``FMST`` in ASCII."""

_SQLITE_START = b"SQLite format 3\0"
_BUSY_SECONDS = 5.0


def connect(path: Path) -> sqlite3.Connection:
    """Open an existing database so that every commit is flushed."""
    return _guarded(
        _opened(path, "mode=rw"),
        "foreign_keys = ON",
        "synchronous = FULL",
        # Only macOS knows this one: its plain fsync does not reach the disk.
        "fullfsync = ON",
    )


def connect_unchanged(path: Path) -> sqlite3.Connection:
    """Open a database that nobody writes to, to be read only; nothing appears beside it."""
    return _guarded(_opened(path, "mode=ro&immutable=1"), "query_only = ON")


def connect_to_look(path: Path) -> sqlite3.Connection:
    """Open a database that another process may be writing to, to be read only."""
    connection = _opened(path, "mode=ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        # The log's index cannot be made in a folder that is read-only; without a log it needs none.
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        return connect_unchanged(path)
    return _guarded(connection, "query_only = ON")


def _opened(path: Path, how: str) -> sqlite3.Connection:
    """Return a connection to a database that is there already."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )


def _guarded(connection: sqlite3.Connection, *pragmas: str) -> sqlite3.Connection:
    """Return a connection for which nothing in its database is trusted."""
    connection.row_factory = sqlite3.Row
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", *pragmas):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def check_header(path: Path) -> None:
    """Raise StoreError unless the file looks like a project, without opening it as a database.

    Opening another program's database could already change it.
    """
    try:
        if not is_file_or_folder(path):
            raise StoreError(f"{path} is a device or a pipe, not a project file.")
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError as error:
        raise StoreError(f"There is no project {path}: make one with 'fmstudio new'.") from error
    except IsADirectoryError as error:
        raise StoreError(f"{path} is a folder, not a project file.") from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(head) < 100 or not head.startswith(_SQLITE_START):
        raise StoreError(f"{path} is not a project file: choose one that ends in {SUFFIX}.")
    if struct.unpack_from(">I", head, 68)[0] != APPLICATION_ID:
        raise StoreError(f"{path} is a database of another program, not a project of fmstudio.")


def check_health(path: Path, connection: sqlite3.Connection, *, is_newest: bool = False) -> None:
    """Raise StoreError if the database is of a newer program, damaged, or holds code.

    With ``is_newest``, also if it is of an older program: it has to be brought up to date first.
    """
    version, newest = _version(connection), len(schema.MIGRATIONS)
    if version > newest:
        raise StoreError(
            f"{path} was written by a newer fmstudio (format {version}, this one knows {newest}):"
            " update this program."
        )
    if is_newest and version < newest:
        raise StoreError(
            f"{path} was written by an older fmstudio: open it once where it can be written."
        )
    finding = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if finding != "ok":
        raise _damaged(path, str(finding))
    dangling = connection.execute("PRAGMA foreign_key_check").fetchone()
    if dangling is not None:
        detail = f"row {dangling[1]} of {dangling[0]} refers to a missing row of {dangling[2]}"
        raise _damaged(path, detail)
    code = connection.execute(
        "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')"
    ).fetchone()
    if code is not None:
        raise StoreError(
            f"{path} holds a {code[0]} ('{code[1]}') that fmstudio never writes: do not trust it."
        )


def _version(connection: sqlite3.Connection) -> int:
    """Return the version of the file's format."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(path: Path, connection: sqlite3.Connection) -> None:
    """Bring a file to the newest version, each step in a transaction of its own."""
    for version in range(_version(connection), len(schema.MIGRATIONS)):
        try:
            with transaction(connection):
                schema.MIGRATIONS[version](connection)
                connection.execute(f"PRAGMA user_version = {version + 1}")
        except sqlite3.Error as error:
            raise StoreError(
                f"{path} could not be brought from format {version} to {version + 1} ({error}):"
                " it is as it was; report this."
            ) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what happens inside, or nothing of it; also when a commit itself fails."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into one sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise _sqlite_error(path, error) from error
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        # Also SQLite's own messages quote the schema as it stands in the file.
        raise _damaged(path, "a text in it is not valid Unicode") from error
    except UnicodeEncodeError as error:
        shown = error.object.encode("utf-8", "backslashreplace").decode("utf-8")
        raise StoreError(
            f"'{shown}' is not valid Unicode and cannot be saved: rename it."
        ) from error
    except OverflowError as error:
        raise StoreError(f"A number is too large for {path}: ids go up to 2**63 - 1.") from error


@contextmanager
def sane_rows(path: Path) -> Iterator[None]:
    """Turn what `sentences` does, and what rows raise that make no sense, into one sentence."""
    try:
        with sentences(path):
            yield
    except RecursionError as error:
        raise _damaged(path, "a list in it is nested too deeply") from error
    except (ValueError, TypeError, KeyError, IndexError, ProjectError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, detail: str) -> DamagedError:
    """Return the error for a project file that is damaged."""
    detail = " ".join(detail.split()).rstrip(".")
    return DamagedError(f"{path} is damaged ({detail}): restore it from a backup.", str(path))


def _sqlite_error(path: Path, error: sqlite3.Error) -> StoreError:
    """Return the error for one of SQLite's, with its sentence."""
    # Errors that Python's own layer raises, as on a closed connection, carry no such name.
    name = getattr(error, "sqlite_errorname", "")
    detail = str(error).rstrip(".")
    damaged = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR")
    if name.startswith(damaged):
        return _damaged(path, detail)
    for start, sentence in (
        ("SQLITE_FULL", f"The disk of {path} is full: make room and try again."),
        ("SQLITE_READONLY", f"{path} is read-only: copy it to a folder that can be written."),
        ("SQLITE_CANTOPEN", f"{path} cannot be opened: check its permissions."),
        ("SQLITE_BUSY", f"Another program is writing to {path}: close it there first."),
        ("SQLITE_LOCKED", f"Another program is writing to {path}: close it there first."),
        ("SQLITE_IOERR", f"The disk of {path} failed ({detail}): check it and try again."),
        (
            "SQLITE_CONSTRAINT",
            f"The change does not fit what {path} holds ({detail}): open the project again.",
        ),
    ):
        if name.startswith(start):
            return StoreError(sentence)
    if isinstance(error, sqlite3.IntegrityError):
        return StoreError(
            f"The change does not fit what {path} holds ({detail}): open the project again."
        )
    return StoreError(f"{path} cannot be used ({detail}): open the project again.")
