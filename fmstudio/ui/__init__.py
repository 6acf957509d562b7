"""The window: shows snapshots of the project and turns gestures into edits."""
