"""Parts of an image as they are looked at: a box, turned about its middle."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fmstudio.geometry.boxes import PartBox
from fmstudio.geometry.grid import ImageSize


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture cut out of an image.

    Attributes
    ----------
    box : PartBox
        The part of the image.
    turn : int
        Degrees by which its content is turned about the box's middle, from the x axis towards the
        y axis: clockwise on a screen. The picture keeps the box's sides at 180 degrees, has them
        exchanged at 90, and is a square of the longer one at any other turn: corners of the box
        can be lost there, and what lies outside of the image is its mirror at the border.
    """

    box: PartBox
    turn: int = 0

    @property
    def size(self) -> ImageSize:
        """Return the picture's size."""
        x0, y0, x1, y1 = self.box
        width, height = x1 - x0, y1 - y0
        if self.turn % 180 == 0:
            return ImageSize(width, height)
        if self.turn % 90 == 0:
            return ImageSize(height, width)
        return ImageSize(max(width, height), max(width, height))

    @property
    def name(self) -> str:
        """Return a short text that tells frames of one image apart."""
        box = ",".join(map(str, self.box))
        return f"{box}@{self.turn}" if self.turn else box

    def enter(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return pixels (..., 2) of the picture for pixels (..., 2) of the image."""
        middle, centre = self._middles()
        away = np.asarray(xy, dtype=np.float64) - middle
        return np.asarray(away @ self._rotation().T + centre)

    def leave(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return pixels (..., 2) of the image for pixels (..., 2) of the picture."""
        middle, centre = self._middles()
        away = np.asarray(xy, dtype=np.float64) - centre
        return np.asarray(away @ self._rotation() + middle)

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the picture (h, w, ...) of an image (H, W, ...)."""
        x0, y0, x1, y1 = self.box
        if self.turn == 0:
            return np.ascontiguousarray(image[y0:y1, x0:x1])
        # OpenCV counts from pixel centres, `geometry.grid` from pixel corners: half a pixel.
        rotation = self._rotation()
        shift = self.enter(np.array([0.5, 0.5])) - 0.5
        matrix = np.column_stack([rotation, shift])
        size = (self.size.width, self.size.height)
        turned = cv2.warpAffine(
            image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        return np.asarray(turned, dtype=np.uint8)

    def _middles(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the middle of the box in the image, and of the picture."""
        x0, y0, x1, y1 = self.box
        size = self.size
        return np.array([x0 + x1, y0 + y1]) / 2, np.array([size.width, size.height]) / 2

    def _rotation(self) -> NDArray[np.float64]:
        """Return the rotation (2, 2) from image to picture."""
        angle = np.deg2rad(self.turn)
        cos, sin = np.cos(angle), np.sin(angle)
        return np.array([[cos, -sin], [sin, cos]])
