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
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QSettings

from benchmarks.gui_pause import make_project
from benchmarks.large_project import memory_mib, settle, wait_until
from fmstudio.app import make_application
from fmstudio.geometry.points import VISIBLE, with_point
from fmstudio.project.edits import ChangeAnnotation
from fmstudio.project.model import Annotation, Status
from fmstudio.ui.settling import LANE
from fmstudio.ui.studio import Studio

COUNTS = (100, 500)
REVIEWED, CORRECTED, INSPECTED = 50, 10, 20
PATIENCE_S = 1200


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
    settle(20)
    wait_until(lambda: not studio.propagation.is_running, PATIENCE_S)
    assert len(_pending(studio)) >= len(targets), "not every photo was done"


def _review(studio: Studio) -> None:
    """Look at proposals one after the other; correct a point of some, accept the others."""
    controller = studio.controller
    for number, annotation in enumerate(_pending(studio)[:REVIEWED]):
        controller.show_target(annotation.image_id)
        controller.select(annotation.id)
        wait_until(lambda: studio.canvases.target.is_ready)
        if number % (REVIEWED // CORRECTED):
            controller.accept((annotation.id,))
            continue
        points = annotation.keypoints
        assert points is not None
        index = int(np.argmin(points.score))
        placed = with_point(points, len(points), index, points.xy.mean(axis=0), VISIBLE)
        controller.perform(ChangeAnnotation(annotation.id, placed, annotation.mask))
        wait_until(lambda: not studio.service.is_busy(LANE), PATIENCE_S)


def _inspect(studio: Studio) -> None:
    """Look at pairs with the inspector."""
    studio.actions["inspect"].trigger()
    for annotation in _pending(studio)[:INSPECTED]:
        studio.controller.show_target(annotation.image_id)
        settle(20)
        wait_until(lambda: bool(studio.inspector.layers or studio.inspector.error), PATIENCE_S)
        assert not studio.inspector.error


def _pending(studio: Studio) -> list[Annotation]:
    """Return the proposals that wait for review."""
    project = studio.controller.project
    assert project is not None
    return [a for a in project.annotations.values() if a.status is Status.PROPOSED]


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
