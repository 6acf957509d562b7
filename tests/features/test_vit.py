"""timm's real architectures and the real loader, at a size that a test can save."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from fmstudio.errors import WeightsError
from fmstudio.features import vit
from fmstudio.features.base import Extractor, resolve_layers
from fmstudio.features.preprocess import to_input
from fmstudio.features.registry import make_extractor
from fmstudio.features.vit import ViTOptions, create_network
from fmstudio.geometry.grid import PatchGrid

Rgb = NDArray[np.uint8]
Save = Callable[[str], Path]
GridOf = Callable[[Rgb, int], PatchGrid]

SMALL = {"embed_dim": 48, "depth": 3, "num_heads": 2}

# A plain one with a class token; DINOv2 with registers; DINOv3; EVA-02 with separate projections
# and without biases for keys.
NETWORKS = {
    "vit_tiny_patch16_224": 16,
    "vit_small_patch14_reg4_dinov2": 14,
    "vit_small_patch16_dinov3": 16,
    "eva02_base_patch14_224": 14,
    "eva_giant_patch14_224": 14,
}


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build every architecture with few and narrow blocks."""
    create = timm.create_model

    def small(name: str, **kwargs: Any) -> Any:
        return create(name, **{**SMALL, **kwargs})

    monkeypatch.setattr(timm, "create_model", small)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Return a function that saves a randomly filled network, head included, and tells where."""

    def saved(timm_name: str) -> Path:
        torch.manual_seed(0)
        network = timm.create_model(timm_name, pretrained=False, num_classes=5)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        path = tmp_path / f"{timm_name}.safetensors"
        save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path)
        return path

    return saved


def make(timm_name: str, path: Path, options: str = "") -> Extractor:
    return make_extractor(f"vit:{timm_name}{options}", weights=path)


@pytest.mark.parametrize(("timm_name", "patch"), NETWORKS.items())
@pytest.mark.parametrize("facet", ["token", "query", "key", "value"])
def test_features_have_the_promised_form(
    timm_name: str, patch: int, facet: str, save: Save, coffee: Rgb, grid_of: GridOf
) -> None:
    extractor = make(timm_name, save(timm_name), f":layers=0+2:facet={facet}")
    grid = grid_of(coffee, 9)
    features = extractor.extract(coffee, grid)
    assert features.data.shape == (6, 9, extractor.spec.width)
    assert extractor.spec.width == 2 * 48
    assert features.data.dtype == torch.float32
    assert not features.data.is_inference()
    for block in features.data.split(48, dim=-1):
        assert torch.allclose(block.norm(dim=-1), torch.ones(6, 9), atol=1e-5)
    assert torch.equal(features.data, extractor.extract(coffee, grid).data)
    assert isinstance(extractor, vit.ViT)
    assert extractor.input_size(grid).width == 9 * patch


@pytest.mark.parametrize("timm_name", NETWORKS)
def test_facets_are_what_the_attention_computes(
    timm_name: str, save: Save, coffee: Rgb, grid_of: GridOf
) -> None:
    """The attention of one head, from our queries, keys and values, is what the block puts out."""
    network = create_network(timm_name)
    vit.load_into(network, save(timm_name))
    attention = network.blocks[1].attn
    x = torch.randn(1, 12, 48, generator=torch.Generator().manual_seed(0))
    q, k, v = (
        vit.facet_of(attention, facet, x).reshape(1, 12, 2, 24).transpose(1, 2)
        for facet in ("query", "key", "value")
    )
    mixed = (q @ k.transpose(-1, -2) * 24**-0.5).softmax(dim=-1) @ v
    out = attention.proj(attention.norm(mixed.transpose(1, 2).reshape(1, 12, 48)))
    assert torch.allclose(out, attention(x), atol=1e-4 * float(out.abs().max()))


@pytest.mark.parametrize("timm_name", NETWORKS)
def test_tokens_are_the_networks_own_without_class_and_registers(
    timm_name: str, save: Save, coffee: Rgb, grid_of: GridOf
) -> None:
    extractor = make(timm_name, save(timm_name))
    grid = grid_of(coffee, 6)
    assert isinstance(extractor, vit.ViT)
    network, seen = extractor._network, list[torch.Tensor]()
    x = to_input(coffee, extractor.input_size(grid), *extractor._scaling, torch.device("cpu"))
    with torch.inference_mode():
        network.norm.register_forward_hook(lambda m, i, out: seen.append(out))
        network.forward_features(x)
    tokens = seen[-1][0, network.num_prefix_tokens :]  # of the final norm
    expected = torch.nn.functional.normalize(tokens, dim=-1).reshape(grid.rows, grid.cols, -1)
    assert torch.allclose(extractor.extract(coffee, grid).data, expected, atol=1e-6)


def test_patches_are_in_their_places(save: Save, coffee: Rgb, grid_of: GridOf) -> None:
    """What is painted into one patch changes the first layer's values there most."""
    extractor = make("vit_tiny_patch16_224", save("vit_tiny_patch16_224"), ":layers=0:facet=value")
    rgb = np.ascontiguousarray(coffee[:320, :480])
    grid = grid_of(rgb, 12)
    painted = rgb.copy()
    painted[5 * 40 : 6 * 40, 9 * 40 : 10 * 40] = (255, 0, 255)
    change = (extractor.extract(rgb, grid).data - extractor.extract(painted, grid).data).norm(
        dim=-1
    )
    assert divmod(int(change.argmax()), grid.cols) == (5, 9)


