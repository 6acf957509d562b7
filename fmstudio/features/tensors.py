"""Tensors from weights files, without running what such a file could hold besides."""

import pickle
import struct
import warnings
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from fmstudio.errors import WeightsError

# A tensor takes some hundred bytes of it; the largest network here has under a thousand.
_MOST_HEADER = 4 << 20


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the named tensors of a weights file: safetensors, or torch's format without code.

    Raises
    ------
    WeightsError
        If the file is damaged, holds anything but tensors of numbers, could run code when loaded,
        or claims to hold more than it does.
    """
    if not path.is_file():
        raise WeightsError(f'the weights file "{path}" is not a file; give one')
    if path.suffix == ".safetensors":
        tensors = _load_safetensors(path)
    else:
        tensors = _tensors_of(path, _load_torch(path))
    check_tensors(path, tensors)
    return tensors


def header_bytes(path: Path) -> int:
    """Return the length of a safetensors file's header, which says what is in it.

    Raises
    ------
    WeightsError
        If it is not whole, or longer than that of any network.
    """
    with path.open("rb") as file:
        head = file.read(8)
    length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
    if not 2 <= length <= min(_MOST_HEADER, path.stat().st_size - 8):
        raise _not_whole(path)
    return int(length)


def _not_whole(path: Path) -> WeightsError:
    """Return the error for a safetensors file that is none."""
    return WeightsError(
        f'the weights file "{path}" is not a whole safetensors file; fetch it again'
    )


def _load_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file."""
    try:
        header_bytes(path)
        return dict(load_file(path))
    # Of kinds of numbers that torch does not have it raises what it likes.
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise _not_whole(path) from error


def _load_torch(path: Path) -> object:
    """Return what torch's safe loader makes of a file."""
    _check_archive(path)
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
    # Its unpickler takes any bytes for instructions, and stumbles over them in many ways.
    except Exception as error:
        raise WeightsError(f'the weights file "{path}" cannot be read by torch') from error


def _check_archive(path: Path) -> None:
    """Raise WeightsError if what is in a file of torch would be larger once unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            packed = [i for i in archive.infolist() if i.compress_type != zipfile.ZIP_STORED]
            size = sum(i.file_size for i in archive.infolist())
    # Whatever else it is, torch will say so.
    except Exception:
        return
    if packed or size > path.stat().st_size:
        raise WeightsError(
            f'the weights file "{path}" is packed as torch never does it, and is not loaded; '
            "save it again with torch"
        )


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


def check_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Raise WeightsError unless all tensors are plain ones whose numbers are in the file."""
    claimed = 0
    for name, tensor in tensors.items():
        is_plain = tensor.layout == torch.strided and tensor.device.type == "cpu"
        if not is_plain or tensor.is_quantized:
            raise WeightsError(f'"{name}" in the weights file "{path}" is no plain tensor')
        claimed += tensor.numel() * tensor.element_size()
    # Half precision may have become single; a few tensors may share their numbers.
    if claimed > 3 * path.stat().st_size:
        raise WeightsError(f'the weights file "{path}" claims to hold more than it does')
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and bool(tensor.float().isnan().any()):
            raise WeightsError(
                f'"{name}" in the weights file "{path}" has places that are not a number; fetch '
                "it again"
            )
