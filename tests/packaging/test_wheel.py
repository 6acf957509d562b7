"""Source archive and wheel: made from each other, and run from an empty folder."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from fmstudio import __version__

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return the source archive, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (archive,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return archive, wheel


@pytest.fixture(scope="module")
def run(built, tmp_path_factory):
    """Return a function that runs the wheel's command line in an empty folder."""
    site = tmp_path_factory.mktemp("site")
    install = ["install", "--quiet", "--no-deps", "--target", str(site), str(built[1])]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    empty = tmp_path_factory.mktemp("empty")

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=empty,
            env={**os.environ, "PYTHONPATH": str(site), "QT_QPA_PLATFORM": "offscreen"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = run("-c", "import fmstudio; print(fmstudio.__file__)")
    assert Path(where.strip()).is_relative_to(site)
    return run


def test_both_carry_one_version_and_what_the_program_needs(built):
    archive, wheel = built
    assert archive.name == f"fmstudio-{__version__}.tar.gz"
    assert wheel.name == f"fmstudio-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    for part in (
        "fmstudio/py.typed",
        "fmstudio/_resources/icons/fmstudio.svg",
        "fmstudio/_resources/sample/cats/coco.json",
        f"fmstudio-{__version__}.dist-info/licenses/LICENSE",
    ):
        assert part in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]
    with tarfile.open(archive) as file:
        inside = {name.split("/", 1)[-1] for name in file.getnames()}
    assert {"README.md", "CHANGELOG.md", "pyproject.toml", "tests/conftest.py"} <= inside


def test_the_wheel_matches_its_own_photos_in_an_empty_folder(run, tmp_path):
    assert run("-m", "fmstudio", "--version").strip() == f"fmstudio {__version__}"
    where = "from fmstudio.resources import resource; print(resource('sample/cats/images'))"
    photos = Path(run("-c", where).strip())
    out = tmp_path / "match.png"
    pair = (str(photos / "siamese.jpg"), str(photos / "tabby.jpg"))
    run("-m", "fmstudio", "match", *pair, "--out", str(out), "--set", "long_side=256")
    with Image.open(out) as picture:
        assert min(picture.size) > 200


def test_the_wheel_opens_the_window(run):
    code = (
        "import sys\n"
        "from PySide6.QtCore import QTimer\n"
        "from fmstudio.ui.studio import Studio\n"
        "import fmstudio.app\n"
        "class Brief(Studio):\n"
        "    def begin(self, path):\n"
        "        super().begin(path)\n"
        "        QTimer.singleShot(500, self.window.close)\n"
        "fmstudio.app.Studio = Brief\n"
        "sys.exit(fmstudio.app.run(None))\n"
    )
    run("-c", code)
