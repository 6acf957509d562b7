"""What every test may use, and what none may do: reach for the network."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import fmstudio  # noqa: F401 - before torch, which reads how its threads are to wait

# Qt draws into memory unless a test run asks for a real display.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
try:
    import PySide6.QtWidgets  # noqa: F401
except ImportError as error:  # a machine without the libraries that Qt's widgets link to
    QT_FAULT: str | None = str(error)
else:
    QT_FAULT = None
    pytest_plugins = ["pytestqt.plugin"]

ROOT = Path(__file__).resolve().parents[1]

# A busy machine is no failure, so no deadlines; on CI the same examples every time.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that connects to anything but this machine, or looks a name up."""

    def refused(address: object) -> OSError:
        return OSError(f"a test reached for the network: {address!r}")

    def is_local(host: object) -> bool:
        return str(host) in ("localhost", "127.0.0.1", "::1", "")

    def guarded(method: str) -> None:
        real = getattr(socket.socket, method)

        def call(self: socket.socket, address: object) -> object:
            if self.family == getattr(socket, "AF_UNIX", None):
                return real(self, address)
            if not is_local(address[0] if isinstance(address, tuple) else address):
                raise refused(address)
            return real(self, address)

        monkeypatch.setattr(socket.socket, method, call)

    look_up = socket.getaddrinfo

    def guarded_look_up(host: object, *args: object, **kwargs: object) -> object:
        if not is_local(host if host is not None else ""):
            raise refused(host)
        return look_up(host, *args, **kwargs)  # type: ignore[arg-type]

    guarded("connect")
    guarded("connect_ex")
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


@pytest.fixture(scope="session")
def sample() -> Path:
    """Return the folder of the sample collection."""
    return ROOT / "resources" / "sample"


@pytest.fixture
def at_home(tmp_path: Path, sample: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with ``photos`` and a COCO file that annotates one of them; the current one."""
    shutil.copytree(sample / "cats" / "images", tmp_path / "photos")
    document = json.loads((sample / "cats" / "coco.json").read_text(encoding="utf-8"))
    document["images"] = document["images"][:1]
    document["annotations"] = document["annotations"][:1]
    (tmp_path / "labels.json").write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def dev_data() -> Path:
    """Return the optional folder of labelled photos beside the checkout, or skip."""
    folder = ROOT.parent / "shared" / "data" / "dev"
    if not folder.is_dir():
        pytest.skip("the labelled photos of ../shared/data/dev are not on this machine")
    return folder


@pytest.fixture
def make_session(tmp_path: Path, sample: Path) -> Iterator[Callable[..., Any]]:
    """Return a function that makes a project of the five sample cats; siamese.jpg is annotated."""
    from fmstudio.session import Session

    opened: list[Session] = []

    def make(name: str = "cats", *, annotated: bool = True) -> Any:
        photos = tmp_path / f"{name}-photos"
        shutil.copytree(sample / "cats" / "images", photos)
        session = Session.create(tmp_path / name)
        opened.append(session)
        session.add_images([photos])
        if annotated:
            document = json.loads((sample / "cats" / "coco.json").read_text(encoding="utf-8"))
            first = document["images"][0]["id"]
            document["images"] = document["images"][:1]
            document["annotations"] = [a for a in document["annotations"] if a["image_id"] == first]
            labels = tmp_path / f"{name}.json"
            labels.write_text(json.dumps(document), encoding="utf-8")
            session.import_coco(labels, photos)
        return session

    yield make
    for session in opened:
        session.close()


def cut_in_half(path: Path) -> None:
    """Leave of a file what a copy that was broken off leaves."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.fixture
def backed_up(make_session: Callable[..., Any]) -> Path:
    """Return a project with two backups: as it was made, and renamed to "felines"."""
    from fmstudio.project.edits import RenameProject
    from fmstudio.session import Session

    made = make_session()
    path: Path = made.path
    made.close()
    with Session.open(path) as session:
        session.perform(RenameProject("felines"))
    Session.open(path).close()
    return path


@dataclass(frozen=True)
class SmallDisk:
    """A disk of a few megabytes that is a folder."""

    folder: Path

    def make_read_only(self) -> None:
        """Let nothing be written to it any more."""
        subprocess.run(["mount", "-o", "remount,ro", str(self.folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], SmallDisk]]:
    """Return a function that makes a disk of so many megabytes; skips where none can be mounted."""
    mounted: list[Path] = []

    def make(megabytes: int) -> SmallDisk:
        folder = tmp_path / f"disk-{len(mounted)}"
        folder.mkdir()
        size = f"size={megabytes}m"
        command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no mount command here")
        if done.returncode:
            pytest.skip(f"no disk can be mounted here ({done.stderr.strip()})")
        mounted.append(folder)
        return SmallDisk(folder)

    yield make
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what it wrote to stdout, which must be JSON and nothing else."""
        return json.loads(self.out)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Return a function that runs a command of fmstudio as ``main`` would."""
    from fmstudio.__main__ import main

    def run(*args: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "Traceback" not in err or "--debug" in args
        code = left.value.code
        return Ran(code if isinstance(code, int) else 0, out, err)

    return run
