"""Which device computes, and what to do when its memory does not suffice."""

from collections.abc import Callable
from typing import TypeVar

import torch

DEVICES = ("auto", "cpu", "cuda", "mps")

T = TypeVar("T")


def choose_device(wish: str = "auto") -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    wish : str
        "auto" (CUDA, else Apple's, else the CPU), "cpu", "cuda" or "mps".

    Raises
    ------
    ValueError
        If the wish is another word, or a device that this machine does not have.
    """
    if wish not in DEVICES:
        raise ValueError(f'a device is one of {", ".join(DEVICES)}, not "{wish}"')
    have = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wish == "auto":
        wish = next(name for name in ("cuda", "mps", "cpu") if have[name])
    if not have[wish]:
        raise ValueError(f'this machine has no "{wish}" device that torch can use; choose "cpu"')
    return torch.device(wish)


def device_name(device: torch.device) -> str:
    """Return the device's name for a person."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return {"cpu": f"CPU, {torch.get_num_threads()} threads", "mps": "Apple GPU"}[device.type]


def within_memory(
    work: Callable[[], T], on_cpu: Callable[[], T], device: torch.device
) -> tuple[T, bool]:
    """Return what work returns, by the first rung of a ladder that fits into memory.

    As it is; once more after giving back what the allocator holds unused; on the processor.

    Parameters
    ----------
    work : callable
        On the device.
    on_cpu : callable
        The same on the processor; its result is expected where the other's is.
    device : torch.device

    Returns
    -------
    result : object
    is_on_cpu : bool
        Whether the last rung was needed: its numbers may differ in the last digits.

    Raises
    ------
    torch.OutOfMemoryError
        If the device is the processor itself and has too little.
    """
    for attempt in (1, 2):
        try:
            return work(), False
        except torch.OutOfMemoryError:
            if device.type == "cpu" and attempt == 2:
                raise
        # After the except block: within it the traceback still holds the failed tensors.
        release_memory(device)
    return on_cpu(), True


def release_memory(device: torch.device) -> None:
    """Give memory that torch holds unused back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
