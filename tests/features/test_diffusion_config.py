"""A config.json that describes no network, or one that would take the machine down."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from fmstudio.errors import WeightsError
from fmstudio.features.diffusion_config import check_config, check_size

UNET: dict[str, Any] = {
    "_class_name": "UNet2DConditionModel",
    "block_out_channels": [8, 16],
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
    "layers_per_block": 1,
    "cross_attention_dim": 12,
    "attention_head_dim": 2,
    "norm_num_groups": 4,
}


def written(folder: Path, content: object) -> Path:
    path = folder / "config.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[]", b"7", b"[" * 100_000, b"{" + b" " * 2_000_000 + b"}",
     b'{"a": ' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_what_is_no_configuration_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is no configuration of a network"):
        check_config(written(tmp_path, content))


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is no configuration"):
        check_config(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"auto_map": {"AutoModel": "attacker/repo--code.Model"}},
        {"quantization_config": {"quant_method": "x"}},
        {"_attn_implementation": "attacker/kernel"},
        {"text_config": {"_attn_implementation_internal": "attacker/kernel"}},
        {"layers_per_block": 10**6},
        {"transformer_layers_per_block": [1, 10**6]},
        {"num_hidden_layers": 10**9},
        {"block_out_channels": [8] * 10_000},
        {"cross_attention_dim": 10**12},
        {"cross_attention_dim": -(10**300)},
        {str(i): i for i in range(1000)},
    ],
)
def test_what_no_network_has_is_named(change: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="which no network here has") as caught:
        check_config(written(tmp_path, UNET | change))
    assert len(str(caught.value)) < 400


def test_a_network_larger_than_its_weights_is_never_made(tmp_path: Path) -> None:
    from diffusers import UNet2DConditionModel

    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(bytes(1000))
    path = written(tmp_path, UNET | {"block_out_channels": [200_000, 400_000]})
    check_config(path)
    began = time.process_time()
    with pytest.raises(WeightsError, match="describes a network of"):
        check_size(UNet2DConditionModel, path, weights)
    assert time.process_time() - began < 30
    # The same network with weights enough.
    os.truncate(weights, 10_000_000)
    check_size(UNet2DConditionModel, written(tmp_path, UNET), weights)
