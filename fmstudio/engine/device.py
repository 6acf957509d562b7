"""Which device computes."""

import torch

DEVICES = ("auto", "cpu", "cuda", "mps")


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
