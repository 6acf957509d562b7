"""Weights files that lie: each is read as what it is, or refused in one sentence, at once."""

import io
import json
import os
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from fmstudio.errors import WeightsError
from fmstudio.features.tensors import load_tensors
from tests.rounds import rounds

HERE = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=rounds(60)
)


def packed(header: object, data: bytes = bytes(8), length: int | None = None) -> bytes:
    """Return a safetensors file with any header, and any length said of it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def one(**changes: Any) -> dict[str, Any]:
    return {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


def as_torch(content: object, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def zipped(data: bytes, how: Callable[[str, bytes], bytes], kind: int = 0) -> bytes:
    """Return a file of torch with other parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, how(name, old.read(name)), compress_type=kind)
    return buffer.getvalue()


def read(path: Path) -> str:
    """Return the sentence with which a file is refused, empty if it was read."""
    try:
        tensors = load_tensors(path)
    except WeightsError as error:
        text = str(error)
        assert "\n" not in text
        assert str(path) in text
        return text
    held = sum(t.numel() * t.element_size() for t in tensors.values())
    assert held <= 3 * path.stat().st_size
    return ""


@pytest.mark.parametrize(
    "content",
    [
        packed(one(), length=2**63),
        packed(one(), length=100_000_000),
        packed(one(), length=0),
        packed({"__metadata__": {"x": "a" * 9_000_000}, **one()}),
        packed({f"a{i}": one(shape=[0], data_offsets=[0, 0])["a"] for i in range(80_000)}),
        packed({**one(), "b": one()["a"]}),
        packed({**one(), "b": one(data_offsets=[12, 20])["a"]}, bytes(20)),
        packed(one(shape=[2**40])),
        packed(one(shape=[2**33, 2**33])),
        packed(one(shape=[-2])),
        packed(one(dtype="PICKLE")),
        packed(one(data_offsets=[8, 0])),
        packed(one(), bytes(7)),
        packed(b"[" * 100_000),
        packed(b"\xff\xfe"),
        b"\x00" * 7,
        as_torch({"a": torch.zeros(2)}),
    ],
    ids=range(17),
)
def test_a_safetensors_file_that_lies_is_refused_at_once(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    began = time.process_time()
    tracemalloc.start()
    try:
        assert "not a whole safetensors file" in read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50_000_000
    assert time.process_time() - began < 10


def test_of_a_name_that_stands_twice_one_is_taken(tmp_path: Path) -> None:
    text = json.dumps(one()["a"])
    path = tmp_path / "x.safetensors"
    path.write_bytes(packed(f'{{"a": {text}, "a": {text}}}'.encode()))
    assert list(load_tensors(path)) == ["a"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"a": torch.eye(3).to_sparse()}, "no plain tensor"),
        ({"a": torch.empty(2**40, device="meta")}, "no plain tensor"),
        ({"a": torch.zeros(1).expand(2**40)}, "claims to hold more"),
        ({"a": torch.tensor([0.0, float("nan")])}, "not a number"),
    ],
)
def test_tensors_that_are_none_are_named(
    content: dict[str, torch.Tensor], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(as_torch(content))
    assert said in read(path)


def test_weights_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(save({"good": torch.ones(3), "bad": torch.full((2,), float("nan"))}))
    assert '"bad"' in read(path)


def test_a_packed_bomb_is_not_unpacked(tmp_path: Path) -> None:
    def bomb(name: str, data: bytes) -> bytes:
        return bytes(64_000_000) if "/data/" in name else data

    path = tmp_path / "x.pth"
    path.write_bytes(zipped(as_torch({"a": torch.zeros(4)}), bomb, zipfile.ZIP_DEFLATED))
    assert path.stat().st_size < 100_000
    assert "packed as torch never does it" in read(path)


@pytest.mark.parametrize(
    "instructions",
    [
        b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
        b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1),
        b"\x80\x02h\xff.",
        b"\x80\x02}q\x00.",
        b"",
    ],
)
def test_instructions_that_lead_nowhere_are_refused(instructions: bytes, tmp_path: Path) -> None:
    def other(name: str, data: bytes) -> bytes:
        return instructions if name.endswith(".pkl") else data

    path = tmp_path / "x.pth"
    path.write_bytes(zipped(as_torch({"a": torch.zeros(4)}), other))
    assert read(path)


@pytest.mark.parametrize("name", ["x.safetensors", "x.pth"])
def test_a_folder_a_pipe_or_a_device_is_refused_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder" / name).mkdir(parents=True)
    (tmp_path / "device").mkdir()
    (tmp_path / "device" / name).symlink_to("/dev/zero")
    places = ["folder", "device", "nowhere"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / name)
        places.append(".")
    for place in places:
        assert "is not a file" in read(tmp_path / place / name)


GOOD = {
    "x.safetensors": save({"a": torch.arange(6.0), "b": torch.ones(2, 2, dtype=torch.float16)}),
    "x.pth": as_torch({"a": torch.arange(6.0), "b": torch.ones(2, 2)}),
    "old.pth": as_torch({"a": torch.arange(6.0)}, _use_new_zipfile_serialization=False),
}


@pytest.mark.parametrize("name", GOOD)
@HERE
@given(data=st.data())
def test_changed_bytes_are_read_or_refused(name: str, tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(GOOD[name])
    reach = len(content)
    for at, value in data.draw(
        st.lists(st.tuples(st.integers(0, reach - 1), st.integers(0, 255)), max_size=16)
    ):
        content[at] = value
    kept = data.draw(st.integers(0, 9))
    end = len(content) if kept else data.draw(st.integers(0, len(content)))
    path = tmp_path / name
    path.write_bytes(content[:end])
    read(path)


SIZES = st.one_of(st.integers(-2, 9), st.sampled_from([2**31, 2**40, 2**63, 2**64, 1.5, None, "2"]))


@HERE
@given(
    header=st.dictionaries(
        st.sampled_from(["a", "b", "", "__metadata__", "../../x"]),
        st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {
                    "dtype": st.sampled_from(
                        ["F32", "F16", "BF16", "I64", "BOOL", "F8_E4M3", "F4", "C64", "", 7]
                    ),
                    "shape": st.lists(SIZES, max_size=4),
                    "data_offsets": st.lists(SIZES, min_size=1, max_size=3),
                }
            ),
        ),
        max_size=4,
    ),
    n=st.integers(0, 64),
)
def test_any_header_is_read_or_refused(header: Any, n: int, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(packed(header, bytes(n)))
    read(path)
