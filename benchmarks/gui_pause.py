"""Measure how long the window ever stands still while 30 photos are propagated to.

``python -m benchmarks.gui_pause`` opens the whole window without a screen and propagates with the
default networks on the real compute thread, beginning with the import of torch. A timer of 5 ms in
the GUI thread notes when it is called: the longest gap between two calls is how long a key would
have waited. The command fails if that is more than 100 ms.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QEventLoop, QObject, QSettings, Qt, QTimer

from fmstudio.app import make_application
from fmstudio.project.edits import RemoveImages
from fmstudio.project.model import Status
from fmstudio.resources import resource
from fmstudio.session import Session
from fmstudio.ui.studio import Studio

TICK_MS = 5
BOUND_MS = 100.0
PHOTOS = 30
REST_MS = 5000


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """A time in which the GUI thread heard nothing.

    Attributes
    ----------
    ms : float
        Between two calls of the timer.
    at : float
        Seconds since the start.
    what : str
        What the run was at.
    """

    ms: float
    at: float
    what: str


class Pulse(QObject):
    """Notes every gap between two calls of a fast timer."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[Gap] = []
        self.what = ""
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._start = self._last = 0.0

    def begin(self, what: str) -> None:
        """Start to note, from now on."""
        self.what = what
        self._start = self._last = time.perf_counter()
        self._timer.start(TICK_MS)

    def end(self) -> None:
        """Note the last gap and stop."""
        self._beat()
        self._timer.stop()

    def _beat(self) -> None:
        """Note a gap."""
        now = time.perf_counter()
        self.gaps.append(Gap(1000 * (now - self._last), now - self._start, self.what))
        self._last = now


def make_project(folder: Path, count: int) -> Session:
    """Return a project of one annotated photo and ``count`` others: crops of the sample's cats."""
    sample = resource("sample/cats")
    photos = folder / "photos"
    photos.mkdir()
    cats = sorted((sample / "images").glob("*.jpg"))
    for number in range(count):
        with Image.open(cats[number % len(cats)]) as image:
            turn = number // len(cats)
            x, y = 4 * (1 + turn % 10), 4 * (1 + turn // 10)
            box = (x, y, image.width - x, image.height - y)
            image.crop(box).save(photos / f"{number:03d}.jpg", quality=92)
    session = Session.create(folder / "project")
    session.import_coco(sample / "coco.json", sample / "images")
    reference = session.project.sorted_images()[0].id
    others = [image.id for image in session.project.sorted_images() if image.id != reference]
    session.perform(RemoveImages(tuple(others)))
    session.add_images([photos])
    return session


def measure(count: int) -> tuple[list[Gap], list[Gap], float]:
    """Propagate once; return all gaps before and during it, and how many seconds it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        app = make_application()
        studio = Studio(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat), folder)
        studio.controller.set_session(make_project(folder, count))
        studio.window.show()
        rest = _settle(studio)
        gaps, seconds = _run(studio)
        assert studio.shut_down()
        app.processEvents()
    return rest, gaps, seconds


def _run(studio: Studio) -> tuple[list[Gap], float]:
    """Propagate to every photo but the reference, and land it."""
    controller, loop, pulse = studio.controller, QEventLoop(), Pulse()
    session = controller.session
    assert session is not None
    targets = [id_ for id_ in session.project.images if id_ != controller.reference_id]
    studio.propagation.runningChanged.connect(
        lambda runs: runs or QTimer.singleShot(500, loop.quit)
    )
    controller.inboxChanged.connect(lambda: setattr(pulse, "what", "propagating"))
    started = time.perf_counter()
    pulse.begin("loading networks")
    assert controller.reference_id is not None
    studio.propagation.start([controller.reference_id], targets)
    loop.exec()
    pulse.end()
    proposed = [a for a in session.project.annotations.values() if a.status is Status.PROPOSED]
    assert len({a.image_id for a in proposed}) == len(targets), "not every photo was done"
    return pulse.gaps, time.perf_counter() - started


def _settle(studio: Studio) -> list[Gap]:
    """Let the window load and paint what it shows; then return the gaps while it does nothing."""
    loop, pulse = QEventLoop(), Pulse()
    QTimer.singleShot(1500, loop.quit)
    loop.exec()
    assert studio.canvases.reference.is_ready
    pulse.begin("at rest")
    QTimer.singleShot(REST_MS, loop.quit)
    loop.exec()
    pulse.end()
    return pulse.gaps


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gui_pause", description=__doc__)
    parser.add_argument("--photos", type=int, default=PHOTOS)
    given = parser.parse_args()
    rest, gaps, seconds = measure(given.photos)
    ranked = sorted(gaps, reverse=True)
    print(f"{given.photos} photos in {seconds:.1f} s; {len(gaps)} ticks of {TICK_MS} ms.")
    print(f"Longest pause of the GUI thread: {ranked[0].ms:.1f} ms (bound {BOUND_MS:.0f} ms).")
    print(f"At rest, from what else the machine does: {max(rest).ms:.1f} ms.")
    print("Next: " + ", ".join(f"{g.ms:.0f} ms at {g.at:.2f} s ({g.what})" for g in ranked[:8]))
    sys.stdout.flush()
    sys.exit(ranked[0].ms > BOUND_MS)


if __name__ == "__main__":
    main()
