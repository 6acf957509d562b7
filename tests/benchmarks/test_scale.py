"""The benchmarks of scale and of long work run; what they found is judged by whoever runs them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/clear_refs").exists(), reason="memory is counted as Linux tells it"
    ),
]


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_every_step_of_a_project_has_its_time_and_memory_and_growth():
    done = run("benchmarks.scale", "20", "60")
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (\w+) \| (.*) \|$", done.stdout, re.MULTILINE)
    assert [name for name, _ in rows] == [
        "write", "open", "edit", "undo", "search", "export", "import"
    ]  # fmt: skip
    for _, cells in rows:
        small, large, _growth = cells.split(" | ")
        assert re.fullmatch(r"[\d.]+ m?s, \d+ MiB", small)
        assert re.fullmatch(r"[\d.]+ m?s, \d+ MiB", large)


def test_a_round_of_the_soak_does_all_of_it_and_says_what_is_held():
    done = run("benchmarks.soak", "--minutes", "0")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^round 1, minute [\d.]+: .* files, \d+ threads", done.stdout, re.MULTILINE)
    for held in ("mib", "files", "threads"):
        assert re.search(rf"^\| {held} \| \d+ \| \d+ \|$", done.stdout, re.MULTILINE)
