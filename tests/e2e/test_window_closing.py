"""Closing the window while a propagation runs: the process is gone at once, and nothing is lost."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmstudio import __main__ as entry
from fmstudio.project.model import Status
from fmstudio.session import Session
from fmstudio.ui.sample import sample_project

CHILD = Path(__file__).with_name("window_child.py")


@pytest.mark.slow
def test_closing_in_mid_run_ends_the_process_within_a_second(tmp_path: Path) -> None:
    project = sample_project(tmp_path / "data")
    with Session.open(project) as session:
        before = session.project
    home = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": ""}
    ran = subprocess.run(
        [sys.executable, str(CHILD), str(project)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, **home, "QT_QPA_PLATFORM": "offscreen"},
    )
    ended = time.time()
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr
    state, closed = ran.stdout.split()
    assert state == "running"
    assert ended - float(closed) < 1.5  # a second, and what a process needs to go
    with Session.open(project) as session:
        assert session.inbox == ()
        assert session.project.categories == before.categories
        kept = [a for a in session.project.annotations.values() if a.status is Status.ACCEPTED]
        assert kept == list(before.annotations.values())


def test_the_program_begins_and_ends_without_torch_or_a_word(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom PySide6.QtCore import QTimer\nimport fmstudio.app as app\n"
        "class Brief(app.Studio):\n"
        "    def begin(self, path):\n"
        "        super().begin(path)\n"
        "        QTimer.singleShot(0, self.window.close)\n"
        "app.Studio = Brief\n"
        "code = app.run(None)\nprint(code, 'torch' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"},
    )
    assert ran.stdout.split() == ["0", "False"], ran.stderr
    assert "Traceback" not in ran.stderr


def test_without_a_display_it_is_one_sentence(tmp_path: Path) -> None:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if not sys.platform.startswith("linux"):
        pytest.skip("only here a window needs DISPLAY")
    ran = subprocess.run(
        [sys.executable, "-m", "fmstudio"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={name: value for name, value in os.environ.items() if name not in hidden},
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("There is no display")
    assert len(ran.stderr.strip().splitlines()) <= 2


@pytest.mark.parametrize(
    ("args", "opened"), [([], None), (["gui"], None), (["gui", "photos"], Path("photos"))]
)
def test_the_command_opens_the_window(
    monkeypatch: pytest.MonkeyPatch, args: list[str], opened: Path | None
) -> None:
    asked = []

    def open_window(path: Path | None) -> int:
        asked.append(path)
        return 7

    monkeypatch.setattr(entry, "open_window", open_window)
    with pytest.raises(SystemExit) as left:
        entry.main(args)
    assert left.value.code == 7
    assert asked == [opened]
