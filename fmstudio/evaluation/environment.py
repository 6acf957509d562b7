"""What a measurement ran on: code, weights, device, packages, memory."""

import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import fmstudio

_PACKAGES = ("torch", "timm", "numpy", "scipy", "opencv-python-headless")


@dataclass(frozen=True, slots=True)
class Environment:
    """Where and with what a report was made.

    Attributes
    ----------
    version : str
        fmstudio's.
    commit : str or None
        Of the checkout that the code was imported from, with "+" where it differs from that
        commit; None for an installed package.
    weights : tuple of str
        `ExtractorSpec.key` of each network: its name, the start of its weights' hash, and options.
    device : str
    threads : int
        Of torch on the processor.
    processors : int
    system, python : str
    packages : dict of str to str
        Versions.
    """

    version: str
    commit: str | None
    weights: tuple[str, ...]
    device: str
    threads: int
    processors: int
    system: str
    python: str
    packages: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "weights": list(self.weights)}


def examine(weights: tuple[str, ...], device: torch.device) -> Environment:
    """Return what this process runs on."""
    return Environment(
        version=fmstudio.__version__,
        commit=commit_of(Path(fmstudio.__file__).parent),
        weights=weights,
        device=_named(device),
        threads=torch.get_num_threads(),
        processors=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        packages={name: version(name) for name in _PACKAGES},
    )


def commit_of(folder: Path) -> str | None:
    """Return the commit of the checkout that holds a folder, "+" behind it if changed; or None."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None or _git(folder, "ls-files", "--error-unmatch", ".") is None:
        return None
    return commit + ("+" if _git(folder, "status", "--porcelain", "--", ".") else "")


def peak_memory(device: torch.device) -> dict[str, int]:
    """Return the most bytes held so far: "process" (not on Windows), and "device" on a GPU."""
    held = {}
    if sys.platform != "win32":
        import resource

        # Linux counts in KiB, macOS in bytes.
        unit = 1 if sys.platform == "darwin" else 1024
        held["process"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    if device.type == "cuda":
        held["device"] = torch.cuda.max_memory_allocated(device)
    return held


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says of a folder; None without git or outside of a checkout."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _named(device: torch.device) -> str:
    """Return a device's name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return platform.processor() or platform.machine() if device.type == "cpu" else device.type
