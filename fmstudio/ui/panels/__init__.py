"""What docks beside the canvases."""
