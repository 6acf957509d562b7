"""A project that cannot be written is looked at: open elsewhere, or in a read-only folder."""

import shutil
import subprocess
import sys

import pytest

from fmstudio.errors import NotWritableError, StoreError
from fmstudio.geometry.grid import ImageSize
from fmstudio.project.edits import AddImages, RenameProject
from fmstudio.project.model import ImageItem
from fmstudio.session import Session

# Works on a project until its standard input is closed.
CHILD = """
import sys
from pathlib import Path
from fmstudio.project.edits import RenameProject
from fmstudio.session import Session
with Session.open(Path(sys.argv[1])) as session:
    session.perform(RenameProject("worked on"))
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "cats" / "cats.fmstudio"
    path.parent.mkdir()
    with Session.create(path) as session:
        session.perform(AddImages((ImageItem(0, "1.png", ImageSize(64, 48), "f" * 64),)))
    return path


def test_the_second_is_told_who_has_it_and_may_look(path):
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout.readline() == "open\n"
        with pytest.raises(NotWritableError, match=f"open in process {child.pid} on "):
            Session.open(path)
        with Session.open(path, may_look=True) as session:
            # Also what the other has not folded into the file yet.
            assert session.project.name == "worked on"
            assert f"process {child.pid}" in session.refusal
            with pytest.raises(NotWritableError, match=f"process {child.pid}"):
                session.perform(RenameProject("mine"))
            assert session.project.name == "worked on"
            assert session.history.undo_label is None
        child.stdin.close()
        assert child.wait() == 0
    with Session.open(path) as session:
        assert session.refusal == ""
        assert session.project.name == "worked on"


def test_who_looks_keeps_nobody_from_work(path):
    with Session.open(path) as first, Session.open(path, may_look=True) as looking:
        first.perform(RenameProject("later"))
        assert looking.project.name == "cats"
    with Session.open(path, may_look=True) as session:
        assert session.refusal == ""


def test_a_read_only_disk_is_looked_at(path, small_disk):
    disk = small_disk(4)
    there = shutil.copy(path, disk.folder / path.name)
    disk.make_read_only()
    with pytest.raises(NotWritableError, match="cannot be written"):
        Session.open(there)
    with Session.open(there, may_look=True) as session:
        assert len(session.project.images) == 1
        with pytest.raises(NotWritableError, match="cannot be written"):
            session.perform(RenameProject("mine"))


def test_what_is_no_project_is_not_looked_at_either(tmp_path):
    (tmp_path / "x.fmstudio").write_text("text")
    with pytest.raises(StoreError, match="not a project"):
        Session.open(tmp_path / "x.fmstudio", may_look=True)
