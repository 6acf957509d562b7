"""SIGKILL of the window in the middle of edits: all that had returned is there.

Three kills here; ``FMSTUDIO_KILLS=50 pytest tests/faults/test_kill_window.py`` makes fifty.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmstudio.project.model import Status
from fmstudio.project.validate import check
from fmstudio.session import Session

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL"),
]

CHILD = Path(__file__).with_name("window_child.py")
KILLS = int(os.environ.get("FMSTUDIO_KILLS", "3"))


def kill_once(path, home, first, delay):
    """Let the window edit for some seconds, kill it, and return what it said."""
    env = {"HOME": str(home), "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": ""}
    process = subprocess.Popen(
        [sys.executable, str(CHILD), str(path), str(first)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **env, "QT_QPA_PLATFORM": "offscreen"},
    )
    with process:
        said = [process.stdout.readline()]
        time.sleep(delay)
        process.kill()
        said += process.stdout.readlines()
        assert process.wait() == -signal.SIGKILL
    # The last line may have been cut.
    return [line.split() for line in said if line.endswith("\n")]


def test_every_edit_that_returned_is_there(make_session, tmp_path):
    session = make_session()
    path = session.path
    session.close()
    rng, said = random.Random(0), []
    for turn in range(KILLS):
        said += kill_once(path, tmp_path / "home", 1_000_000 * turn, rng.uniform(0, 0.6))
        with Session.open(path) as session:
            check(session.project)
            found = session.project.annotations
        for kind, id_, *number in said:
            assert int(id_) in found, "an edit is gone"
            if kind == "drawn":
                assert found[int(id_)].keypoints.xy[0, 0] == float(number[0])
            else:
                assert found[int(id_)].status is Status.REJECTED
    assert len(said) >= 2 * KILLS
