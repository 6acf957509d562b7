"""What is committed is there, what is not is not, and every bad file gets one sentence."""

import gc
import os
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from immutables import Map

from fmstudio.errors import StoreError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.io import store_connection, store_schema
from fmstudio.io.store import APPLICATION_ID, Store
from fmstudio.project.doubt import REASONS, Doubt
from fmstudio.project.model import (
    Annotation,
    Category,
    Corrected,
    Drawn,
    ImageItem,
    InboxEntry,
    NextIds,
    Project,
    Propagated,
    Review,
    Status,
)

SIZE = ImageSize(9, 7)


def mask(seed: int) -> Mask:
    bits = np.random.default_rng(seed).random((SIZE.height, SIZE.width)) < 0.5
    bits[0, 0] = True
    return Mask.from_array(bits)


def keypoints(seed: int) -> Keypoints:
    rng = np.random.default_rng(seed)
    return Keypoints(rng.random((3, 2)) * 7, np.array([2, 1, 0]), rng.random(3))


def doubt(seed: int) -> Doubt:
    rng = np.random.default_rng(seed)
    reasons = rng.random((3, len(REASONS)))
    reasons[1, 4] = np.nan
    mask = rng.random(len(REASONS))
    return Doubt(rng.random((3, 2)), [0.5, 0.1, np.nan], reasons, mask, 77.7, 1 / 3)


def image(id_: int) -> ImageItem:
    return ImageItem(id_, f"Bilder/{id_} ü 🦊.jpg", SIZE, f"{id_:064x}", id_ % 8 + 1)


def annotation(id_: int, image_id: int = 1) -> Annotation:
    carried = Propagated((1, 2), "key")
    return Annotation(
        id_,
        image_id,
        1,
        keypoints(id_) if id_ % 3 else None,
        mask(id_) if id_ % 2 or id_ % 3 == 0 else None,
        list(Status)[id_ % 3],
        (Drawn(), carried, Corrected(carried))[id_ % 3],
        0.5 if id_ % 3 else None,
        (0.1, 0.2, 3.0, 4.5) if id_ % 5 == 0 else None,
        id_ % 7 == 0,
        doubt(id_) if id_ % 3 else None,
        list(Review)[id_ % 3],
    )


CATEGORY = Category(
    1, "Füchse", "animal", ("nose", "l", "r"), ((0, 1), (0, 2)), ((1, 2),), (0.1, 0.2, 0.3),
    ("#ff0000",),
)  # fmt: skip


