"""All tools, by name."""

from fmstudio.ui.canvas.draft import Tool
from fmstudio.ui.canvas.tool_assist import AssistTool
from fmstudio.ui.canvas.tool_box import BoxTool
from fmstudio.ui.canvas.tool_brush import BrushSize, BrushTool
from fmstudio.ui.canvas.tool_keypoint import KeypointTool
from fmstudio.ui.canvas.tool_polygon import PolygonTool
from fmstudio.ui.canvas.tool_select import SelectTool
from fmstudio.ui.controller import Controller
from fmstudio.worker.service import EngineService


def make_tools(controller: Controller, service: EngineService) -> dict[str, Tool]:
    """Return one of each tool, for one canvas; brush, eraser and assistant share their size."""
    size = BrushSize()
    assistant = AssistTool(controller, service, size)
    tools: list[Tool] = [
        SelectTool(controller),
        KeypointTool(controller),
        PolygonTool(controller),
        BrushTool(controller, size, is_erasing=False),
        BrushTool(controller, size, is_erasing=True),
        BoxTool(controller, assistant),
        assistant,
    ]
    return {tool.name: tool for tool in tools}
