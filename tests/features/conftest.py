"""Real photos, the real default networks, and a network that is not there."""

import socket
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray

from fmstudio.features.efficientnet import LITES, EfficientNetLite
from fmstudio.geometry.grid import ImageSize, PatchGrid

Rgb = NDArray[np.uint8]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing out of this machine; a test's own server on it may be reached."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test reached for the network: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tests share the processor with others: threads that wait for one another cost more."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def cat() -> Rgb:
    """Return the photo of a cat, (300, 451, 3)."""
    return np.asarray(skimage.data.chelsea(), np.uint8)


@pytest.fixture(scope="session")
def coffee() -> Rgb:
    """Return the photo of a cup of coffee, (400, 600, 3)."""
    return np.asarray(skimage.data.coffee(), np.uint8)


@pytest.fixture(scope="session")
def lites() -> dict[str, EfficientNetLite]:
    """Return the default networks with their packaged weights."""
    return {name: EfficientNetLite(name) for name in LITES}


@pytest.fixture(scope="session")
def window() -> Callable[..., Rgb]:
    """Return a function that shows part of a photo at a size of one's own."""

    def cut(rgb: Rgb, left: float, top: float, width: float, size: tuple[int, int]) -> Rgb:
        scale = size[0] / width
        # OpenCV puts pixel centres on whole numbers; this project half a pixel further.
        half = (scale - 1) / 2
        M = np.array([[scale, 0, half - left * scale], [0, scale, half - top * scale]])
        warped = cv2.warpAffine(rgb, M, size, flags=cv2.INTER_CUBIC)
        return np.asarray(warped, np.uint8)

    return cut


@pytest.fixture(scope="session")
def grid_of() -> Callable[..., PatchGrid]:
    """Return a function from an image and a number of patches along its longer side."""

    def grid(rgb: Rgb, patches: int) -> PatchGrid:
        return PatchGrid.of_long_side(ImageSize(rgb.shape[1], rgb.shape[0]), patches)

    return grid