@pytest.fixture
def project() -> Project:
    return Project.build(
        "Füchse",
        [image(1), image(2), image(5)],
        [CATEGORY, Category(2, "plain")],
        [annotation(i, 1 if i < 8 else 5) for i in range(1, 12)],
        NextIds(9, 4, 40),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    # Everything that means something in a URI, as far as the system takes it.
    return tmp_path / ("mein Projekt #1 100%" + ("" if os.name == "nt" else "?") + ".fmstudio")


@pytest.fixture
def store(path: Path, project: Project) -> Iterator[Store]:
    with Store.create(path, project) as opened:
        yield opened


def sentence(path: Path) -> str:
    """Return the one sentence with which a file is refused."""
    with pytest.raises(StoreError) as caught:
        Store.open(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    assert not path.with_name(path.name + ".lock").exists()
    return text


def edited(project: Project) -> Project:
    """Return a project with something added, changed and removed of every kind."""
    return Project(
        "new name",
        project.images.set(1, replace(image(1), path="moved.jpg")).set(6, image(6)).delete(2),
        project.categories.set(1, replace(CATEGORY, name="Fox")).set(3, Category(3, "c")).delete(2),
        project.annotations.set(1, annotation(4)).set(1, replace(annotation(4), id=1))
        .set(20, annotation(20)).delete(3),
        Map({1: (1, 2, 4, 5, 6, 7, 20), 5: (8, 9, 10, 11)}),
        Map({"moved.jpg": 1, image(5).path: 5, image(6).path: 6}),
        NextIds(9, 4, 41),
    )  # fmt: skip


def test_what_is_created_is_loaded(store: Store, project: Project, path: Path) -> None:
    assert store.load() == project
    store.close()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    with Store.open(path) as again:
        loaded = again.load()
    assert loaded == project
    assert loaded.annotations[1].provenance == project.annotations[1].provenance
    points = loaded.annotations[1].keypoints
    assert points is not None
    assert points == keypoints(1)


def test_one_commit_writes_every_kind_of_change(store: Store, project: Project) -> None:
    after = edited(project)
    store.commit(project, after, "Do a lot")
    path = store.path
    store.close()
    with Store.open(path) as again:
        assert again.load() == after
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT value FROM meta WHERE key='last_edit'").fetchone() == (
        "Do a lot",
    )
    connection.close()


def test_undo_is_a_commit_back(store: Store, project: Project) -> None:
    after = edited(project)
    store.commit(project, after, "Do")
    store.commit(after, project, "Undo")
    assert store.load() == project


def test_swapping_two_paths_is_one_commit(store: Store, project: Project) -> None:
    one, two = project.images[1], project.images[2]
    images = project.images.set(1, replace(one, path=two.path)).set(2, replace(two, path=one.path))
    paths = project.of_path.set(two.path, 1).set(one.path, 2)
    after = replace(project, images=images, of_path=paths)
    store.commit(project, after, "Swap")
    assert store.load() == after


def test_projects_loaded_apart_can_be_compared(store: Store, project: Project) -> None:
    store.commit(store.load(), edited(store.load()), "From another copy")
    assert store.load() == edited(project)


@st.composite
def versions(draw: st.DrawFn) -> list[Project]:
    """Return a history of small projects, each a random change of the one before."""
    project = Project.build("p", [image(1)], [CATEGORY])
    history = [project]
    for _ in range(draw(st.integers(1, 5))):
        images = dict(project.images) | {
            i: image(i) for i in draw(st.lists(st.integers(1, 4), max_size=3))
        }
        annotations = dict(project.annotations)
        for i in draw(st.lists(st.integers(1, 9), max_size=4)):
            seeded = replace(annotation(draw(st.integers(1, 9))), id=i)
            annotations[i] = replace(seeded, image_id=draw(st.sampled_from(sorted(images))))
        gone = draw(st.sets(st.integers(1, 9), max_size=3))
        kept = [a for i, a in annotations.items() if i not in gone]
        project = Project.build(
            draw(st.text("aä🦊'\"", min_size=1)), images.values(), [CATEGORY], kept
        )
        history.append(project)
    return history


@given(versions())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_can_be_saved_and_loaded(tmp_path: Path, history: list[Project]) -> None:
    path = tmp_path / "p.fmstudio"
    path.unlink(missing_ok=True)
    with Store.create(path, history[0]) as store:
        for before, after in zip(history, history[1:] + history[-2::-1], strict=False):
            store.commit(before, after, "step")
            assert store.load() == after


def test_a_refused_commit_changes_nothing(store: Store, project: Project) -> None:
    orphan = replace(project, annotations=project.annotations.set(30, annotation(30, image_id=77)))
    with pytest.raises(StoreError, match="does not fit"):
        store.commit(project, replace(orphan, name="other"), "Break")
    assert store.load() == project
    store.commit(project, edited(project), "Goes on")
    assert store.load() == edited(project)


def test_a_commit_on_top_of_another_project_is_refused(store: Store, project: Project) -> None:
    other = Project.build("other", [image(3)])
    with pytest.raises(StoreError, match="does not fit"):
        store.commit(other, Project.build("other"), "Remove what is not there")
    with pytest.raises(StoreError, match="does not fit"):
        store.commit(Project.build("other"), project, "Add what is there")
    moved = replace(other.images[3], path="x")
    with pytest.raises(StoreError, match="does not fit"):
        store.commit(other, Project.build("other", [moved]), "Change what is not there")
    assert store.load() == project


def test_a_name_that_is_not_unicode_is_refused_whole(store: Store, project: Project) -> None:
    bad = replace(image(6), path="caf\udce9.jpg")
    with pytest.raises(StoreError, match=r"caf\\udce9\.jpg.*Unicode") as caught:
        store.commit(project, replace(project, images=project.images.set(6, bad)), "Add")
    assert str(caught.value).encode("utf-8")
    assert store.load() == project


def entry(image_id: int = 2, notes: tuple[str, ...] = ("on the CPU: slow",)) -> InboxEntry:
    drafts = (replace(annotation(1), id=0, image_id=image_id), replace(annotation(2), id=0))
    drafts = tuple(replace(draft, image_id=image_id) for draft in drafts)
    return InboxEntry(image_id, drafts, ((1, "ab"), (2, "cd")), notes)


def test_the_inbox_survives_and_is_emptied_with_the_landing(
    store: Store, project: Project, path: Path
) -> None:
    first, second = store.inbox_add(entry(2)), store.inbox_add(entry(5, ()))
    assert 0 < first.id < second.id
    store.close()
    with Store.open(path) as again:
        assert again.inbox() == (
            replace(entry(2), id=first.id),
            replace(entry(5, ()), id=second.id),
        )
        again.commit(project, edited(project), "Something else")
        assert [e.image_id for e in again.inbox()] == [5]  # image 2 was removed
        again.commit(edited(project), project, "Land", clear_inbox=True)
        assert again.inbox() == ()
        assert again.inbox_add(entry(2)).id > second.id
        again.inbox_clear()
        assert again.inbox() == ()


def test_changing_an_image_keeps_its_inbox(store: Store, project: Project) -> None:
    store.inbox_add(entry(2))
    moved = replace(project.images[2], path="moved.jpg")
    after = replace(
        project,
        images=project.images.set(2, moved),
        of_path=project.of_path.delete(project.images[2].path).set("moved.jpg", 2),
    )
    store.commit(project, after, "Relocate")
    assert len(store.inbox()) == 1


def test_a_failed_landing_keeps_the_inbox(store: Store, project: Project) -> None:
    store.inbox_add(entry(2))
    orphan = replace(project, annotations=project.annotations.set(30, annotation(30, 77)))
    with pytest.raises(StoreError):
        store.commit(project, orphan, "Land", clear_inbox=True)
    assert len(store.inbox()) == 1
    with pytest.raises(StoreError, match="does not fit"):
        store.inbox_add(entry(99))
    assert len(store.inbox()) == 1


def test_creating_over_a_file_is_refused(store: Store, path: Path, project: Project) -> None:
    store.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="already"):
        Store.create(path, project)
    assert path.read_bytes() == before


