"""What tools and canvases say to each other: events in image pixels, and drafts to draw."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt

from fmstudio.project.model import Annotation


@dataclass(frozen=True, slots=True)
class PointerEvent:
    """A press, a move or a release of the pointer over an image.

    Attributes
    ----------
    xy : tuple of float
        Image pixels; may lie outside the image.
    button : Qt.MouseButton
        Of a press or a release; NoButton of a move.
    buttons : Qt.MouseButton
        All that are held.
    modifiers : Qt.KeyboardModifier
    scale : float
        Screen pixels per image pixel.
    """

    xy: tuple[float, float]
    button: Qt.MouseButton = Qt.MouseButton.NoButton
    buttons: Qt.MouseButton = Qt.MouseButton.NoButton
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    scale: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """A brush stroke: the disc of ``radius`` image pixels swept along ``xy`` (m, 2)."""

    xy: NDArray[np.float64]
    radius: float
    is_erasing: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class DraftView:
    """What a tool wants drawn over the image while a gesture lasts; all in image pixels.

    Attributes
    ----------
    annotation : Annotation or None
        Drawn instead of the stored one with its id; with id 0 in addition.
    ring : ndarray, (m, 2), or None
        Open polygon under construction.
    handles : ndarray, (m, 2), or None
        Vertices of the polygon that is edited.
    box : tuple of float, or None
        (x, y, width, height).
    brush : tuple of float, or None
        (x, y, radius) of the brush under the pointer.
    strokes : tuple of Stroke
        Painted in this gesture, or scribbled for the mask assistant.
    hint : str
        Beside the pointer: the next keypoint's name.
    at : tuple of float, or None
        Where the pointer is, for the hint and the crosshair.
    loupe : tuple of float, or None
        What to magnify.
    """

    annotation: Annotation | None = None
    ring: NDArray[np.float64] | None = None
    handles: NDArray[np.float64] | None = None
    box: tuple[float, float, float, float] | None = None
    brush: tuple[float, float, float] | None = None
    strokes: tuple[Stroke, ...] = field(default=())
    hint: str = ""
    at: tuple[float, float] | None = None
    loupe: tuple[float, float] | None = None


class CanvasLike(Protocol):
    """What a tool needs of the canvas it works on."""

    @property
    def image_id(self) -> int | None:
        """Return the id of the image that is shown, or None."""

    @property
    def scale(self) -> float:
        """Return screen pixels per image pixel."""

    def show_draft(self, draft: DraftView | None) -> None:
        """Draw a draft instead of the last one, or none."""

    def pixels(self) -> NDArray[np.uint8] | None:
        """Return the image (H, W, 3), or None while it is not loaded."""


class Tool(Protocol):
    """Turns events into a draft, and the draft into one edit."""

    @property
    def name(self) -> str:
        """Return the name that `Controller.tool` knows it by."""

    @property
    def cursor(self) -> Qt.CursorShape:
        """Return the pointer's shape over the image."""

    def activate(self, canvas: CanvasLike) -> None:
        """Work on this canvas from now on."""

    def deactivate(self) -> None:
        """Drop the draft and let go of the canvas."""

    def press(self, event: PointerEvent) -> None:
        """Begin or continue a gesture."""

    def move(self, event: PointerEvent) -> None:
        """Follow the pointer, whether a button is held or not."""

    def release(self, event: PointerEvent) -> None:
        """End a gesture."""

    def double_click(self, event: PointerEvent) -> None:
        """Finish what takes several clicks."""

    def key(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        """Use a key; return whether it meant something."""

    def cancel(self) -> bool:
        """Drop the draft; return whether there was one."""
