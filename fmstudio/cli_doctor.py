"""The command doctor: what this installation consists of, to read and to paste."""

import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import fmstudio
from fmstudio.cli_output import say, say_json
from fmstudio.errors import FmstudioError

_PACKAGES = (
    "torch",
    "torchvision",
    "timm",
    "numpy",
    "scipy",
    "opencv-python-headless",
    "Pillow",
    "tifffile",
    "pycocotools",
    "immutables",
    "safetensors",
    "huggingface_hub",
    "PySide6-Essentials",
    "pyqtgraph",
)
_CLASHING = ("opencv-python", "opencv-contrib-python")


@dataclass(frozen=True, slots=True)
class Line:
    """One finding.

    Attributes
    ----------
    name, value : str
    fault : str or None
        What is wrong with it and what to do, a sentence; None when nothing is.
    """

    name: str
    value: str
    fault: str | None = None


def doctor(*, as_json: bool) -> None:
    """Say versions, device, weights, caches and disk.

    Raises
    ------
    FmstudioError
        If something is missing or broken; each fault has been said.
    """
    report(examine(), as_json=as_json)


def report(lines: Sequence[Line], *, as_json: bool) -> None:
    """Say findings; raises FmstudioError if there is a fault among them."""
    faults = [line for line in lines if line.fault]
    if as_json:
        findings = {line.name: line.value for line in lines}
        say_json({**findings, "faults": [line.fault for line in faults]})
    else:
        width = max(len(line.name) for line in lines)
        for line in lines:
            mark = f"   <- {line.fault}" if line.fault else ""
            say(f"{line.name:<{width}}  {line.value}{mark}")
    if faults:
        raise FmstudioError(" ".join(line.fault for line in faults if line.fault))


def examine() -> list[Line]:
    """Return every finding, in the order in which a person reads them."""
    lines = [
        Line("fmstudio", fmstudio.__version__),
        Line("python", f"{platform.python_version()} ({sys.executable})"),
        Line("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        Line("sqlite", sqlite3.sqlite_version),
    ]
    lines += [_package(name) for name in _PACKAGES]
    lines += [_clash(name) for name in _CLASHING if _version(name)]
    lines.append(_safely("processors", _processors))
    lines.append(_safely("device", _device))
    lines += _weights()
    lines.append(_safely("hub cache", _hub_cache))
    lines.append(_safely("free disk", _free_disk))
    return lines


def _safely(name: str, find: Callable[[], str]) -> Line:
    """Return a finding; what fails while it is looked for is itself the finding."""
    try:
        return Line(name, find())
    # A doctor that falls ill with the patient is of no use: torch or a driver may raise anything.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return Line(name, "not found out", f"{name} could not be found out ({reason}).")


def _version(package: str) -> str | None:
    """Return an installed package's version, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _package(name: str) -> Line:
    """Return the finding on one package that fmstudio needs."""
    found = _version(name)
    if found is None:
        return Line(name, "missing", f"{name} is not installed: run 'pip install {name}'.")
    return Line(name, found)


def _clash(name: str) -> Line:
    """Return the finding on a package that should not be there."""
    return Line(
        name,
        _version(name) or "",
        f"{name} brings Qt plugins that fight the window's: run 'pip uninstall {name}', then "
        "'pip install --force-reinstall opencv-python-headless'.",
    )


def _processors() -> str:
    """Return how many processors there are and how many torch uses."""
    import torch

    return f"{os.cpu_count()}, torch uses {torch.get_num_threads()}"


def _device() -> str:
    """Return the device that "auto" takes."""
    from fmstudio.engine.device import choose_device, device_name

    device = choose_device("auto")
    return f"{device} ({device_name(device)})"


def _weights() -> list[Line]:
    """Return the findings on weights: those of the default pair must be there."""
    try:
        from fmstudio.features import weights

        models = weights.available()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return [Line("weights", "not found out", f"Weights cannot be looked for ({reason}).")]
    lines = []
    for model in models:
        fault = None
        if model.name in weights.PACKAGED:
            fault = _packaged_fault(model.name)
        value = str(model.on_disk) if model.on_disk else "not on this disk"
        lines.append(Line(f"weights {model.name}", value, fault))
    return lines


def _packaged_fault(name: str) -> str | None:
    """Return what is wrong with the weights of the default pair, or None."""
    from fmstudio.features import weights

    try:
        weights.verify(name, weights.find(name))
    except FmstudioError as error:
        return f"{str(error)[:1].upper()}{str(error)[1:].rstrip('.')}."
    return None


def _hub_cache() -> str:
    """Return where fetched weights are kept, and how large they are."""
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE)
    if not folder.is_dir():
        return f"{folder} (empty)"
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    return f"{folder} ({size / 1e6:,.0f} MB)"


def _free_disk() -> str:
    """Return how much room is left where the command was started."""
    return f"{shutil.disk_usage(Path.cwd()).free / 1e9:,.1f} GB in {Path.cwd()}"