def test_creating_in_a_missing_folder(tmp_path: Path, project: Project) -> None:
    with pytest.raises(StoreError, match="no folder"):
        Store.create(tmp_path / "missing" / "a.fmstudio", project)


def test_a_creation_that_fails_leaves_nothing(tmp_path: Path, project: Project) -> None:
    orphan = replace(project, annotations=project.annotations.set(30, annotation(30, 77)))
    with pytest.raises(StoreError):
        Store.create(tmp_path / "a.fmstudio", orphan)
    assert list(tmp_path.iterdir()) == []


def test_the_log_of_a_deleted_project_is_not_played_into_a_new_one(
    path: Path, project: Project, tmp_path: Path
) -> None:
    with Store.create(path, project) as store:
        store.commit(project, edited(project), "Do")
        log = path.with_name(path.name + "-wal").read_bytes()
    assert log
    path.unlink()
    path.with_name(path.name + "-wal").write_bytes(log)
    empty = Project.build("empty")
    with Store.create(path, empty) as store:
        assert store.load() == empty


def test_a_missing_file_a_folder_and_files_of_other_kinds(tmp_path: Path) -> None:
    assert "no project" in sentence(tmp_path / "missing.fmstudio")
    (tmp_path / "folder.fmstudio").mkdir()
    assert "folder" in sentence(tmp_path / "folder.fmstudio")
    text = tmp_path / "text.fmstudio"
    for content in (b"", b"hello", b"SQLite format 3\0", b"{}" * 500):
        text.write_bytes(content)
        assert "not a project file" in sentence(text)
        assert text.read_bytes() == content


