"""The image canvases: a view, its layers and its tools."""
