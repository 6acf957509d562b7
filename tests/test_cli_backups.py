"""Backups and the doctor of a project, as commands."""

import pytest

from fmstudio.io.backups import list_backups
from fmstudio.session import Session
from tests.conftest import cut_in_half


@pytest.fixture
def path(backed_up):
    return backed_up


def name_of(path):
    with Session.open(path) as session:
        return session.project.name


def test_backups_are_listed_the_latest_first(path, command):
    latest, first = command("backups", "list", path, "--json").json()
    assert latest["name"].startswith("000002-")
    assert latest["last_edit"] == "Rename the project to 'felines'"
    assert (first["images"], first["annotations"], first["is_whole"]) == (5, 1, True)
    said = command("backups", "list", path.with_suffix(""))
    assert first["name"] in said.out
    assert "5 images, 1 annotation" in said.out


@pytest.mark.parametrize("by", ["number", "name", "path"])
def test_one_is_put_back_by_number_name_or_path(path, command, by):
    first = list_backups(path)[-1].path
    given = {"number": "1", "name": first.name, "path": first}[by]
    said = command("backups", "restore", path, given)
    assert said.code == 0
    assert "5 images, 1 annotation" in said.out
    assert "is kept as" in said.out
    assert name_of(path) == "cats"


def test_an_unknown_backup_is_refused_with_those_that_there_are(path, command):
    said = command("backups", "restore", path, "77")
    assert said.code == 1
    assert "There is no backup '77'" in said.err
    assert list_backups(path)[0].path.name in said.err


def test_without_a_name_the_latest_whole_one_is_taken(path, command):
    cut_in_half(list_backups(path)[0].path)
    assert command("backups", "restore", path, "--json").json()["restored"]["last_edit"]
    assert name_of(path) == "cats"


def test_a_project_beside_the_command_line_needs_no_folder(path, command, monkeypatch):
    monkeypatch.chdir(path.parent)
    assert [b["is_whole"] for b in command("backups", "list", path.stem, "--json").json()] == [
        True,
        True,
    ]
    assert command("doctor", path.stem).code == 0
    assert command("backups", "restore", path.stem, "1").code == 0
    assert name_of(path) == "cats"


def test_a_healthy_project_is_said_to_be_whole(path, command):
    said = command("doctor", path)
    assert said.code == 0
    assert f"{path} is whole" in said.out
    assert "1 accepted" in said.out


def test_a_damaged_project_is_named_and_mended(path, command):
    cut_in_half(path)
    said = command("doctor", path, "--json")
    assert said.code == 1
    assert "is damaged" in said.json()["faults"][0]
    assert "--repair" in said.json()["faults"][0]
    mended = command("doctor", path, "--repair")
    assert mended.code == 0
    assert "Put back" in mended.err
    assert "The damaged file is kept as" in mended.err
    assert name_of(path) == "felines"


def test_a_lost_project_is_put_back(path, command):
    path.unlink()
    assert command("doctor", path, "--repair").code == 0
    assert name_of(path) == "felines"


def test_without_any_backup_a_sentence_says_so(tmp_path, command):
    said = command("doctor", tmp_path / "none", "--repair")
    assert said.code == 1
    assert "There is no whole backup" in said.err


def test_what_is_wrong_with_images_and_backups_is_said(path, command):
    with Session.open(path) as session:
        images = [session.path_of(image) for image in session.project.sorted_images()]
    images[0].unlink()
    images[1].write_bytes(b"another")
    cut_in_half(list_backups(path)[0].path)
    said = command("doctor", path)
    assert said.code == 1
    assert "1 changed and 1 missing" in said.err
    assert "Damaged: 000002-" in said.err


def test_an_open_project_is_left_alone(path, command):
    with Session.open(path):
        said = command("doctor", path, "--repair")
    assert said.code == 1
    assert "open in process" in said.err


def test_damaged_cache_files_are_named_and_removed(path, command):
    cache = path.with_suffix(".cache") / "ab"
    cache.mkdir(parents=True)
    (cache / "ab12.safetensors").write_bytes(b"half")
    assert "1 cache file damaged" in command("doctor", path).err
    mended = command("doctor", path, "--repair")
    assert mended.code == 0
    assert "Removed 1 damaged cache file" in mended.err
    assert not list(cache.iterdir())
