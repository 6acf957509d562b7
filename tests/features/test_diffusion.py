"""Stable Diffusion features: tiny random networks of the real classes, real photos."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from fmstudio.errors import WeightsError
from fmstudio.features import diffusion
from fmstudio.features.base import FeatureMap
from fmstudio.features.diffusion import Diffusion, DiffusionOptions, parse_options, signal_share
from fmstudio.features.diffusion_tiles import blend, windows_of
from fmstudio.features.registry import make_extractor
from fmstudio.geometry.grid import ImageSize, PatchGrid

Rgb = NDArray[np.uint8]


def build(folder: Path, seed: int = 0) -> Path:
    """Save networks of Stable Diffusion's classes and shape, but tiny, as diffusers lays them."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(seed)
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16, 24),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=12,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    vae = AutoencoderKL(
        block_out_channels=(4, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        latent_channels=4,
    )
    config = CLIPTextConfig(
        vocab_size=40,
        bos_token_id=38,
        eos_token_id=39,
        hidden_size=12,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=7,
    )
    unet.save_pretrained(folder / "unet")
    vae.save_pretrained(folder / "vae")
    CLIPTextModel(config).save_pretrained(folder / "text_encoder")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("sd"))


@pytest.fixture(scope="module")
def photo(sample: Path) -> Rgb:
    path = sorted((sample / "cats" / "images").glob("*.jpg"))[0]
    with Image.open(path) as image:
        image.thumbnail((160, 160))
        return np.asarray(image.convert("RGB"), np.uint8)


def run(folder: Path, photo: Rgb, options: str = "", patches: int = 8) -> FeatureMap:
    grid = PatchGrid.of_long_side(ImageSize(photo.shape[1], photo.shape[0]), patches)
    return make_extractor(f"sd15{options}", weights=folder).extract(photo, grid)


def test_features_lie_on_the_grid_and_each_block_has_length_one(folder: Path, photo: Rgb) -> None:
    got = run(folder, photo, ":blocks=1+2")
    assert got.data.shape == (got.grid.rows, got.grid.cols, 16 + 8)
    assert got.data.dtype == torch.float32
    for block in got.data.split([16, 8], dim=-1):
        assert torch.allclose(block.norm(dim=-1), torch.ones(block.shape[:2]), atol=1e-5)


def test_the_spec_tells_width_and_an_unknown_licence_of_local_weights(folder: Path) -> None:
    extractor = Diffusion("sd15", DiffusionOptions((0, 2)), weights=folder)
    assert extractor.spec.width == sum(extractor.widths) == 24 + 8
    assert "local" in extractor.spec.licence


def test_the_input_is_of_the_networks_factor_and_near_the_grid(folder: Path) -> None:
    extractor = Diffusion("sd15", DiffusionOptions(), weights=folder)
    # The tiny networks halve once and twice.
    size = extractor.input_size(PatchGrid(ImageSize(333, 250), 7, 9))
    assert size == ImageSize(9 * 16, 7 * 16)


def test_the_same_seed_gives_the_same_features(folder: Path, photo: Rgb) -> None:
    once, again = run(folder, photo), run(folder, photo)
    assert torch.equal(once.data, again.data)
    assert once.key == again.key


@pytest.mark.parametrize("options", [":seed=1", ":t=500", ":ensemble=2", ":blocks=0+1"])
def test_other_options_give_other_features_under_another_key(
    folder: Path, photo: Rgb, options: str
) -> None:
    base, other = run(folder, photo), run(folder, photo, options)
    assert other.key != base.key
    assert other.data.shape != base.data.shape or not torch.allclose(
        other.data, base.data, atol=1e-3
    )


def test_an_ensemble_depends_less_on_its_seed(folder: Path, photo: Rgb) -> None:
    def spread(count: int) -> float:
        a, b = (
            run(folder, photo, f":t=900:ensemble={count}:seed={seed}", patches=4).data
            for seed in (1, 2)
        )
        return float((a - b).norm())

    assert spread(8) < 0.7 * spread(1)


def test_other_weights_give_another_key(folder: Path, photo: Rgb, tmp_path: Path) -> None:
    other = build(tmp_path / "other", seed=1)
    assert run(other, photo).key != run(folder, photo).key


@pytest.fixture
def ran() -> Iterator[list[str]]:
    """Note the kind of every module that runs."""
    names: list[str] = []

    def note(module: nn.Module, inputs: Any, output: Any) -> None:
        names.append(type(module).__name__)

    handle = torch.nn.modules.module.register_module_forward_hook(note)
    yield names
    handle.remove()


