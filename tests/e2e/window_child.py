"""The window's program in a process of its own; `test_window_closing` starts it.

Opens a project, propagates its annotated photo to the others, and closes the window in the middle
of that; says when.
"""

import sys
import time
from pathlib import Path

from PySide6.QtCore import QTimer

from fmstudio.app import run
from fmstudio.ui.studio import Studio


def close_in_mid_run(studio: Studio) -> None:
    """Start a run, and close the window while the compute thread is in the middle of a step."""
    controller = studio.controller
    project = controller.project
    assert project is not None
    studio.propagation.start([controller.reference_id], list(project.images))
    studio.service.itemReady.connect(lambda ticket, _: ticket.lane == "propagate" and close(studio))


def close(studio: Studio) -> None:
    """Close the window, and say that it runs and what time it is."""
    state = "running" if studio.propagation.is_running else "idle"
    sys.stdout.write(f"{state} {time.time()}\n")
    sys.stdout.flush()
    studio.window.close()


class Hurried(Studio):
    """A studio that begins to work, and is closed, by itself."""

    def begin(self, path: Path | None) -> None:
        """Open the project, and do the rest when the event loop runs."""
        super().begin(path)
        QTimer.singleShot(0, lambda: close_in_mid_run(self))


if __name__ == "__main__":
    import fmstudio.app

    fmstudio.app.Studio = Hurried  # type: ignore[misc]
    sys.exit(run(Path(sys.argv[1])))
