"""SIGKILL in the middle of ``fmstudio propagate``, with the real networks: nothing is lost."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from fmstudio.project.edits import RenameProject
from fmstudio.project.model import ImageState
from fmstudio.project.validate import check
from fmstudio.session import Session

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not hasattr(os, "fork"), reason="there is neither fork nor SIGKILL on this system"
    ),
    # Some two and a half minutes on an idle machine.
    pytest.mark.timeout(1200),
]

KILLS = 20
PROPAGATE = ["--from", "siamese.jpg", "--to", "all", "--device", "cpu"]
PROPAGATE += ["--set", "long_side=256", "--set", "fine_side=0"]


@pytest.fixture
def project(tmp_path: Path, sample: Path, command: Callable[..., Any]) -> Path:
    """A project of thirteen photos, of which one is annotated."""
    for name in ("cats", "views"):
        shutil.copytree(sample / name / "images", tmp_path / "photos" / name)
    document = json.loads((sample / "cats" / "coco.json").read_text(encoding="utf-8"))
    document["images"] = document["images"][:1]
    document["annotations"] = document["annotations"][:1]
    (tmp_path / "one.json").write_text(json.dumps(document), encoding="utf-8")
    path = tmp_path / "p.fmstudio"
    assert command("new", path, tmp_path / "photos").code == 0
    args = ("import-coco", path, tmp_path / "one.json", "--images", tmp_path / "photos" / "cats")
    assert command(*args).code == 0
    return path


@pytest.fixture
def child() -> Iterator[tuple[IO[str], IO[str]]]:
    """A process that forks a command for every line written to it."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("kill_child.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        yield process.stdin, process.stdout
        process.stdin.close()
        assert process.wait(60) == 0


def run(child: tuple[IO[str], IO[str]], args: list[str], delay: float | None) -> tuple[int, float]:
    """Run a command, kill it after ``delay`` seconds; return exit code and how long it ran."""
    stdin, stdout = child
    print(json.dumps([delay, args]), file=stdin, flush=True)
    code, seconds = stdout.readline().split()
    return int(code), float(seconds)


def duration(child: tuple[IO[str], IO[str]], project: Path) -> float:
    """Return how long an undisturbed run takes on this machine: kills then fall all over it."""
    twin = project.with_stem("twin")
    shutil.copy(project, twin)
    code, seconds = run(child, ["propagate", str(twin), *PROPAGATE], None)
    assert code == 0
    return seconds


def test_twenty_kills_of_propagate_lose_nothing(
    project: Path, child: tuple[IO[str], IO[str]]
) -> None:
    rng = random.Random(0)
    args = ["propagate", str(project), *PROPAGATE]
    whole = duration(child, project)
    labelled: set[int] = set()
    left, killed, number = [], 0, 0
    while killed < KILLS:
        assert number < 5 * KILLS, f"only {killed} of {number} runs were killed before their end"
        shutil.rmtree(project.with_suffix(".cache"), ignore_errors=True)
        code, seconds = run(child, args, rng.uniform(0.0, whole))
        assert code in (0, -signal.SIGKILL)
        if code == 0:  # The machine has become faster than at the first run.
            whole = min(whole, seconds)
        else:
            killed += 1
        with Session.open(project) as session:
            assert number == 0 or session.project.name == f"edit {number - 1}"
            check(session.project)
            left.append(len(session.inbox))
            states = {i: session.project.image_state(i) for i in session.project.images}
            now = {i for i, state in states.items() if state is not ImageState.NONE}
            assert labelled <= now
            labelled = now
            # An edit between two kills, which every later opening must still have.
            session.perform(RenameProject(f"edit {number}"))
            assert len(session.inbox) == left[-1]
        number += 1
    assert any(left), "no kill fell between the first proposal and the landing"
    assert run(child, args, None)[0] == 0
    with Session.open(project) as session:
        assert session.inbox == ()
        found = [session.project.image_state(i) for i in sorted(session.project.images)]
        assert found.count(ImageState.PROPOSED) == 12
        assert session.project.name == f"edit {number - 1}"
