"""Whole or not at all."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fmstudio.io import atomic


def test_writes_new_and_replaces_old(tmp_path: Path) -> None:
    path = tmp_path / "ä ö.bin"
    atomic.write_bytes(path, b"one")
    atomic.write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_text_is_utf8_with_its_own_line_ends(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "a.txt", "é\nb\r\n")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xa9\nb\r\n"


def test_a_failing_check_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def refuse(temporary: Path) -> None:
        assert temporary.read_bytes() == b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic.write_bytes(path, b"new", check=refuse)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fills_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        atomic.write_bytes(tmp_path / "missing" / "a.bin", b"")
    assert list(tmp_path.iterdir()) == []


def test_a_name_as_long_as_the_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".bin")
    atomic.write_bytes(path, b"1")
    assert path.read_bytes() == b"1"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions and links")
def test_permissions_stay_and_links_are_written_through(tmp_path: Path) -> None:
    real = tmp_path / "real.bin"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link = tmp_path / "link.bin"
    link.symlink_to(real)
    atomic.write_bytes(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o640


WRITER = """
import itertools, sys
from pathlib import Path
from fmstudio.io.atomic import write_bytes
for i in itertools.count():
    write_bytes(Path(sys.argv[1]), bytes([i % 256]) * 1_000_000)
    print(i, flush=True)
"""


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    for delay in (0.0, 0.005, 0.011):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.kill()
        process.communicate()
        data = path.read_bytes()
        assert len(data) == 1_000_000
        assert data == data[:1] * len(data)
