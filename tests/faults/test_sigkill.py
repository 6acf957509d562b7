"""A killed process loses nothing that it had committed: the issue's twenty kills, on the store."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import AddAnnotation, AddCategory, AddImages
from fmstudio.project.model import Annotation, Category, ImageItem, Propagated, Status
from fmstudio.project.validate import check
from fmstudio.session import Session

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="there is neither fork nor SIGKILL on this system"
)

CHILD = Path(__file__).with_name("sigkill_child.py")
KILLS = 20
SIZE = ImageSize(64, 48)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "killed.fmstudio"
    mask = Mask.from_array(np.eye(SIZE.height, SIZE.width, dtype=bool))
    with Session.create(path) as session:
        session.perform(AddImages((ImageItem(0, "reference.png", SIZE, "f" * 64),)))
        session.perform(AddCategory(Category(0, "cat", keypoints=("nose",))))
        points = Keypoints.drawn([[1.0, 1.0]], [2])
        session.perform(AddAnnotation(Annotation(0, 1, 1, points, mask)))
    return path


def kill_once(stdin: IO[str], stdout: IO[str], delay: float) -> list[list[str]]:
    """Let a worker work for ``delay`` seconds, kill it, and return what it said."""
    print("go", file=stdin, flush=True)
    said = []
    pid = None
    while not said or said[-1][0] != "dead":
        line = stdout.readline()
        assert line.endswith("\n"), "the child ended by itself"
        said.append(line.split())
        if said[-1][0] == "pid":
            pid = int(said[-1][1])
        if pid is not None and any(words[0] == "open" for words in said):
            time.sleep(delay)
            os.kill(pid, signal.SIGKILL)
            pid = None
    assert said[-1] == ["dead", str(-signal.SIGKILL)]
    return said


def check_all(path: Path, said: list[list[str]]) -> int:
    """Check that a project holds everything that was said; return the length of its inbox."""
    with Session.open(path) as session:
        project, inbox = session.project, session.inbox
    check(project)
    landed = {
        (a.image_id, a.keypoints.xy[0, 0])
        for a in project.annotations.values()
        if a.keypoints is not None and isinstance(a.provenance, Propagated)
    }
    waiting = {
        (entry.image_id, a.keypoints.xy[0, 0])
        for entry in inbox
        for a in entry.annotations
        if a.keypoints is not None
    }
    for kind, *words in said:
        if kind == "image":
            assert project.images[int(words[0])].path == words[1]
        elif kind == "drawn":
            keypoints = project.annotations[int(words[0])].keypoints
            assert keypoints is not None
            assert keypoints.xy[0, 0] == float(words[1])
        elif kind == "rejected":
            assert project.annotations[int(words[0])].status is Status.REJECTED
        elif kind == "landed":
            assert isinstance(project.annotations[int(words[0])].provenance, Propagated)
        elif kind == "received":
            found = (int(words[0]), float(words[1]))
            assert (found in landed) != (found in waiting), "in one of the two, never in both"
    return len(inbox)


def test_twenty_kills_lose_nothing(path: Path) -> None:
    rng = random.Random(0)
    child = subprocess.Popen(
        [sys.executable, str(CHILD), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    said: list[list[str]] = []
    recovered = []
    with child, child.stdin, child.stdout:
        for _ in range(KILLS):
            said += kill_once(child.stdin, child.stdout, rng.uniform(0.0, 0.25))
            recovered.append(check_all(path, said))
            # The next worker finds what this one left in the inbox.
        child.stdin.close()
        assert child.wait() == 0
    kinds = Counter(words[0] for words in said)
    assert kinds["dead"] == kinds["open"] == KILLS
    assert min(kinds[kind] for kind in ("image", "drawn", "received", "landed")) >= 5
    assert any(recovered), "no kill fell between receiving and landing"
