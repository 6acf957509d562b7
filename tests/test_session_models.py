"""Networks as a person chooses them."""

import sys
from pathlib import Path

import huggingface_hub.constants
import pytest

from fmstudio.engine.cancel import CancelToken
from fmstudio.errors import WeightsError
from fmstudio.features import hub, weights
from fmstudio.session_models import ModelItem, Taken, list_models, look_up, take, verify


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def put(cache: Path, repo: str, content: bytes = b"weights") -> Path:
    """Put a file where the hub client keeps a repository's weights."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    path = folder / "snapshots" / "abc" / weights.HUB_FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    return path


def listed() -> dict[str, ModelItem]:
    *_, last = list_models(CancelToken())
    return {item.name: item for item in last}


def test_the_list_tells_licence_page_and_place() -> None:
    items = listed()
    assert list(items) == [*weights.PACKAGED, *weights.HUB]
    embedded, fetched = items["efficientnet-lite0"], items["dinov3-b"]
    assert embedded.path is not None
    assert embedded.page == ""
    assert fetched.path is None
    assert fetched.page == f"https://huggingface.co/{weights.HUB['dinov3-b'].repo}"
    assert "Meta" in fetched.note


def test_what_a_stopped_download_left_is_listed(cache: Path) -> None:
    blobs = cache / f"models--{weights.HUB['dinov2-s'].repo.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{'a' * 64}.fmstudio-part").write_bytes(bytes(500))
    assert listed()["dinov2-s"].partial == 500
    assert listed()["dinov2-b"].partial == 0


def test_other_transformers_in_the_cache_are_listed_after_the_known(cache: Path) -> None:
    put(cache, "timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k")
    put(cache, "timm/resnet18.a1_in1k")
    put(cache, "timm/no_such_network")
    put(cache, weights.HUB["dinov2-s"].repo)
    first, second = list_models(CancelToken())
    assert [item.name for item in first] == [*weights.PACKAGED, *weights.HUB]
    (other,) = second[len(first) :]
    assert other.name == "vit:vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    assert other.licence == "apache-2.0"
    assert other.path is not None


def test_any_transformer_of_timm_can_be_looked_up() -> None:
    (item,) = look_up(" vit_tiny_patch16_224 ")
    assert item.name == "vit:vit_tiny_patch16_224.augreg_in21k_ft_in1k"
    assert item.path is None
    assert item.page.startswith("https://huggingface.co/timm/vit_tiny_patch16_224")
    (known,) = look_up("vit:vit_small_patch14_dinov2.lvd142m")
    assert known.name == "dinov2-s"


@pytest.mark.parametrize(
    ("name", "said"), [("nothing", "no published weights"), ("resnet18", "no Vision Transformer")]
)
def test_what_cannot_be_used_is_explained(name: str, said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        list(look_up(name))


def test_weights_are_verified(cache: Path) -> None:
    (found,) = verify("efficientnet-lite0")
    assert found.sha256 == weights.PACKAGED["efficientnet-lite0"].sha256
    with pytest.raises(WeightsError, match="not on this disk"):
        list(verify("dinov2-s"))


def test_a_copy_from_a_folder_counts_bytes_and_ends_with_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps = [(0, 9), (9, 9), tmp_path / "there"]
    monkeypatch.setattr(hub, "take_steps", lambda *_: iter(steps))
    taken = list(take("dinov2-s", tmp_path, CancelToken()))
    assert taken == [Taken(0, 9), Taken(9, 9), Taken(9, 9, tmp_path / "there")]


def test_importing_the_module_imports_no_torch() -> None:
    import subprocess

    code = "import fmstudio.session_models, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
