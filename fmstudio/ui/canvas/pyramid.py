"""An image at every size that a canvas needs, so that a zoom touches few pixels."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter

_SMALLEST = 512
_FAST = QImage.Format.Format_RGB32
# Screen pixels per image pixel above which a person wants to see the pixels themselves.
_PIXELS = 2.0


class Pyramid:
    """An image halved again and again, down to about 512 pixels.

    Takes half as much memory again as the image. Drawing scales the level just above the wanted
    size, and of that only what is seen.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3) uint8
    """

    def __init__(self, rgb: NDArray[np.uint8]) -> None:
        self._rgb = np.ascontiguousarray(rgb)
        # Qt scales 32 bits a pixel twice as fast as 24; the largest level is rather shared.
        small = [_as_image(level).convertToFormat(_FAST) for level in _halvings(self._rgb)]
        self._images = [_as_image(self._rgb), *small]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """Return the image itself, (H, W, 3)."""
        return self._rgb

    @property
    def width(self) -> int:
        """Return the image's width in pixels."""
        return int(self._rgb.shape[1])

    @property
    def height(self) -> int:
        """Return the image's height in pixels."""
        return int(self._rgb.shape[0])

    @property
    def n_levels(self) -> int:
        """Return how many sizes there are."""
        return len(self._images)

    @property
    def n_bytes(self) -> int:
        """Return how much memory all sizes take."""
        return self._rgb.nbytes + sum(image.sizeInBytes() for image in self._images[1:])

    def level_for(self, scale: float) -> int:
        """Return the smallest level that still has a pixel for every screen pixel.

        Parameters
        ----------
        scale : float
            Screen pixels per image pixel, above 0.
        """
        level = 0
        while level + 1 < self.n_levels and scale * 2 ** (level + 1) <= 1.0:
            level += 1
        return level

    def draw(self, painter: QPainter, seen: QRectF, scale: float) -> None:
        """Draw what is seen; the painter's coordinates are image pixels.

        Parameters
        ----------
        painter : QPainter
        seen : QRectF
            Part of the image, in image pixels.
        scale : float
            Pixels of the device per image pixel.
        """
        if seen.isEmpty():
            return
        image = self._images[self.level_for(scale)]
        fx, fy = image.width() / self.width, image.height() / self.height
        part = QRectF(seen.x() * fx, seen.y() * fy, seen.width() * fx, seen.height() * fy)
        # One pixel more on each side, or the edges of a smooth scaling would show.
        whole = part.toAlignedRect().adjusted(-1, -1, 1, 1) & QRect(0, 0, *_size(image))
        target = QRectF(whole.x() / fx, whole.y() / fy, whole.width() / fx, whole.height() / fy)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < _PIXELS)
        painter.drawImage(target, image, QRectF(whole))


def _halvings(rgb: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield the image at a half, a quarter and so on of its size."""
    while max(rgb.shape[:2]) > _SMALLEST and min(rgb.shape[:2]) > 1:
        size = ((rgb.shape[1] + 1) // 2, (rgb.shape[0] + 1) // 2)
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        yield rgb


def _as_image(rgb: NDArray[np.uint8]) -> QImage:
    """Return an image over the array's own memory, which must outlive it."""
    height, width = rgb.shape[:2]
    return QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888)


def _size(image: QImage) -> tuple[int, int]:
    """Return width and height."""
    return image.width(), image.height()