def test_another_programs_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "browser.fmstudio"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE history (url)")
    connection.close()
    before = path.read_bytes()
    assert "another program" in sentence(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def pragma(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_a_newer_format_is_refused(store: Store, path: Path) -> None:
    store.close()
    pragma(path, "PRAGMA user_version = 99")
    assert "newer" in sentence(path)
    assert "99" in sentence(path)


def test_a_file_that_holds_code_is_refused(store: Store, path: Path) -> None:
    store.close()
    pragma(path, "CREATE TRIGGER evil AFTER INSERT ON images BEGIN DELETE FROM images; END")
    assert "trigger ('evil')" in sentence(path)


def test_a_dangling_reference_is_found(store: Store, path: Path) -> None:
    store.close()
    pragma(path, "PRAGMA foreign_keys = OFF", "DELETE FROM images WHERE id = 5")
    assert "damaged" in sentence(path)
    assert "images" in sentence(path)


@pytest.mark.parametrize("where", [0.3, 0.6, 0.9])
def test_overwritten_pages_are_found(path: Path, project: Project, where: float) -> None:
    many = [annotation(i) for i in range(1, 400)]
    Store.create(path, Project.build("p", [image(1)], [CATEGORY], many)).close()
    data = bytearray(path.read_bytes())
    start = int(len(data) * where) // 4096 * 4096
    data[start : start + 4096] = os.urandom(4096)
    path.write_bytes(data)
    assert "damaged" in sentence(path)


def test_a_file_cut_short_is_found(store: Store, path: Path) -> None:
    store.close()
    path.write_bytes(path.read_bytes()[:9000])
    assert "damaged" in sentence(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE annotations SET mask = x'0102' WHERE id = 1",
        "UPDATE annotations SET mask = x'090000000700000001000000' WHERE id = 1",
        "UPDATE annotations SET keypoints = x'01' WHERE id = 1",
        "UPDATE annotations SET keypoints = 'text' WHERE id = 1",
        "UPDATE annotations SET sources = '[' WHERE id = 1",
        "UPDATE categories SET skeleton = '[[1]]' WHERE id = 1",
        "UPDATE categories SET skeleton = '[[0, 9]]' WHERE id = 1",
        "UPDATE categories SET keypoints = '7' WHERE id = 1",
        "UPDATE images SET path = x'00' WHERE id = 1",
        "UPDATE images SET width = 'wide' WHERE id = 1",
        "UPDATE meta SET value = 1 WHERE key = 'next_image_id'",
        "UPDATE meta SET value = 'x' WHERE key = 'next_image_id'",
        "DELETE FROM meta WHERE key = 'name'",
        "ALTER TABLE annotations DROP COLUMN confidence",
        "ALTER TABLE images RENAME TO pictures",
    ],
)
def test_rows_that_make_no_sense_are_found(store: Store, path: Path, statement: str) -> None:
    store.close()
    pragma(path, statement)
    with Store.open(path) as again, pytest.raises(StoreError, match="damaged") as caught:
        again.load()
    assert "\n" not in str(caught.value)


def test_the_collector_runs_again_after_a_load_that_succeeds_or_fails(
    store: Store, path: Path
) -> None:
    store.load()
    assert gc.isenabled()
    store.close()
    pragma(path, "DELETE FROM meta WHERE key = 'name'")
    with Store.open(path) as again, pytest.raises(StoreError):
        again.load()
    assert gc.isenabled()


def test_only_a_large_project_is_spared_the_search_for_cycles(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    spared: list[bool] = []
    monkeypatch.setattr(gc, "freeze", lambda: spared.append(True))
    store.load()
    assert not spared
    monkeypatch.setattr("fmstudio.io.store._LARGE", 14)
    store.load()
    assert spared


def test_a_closed_store_says_so(store: Store, project: Project) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.load()
    with pytest.raises(StoreError, match="closed"):
        store.commit(project, edited(project), "late")


def test_the_connection_trusts_nothing_and_flushes_everything(store: Store) -> None:
    connection = store._connection
    values = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
    }
    assert values == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
    }
    assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    assert connection.execute("PRAGMA user_version").fetchone()[0] == len(store_schema.MIGRATIONS)


