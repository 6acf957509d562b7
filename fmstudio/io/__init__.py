"""Bytes at the edge: image files, the project file, COCO. Knows projects, never the engine."""
