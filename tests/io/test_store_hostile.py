"""Project files that are whole databases with rows that nobody should believe."""

import json
import os
import sqlite3
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fmstudio.errors import FmstudioError, StoreError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import AlternativeMark, Pose, Vote
from fmstudio.project.model import (
    Annotation,
    Category,
    ImageItem,
    InboxEntry,
    Project,
    Propagated,
    Status,
)
from fmstudio.session import Session, Store
from tests.rounds import rounds

SIZE = ImageSize(40, 30)
POINTS = Keypoints.drawn([[3.0, 4.0], [5.0, 6.0]], [2, 1])
MASK = Mask.from_array(np.eye(30, 40, dtype=bool))


def vote() -> Vote:
    return Vote(1, POINTS.xy, np.full(2, 0.5), np.ones(2))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a project file that holds a row of every kind."""
    path = tmp_path_factory.mktemp("whole") / "cats.fmstudio"
    other = AlternativeMark(POINTS, MASK, 0.5, 0.4, 0.5, Pose.PLAIN, Pose.TURNED, (vote(),))
    proposed = Annotation(
        2, 2, 1, POINTS, MASK, Status.PROPOSED, Propagated((1,), "k"), 0.5,
        votes=(vote(),), alternative=other,
    )  # fmt: skip
    project = Project.build(
        "cats",
        [ImageItem(1, "a.png", SIZE, "a" * 64), ImageItem(2, "b.png", SIZE, "")],
        [Category(1, "cat", "animal", ("nose", "tail"), ((0, 1),), ((0, 1),), (0.1, 0.2))],
        [Annotation(1, 1, 1, POINTS, MASK), proposed],
    )
    with Store.create(path, project) as store:
        store.inbox_add(InboxEntry(2, (proposed,), ((1, "k"),), ("a note",)))
    return path.read_bytes()


@pytest.fixture
def opened(tmp_path: Path, whole: bytes) -> Any:
    """Return a function that runs statements on the file, opens it, and returns what is said."""

    def run(*statements: str | tuple[str, tuple[Any, ...]]) -> str:
        path = tmp_path / "cats.fmstudio"
        for left in tmp_path.glob("cats*"):
            if left.is_file() or left.is_symlink():
                left.unlink()
        path.write_bytes(whole)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            parts = statement if isinstance(statement, tuple) else (statement, ())
            # What SQLite itself refuses to hold cannot be in a file.
            with suppress(sqlite3.Error):
                connection.execute(*parts)
        connection.close()
        began = time.process_time()
        try:
            with Session.open(path) as session:
                assert session.inbox is not None
                session.missing_or_changed()
                session.export_coco(tmp_path / "out.json")
        except FmstudioError as error:
            text = str(error)
            assert "\n" not in text
            assert len(text) < 1000
            return text
        finally:
            assert time.process_time() - began < 20
        return ""

    return run


def blob(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def points_blob(x: float, visibility: int = 2, score: float = 1.0) -> bytes:
    return struct.pack("<ddbd", x, 1.0, visibility, score) * 2


DEEP = "[" * 5000 + "]" * 5000
MANY = 1_000_000


@pytest.mark.parametrize(
    "statement",
    [
        ("UPDATE annotations SET keypoints = ?", (points_blob(float("nan")),)),
        ("UPDATE annotations SET keypoints = ?", (points_blob(float("inf")),)),
        ("UPDATE annotations SET keypoints = ?", (points_blob(1.0, visibility=-7),)),
        ("UPDATE annotations SET keypoints = ?", (points_blob(1.0, score=float("nan")),)),
        ("UPDATE annotations SET keypoints = ?", (bytes(25 * MANY),)),
        ("UPDATE annotations SET mask = ?", (blob(40, 30, 0, 10**9),)),
        ("UPDATE annotations SET mask = ?", (blob(2**31, 2**31, 0, 2**32 - 1),)),
        ("UPDATE annotations SET mask = ?", (blob(2**32 - 1, 2**32 - 1, 1),)),
        ("UPDATE annotations SET mask = ?", (blob(0, 0, 0),)),
        ("UPDATE annotations SET mask = ?", (blob(40, 30) + bytes(4 * MANY),)),
        ("UPDATE annotations SET mask = ?", (blob(60_000, 60_000, 0, 3_600_000_000),)),
        ("UPDATE annotations SET votes = ?", (b"\xff" * 100,)),
        ("UPDATE annotations SET votes = ?", (struct.pack("<qfI", 1, 1.0, 2**32 - 1),)),
        ("UPDATE annotations SET votes = ?", (struct.pack("<qfI", 1, float("nan"), 0),)),
        ("UPDATE annotations SET doubt = ?", (b"\xff" * 33,)),
        ("UPDATE annotations SET alternative = ? WHERE id = 2", (DEEP,)),
        ("UPDATE annotations SET alternative = ? WHERE id = 2", ("{}",)),
        ("UPDATE annotations SET alternative = ? WHERE id = 2", ('"\\ud800"',)),
        ("UPDATE annotations SET sources = ? WHERE id = 2", (DEEP,)),
        ("UPDATE annotations SET sources = ? WHERE id = 2", ("9" * 5000,)),
        ("UPDATE annotations SET sources = ? WHERE id = 2", ("{}}",)),
        ("UPDATE annotations SET box_x = 1, box_y = NULL", ()),
        ("UPDATE annotations SET box_x = 'NaN'", ()),
        ("UPDATE annotations SET confidence = 9e999 WHERE id = 2", ()),
        ("UPDATE annotations SET status = 'owned'", ()),
        ("UPDATE annotations SET provenance = 7", ()),
        ("UPDATE annotations SET review = ''", ()),
        ("UPDATE annotations SET id = -1 WHERE id = 1", ()),
        ("UPDATE annotations SET id = 9223372036854775807 WHERE id = 1", ()),
        ("UPDATE categories SET name = ''", ()),
        ("UPDATE categories SET name = x'ff'", ()),
        ("UPDATE categories SET keypoints = ?", (DEEP,)),
        ("UPDATE categories SET sigmas = '[1e999, 1]'", ()),
        ("UPDATE categories SET sigmas = ?", (f"[{'9' * 400}, 1]",)),
        ("UPDATE categories SET sigmas = '[NaN, 1]'", ()),
        ("UPDATE categories SET skeleton = '[[0, -1]]'", ()),
        ("UPDATE categories SET colors = '[\"red\", \"<b>\"]'", ()),
        ("UPDATE images SET width = 60000, height = 60000 WHERE id = 2", ()),
        ("UPDATE images SET width = 9223372036854775807 WHERE id = 2", ()),
        ("UPDATE images SET width = -1 WHERE id = 2", ()),
        ("UPDATE images SET orientation = 99 WHERE id = 2", ()),
        ("UPDATE images SET path = '' WHERE id = 2", ()),
        ("UPDATE images SET path = 'a.png'", ()),
        ("UPDATE images SET sha256 = '../../../../../tmp/owned' WHERE id = 2", ()),
        ("UPDATE images SET sha256 = '/etc/passwd' WHERE id = 2", ()),
        ("UPDATE images SET id = 0 WHERE id = 2", ()),
        ("UPDATE meta SET value = -5 WHERE key = 'next_image_id'", ()),
        ("UPDATE meta SET value = x'00' WHERE key = 'next_image_id'", ()),
        ("UPDATE meta SET value = 1e300 WHERE key = 'next_image_id'", ()),
        ("UPDATE meta SET value = '' WHERE key = 'name'", ()),
        ("UPDATE inbox SET source_keys = ?", (DEEP,)),
        ("UPDATE inbox SET source_keys = '[[1, 2, 3]]'", ()),
        ("UPDATE inbox SET notes = '7'", ()),
        ("UPDATE inbox_annotations SET mask = x'00'", ()),
        ("UPDATE inbox_annotations SET keypoints = 'text'", ()),
    ],
    ids=lambda statement: statement[0][7:60],
)  # fmt: skip
def test_rows_that_lie_are_named(opened: Any, statement: tuple[str, tuple[Any, ...]]) -> None:
    assert opened(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER UPDATE ON meta BEGIN DELETE FROM images; END",
        "CREATE VIEW v AS SELECT load_extension('x')",
        "ALTER TABLE meta RENAME TO m2",
        "DROP TABLE inbox_annotations",
        "PRAGMA user_version = 99",
        "PRAGMA user_version = 0",
    ],
)
def test_schemas_that_are_not_ours_are_refused(opened: Any, statement: str) -> None:
    assert opened(statement)


def test_tables_and_columns_besides_ours_are_left_alone(opened: Any) -> None:
    assert not opened(
        "CREATE TABLE more (a)",
        "CREATE INDEX of_more ON more (a)",
        "ALTER TABLE images ADD COLUMN note TEXT DEFAULT '<b>'",
    )


@pytest.mark.parametrize(
    "path",
    ["../../../etc/passwd", "/etc/passwd", "/dev/zero", "//server/share/x.png", "\\\\server\\x",
     "x" * 5000, "a/" * 3000 + "b", "CON", "<b>.png", "a\nb.png", "\u202egnp.exe"],
)  # fmt: skip
@pytest.mark.parametrize("sha256", ["", "0" * 64])
def test_paths_of_any_kind_open_nothing_that_is_not_theirs(
    opened: Any, path: str, sha256: str
) -> None:
    said = opened(("UPDATE images SET path = ?, sha256 = ? WHERE id = 2", (path, sha256)))
    assert "root:" not in said


def test_a_cache_that_came_with_a_project_writes_nowhere_else(tmp_path: Path, whole: bytes) -> None:
    """A file of the cache is named after an image's hash, which a row may claim to be a path."""
    path = tmp_path / "cats.fmstudio"
    path.write_bytes(whole)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE images SET sha256 = ? WHERE id = 2", (str(tmp_path / "owned"),))
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="stands where the SHA-256"):
        Session.open(path)


