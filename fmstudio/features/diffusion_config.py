"""What a diffusion model's config.json may say before a network is built from it.

The libraries build whatever it describes, however large, and look at the weights afterwards; some
of its fields make them load other code or ask the hub for it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from fmstudio.errors import WeightsError

_MOST_BYTES = 1 << 20
_LARGEST = 1 << 20
_MOST_LAYERS = 64
_LONGEST = 64
# Of whole networks there is none with these; transformers runs what they name.
_FORBIDDEN = re.compile(r"auto_map|quantization_config|.*attn_implementation.*|.*kernel_config.*")


def check_config(path: Path) -> None:
    """Raise WeightsError unless a config.json describes a network that could be one.

    Parameters
    ----------
    path : Path
        Of the config.json.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("it is too long")
        config = json.loads(path.read_bytes())
        if not isinstance(config, dict):
            raise ValueError("it is no object")
        fault = next(_faults(config), None)
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(
            f'"{path}" is no configuration of a network; fetch or copy it again'
        ) from error
    if fault is not None:
        raise WeightsError(f'"{path}" {fault}, which no network here has; fetch or copy it again')


def check_size(kind: Any, path: Path, weights: Path) -> None:
    """Raise WeightsError if a network that a config describes has more weights than its file.

    Nothing is allocated for it.

    Parameters
    ----------
    kind : type
        The network's class, of diffusers or of transformers.
    path : Path
        Of its config.json.
    weights : Path
        Of its weights.
    """
    config = json.loads(path.read_bytes())
    with torch.device("meta"):
        if hasattr(kind, "from_config"):
            network = kind.from_config(config)
        else:
            network = kind(kind.config_class(**config))
    wanted = sum(parameter.numel() for parameter in network.parameters())
    # Each takes two bytes at least.
    if 2 * wanted > weights.stat().st_size:
        raise WeightsError(
            f'"{path}" describes a network of {wanted:,} weights, which are not in "{weights}"; '
            "fetch or copy both again"
        )


def _faults(value: object, key: str = "") -> Iterator[str]:
    """Yield what a configuration says that no network's does, as the rest of a sentence."""
    if _FORBIDDEN.fullmatch(key):
        yield f'sets "{key}"'
    if isinstance(value, dict):
        if len(value) > 4 * _LONGEST:
            yield f"has {len(value)} entries"
        for name, part in value.items():
            yield from _faults(part, name)
    elif isinstance(value, list):
        if len(value) > _LONGEST:
            yield f'has {len(value)} values of "{key}"'
        for part in value:
            yield from _faults(part, key)
    elif isinstance(value, int) and abs(value) > (_MOST_LAYERS if "layer" in key else _LARGEST):
        yield f'has a "{key}" of {value if abs(value) < 1e12 else "more than a million million"}'
