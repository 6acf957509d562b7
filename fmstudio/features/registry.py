"""Extractors by name: one explicit dict."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import torch

from fmstudio.errors import WeightsError
from fmstudio.features.base import Extractor
from fmstudio.features.efficientnet import EfficientNetLite


class Factory(Protocol):
    """Builds an extractor from its name's options."""

    def __call__(
        self, *, device: torch.device | str = "cpu", weights: Path | None = None
    ) -> Extractor:
        """Return the extractor."""
        ...


EXTRACTORS: dict[str, Factory] = {
    "efficientnet-lite0": partial(EfficientNetLite, "efficientnet-lite0"),
    "efficientnet-lite2": partial(EfficientNetLite, "efficientnet-lite2"),
}


def make_extractor(
    name: str, *, device: torch.device | str = "cpu", weights: Path | None = None
) -> Extractor:
    if name not in EXTRACTORS:
        raise WeightsError(f"unknown extractor {name}")
    return EXTRACTORS[name](device=device, weights=weights)
