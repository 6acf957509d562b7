"""Rows of a project file by their columns: SQLite takes anything anywhere, so types are checked."""

import sqlite3
from collections.abc import Sequence
from typing import Any

_WORDS = {int: "a whole number", float: "a number", str: "text", bytes: "a blob"}


class Columns:
    """Rows by their columns, the types of a column looked at all at once."""

    def __init__(self, rows: Sequence[sqlite3.Row]) -> None:
        self._columns: dict[str, tuple[Any, ...]] = {}
        if rows:
            self._columns = dict(zip(rows[0].keys(), zip(*rows, strict=True), strict=True))

    def of(self, name: str, *kinds: type | None) -> tuple[Any, ...]:
        """Return a column; raises ValueError if a value is of another type than those named."""
        column = self._columns[name] if self._columns else ()
        types = {type(None) if kind is None else kind for kind in kinds}
        if not set(map(type, column)) <= types:
            value = next(value for value in column if type(value) not in types)
            what = " or ".join(_WORDS[kind] for kind in kinds if kind in _WORDS)
            raise ValueError(f"{value!r} stands where {what} should")
        return column
