import os
from pathlib import Path

import pytest
import torch

from fmstudio.engine.cache import TensorCache, damaged_files


def tensors(value, count=1000):
    return {"a": torch.full((count,), float(value))}


def same(entry, value):
    return entry is not None and bool((entry["a"] == value).all())


def test_what_was_put_is_found_again_by_another_process_s_cache(tmp_path):
    TensorCache(tmp_path).put("abcd", tensors(3))
    assert same(TensorCache(tmp_path).get("abcd"), 3)
    assert TensorCache(tmp_path).get("other") is None


def test_memory_is_bounded_and_drops_the_least_recently_used():
    cache = TensorCache(memory_bytes=3 * 4000)
    for i in range(3):
        cache.put(f"k{i}", tensors(i))
    assert same(cache.get("k0"), 0)
    cache.put("k3", tensors(3))
    assert cache.get("k1") is None
    assert same(cache.get("k0"), 0)


def test_one_entry_larger_than_the_bound_is_still_served():
    cache = TensorCache(memory_bytes=10)
    cache.put("big", tensors(1))
    assert same(cache.get("big"), 1)


def test_disk_is_bounded(tmp_path):
    cache = TensorCache(tmp_path, memory_bytes=1, disk_bytes=20_000)
    for i in range(20):
        cache.put(f"k{i:02}", tensors(i))
    files = list(tmp_path.rglob("*.safetensors"))
    assert 1 <= sum(f.stat().st_size for f in files) <= 20_000
    assert same(cache.get("k19"), 19)


def test_two_caches_over_one_folder_keep_to_its_bound_together(tmp_path):
    caches = [TensorCache(tmp_path, memory_bytes=1, disk_bytes=20_000) for _ in range(2)]
    for i in range(20):
        caches[i % 2].put(f"k{i:02}", tensors(i))
    files = list(tmp_path.rglob("*.safetensors"))
    assert 1 <= sum(f.stat().st_size for f in files) <= 20_000


def test_a_file_that_another_process_deletes_meanwhile_is_passed_over(tmp_path, monkeypatch):
    cache = TensorCache(tmp_path, memory_bytes=1, disk_bytes=20_000)
    cache.put("k", tensors(0))
    monkeypatch.setattr(Path, "rglob", lambda _folder, _what: [tmp_path / "gone.safetensors"])
    cache.put("other", tensors(1))
    assert same(cache.get("other"), 1)


def test_what_a_killed_process_left_counts_and_goes_first(tmp_path):
    (tmp_path / "aa").mkdir()
    left = tmp_path / "aa" / "tmp.part"
    left.write_bytes(bytes(15_000))
    os.utime(left, (0, 0))
    cache = TensorCache(tmp_path, memory_bytes=1, disk_bytes=20_000)
    for i in range(3):
        cache.put(f"k{i}", tensors(i))
    assert not left.exists()
    assert same(cache.get("k0"), 0)


def test_a_damaged_file_counts_as_absent_and_is_removed(tmp_path):
    TensorCache(tmp_path).put("abcd", tensors(3))
    (path,) = tmp_path.rglob("*.safetensors")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert TensorCache(tmp_path).get("abcd") is None
    assert not path.exists()


def test_a_flipped_bit_counts_as_damage(tmp_path):
    TensorCache(tmp_path).put("abcd", tensors(3))
    (path,) = tmp_path.rglob("*.safetensors")
    assert list(damaged_files(tmp_path)) == []
    data = bytearray(path.read_bytes())
    data[-100] ^= 0x10
    path.write_bytes(data)
    assert list(damaged_files(tmp_path)) == [path]
    assert TensorCache(tmp_path).get("abcd") is None
    assert not path.exists()


def test_a_folder_that_cannot_be_written_costs_nothing_but_speed(tmp_path):
    blocked = tmp_path / "cache"
    blocked.write_text("a file where the folder should be")
    cache = TensorCache(blocked)
    cache.put("abcd", tensors(3))
    assert same(cache.get("abcd"), 3)


def test_deleting_the_folder_meanwhile_is_allowed(tmp_path):
    cache = TensorCache(tmp_path / "c", memory_bytes=1)
    cache.put("abcd", tensors(1))
    for path in (tmp_path / "c").rglob("*.safetensors"):
        path.unlink()
    cache.put("efgh", tensors(2))
    assert cache.get("abcd") is None
    assert same(cache.get("efgh"), 2)


def test_no_partial_file_is_left(tmp_path):
    cache = TensorCache(tmp_path)
    cache.put("abcd", tensors(1))
    assert [p.suffix for p in tmp_path.rglob("*") if p.is_file()] == [".safetensors"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_its_place_counts_as_damage(tmp_path):
    TensorCache(tmp_path).put("key", {"a": torch.ones(3)})
    (path,) = tmp_path.rglob("*.safetensors")
    path.unlink()
    os.mkfifo(path)
    assert TensorCache(tmp_path).get("key") is None
    assert not path.exists()
