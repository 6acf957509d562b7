import os
from pathlib import Path

import pytest

from fmstudio.io.regular import is_file_or_folder, read_regular


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert is_file_or_folder(path)
    assert read_regular(path) == b"abc"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not is_file_or_folder(tmp_path / "pipe")
    with pytest.raises(OSError, match="a device or a pipe"):
        read_regular(tmp_path / "pipe")


def test_what_is_missing_or_a_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "nowhere")
    with pytest.raises(OSError, match=r"directory|denied"):
        read_regular(tmp_path)