@pytest.mark.parametrize("facet", ["token", "key"])
def test_a_network_in_half_precision_gives_nearly_the_same_in_single(
    facet: str, save: Save, coffee: Rgb, grid_of: GridOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, grid = save("vit_tiny_patch16_224"), grid_of(coffee, 9)
    single = make("vit_tiny_patch16_224", path, f":facet={facet}").extract(coffee, grid)

    def halved(device: torch.device) -> torch.autocast:
        return torch.autocast(device.type, torch.bfloat16)

    monkeypatch.setattr(vit, "half_precision", halved)
    half = make("vit_tiny_patch16_224", path, f":facet={facet}").extract(coffee, grid)
    assert half.data.dtype == torch.float32
    assert not torch.equal(half.data, single.data)
    assert (half.data * single.data).sum(-1).min() > 0.98


def test_layers_and_facets_differ_and_so_do_their_keys(
    save: Save, coffee: Rgb, grid_of: GridOf
) -> None:
    name = "vit_small_patch16_dinov3"
    path, grid = save(name), grid_of(coffee, 6)
    options = ["", ":layers=0", ":layers=1:facet=key", ":facet=key", ":facet=query"]
    made = [make(name, path, o) for o in options]
    assert len({e.spec.key for e in made}) == len(made)
    maps = [e.extract(coffee, grid).data for e in made]
    for i, a in enumerate(maps):
        assert not any(torch.allclose(a, b, atol=1e-3) for b in maps[i + 1 :])
    assert make(name, path, ":layers=-1").spec.key == made[0].spec.key


def test_layers_count_from_both_ends_and_once() -> None:
    assert resolve_layers((-1, 3, 0), 4) == (0, 3)
    with pytest.raises(ValueError, match="layer 4 does not exist in a network of 4"):
        resolve_layers((4,), 4)


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="a facet is one of"):
        ViTOptions(facet="head")
    with pytest.raises(ValueError, match="at least one layer"):
        ViTOptions(layers=())


@pytest.mark.parametrize("fault", ["missing", "left over", "shape"])
def test_weights_that_do_not_fit_exactly_are_refused(fault: str, save: Save) -> None:
    name = "vit_tiny_patch16_224"
    path = save(name)
    tensors = vit.load_tensors(path)
    if fault == "missing":
        del tensors["blocks.1.attn.qkv.weight"]
    elif fault == "left over":
        tensors["blocks.7.attn.qkv.weight"] = torch.zeros(1)
    else:
        tensors["norm.weight"] = torch.zeros(3)
    save_file(tensors, path)
    with pytest.raises(WeightsError, match="does not fit the network: 1 tensors"):
        make(name, path)


def test_metas_own_names_are_translated(save: Save, coffee: Rgb, grid_of: GridOf) -> None:
    """A published DINOv3 file, not timm's copy of it, calls registers and scales otherwise."""
    name = "vit_small_patch16_dinov3"
    path, grid = save(name), grid_of(coffee, 6)
    published = {
        k.replace("reg_token", "storage_tokens")
        .replace("gamma_1", "ls1.gamma")
        .replace("gamma_2", "ls2.gamma"): v
        for k, v in vit.load_tensors(path).items()
    }
    published["mask_token"] = torch.zeros(1, 48)
    other = path.with_name("published.pth")
    torch.save(published, other)
    ours = make(name, path).extract(coffee, grid).data
    assert torch.equal(make(name, other).extract(coffee, grid).data, ours)


@pytest.mark.parametrize("timm_name", ["resnet18", "no_such_network", "beit_base_patch16_224", ""])
def test_networks_that_do_not_serve_are_refused(timm_name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="timm has no Vision Transformer"):
        make_extractor(f"vit:{timm_name}", weights=tmp_path / "any.safetensors")


def test_an_image_of_another_grid_is_refused(
    save: Save, cat: Rgb, coffee: Rgb, grid_of: GridOf
) -> None:
    extractor = make("vit_tiny_patch16_224", save("vit_tiny_patch16_224"))
    with pytest.raises(ValueError, match="an image for this grid"):
        extractor.extract(cat, grid_of(coffee, 6))