@pytest.mark.parametrize(("blocks", "count"), [("0", 0), ("1", 1), ("2", 2), ("0+2", 2)])
def test_nothing_runs_after_the_last_block_that_is_needed(
    folder: Path, photo: Rgb, ran: list[str], blocks: str, count: int
) -> None:
    run(folder, photo, f":blocks={blocks}")
    assert ran.count("UpBlock2D") == 1
    assert ran.count("CrossAttnUpBlock2D") == count
    assert "Decoder" not in ran


def test_the_text_encoder_runs_once_and_is_let_go(folder: Path, photo: Rgb, ran: list[str]) -> None:
    diffusion._embedding.cache_clear()
    extractor = make_extractor("sd15", weights=folder)
    make_extractor("sd15:t=7", weights=folder)
    assert ran.count("CLIPTextModel") == 1
    held = [
        type(m).__name__
        for v in vars(extractor).values()
        if isinstance(v, nn.Module)
        for m in v.modules()
    ]
    assert not [name for name in held if name.startswith("CLIP")]


def test_the_empty_prompt_is_a_start_and_then_ends(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import CLIPTextModel

    seen: list[list[int]] = []
    forward = CLIPTextModel.forward

    def noting(self: Any, input_ids: torch.Tensor) -> Any:
        seen.extend(input_ids.tolist())
        return forward(self, input_ids=input_ids)

    monkeypatch.setattr(CLIPTextModel, "forward", noting)
    diffusion._embedding.cache_clear()
    assert diffusion.empty_prompt(folder).shape == (1, 7, 12)
    assert seen == [[38, 39, 39, 39, 39, 39, 39]]


# Windows


def test_a_tiled_image_has_nearly_the_features_of_a_whole_one(folder: Path, photo: Rgb) -> None:
    grid = PatchGrid.of_long_side(ImageSize(photo.shape[1], photo.shape[0]), 8)
    options = DiffusionOptions((1, 2))
    whole = Diffusion("sd15", options, weights=folder, window=64)
    tiled = Diffusion("sd15", options, weights=folder, window=32)
    assert max(whole.input_size(grid).height, whole.input_size(grid).width) == 128
    noisy = Diffusion("sd15", DiffusionOptions((1, 2), seed=1), weights=folder, window=64)
    a, b, c = (e.extract(photo, grid).flat() for e in (whole, tiled, noisy))
    # Attention and normalisation look at the whole of what they are given, so not equal; but the
    # windows share one noise, without which they would be no more alike than two seeds.
    assert float((a * b).sum(dim=1).mean()) / 2 > 0.98
    assert float((a * c).sum(dim=1).mean()) / 2 < 0.9
    assert whole.spec.key != tiled.spec.key


@pytest.mark.parametrize(("rows", "cols", "side"), [(16, 16, 16), (40, 24, 16), (104, 8, 24)])
def test_windows_cover_the_latent_within_their_bound(rows: int, cols: int, side: int) -> None:
    seen = np.zeros((rows, cols), int)
    for window in windows_of(rows, cols, side, 8):
        seen[window.rows, window.cols] += 1
        for part in (window.rows, window.cols):
            assert part.start % 8 == part.stop % 8 == 0
            assert part.stop - part.start <= side
    assert seen.min() == 1 if (rows, cols) == (side, side) else seen.min() >= 1


@pytest.mark.parametrize("stride", [1, 4])
def test_pieces_of_one_field_blend_to_that_field(stride: int) -> None:
    field = torch.randn(3, 40 // stride, 24 // stride, generator=torch.manual_seed(0))
    windows = windows_of(40, 24, 16, 8)
    pieces = [
        field[
            :,
            w.rows.start // stride : w.rows.stop // stride,
            w.cols.start // stride : w.cols.stop // stride,
        ]
        for w in windows
    ]
    assert torch.allclose(blend(windows, pieces, 40, 24), field, atol=1e-5)


@pytest.mark.parametrize("window", [4, 30])
def test_a_window_that_does_not_fit_the_network_is_refused(folder: Path, window: int) -> None:
    with pytest.raises(ValueError, match="a window is a multiple of 4 cells"):
        Diffusion("sd15", DiffusionOptions(), weights=folder, window=window)


# The noise


def test_the_share_of_the_image_falls_with_the_step() -> None:
    shares = [signal_share(t) for t in (0, 100, 500, 999)]
    assert shares == sorted(shares, reverse=True)
    # The published schedule: 1 - 0.00085 at first, and next to nothing at last.
    assert shares[0] == pytest.approx(0.99915)
    assert shares[-1] == pytest.approx(0.00466, rel=0.01)


# What a person types


def test_options_are_read_by_name() -> None:
    assert parse_options([]) == DiffusionOptions((1, 2), 100, 1, 0)
    assert parse_options(["blocks=2+0", "t=261", "ensemble=8", "seed=3"]) == DiffusionOptions(
        (0, 2), 261, 8, 3
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (":layers=1", "is not an option"),
        (":t=1:t=2", "is not an option"),
        (":t=fast", "takes whole numbers"),
        (":t=1+2", "takes one number"),
        (":t=1000", "t is in"),
        (":ensemble=0", "at least 1"),
        (":blocks=7", "block 7 does not exist in a network of 3"),
        (":blocks=-1", "ascending"),
    ],
)
def test_impossible_options_are_explained(folder: Path, options: str, said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        make_extractor(f"sd15{options}", weights=folder)


def test_the_folder_may_stand_in_the_name(folder: Path) -> None:
    by_name = make_extractor(f"sd15:t=5:path={folder}").spec
    assert by_name.key == make_extractor("sd15:t=5", weights=folder).spec.key


# Weights that are not there, or not whole


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere.*is no folder of a diffusion model"):
        make_extractor(f"sd15:path={tmp_path / 'nowhere'}")


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that copies the networks and names a file of the copy."""
    import shutil

    def copy(name: str) -> Path:
        shutil.copytree(folder, tmp_path / "copy")
        return tmp_path / "copy" / name

    return copy


def test_a_missing_part_is_named(broken: Callable[[str], Path]) -> None:
    path = broken("vae/diffusion_pytorch_model.safetensors")
    path.unlink()
    with pytest.raises(WeightsError, match=r"has to hold vae/config\.json"):
        make_extractor("sd15", weights=path.parents[1])


def test_a_cut_off_file_is_refused(broken: Callable[[str], Path]) -> None:
    path = broken("unet/diffusion_pytorch_model.safetensors")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(WeightsError, match=r"unet.* holds no network that can be loaded"):
        make_extractor("sd15", weights=path.parents[1])


def test_tensors_that_are_missing_are_noticed(broken: Callable[[str], Path]) -> None:
    from safetensors.torch import load_file, save_file

    path = broken("text_encoder/model.safetensors")
    tensors = load_file(path)
    del tensors[next(key for key in tensors if "position_embedding" in key)]
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"do not fit its config\.json: 1 tensors"):
        make_extractor("sd15", weights=path.parents[1])


def test_a_config_of_something_else_is_refused(broken: Callable[[str], Path]) -> None:
    path = broken("unet/config.json")
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "block_out_channels": [8, 16, 32]}))
    with pytest.raises(WeightsError, match="unet"):
        make_extractor("sd15", weights=path.parents[1])


# Weights as they are published


def rewrite(path: Path, change: Callable[[str, torch.Tensor], tuple[str, torch.Tensor]]) -> None:
    """Rewrite a weights file under other names."""
    from safetensors.torch import load_file, save_file

    tensors = dict(change(key, value) for key, value in load_file(path).items())
    save_file(tensors, path, metadata={"format": "pt"})


def test_half_precision_files_are_read_under_their_name(
    folder: Path, photo: Rgb, broken: Callable[[str], Path]
) -> None:
    copy = broken("")
    for path in sorted(copy.glob("*/*.safetensors")):
        rewrite(path, lambda key, value: (key, value.half()))
        path.rename(path.with_suffix(".fp16.safetensors"))
    half, single = run(copy, photo), run(folder, photo)
    assert half.key != single.key
    assert torch.allclose(half.data, single.data, atol=0.02)


def test_the_older_names_of_the_published_files_are_understood(
    folder: Path, photo: Rgb, broken: Callable[[str], Path]
) -> None:
    """The autoencoder's attention of 2022, and the text encoder's prefix and position ids."""
    copy = broken("")
    older = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def vae(key: str, value: torch.Tensor) -> tuple[str, torch.Tensor]:
        for now, then in older.items():
            key = key.replace(f"attentions.0.{now}.", f"attentions.0.{then}.")
        return key, value

    def text(key: str, value: torch.Tensor) -> tuple[str, torch.Tensor]:
        return f"text_model.{key.removeprefix('text_model.')}", value

    rewrite(copy / "vae" / "diffusion_pytorch_model.safetensors", vae)
    rewrite(copy / "text_encoder" / "model.safetensors", text)
    assert torch.equal(run(copy, photo).data, run(folder, photo).data)


@pytest.mark.slow
def test_the_libraries_are_not_imported_before_they_are_needed() -> None:
    import subprocess
    import sys

    code = (
        "import sys, fmstudio.engine.presets, fmstudio.features.hub; "
        "sys.exit('diffusers' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
