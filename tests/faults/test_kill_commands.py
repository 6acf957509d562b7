"""SIGKILL at random moments of every command that writes: what it does is done whole or not at all.

Twelve kills here; ``FMSTUDIO_KILLS=50 pytest tests/faults/test_kill_commands.py`` makes fifty of
each command. Propagation is killed by itself, with the real networks, in ``tests/e2e``.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fmstudio.io.backups import list_backups
from fmstudio.project.edits import RenameProject
from fmstudio.project.validate import check
from fmstudio.session import Session

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not hasattr(os, "fork"), reason="there is neither fork nor SIGKILL on this system"
    ),
]

CHILD = Path(__file__).parents[1] / "e2e" / "kill_child.py"
KILLS = int(os.environ.get("FMSTUDIO_KILLS", "3"))


class Killer:
    """Runs commands in a child that forks, and kills them after a while."""

    def __init__(self, process):
        self._process = process

    def run(self, args, delay=None):
        """Run a command for so many seconds at most; return its exit code and how long it ran."""
        print(json.dumps([delay, [str(arg) for arg in args]]), file=self._process.stdin, flush=True)
        code, seconds = self._process.stdout.readline().split()
        return int(code), float(seconds)


@pytest.fixture
def killer():
    with subprocess.Popen(
        [sys.executable, str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield Killer(process)
        process.stdin.close()


@pytest.fixture
def photos(tmp_path, sample):
    folder = tmp_path / "photos"
    shutil.copytree(sample / "cats" / "images", folder)
    return folder


@pytest.fixture
def labels(sample):
    return sample / "cats" / "coco.json"


def make(path, photos):
    for left in path.parent.glob(f"{path.stem}.*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    with Session.create(path) as session:
        session.add_images([photos])


def state(path):
    """Return what a project holds, once it is known to be sound."""
    with Session.open(path) as session:
        check(session.project)
        project = session.project
    return project.name, dict(project.images), dict(project.annotations)


def kills(killer, args, prepare):
    """Yield after each of some kills at random moments; ends only where some fell in mid-work."""
    prepare()
    code, whole = killer.run(args)
    assert code == 0
    rng, cut = random.Random(0), 0
    for _ in range(KILLS):
        prepare()
        code, _ = killer.run(args, rng.uniform(0, whole))
        cut += code != 0
        yield
    assert cut > 0


def test_new_leaves_a_sound_project_or_none(killer, tmp_path, photos):
    path = tmp_path / "made.fmstudio"

    def prepare():
        for left in tmp_path.glob("made.*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()

    for _ in kills(killer, ["new", path, photos], prepare):
        if path.exists():
            assert len(state(path)[1]) in (0, 5)


def test_an_import_is_whole_or_not_at_all(killer, tmp_path, photos, labels):
    path = tmp_path / "p.fmstudio"
    args = ["import-coco", path, labels, "--images", photos]
    for _ in kills(killer, args, lambda: make(path, photos)):
        assert len(state(path)[2]) in (0, 5)


def test_an_export_is_whole_or_as_it_was(killer, tmp_path, photos, labels):
    path, out = tmp_path / "p.fmstudio", tmp_path / "labels.json"
    make(path, photos)
    with Session.open(path) as session:
        session.import_coco(labels, photos)
        session.export_coco(out)
    whole = out.read_bytes()

    def prepare():
        out.write_text("{}")

    for _ in kills(killer, ["export", path, out], prepare):
        assert out.read_bytes() in (b"{}", whole)
        assert len(state(path)[2]) == 5


def test_a_restored_backup_is_in_place_or_the_project_is_as_it_was(killer, tmp_path, photos):
    path = tmp_path / "p.fmstudio"

    def prepare():
        make(path, photos)
        with Session.open(path) as session:
            session.perform(RenameProject("renamed"))

    for _ in kills(killer, ["backups", "restore", path, "1"], prepare):
        assert state(path)[0] in ("p", "renamed")
        assert {b.number for b in list_backups(path)} >= {1}
