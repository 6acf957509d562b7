"""Brings what the inspector knows onto the two canvases, and the pointer to the inspector."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QImage, QMouseEvent

from fmstudio.session_inspect import Layers
from fmstudio.ui.canvas.layers import (
    ContourLayer,
    CounterpartLayer,
    GhostLayer,
    GridLayer,
    Layer,
    PictureLayer,
    RoundTripLayer,
    heat_image,
    picture_image,
    rect_of,
    signed_image,
)
from fmstudio.ui.canvas.match_overlay import MatchOverlay
from fmstudio.ui.canvas.pair import CanvasPair
from fmstudio.ui.canvas.view import CanvasView
from fmstudio.ui.controller import Controller
from fmstudio.ui.inspector import Inspector
from fmstudio.ui.spectrum import SpectrumViewer

_FUNCTION_ALPHA = 170
# Others have a meaning of their own for a click with Alt.
_PINNING_TOOLS = ("select", "keypoint")


class InspectorView(QObject):
    """Draws the inspector's layers and listens to the pointer over both canvases.

    Parameters
    ----------
    controller : Controller
    inspector : Inspector
    spectrum : SpectrumViewer
    pair : CanvasPair
    overlay : MatchOverlay
    """

    def __init__(
        self,
        controller: Controller,
        inspector: Inspector,
        spectrum: SpectrumViewer,
        pair: CanvasPair,
        overlay: MatchOverlay,
    ) -> None:
        super().__init__(pair)
        self._controller, self._inspector = controller, inspector
        self._spectrum = spectrum
        self._pair, self._overlay = pair, overlay
        self._pictured: Layers | None = None
        self._images: dict[str, QImage] = {}
        self._beneath: tuple[list[Layer], list[Layer]] = ([], [])
        self._spectral: tuple[list[Layer], list[Layer]] = ([], [])
        pair.reference.pointerMoved.connect(self._on_reference)
        pair.target.pointerMoved.connect(self._on_target)
        for canvas in pair.canvases:
            canvas.viewport().installEventFilter(self)
        inspector.changed.connect(self._show_layers)
        inspector.answered.connect(self._show_answer)
        spectrum.drawn.connect(self._show_spectrum)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Pin the point under a click with Alt."""
        is_press = event.type() == QEvent.Type.MouseButtonPress
        if is_press and isinstance(event, QMouseEvent) and self._is_pinning(event):
            for canvas in self._pair.canvases:
                if watched is canvas.viewport() and canvas.is_ready:
                    xy = canvas.map_to_image(event.position())
                    is_back = canvas is self._pair.target
                    return _is_on(canvas, xy) and self._inspector.pin(xy, is_back=is_back)
        return super().eventFilter(watched, event)

    def _is_pinning(self, event: QMouseEvent) -> bool:
        """Return whether a press pins."""
        return (
            event.button() == Qt.MouseButton.LeftButton
            and bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
            and self._controller.tool in _PINNING_TOOLS
        )

    # The pointer

    def _on_reference(self, xy: tuple[float, float] | None) -> None:
        """Ask where a place of the reference lies on the target."""
        self._hover(self._pair.reference, xy)

    def _on_target(self, xy: tuple[float, float] | None) -> None:
        """Ask where a place of the target lies on the reference."""
        self._hover(self._pair.target, xy)

    def _hover(self, canvas: CanvasView, xy: tuple[float, float] | None) -> None:
        """Ask about a place, if it is one of the image."""
        inside = xy if xy is not None and _is_on(canvas, xy) else None
        self._inspector.hover(inside, is_back=canvas is self._pair.target)

    # Drawing

    def _show_layers(self) -> None:
        """Draw what was chosen of what there is."""
        layers, choices = self._inspector.layers, self._inspector.choices
        if layers is not self._pictured:
            self._pictured = layers
            self._images.clear()
        self._beneath = ([], []) if layers is None else self._layers_of(layers)
        lines = None if layers is None or not choices.has_lines else layers.matches
        self._overlay.show_lines(lines)
        self._show_answer()

    def _layers_of(self, layers: Layers) -> tuple[list[Layer], list[Layer]]:
        """Return the layers of the reference and of the target."""
        choices, grid = self._inspector.choices, layers.grid
        on_s: list[Layer] = []
        on_t: list[Layer] = []
        how = (choices.opacity, choices.wipe)
        if choices.picture == "colour":
            on_t.append(PictureLayer(self._image("colour"), rect_of(layers.colour.box), *how))
        elif choices.picture == "checker":
            on_s.append(PictureLayer(self._image("checker_s"), rect_of(layers.checker_s.box), *how))
            on_t.append(PictureLayer(self._image("checker"), rect_of(layers.checker.box), *how))
        if choices.has_grid:
            none = grid.cells_t[:0]
            on_s.append(GridLayer(grid.lines_s, none))
            on_t.append(GridLayer(grid.lines_t, grid.cells_t[grid.is_folded], grid.is_flipped))
        if choices.has_contour:
            on_t.append(ContourLayer(layers.contours.rings, layers.contours.limbs))
        return on_s, on_t

    def _image(self, name: str) -> QImage:
        """Return a picture of the layers as Qt draws it, made once."""
        if name not in self._images:
            self._images[name] = picture_image(getattr(self._pictured, name).rgba)
        return self._images[name]

    def _show_answer(self) -> None:
        """Draw the counterpart of the point on the one canvas, its round trip on the other."""
        answer = self._inspector.answer
        on_s, on_t = (a + b for a, b in zip(self._beneath, self._spectral, strict=True))
        if answer is not None:
            asked, other = (on_t, on_s) if answer.question.is_back else (on_s, on_t)
            if self._inspector.choices.heat != "off":
                box = rect_of(answer.heat.box)
                other.append(PictureLayer(heat_image(answer.heat.values), box))
            trip = RoundTripLayer(answer.question.xy, answer.back, self._inspector.is_pinned)
            asked.append(trip)
            note = f"{answer.confidence:.2f}"
            other.append(CounterpartLayer(answer.there, answer.confidence, note))
        self._pair.reference.set_layers(on_s)
        self._pair.target.set_layers(on_t)

    def _show_spectrum(self) -> None:
        """Lay the chosen eigenfunction over its image, and keypoints by fewer functions."""
        on_s: list[Layer] = []
        on_t: list[Layer] = []
        shown, function = self._spectrum.shown, self._spectrum.function
        if shown is not None and function is not None:
            image = signed_image(function.values, _FUNCTION_ALPHA)
            (on_s if shown[0] else on_t).append(PictureLayer(image, rect_of(function.box)))
        if self._spectrum.band is not None:
            on_t.append(GhostLayer(self._spectrum.band.xy))
        self._spectral = on_s, on_t
        self._show_answer()


def _is_on(canvas: CanvasView, xy: tuple[float, float]) -> bool:
    """Return whether a place lies on a canvas's image."""
    return bool(canvas.image_rect().contains(*xy))