@pytest.mark.parametrize("name", ["x" * 5000, "a/" * 3000 + "b", "a\x00b", "\ud800"])
def test_a_project_of_an_impossible_name_gets_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(FmstudioError) as caught:
        Session.open(tmp_path / name)
    assert str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="links are for developers only there")
def test_a_lock_that_is_a_link_empties_nothing(tmp_path: Path, whole: bytes) -> None:
    path, precious = tmp_path / "cats.fmstudio", tmp_path / "precious"
    path.write_bytes(whole)
    precious.write_text("of value")
    (tmp_path / "cats.fmstudio.lock").symlink_to(precious)
    with pytest.raises(StoreError, match="is a link, not a lock"):
        Session.open(path)
    assert precious.read_text() == "of value"


@pytest.mark.skipif(os.name == "nt", reason="links are for developers only there")
@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_a_log_that_is_a_link_is_not_written_through(
    tmp_path: Path, whole: bytes, ending: str
) -> None:
    path, precious = tmp_path / "cats.fmstudio", tmp_path / "precious"
    path.write_bytes(whole)
    precious.write_text("of value")
    (tmp_path / f"cats.fmstudio{ending}").symlink_to(precious)
    with suppress(StoreError):
        Session.open(path).close()
    assert precious.read_text() == "of value"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_or_a_device_is_no_project(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.fmstudio")
    (tmp_path / "zero.fmstudio").symlink_to("/dev/zero")
    for name in ("pipe.fmstudio", "zero.fmstudio"):
        with pytest.raises(StoreError, match="a device or a pipe, not a project file"):
            Session.open(tmp_path / name)


COLUMNS = {
    "images": ["id", "path", "width", "height", "sha256", "orientation"],
    "categories": [
        "id", "name", "supercategory", "keypoints", "skeleton", "flip_pairs", "sigmas", "colors",
    ],
    "annotations": [
        "id", "image_id", "category_id", "status", "provenance", "sources", "source_key",
        "confidence", "box_x", "box_y", "box_width", "box_height", "is_crowd", "keypoints", "mask",
        "doubt", "review", "votes", "alternative", "alternative_keypoints", "alternative_mask",
        "alternative_votes",
    ],
    "inbox": ["id", "image_id", "source_keys", "notes"],
    "inbox_annotations": ["inbox_id", "category_id", "sources", "keypoints", "mask", "votes"],
    "meta": ["value"],
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-2, 3),
    st.floats(),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.binary(max_size=80),
    JSON.map(json.dumps),
    st.lists(st.integers(0, 2**32 - 1), max_size=6).map(lambda values: blob(*values)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=rounds(120))
@given(
    changes=st.lists(
        st.sampled_from([(table, c) for table, names in COLUMNS.items() for c in names]).flatmap(
            lambda place: st.tuples(st.just(place), VALUES)
        ),
        min_size=1,
        max_size=3,
    )
)
def test_any_value_in_any_column_is_read_or_named(opened: Any, changes: Any) -> None:
    statements = [
        (f"UPDATE OR IGNORE {table} SET {column} = ?", (value,))
        for (table, column), value in changes
    ]
    opened(*statements)
