"""The desktop's files: complete, valid by the desktop's own programs, and true of the program."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from fmstudio import __version__

ROOT = Path(__file__).resolve().parents[2]
ID = "org.fmstudio.Studio"

if not sys.platform.startswith("linux"):
    pytest.skip("these are a Linux desktop's", allow_module_level=True)


@pytest.fixture(scope="module")
def share(tmp_path_factory):
    """Return the folder into which everything was installed."""
    prefix = tmp_path_factory.mktemp("prefix")
    script = ROOT / "packaging" / "desktop_files.py"
    subprocess.run([sys.executable, str(script), "--prefix", str(prefix)], check=True)
    return prefix / "share"


def test_the_icon_is_there_in_every_size(share):
    found = sorted(share.glob(f"icons/hicolor/*/apps/{ID}.png"))
    assert len(found) == 9
    for path in found:
        size = int(path.parts[-3].split("x")[0])
        with Image.open(path) as picture:
            assert picture.size == (size, size)
            alpha = np.asarray(picture.convert("RGBA"))[..., 3]
        assert 0.3 < (alpha > 128).mean() <= 1
    assert (share / "icons/hicolor/scalable/apps" / f"{ID}.svg").is_file()


def test_the_menu_entry_starts_the_program(share):
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str
    entry.read(share / "applications" / f"{ID}.desktop", encoding="utf-8")
    said = entry["Desktop Entry"]
    assert said["Exec"].split()[0] == "fmstudio"
    assert said["Icon"] == ID
    assert said["MimeType"] == "application/x-fmstudio-project;"
    if shutil.which("desktop-file-validate"):
        subprocess.run(
            ["desktop-file-validate", str(share / "applications" / f"{ID}.desktop")], check=True
        )


def test_the_software_centre_reads_what_is_said_of_it(share):
    path = share / "metainfo" / f"{ID}.metainfo.xml"
    root = ElementTree.parse(path).getroot()
    assert root.findtext("id") == ID
    assert root.find("releases/release").get("version") == __version__
    if shutil.which("appstreamcli") is None:
        pytest.skip("appstreamcli is not installed")
    subprocess.run(["appstreamcli", "validate", "--no-net", str(path)], check=True)


def test_a_project_is_known_by_its_name_and_by_its_bytes(share, make_session, tmp_path):
    if shutil.which("update-mime-database") is None:
        pytest.skip("update-mime-database is not installed")
    session = make_session()
    session.close()
    unnamed = tmp_path / "no-ending"
    shutil.copy(session.path, unnamed)
    code = (
        "import sys\n"
        "from PySide6.QtCore import QMimeDatabase\n"
        "for path in sys.argv[1:]:\n"
        "    print(QMimeDatabase().mimeTypeForFile(path).name())\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(session.path), str(unnamed)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "XDG_DATA_DIRS": f"{share}:/usr/share", "XDG_DATA_HOME": str(share)},
    )
    assert said.stdout.split() == ["application/x-fmstudio-project"] * 2
