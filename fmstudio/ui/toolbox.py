"""Which tool each canvas has in hand, and who gets the keys that are meant for it."""

from PySide6.QtCore import QObject, Qt

from fmstudio.ui.canvas.pair import CanvasPair
from fmstudio.ui.canvas.tools import make_tools
from fmstudio.ui.controller import Controller
from fmstudio.worker.service import EngineService

_PLAIN = Qt.KeyboardModifier.NoModifier


class Toolbox(QObject):
    """Gives both canvases the tool that the controller names.

    Parameters
    ----------
    controller : Controller
    service : EngineService
    pair : CanvasPair
    """

    def __init__(self, controller: Controller, service: EngineService, pair: CanvasPair) -> None:
        super().__init__(pair)
        self._controller = controller
        self._pair = pair
        self._tools = [make_tools(controller, service) for _ in pair.canvases]
        controller.toolChanged.connect(self._hand_out)
        self._hand_out()

    def delete(self) -> bool:
        """Let a tool take away the corner or point in hand; return whether one did."""
        # The active canvas first: the other may hold the selection.
        first = self._pair.canvases.index(self._pair.active)
        return any(
            self._tools[place][self._controller.tool].key(Qt.Key.Key_Delete, _PLAIN)
            for place in (first, 1 - first)
        )

    def size(self, key: Qt.Key) -> None:
        """Change the size of the brush, which is the same on both canvases."""
        for tools in self._tools:
            tools[self._controller.tool].key(key, _PLAIN)

    def step_back(self) -> None:
        """Drop the draft; without one the selection; without one take the select tool."""
        if any(tools[self._controller.tool].cancel() for tools in self._tools):
            return
        if self._controller.selection.annotation_id is not None:
            self._controller.select(None)
        else:
            self._controller.set_tool("select")

    def _hand_out(self) -> None:
        """Put the tool into both canvases."""
        for canvas, tools in zip(self._pair.canvases, self._tools, strict=True):
            canvas.set_tool(tools[self._controller.tool])