# --- migrations -----------------------------------------------------------------------------


def _make_version_0(path: Path) -> None:
    pragma(path, f"PRAGMA application_id = {APPLICATION_ID}", "CREATE TABLE scratch (a)")
    pragma(path, "DROP TABLE scratch")


def test_a_version_0_file_becomes_an_empty_project(path: Path) -> None:
    _make_version_0(path)
    with Store.open(path) as store:
        assert store.load() == Project.build("untitled")
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(store_schema.MIGRATIONS),)
    connection.close()


def test_a_version_1_file_knows_no_doubt_and_all_in_it_was_seen(
    path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Project.build("old", project.images.values(), project.categories.values())
    with monkeypatch.context() as patch:
        patch.setattr(store_schema, "MIGRATIONS", store_schema.MIGRATIONS[:1])
        Store.create(path, plain).close()
    pragma(
        path,
        "INSERT INTO annotations (id, image_id, category_id, status, provenance, sources, "
        "source_key, box_x, box_y, box_width, box_height, is_crowd) "
        "VALUES (1, 1, 1, 'accepted', 'propagated', '[]', 'key', 1, 2, 3, 4, 0)",
        "UPDATE meta SET value = 2 WHERE key = 'next_annotation_id'",
    )
    with Store.open(path) as store:
        (old,) = store.load().annotations.values()
        assert (old.doubt, old.review) == (None, Review.SEEN)
        entry = InboxEntry(1, (replace(annotation(1), id=0, image_id=1, doubt=doubt(1)),))
        kept = store.inbox_add(entry)
        assert store.inbox() == (kept,)


def test_a_cut_doubt_is_refused(store: Store, path: Path) -> None:
    store.close()
    pragma(path, "UPDATE annotations SET doubt = X'00112233'")
    with Store.open(path) as again, pytest.raises(StoreError, match="cut short"):
        again.load()


def _add_taken(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE images ADD COLUMN taken TEXT NOT NULL DEFAULT ''")


def _fill_taken(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE images SET taken = 'unknown'")


def test_an_older_file_is_brought_up_step_by_step(
    store: Store, path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    steps = (*store_schema.MIGRATIONS, _add_taken, _fill_taken)
    monkeypatch.setattr(store_schema, "MIGRATIONS", steps)
    with Store.open(path) as again:
        assert again.load() == project
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(steps),)
    assert connection.execute("SELECT DISTINCT taken FROM images").fetchall() == [("unknown",)]
    connection.close()
    monkeypatch.undo()
    assert "newer" in sentence(path)


def test_a_step_that_fails_leaves_the_version_before(
    store: Store, path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM annotations")
        connection.execute("CREATE TABLE images (again)")

    store.close()
    steps = (*store_schema.MIGRATIONS, _add_taken, broken)
    n = len(steps)
    with monkeypatch.context() as patch:
        patch.setattr(store_schema, "MIGRATIONS", steps)
        assert f"from format {n - 1} to {n}" in sentence(path)
        patch.setattr(store_schema, "MIGRATIONS", steps[:-1])
        with Store.open(path) as again:
            assert again.load() == project


# --- one writer -----------------------------------------------------------------------------

HOLDER = """
import sys
from pathlib import Path
from fmstudio.io.store import Store
store = Store.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def _python(code: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_second_writer_is_told_who_has_it(store: Store, path: Path, project: Project) -> None:
    with pytest.raises(StoreError, match=f"open in process {os.getpid()} on "):
        Store.open(path)
    with pytest.raises(StoreError, match="open in process"):
        Store.create(path, project)
    assert store.load() == project
    store.close()
    Store.open(path).close()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_to_the_project_is_the_same_project(store: Store, path: Path) -> None:
    link = path.with_name("link.fmstudio")
    link.symlink_to(path)
    with pytest.raises(StoreError, match="open in process"):
        Store.open(link)


def test_a_killed_process_leaves_no_lock(store: Store, path: Path, project: Project) -> None:
    store.close()
    process = _python(HOLDER, str(path))
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    with pytest.raises(StoreError, match=f"open in process {process.pid} on "):
        Store.open(path)
    process.kill()
    process.communicate()
    assert path.with_name(path.name + ".lock").exists()
    with Store.open(path) as again:
        assert again.load() == project
    assert not path.with_name(path.name + ".lock").exists()


COMMITTER = """
import sys
from dataclasses import replace
from pathlib import Path
from fmstudio.geometry.grid import ImageSize
from fmstudio.io.store import Store
from fmstudio.project.model import ImageItem, InboxEntry, Project
store = Store.open(Path(sys.argv[1]))
project = store.load()
while True:
    id_ = project.next_ids.image
    images = [*project.images.values(), ImageItem(id_, f"{id_}.jpg", ImageSize(4, 4), "")]
    after = Project.build("p", images)
    store.commit(project, after, "Add")
    store.inbox_add(InboxEntry(id_, ()))
    project = after
    print(id_, flush=True)
"""


def test_a_killed_writer_loses_nothing_it_was_told_is_committed(path: Path) -> None:
    Store.create(path, Project.build("p")).close()
    before = 0
    for lines in (1, 3, 7):
        process = _python(COMMITTER, str(path))
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(lines)]
        process.kill()
        said += [int(line) for line in process.communicate()[0].splitlines()]
        with Store.open(path) as store:
            project = store.load()
            assert said[0] == before + 1
            assert sorted(project.images) == list(range(1, len(project.images) + 1))
            # The last commit may have been on the disk before it could be said.
            assert said[-1] <= len(project.images) <= said[-1] + 1
            assert set(said) <= {entry.image_id for entry in store.inbox()}
            before = len(project.images)


def test_another_program_that_writes_is_named_as_the_reason(
    store: Store, path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    monkeypatch.setattr(store_connection, "_BUSY_SECONDS", 0.05)
    with Store.open(path) as again:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Another program"):
            again.commit(project, edited(project), "Do")
        other.close()
        again.commit(project, edited(project), "Do")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs another user on POSIX")
def test_a_read_only_folder_gets_a_sentence(project: Project) -> None:
    # Not tmp_path, whose parents another user cannot even enter.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        path = folder / "a.fmstudio"
        Store.create(path, project).close()
        folder.chmod(0o555)
        try:
            text = _as_another_user(path)
        finally:
            folder.chmod(0o755)
    assert text.startswith(f"The folder {folder} cannot be written")


def _as_another_user(path: Path) -> str:
    """Return what a process that is not root hears on opening the project."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python warns of forks beside threads; the child only opens a file, and never returns.
        warnings.simplefilter("ignore")
        child = os.fork()
    if child == 0:
        message = "opened"
        try:
            if os.getuid() == 0:
                os.setuid(65534)
            Store.open(path)
        except StoreError as error:
            message = str(error)
        finally:
            os.write(writer, message.encode())
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as answer:
        return answer.read().decode()


def test_a_full_disk_gets_a_sentence(store: Store, project: Project) -> None:
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    many = Project.build("p", [replace(image(i), path="x" * 3000 + str(i)) for i in range(1, 99)])
    with pytest.raises(StoreError, match="full"):
        store.commit(project, many, "Too much")
    assert store.load() == project


def test_a_file_without_votes_gains_their_columns(
    path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store_schema, "MIGRATIONS", store_schema.MIGRATIONS[:1])
        Store.create(path, Project.build("old")).close()
    with Store.open(path) as store:
        assert store.load() == Project.build("old")
        store.commit(Project.build("old"), project, "Fill")
    with Store.open(path) as store:
        assert store.load() == project
