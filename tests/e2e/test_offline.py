"""The whole journey in processes that may open no socket at all."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import QT_FAULT

ROOT = Path(__file__).resolve().parents[2]

# An audit hook cannot be taken back: whatever asks Python for the network from here on is stopped.
FORBID = """
import os, socket, sys
FAMILIES = (socket.AF_INET, socket.AF_INET6)
NETWORK = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo",
           "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo", "urllib.Request",
           "http.client.connect", "ftplib.connect", "smtplib.connect", "webbrowser.open")
def forbid(event, args):
    if event in NETWORK or (event == "socket.__new__" and args[1] in FAMILIES):
        sys.stderr.write(f"FORBIDDEN {event} {args!r}\\n")
        os._exit(99)
sys.addaudithook(forbid)
"""

COMMANDS = (
    FORBID
    + """
import json
from pathlib import Path
from fmstudio.__main__ import main
def run(*words):
    try:
        main([str(word) for word in words])
    except SystemExit as left:
        assert not left.code, (words, left.code)
folder = Path(sys.argv[1])
project, photos = folder / "cats.fmstudio", folder / "photos"
run("new", project, photos)
run("import-coco", project, folder / "labels.json", "--images", photos)
run("propagate", project, "--from", "siamese.jpg", "--to", "all", "--device", "cpu")
run("info", project)
run("review", project)
run("models", "list")
run("doctor", project)
run("export", project, folder / "all.json", "--proposals")
"""
)

WINDOW = (
    FORBID
    + """
from pathlib import Path
from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtWidgets import QApplication
from fmstudio.project.model import Status
from fmstudio.ui.studio import Studio
folder = Path(sys.argv[1])
app = QApplication([])
settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
studio = Studio(settings, folder / "data")
studio.window.show()
studio.opening.open_paths([folder / "cats.fmstudio"])
def wait(until):
    loop, timer = QEventLoop(), QTimer()
    timer.timeout.connect(lambda: loop.quit() if until() else None)
    timer.start(20)
    QTimer.singleShot(120_000, loop.quit)
    loop.exec()
    assert until()
controller = studio.controller
wait(lambda: controller.session is not None)
pending = [a.id for a in controller.project.annotations.values() if a.status is Status.PROPOSED]
assert pending
controller.accept(tuple(pending))
wait(lambda: studio.canvases.target.is_ready)
assert not [m for m in sys.modules if m.startswith("PySide6.QtNetwork")]
studio.window.close()
assert studio.shut_down()
"""
)


def run(code: str, folder: Path) -> str:
    """Run a program with sockets forbidden, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-1000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.parametrize(
    "attempt",
    ["import socket; socket.create_connection(('127.0.0.1', 9))",
     "import socket; socket.getaddrinfo('localhost', 80)",
     "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')"],
)  # fmt: skip
def test_the_network_is_forbidden_there(attempt: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="FORBIDDEN"):
        run(FORBID + attempt, tmp_path)


@pytest.mark.slow
def test_the_whole_journey_opens_no_socket(tmp_path: Path, sample: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("siamese.jpg", "tabby.jpg"):
        shutil.copy(sample / "cats" / "images" / name, photos)
    document = json.loads((sample / "cats" / "coco.json").read_text(encoding="utf-8"))
    (first,) = (i for i in document["images"] if i["file_name"] == "siamese.jpg")
    document["images"] = [first]
    document["annotations"] = [a for a in document["annotations"] if a["image_id"] == first["id"]]
    (tmp_path / "labels.json").write_text(json.dumps(document), encoding="utf-8")
    run(COMMANDS, tmp_path)
    exported = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert len(exported["annotations"]) == 2
    if QT_FAULT is None:
        run(WINDOW, tmp_path)
