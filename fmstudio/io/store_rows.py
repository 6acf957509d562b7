"""Rows of a project file, written: what distinguishes one state of a project from another."""

import sqlite3
from collections.abc import Iterable, Sequence

from fmstudio.io import store_schema as schema
from fmstudio.io.store_schema import Value
from fmstudio.project.diff import ProjectDiff
from fmstudio.project.model import Project


def write_difference(
    connection: sqlite3.Connection, before: Project, after: Project, label: str
) -> None:
    """Write what distinguishes two projects."""
    diff = ProjectDiff.between(before, after)
    for table, change, row in (
        ("images", diff.images, lambda id_: schema.image_row(after.images[id_])),
        ("categories", diff.categories, lambda id_: schema.category_row(after.categories[id_])),
        (
            "annotations",
            diff.annotations,
            lambda id_: schema.annotation_row(after.annotations[id_]),
        ),
    ):
        _delete(connection, table, change.removed)
        insert(connection, table, map(row, change.added))
        _update(connection, table, map(row, change.changed))
    meta = {
        "name": after.name,
        "next_image_id": after.next_ids.image,
        "next_category_id": after.next_ids.category,
        "next_annotation_id": after.next_ids.annotation,
        "last_edit": label,
    }
    connection.executemany("UPDATE meta SET value = ?2 WHERE key = ?1", list(meta.items()))
    connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")


def _delete(connection: sqlite3.Connection, table: str, ids: Sequence[int]) -> None:
    """Delete rows that must be there."""
    cursor = connection.executemany(f"DELETE FROM {table} WHERE id = ?", ((id_,) for id_ in ids))
    _expect(cursor, table, len(ids))


def insert(
    connection: sqlite3.Connection, table: str, rows: Iterable[dict[str, Value]]
) -> sqlite3.Cursor:
    """Insert rows that must not be there yet."""
    cursor = connection.cursor()
    for row in rows:
        columns, values = ", ".join(row), ", ".join(f":{column}" for column in row)
        cursor.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", row)
    return cursor


def _update(connection: sqlite3.Connection, table: str, rows: Iterable[dict[str, Value]]) -> None:
    """Rewrite rows that must be there.

    Never by REPLACE, which deletes first: that would take the inbox of an image with it.
    """
    for row in rows:
        columns = ", ".join(f"{column} = :{column}" for column in row if column != "id")
        _expect(connection.execute(f"UPDATE {table} SET {columns} WHERE id = :id", row), table, 1)


def _expect(cursor: sqlite3.Cursor, table: str, count: int) -> None:
    """Raise unless as many rows were touched as should be: else the file holds another project."""
    if cursor.rowcount != count and count:
        raise sqlite3.IntegrityError(f"{count - cursor.rowcount} rows are missing from {table}")
