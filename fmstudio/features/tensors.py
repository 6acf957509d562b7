"""Tensors from weights files, without running what such a file could hold besides."""

import pickle
import warnings
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from fmstudio.errors import WeightsError


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the named tensors of a weights file: safetensors, or torch's format without code.

    Raises
    ------
    WeightsError
        If the file is damaged, holds anything but tensors, or could run code when loaded.
    """
    if path.suffix == ".safetensors":
        try:
            return dict(load_file(path))
        except (SafetensorError, OSError) as error:
            raise WeightsError(
                f'the weights file "{path}" is not a whole safetensors file; fetch it again'
            ) from error
    return _tensors_of(path, _load_torch(path))


def _load_torch(path: Path) -> object:
    """Return what torch's safe loader makes of a file."""
    try:
        with warnings.catch_warnings():
            # Of a foreign pickle torch warns and then raises: the error is enough.
            warnings.simplefilter("ignore", UserWarning)
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f'the weights file "{path}" is damaged or a pickle that could run code, and is not '
            "loaded; convert it to safetensors where you trust it"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError) as error:
        raise WeightsError(f'the weights file "{path}" cannot be read by torch') from error


def _tensors_of(path: Path, loaded: object) -> dict[str, torch.Tensor]:
    """Return the state dict in a loaded file, also where it lies one level down."""
    for key in ("state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not loaded:
        raise WeightsError(f'the weights file "{path}" holds no named tensors')
    tensors = {str(k): v for k, v in loaded.items() if isinstance(v, torch.Tensor)}
    if len(tensors) != len(loaded):
        raise WeightsError(f'the weights file "{path}" holds other things than named tensors')
    return tensors
