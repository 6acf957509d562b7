"""The Debian package, of a tiny stand-in for a bundle: what is where, whose, and said of it."""

import gzip
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fmstudio import __version__

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packaging" / "deb.py"
ID = "org.fmstudio.Studio"

if shutil.which("dpkg-deb") is None or shutil.which("dpkg") is None:
    pytest.skip("dpkg-deb is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Return a folder that looks like a bundle and is a few bytes."""
    folder = tmp_path_factory.mktemp("dist") / "fmstudio"
    inside = folder / "_internal"
    (inside / "notices").mkdir(parents=True)
    (inside / "notices" / "sbom.cdx.json").write_text("{}", encoding="utf-8")
    (inside / "libone.so.1").write_bytes(bytes(3000))
    (inside / "libone.so").symlink_to("libone.so.1")
    program = folder / "fmstudio"
    program.write_text(f"#!/bin/sh\necho fmstudio {__version__}\n", encoding="utf-8")
    program.chmod(0o700)
    (inside / "libone.so.1").chmod(0o660)
    return folder


@pytest.fixture(scope="module")
def package(bundle, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    command = [sys.executable, str(SCRIPT), str(bundle), "--out", str(out), "--kind", "gzip"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (package,) = out.glob("*.deb")
    return package


@pytest.fixture(scope="module")
def listing(package):
    """Return mode, owner and target of each path of the package."""
    said = subprocess.run(
        ["dpkg-deb", "-c", str(package)], capture_output=True, text=True, check=True
    )
    found = {}
    for line in said.stdout.splitlines():
        mode, owner, _size, _day, _time, path = line.split(None, 5)
        path, _, target = path.partition(" -> ")
        found[path.removeprefix("./").rstrip("/")] = (mode, owner, target)
    return found


def test_the_control_file_says_what_it_is(package):
    def field(name):
        command = ["dpkg-deb", "-f", str(package), name]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert field("Package") == "fmstudio"
    assert field("Version") == __version__
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine())
    assert field("Architecture") == machine or machine is None
    assert package.name == f"fmstudio_{__version__}_{field('Architecture')}.deb"
    assert field("Maintainer").startswith("The fmstudio authors <")
    needed = field("Depends").split(", ")
    assert needed == sorted(needed)
    assert {"libegl1", "libgl1"} <= set(needed)
    assert any(name.startswith("libc6") for name in needed)
    # The icons and the stand-in are some tens of kilobytes.
    assert 10 < int(field("Installed-Size")) < 2000


def test_everything_lies_where_debian_wants_it(listing):
    assert listing["usr/bin/fmstudio"][2] == "../lib/fmstudio/fmstudio"
    assert listing["usr/lib/fmstudio/_internal/libone.so"][2] == "libone.so.1"
    for path in (
        f"usr/share/applications/{ID}.desktop",
        f"usr/share/metainfo/{ID}.metainfo.xml",
        f"usr/share/mime/packages/{ID}.xml",
        f"usr/share/icons/hicolor/256x256/apps/{ID}.png",
        f"usr/share/icons/hicolor/scalable/apps/{ID}.svg",
        "usr/share/doc/fmstudio/copyright",
        "usr/share/doc/fmstudio/changelog.gz",
        "usr/lib/fmstudio/_internal/notices/sbom.cdx.json",
    ):
        assert path in listing
    assert {path.partition("/")[0] for path in listing if path} == {"usr"}


def test_all_of_it_is_roots_and_everyone_may_read_it(listing):
    assert {owner for _, owner, _ in listing.values()} == {"root/root"}
    for path, (mode, _, target) in listing.items():
        if target:
            continue
        runs = mode.startswith("d") or path == "usr/lib/fmstudio/fmstudio"
        assert mode[1:] == ("rwxr-xr-x" if runs else "rw-r--r--"), path


def test_unpacked_it_runs_and_tells_its_licence(package, tmp_path):
    subprocess.run(["dpkg-deb", "-x", str(package), str(tmp_path)], check=True)
    program = tmp_path / "usr" / "bin" / "fmstudio"
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == f"fmstudio {__version__}"
    papers = tmp_path / "usr" / "share" / "doc" / "fmstudio"
    words = (papers / "copyright").read_text("utf-8")
    assert "License: Apache-2.0" in words
    assert "/usr/lib/fmstudio/_internal/notices" in words
    news = gzip.decompress((papers / "changelog.gz").read_bytes())
    assert news == (ROOT / "CHANGELOG.md").read_bytes()


def test_nothing_but_the_bundle_stays_where_it_was_made(bundle, package):
    assert [path.name for path in bundle.parent.iterdir()] == ["fmstudio"]
    assert os.access(bundle / "fmstudio", os.X_OK)


def test_a_folder_without_a_program_is_refused(tmp_path):
    command = [sys.executable, str(SCRIPT), str(tmp_path), "--out", str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith("There is no bundle in ")
