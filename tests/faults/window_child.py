"""The window's program, which edits by itself for ever; `test_kill_window` starts and kills it.

Prints each edit after the call that made it has returned, marked by a number that is used once.
"""

import itertools
import os
import sys
from pathlib import Path

from PySide6.QtCore import QTimer

import fmstudio.app
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import AddAnnotation, SetStatus
from fmstudio.project.model import Annotation, Status
from fmstudio.ui.studio import Studio


class Busy(Studio):
    """A studio whose person never rests."""

    def begin(self, path: Path | None) -> None:
        """Open the project, and edit it whenever the event loop is free."""
        super().begin(path)
        self._numbers = itertools.count(int(sys.argv[2]))
        self._clock = QTimer(self)
        self._clock.timeout.connect(self._edit)
        self._clock.start(0)

    def _edit(self) -> None:
        """Draw a point, reject it, take that back, show the next image."""
        controller, number = self.controller, next(self._numbers)
        project = controller.project
        assert project is not None
        image, (category, *_) = min(project.images), sorted(project.categories)
        count = len(project.categories[category].keypoints)
        points = Keypoints.drawn([[float(number), 1.0]] * count, [2] * count)
        diff = controller.perform(AddAnnotation(Annotation(0, image, category, points, None)))
        assert diff is not None
        (id_,) = diff.annotations.added
        say("drawn", id_, number)
        controller.perform(SetStatus((id_,), Status.REJECTED))
        say("rejected", id_)
        controller.step(1 if number % 5 else -4)


def say(*words: object) -> None:
    """Say something at once."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


if __name__ == "__main__":
    fmstudio.app.Studio = Busy  # type: ignore[misc]
    sys.exit(fmstudio.app.run(Path(sys.argv[1])))
