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
    work: Callable[[], T],
    on_cpu: Callable[[], T],
    device: torch.device,
    evict: Callable[[], object] = lambda: None,
) -> tuple[T, bool]:
    """Return what work returns, by the first rung of a ladder that fits into memory.

    As it is; once more after giving back what the allocator holds unused; once more after
    evicting what can be had again; on the processor.

    Parameters
    ----------
    work : callable
        On the device.
    on_cpu : callable
        The same on the processor; its result is expected where the other's is.
    device : torch.device
    evict : callable
        Lets go of what the work does not need and what can be made anew.

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
    rungs: tuple[Callable[[], object], ...] = (lambda: None, lambda: None, evict)
    for rung, relieve in enumerate(rungs):
        relieve()
        if rung:
            release_memory(device)
        try:
            return work(), False
        except RuntimeError as error:
            is_last = device.type == "cpu" and relieve is evict
            if is_last or not is_out_of_memory(error):
                raise
        # The next rung is outside the except block: within it the traceback still holds the
        # failed tensors.
    return on_cpu(), True


# What torch raises as a plain RuntimeError: on Apple's GPU, and where a CUDA library finds no
# memory for its own workspace.
_SHORTAGES = ("MPS backend out of memory", "Invalid buffer size", "CUBLAS_STATUS_ALLOC_FAILED")


def is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether an error says that a device has too little memory."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return any(words in str(error) for words in _SHORTAGES)


def release_memory(device: torch.device) -> None:
    """Give memory that torch holds unused back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
