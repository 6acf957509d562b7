"""The memory of a session in the whole window: ``python -m benchmarks.session_memory [COUNT ...]``.

For each count (100 and 500) a process of its own makes so many photos, opens their project in the
window, drawn into memory, carries one photo's marks to all of them, reviews a part (one point in
ten corrected, so that the others move along), and looks at pairs with the inspector. Printed is
what the process holds after each step, in MiB; nothing of it should grow with the count but what
the project itself says.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QSettings

from benchmarks.gui_pause import make_project
from benchmarks.large_project import memory_mib, settle
from fmstudio.app import make_application
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import ChangeAnnotation
from fmstudio.project.model import Annotation, Status
from fmstudio.ui.settling import LANE
from fmstudio.ui.studio import Studio

COUNTS = (100, 500)
REVIEWED, CORRECTED, INSPECTED = 50, 10, 20
PATIENCE_TICKS = 60_000


def measure(count: int) -> Iterator[tuple[str, int]]:
    """Yield each step of the session and what is held after it, in MiB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session = make_project(folder, count)
        app = make_application()
        studio = Studio(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat), folder)
        studio.controller.set_session(session)
        studio.window.resize(1280, 800)
        studio.window.show()
        settle(2000)
        yield "opened", memory_mib()
        _propagate(studio)
        yield "carried to all", memory_mib()
        _review(studio)
        yield f"{REVIEWED} reviewed, {CORRECTED} of them corrected", memory_mib()
        _inspect(studio)
        yield f"{INSPECTED} inspected", memory_mib()
        assert studio.shut_down()
        app.processEvents()


def _propagate(studio: Studio) -> None:
    """Carry the reference's marks to every other photo."""
    controller = studio.controller
    assert controller.project is not None
    assert controller.reference_id is not None
    targets = [id_ for id_ in controller.project.images if id_ != controller.reference_id]
    studio.propagation.start([controller.reference_id], targets)
    _wait(lambda: studio.propagation.is_running)
    assert len(_pending(studio)) >= len(targets), "not every photo was done"


def _review(studio: Studio) -> None:
    """Look at proposals one after the other; correct a point of some, accept the others."""
    controller = studio.controller
    for number, annotation in enumerate(_pending(studio)[:REVIEWED]):
        controller.show_target(annotation.image_id)
        controller.select(annotation.id)
        _wait(lambda: not studio.canvases.target.is_ready)
        if number % (REVIEWED // CORRECTED):
            controller.accept((annotation.id,))
            continue
        points = annotation.keypoints
        assert points is not None
        xy, score = points.xy.copy(), points.score.copy()
        index = int(np.argmin(score))
        xy[index], score[index] = xy.mean(axis=0), 1.0
        placed = Keypoints(xy, points.visibility, score)
        controller.perform(ChangeAnnotation(annotation.id, placed, annotation.mask))
        _wait(lambda: studio.service.is_busy(LANE))


def _inspect(studio: Studio) -> None:
    """Look at pairs with the inspector."""
    studio.actions["inspect"].trigger()
    for annotation in _pending(studio)[:INSPECTED]:
        studio.controller.show_target(annotation.image_id)
        settle(20)
        _wait(lambda: studio.inspector.layers is None and not studio.inspector.error)
        assert not studio.inspector.error


def _pending(studio: Studio) -> list[Annotation]:
    """Return the proposals that wait for review."""
    project = studio.controller.project
    assert project is not None
    return [a for a in project.annotations.values() if a.status is Status.PROPOSED]


def _wait(is_busy: Callable[[], bool]) -> None:
    """Let the window run while something goes on."""
    for _ in range(PATIENCE_TICKS):
        settle(20)
        if not is_busy():
            return
    raise TimeoutError("a step took longer than 20 minutes")


def _tell(count: int, ends: Connection) -> None:
    """Send what was measured, from a process of its own."""
    for step in measure(count):
        ends.send(step)
    ends.send(None)


def main(counts: tuple[int, ...]) -> None:
    """Print the table."""
    context = multiprocessing.get_context("spawn")
    columns: list[dict[str, int]] = []
    for count in counts:
        here, there = context.Pipe()
        process = context.Process(target=_tell, args=(count, there))
        process.start()
        there.close()
        columns.append({})
        while (step := here.recv()) is not None:
            columns[-1][step[0]] = step[1]
        process.join()
    print("| MiB held after | " + " | ".join(f"{count} photos" for count in counts) + " |")
    print("|---|" + "---:|" * len(counts))
    for step in columns[0]:
        print(f"| {step} | " + " | ".join(str(column[step]) for column in columns) + " |")


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or COUNTS)
