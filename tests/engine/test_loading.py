"""Loading the engine in a process of its own, beside a thread that wants its turns."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

CODE = """
import ctypes, gc, json, sys, threading, time
turns, stop = [], threading.Event()
def tick():
    while not stop.wait(0.001):
        turns.append(time.perf_counter())
thread = threading.Thread(target=tick)
thread.start()
before = ctypes._dlopen, list(sys.meta_path)
collections = []
gc.callbacks.append(lambda phase, info: phase == "start" and collections.append(info))
from fmstudio.engine import loading
opened = {}
def timed(self, name, path=None, target=None, find=loading._FreeOpener.find_spec):
    if name == "torch._C":
        start = time.perf_counter()
        find(self, name, path, target)
        opened["turns"] = sum(start < turn for turn in turns)
        opened["seconds"] = time.perf_counter() - start
loading._FreeOpener.find_spec = timed
del collections[:]
loading.load_engine()
seen = len(collections)
loading.load_engine()
stop.set()
thread.join()
print(json.dumps({
    "opened": opened,
    "collections": seen,
    "is_collecting": gc.isenabled(),
    "frozen": gc.get_freeze_count(),
    "restored": (ctypes._dlopen, list(sys.meta_path)[:len(before[1])]) == before,
    "loaded": "torch" in sys.modules and "fmstudio.engine.propagate" in sys.modules,
}))
"""


@pytest.fixture(scope="module")
def seen():
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # not even of leaks at the end
    return json.loads(done.stdout)


@pytest.mark.slow
def test_everything_is_there_and_nothing_else_has_changed(seen):
    assert seen["loaded"]
    assert seen["is_collecting"]
    assert seen["restored"]


@pytest.mark.slow
def test_the_collector_rests_and_then_leaves_the_modules_alone(seen):
    assert seen["collections"] == 0
    assert seen["frozen"] > 100_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there torch is imported before the window")
def test_other_threads_have_their_turns_while_the_libraries_are_opened(seen):
    """A held lock lets one turn pass between two libraries, a free one hundreds a second."""
    assert seen["opened"]["seconds"] > 0.01
    assert seen["opened"]["turns"] > 4 + 20 * seen["opened"]["seconds"]
