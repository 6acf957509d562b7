"""Extractors by name: one explicit dict."""

from pathlib import Path
from typing import Protocol

import torch

from fmstudio.errors import WeightsError
from fmstudio.features.base import Extractor
from fmstudio.features.diffusion import Diffusion
from fmstudio.features.diffusion import parse_options as parse_diffusion_options
from fmstudio.features.efficientnet import EfficientNetLite
from fmstudio.features.vit import FACETS, ViT, ViTOptions
from fmstudio.features.weights import HUB


class Factory(Protocol):
    """Builds an extractor from the registry name by which it was asked for."""

    def __call__(
        self, name: str, *, device: torch.device | str = "cpu", weights: Path | None = None
    ) -> Extractor:
        """Return the extractor."""
        ...


def make_lite(
    name: str, *, device: torch.device | str = "cpu", weights: Path | None = None
) -> Extractor:
    """Return the network of "efficientnet-lite0[:layers=10+12]".

    Raises
    ------
    WeightsError
        If the name or an option is not known, or the weights cannot be loaded.
    """
    options = name.split(":")[1:]
    try:
        if any(not option.startswith("layers=") for option in options):
            raise ValueError("there is no option but layers=<numbers joined by +>")
        layers = parse_options(options).layers if options else None
        return EfficientNetLite(name, layers, device=device, weights=weights)
    except ValueError as error:
        raise WeightsError(f'"{name}" cannot be built: {error}') from error


def make_vit(
    name: str, *, device: torch.device | str = "cpu", weights: Path | None = None
) -> Extractor:
    """Return the transformer of "vit:<timm name>[:options]" or "<short name>[:options]".

    Raises
    ------
    WeightsError
        If the name or an option is not known, or the weights cannot be loaded.
    """
    head, *rest = name.split(":")
    if head in HUB:
        timm_name = HUB[head].timm_name
    elif rest:
        timm_name, *rest = rest
    else:
        raise WeightsError(f'"{name}" names no network; write vit:<timm name>')
    try:
        return ViT(name, timm_name, parse_options(rest), device=device, weights=weights)
    except ValueError as error:
        raise WeightsError(f'"{name}" cannot be built: {error}') from error


def make_diffusion(
    name: str, *, device: torch.device | str = "cpu", weights: Path | None = None
) -> Extractor:
    """Return the diffusion model of "sd15[:options][:path=<folder>]".

    Raises
    ------
    WeightsError
        If an option is not known, or the weights cannot be loaded.
    """
    # Last, since a path may hold colons.
    plain, has_path, path = name.partition(":path=")
    if has_path and weights is None:
        weights = Path(path)
    try:
        options = parse_diffusion_options(plain.split(":")[1:])
        return Diffusion(name, options, device=device, weights=weights)
    except ValueError as error:
        raise WeightsError(f'"{name}" cannot be built: {error}') from error


EXTRACTORS: dict[str, Factory] = {
    "efficientnet-lite0": make_lite,
    "efficientnet-lite2": make_lite,
    "dinov2-s": make_vit,
    "dinov2-b": make_vit,
    "dinov3-s": make_vit,
    "dinov3-b": make_vit,
    "vit": make_vit,
    "sd15": make_diffusion,
}
"""By what stands before the first colon of a name."""


def make_extractor(
    name: str, *, device: torch.device | str = "cpu", weights: Path | None = None
) -> Extractor:
    """Return the extractor of a registry name, its weights loaded from this disk.

    Parameters
    ----------
    name : str
        "efficientnet-lite0", "efficientnet-lite2", "dinov2-s", "dinov2-b", "dinov3-s",
        "dinov3-b" or "vit:<timm name>", each optionally with ":layers=9+11" (one or several,
        negative ones from the end); the transformers also with ":facet=token|query|key|value".
        "sd15", optionally with ":blocks=1+2", ":t=100", ":ensemble=1", ":seed=0" and last
        ":path=<folder>".
    device : torch.device or str
        Where it runs and where its feature maps stay.
    weights : Path or None
        Local weights, a file or for "sd15" a folder, instead of the packaged or cached ones.

    Raises
    ------
    WeightsError
        If the name is not known, or the weights are missing, damaged or do not fit.
    """
    head = name.partition(":")[0]
    if head not in EXTRACTORS:
        known = ", ".join("vit:<timm name>" if n == "vit" else n for n in EXTRACTORS)
        raise WeightsError(f'there is no extractor "{name}"; the known ones are {known}')
    return EXTRACTORS[head](name, device=device, weights=weights)


def parse_options(options: list[str]) -> ViTOptions:
    """Return the options written as ``["layers=9+11", "facet=key"]``.

    Raises
    ------
    ValueError
        If one is not known, or its value is not possible.
    """
    values = {}
    for option in options:
        key, _, value = option.partition("=")
        if key not in ("layers", "facet") or key in values:
            raise ValueError(
                f'"{option}" is not an option; there are layers=<numbers joined by +> and '
                f"facet=<{'|'.join(FACETS)}>, each at most once"
            )
        values[key] = value
    layers = values.get("layers", "-1").replace(",", "+").split("+")
    try:
        numbers = tuple(int(layer) for layer in layers)
    except ValueError as error:
        raise ValueError(f'layers are whole numbers, not "{values["layers"]}"') from error
    return ViTOptions(numbers, values.get("facet", "token"))
