"""Backups of a project file: made, kept for a while, and put back."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from fmstudio.errors import DamagedError, NotWritableError, StoreError
from fmstudio.geometry.grid import ImageSize
from fmstudio.io import backups
from fmstudio.io.backups import (
    Backup,
    back_up,
    contents_of,
    folder_of,
    list_backups,
    outdated,
    restore,
)
from fmstudio.project.edits import AddImages, RenameProject
from fmstudio.project.model import ImageItem
from fmstudio.session import Session

SIZE = ImageSize(64, 48)


def add(session, name):
    session.perform(AddImages((ImageItem(0, name, SIZE, "f" * 64),)))


def names(path):
    with Session.open(path) as session:
        return [image.path for image in session.project.sorted_images()]


@pytest.fixture
def path(tmp_path):
    """Return a project of two images that was opened twice: after each image once."""
    path = tmp_path / "cats.fmstudio"
    with Session.create(path) as session:
        add(session, "1.png")
    with Session.open(path) as session:
        add(session, "2.png")
    Session.open(path).close()
    return path


def break_in_two(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))


def test_opening_keeps_what_there_was_once(path):
    latest, first = list_backups(path)
    assert (latest.number, first.number) == (2, 1)
    assert contents_of(first.path).images == 1
    assert contents_of(latest.path).images == 2
    assert contents_of(latest.path).last_edit == "Add 1 image"
    Session.open(path).close()
    assert len(list_backups(path)) == 2
    assert {p.suffix for p in folder_of(path).iterdir()} == {".fmstudio"}


def test_a_backup_opens_by_itself(path, tmp_path):
    shutil.copy(list_backups(path)[1].path, tmp_path / "copy.fmstudio")
    assert names(tmp_path / "copy.fmstudio") == ["1.png"]


def test_ten_minutes_of_work_make_one(path, monkeypatch):
    monkeypatch.setattr(backups, "EVERY_S", 0.0)
    with Session.open(path) as session:
        add(session, "3.png")
    assert contents_of(list_backups(path)[0].path).images == 3


def test_a_large_project_is_copied_while_it_is_worked_on(path, monkeypatch):
    monkeypatch.setattr(backups, "_LARGE_BYTES", 0)
    with Session.open(path) as session:
        add(session, "3.png")
    with Session.open(path) as session:
        assert len(session.project.images) == 3
    assert contents_of(list_backups(path)[0].path).images == 3


def test_an_earlier_state_is_put_back_and_the_later_one_kept(path):
    kept = restore(path, list_backups(path)[1].path)
    assert names(path) == ["1.png"]
    assert contents_of(kept).images == 2
    # What is done from now on is another state, though the counts are as before.
    with Session.open(path) as session:
        add(session, "3.png")
    Session.open(path).close()
    assert contents_of(list_backups(path)[0].path).images == 2
    restore(path, kept)
    assert names(path) == ["1.png", "2.png"]


def test_a_damaged_project_is_put_back_and_kept(path):
    break_in_two(path)
    damaged = path.read_bytes()
    with pytest.raises(DamagedError, match="restore it from a backup"):
        Session.open(path)
    kept = restore(path, list_backups(path)[0].path)
    assert kept.read_bytes() == damaged
    assert names(path) == ["1.png", "2.png"]


def test_a_lost_project_is_put_back(path):
    path.unlink()
    assert restore(path, list_backups(path)[0].path) is None
    assert names(path) == ["1.png", "2.png"]


def test_what_is_open_or_damaged_is_not_put_back(path):
    latest = list_backups(path)[0].path
    with Session.open(path), pytest.raises(NotWritableError, match="open in process"):
        restore(path, latest)
    break_in_two(latest)
    with pytest.raises(DamagedError):
        restore(path, latest)
    assert names(path) == ["1.png", "2.png"]


def test_a_folder_that_cannot_be_written_stops_no_work(path):
    shutil.rmtree(folder_of(path))
    folder_of(path).write_text("not a folder")
    with Session.open(path) as session:
        add(session, "3.png")
    assert names(path) == ["1.png", "2.png", "3.png"]
    with pytest.raises(StoreError):
        list_backups(path)


def test_what_a_killed_process_left_goes(path):
    left = folder_of(path) / ".fmstudio-1234.tmp"
    left.write_bytes(b"half")
    with Session.open(path) as session:
        session.perform(RenameProject("dogs"))
    back_up(path)
    assert not left.exists()


def test_strangers_among_the_backups_are_passed_over(path):
    (folder_of(path) / "notes.txt").write_text("mine")
    (folder_of(path) / "000009-99999999T999999Z.fmstudio").write_text("no such day")
    assert [b.number for b in list_backups(path)] == [2, 1]


def test_the_latest_and_the_last_of_each_day_are_kept(tmp_path):
    start = datetime(2026, 1, 1, 8, tzinfo=UTC)
    # Four a day for thirty days, the latest first.
    made = [
        Backup(4 * day + n, start + timedelta(days=day, hours=n), tmp_path)
        for day in range(30)
        for n in range(4)
    ][::-1]
    gone = outdated(made)
    kept = [b.number for b in made if b not in gone]
    assert kept[:5] == [119, 118, 117, 116, 115]
    assert kept[5:] == [4 * day + 3 for day in range(27, 19, -1)]


def test_a_clock_that_is_set_back_leaves_the_latest(tmp_path):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = [Backup(n, start - timedelta(days=n), tmp_path) for n in range(20, 0, -1)]
    assert made[:5] == [b for b in made if b not in outdated(made)][:5]
