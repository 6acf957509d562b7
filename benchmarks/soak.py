"""Half an hour of work in the whole window: ``python -m benchmarks.soak [--minutes 30]``.

Round by round, drawn into memory: photos that were never seen are added and the last round's taken
out, the reference is carried to them by the default networks, the inspector looks at one, a point
of another is corrected so that the others move along, all of that is taken back and done again,
what is accepted is exported through the dialog, and the project is closed and opened again. A round
begins every fifteen seconds at the earliest. After each the memory, the open files and the threads
of this process are noted.

The first third is the warm-up, in which caches fill up to their bounds; that of features is set to
128 MB for that. Printed is what was held in
the sixth of the time that follows it and in the last sixth. The command fails if memory rose by
five in a hundred or more, or files or threads rose at all.
"""

import argparse
import gc
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PIL import Image
from PySide6.QtCore import QSettings

from benchmarks.gui_pause import make_project
from benchmarks.large_project import memory_mib, settle, wait_until
from fmstudio.app import make_application
from fmstudio.geometry.points import VISIBLE, with_point
from fmstudio.project.edits import ChangeAnnotation, RemoveImages
from fmstudio.project.model import Annotation, Status
from fmstudio.resources import resource
from fmstudio.ui.dialogs.export import ExportDialog
from fmstudio.ui.settling import LANE
from fmstudio.ui.studio import Studio

MINUTES = 30.0
PHOTOS = 6
PERIOD_S = 15.0
RISE = 0.05
MEMORY_MB = 128
PATIENCE_S = 300


@dataclass(frozen=True, slots=True)
class Held:
    """What this process held after a round.

    Attributes
    ----------
    minute : float
        Since the first round began.
    mib : int
        Memory, in MiB.
    files : int
        Open files, sockets and pipes.
    threads : int
        As the system counts them.
    objects : int
        That the garbage collector knows, those that it was told to leave alone among them.
    """

    minute: float
    mib: int
    files: int
    threads: int
    objects: int

    @classmethod
    def now(cls, begun: float) -> "Held":
        """Count."""
        gc.collect()
        return cls(
            (time.monotonic() - begun) / 60,
            memory_mib(),
            len(list(Path("/proc/self/fd").iterdir())),
            len(list(Path("/proc/self/task").iterdir())),
            len(gc.get_objects()) + gc.get_freeze_count(),
        )


# The work


def work(studio: Studio, folder: Path, number: int) -> None:
    """Do one round."""
    _exchange_photos(studio, folder, number)
    _propagate(studio)
    _inspect(studio)
    _correct_and_take_back(studio)
    _export(studio, folder / "labels.coco.json")
    _reopen(studio)


def _exchange_photos(studio: Studio, folder: Path, number: int) -> None:
    """Take the last round's photos out of the project, and new ones in."""
    controller = studio.controller
    assert controller.project is not None
    reference = controller.project.sorted_images()[0].id
    gone = tuple(id_ for id_ in controller.project.images if id_ != reference)
    if gone:
        controller.perform(RemoveImages(gone))
    shutil.rmtree(folder / f"round-{number - 1}", ignore_errors=True)
    studio.opening.add_images([_crops(folder / f"round-{number}", number)])
    wait_until(lambda: len(_images(studio)) == 1 + PHOTOS, PATIENCE_S)
    controller.show_reference(reference)


def _crops(folder: Path, number: int) -> Path:
    """Write photos that no round before this one had: parts of the sample's cats."""
    folder.mkdir()
    rng = np.random.default_rng(number)
    cats = sorted((resource("sample/cats") / "images").glob("*.jpg"))
    for index in range(PHOTOS):
        with Image.open(cats[index % len(cats)]) as image:
            left, top, right, bottom = rng.integers(0, 40, 4)
            part = image.crop((left, top, image.width - right, image.height - bottom))
            part.save(folder / f"{index}.jpg", quality=int(rng.integers(80, 95)))
    return folder


def _propagate(studio: Studio) -> None:
    """Carry the reference to all others, and wait until it has landed."""
    reference = studio.controller.reference_id
    assert reference is not None
    studio.propagation.start([reference], [id_ for id_ in _images(studio) if id_ != reference])
    settle(20)
    wait_until(lambda: not studio.propagation.is_running, PATIENCE_S)
    assert len({a.image_id for a in _pending(studio)}) == PHOTOS, "not every photo was done"


def _inspect(studio: Studio) -> None:
    """Look at a pair with the inspector, and close it."""
    studio.controller.show_target(_pending(studio)[0].image_id)
    studio.actions["inspect"].trigger()
    settle(20)
    wait_until(lambda: bool(studio.inspector.layers or studio.inspector.error), PATIENCE_S)
    assert not studio.inspector.error
    studio.actions["inspect"].trigger()


def _correct_and_take_back(studio: Studio) -> None:
    """Place a point, accept the rest, take all of it back and do it again."""
    controller = studio.controller
    first, *rest = _pending(studio)
    controller.show_target(first.image_id)
    controller.select(first.id)
    wait_until(lambda: studio.canvases.target.is_ready, PATIENCE_S)
    points = first.keypoints
    assert points is not None
    index = int(np.argmin(points.score))
    placed = with_point(points, len(points), index, points.xy.mean(axis=0), VISIBLE)
    session = controller.session
    assert session is not None
    before = session.project
    controller.perform(ChangeAnnotation(first.id, placed, first.mask))
    settle(20)
    wait_until(lambda: not studio.service.is_busy(LANE), PATIENCE_S)
    controller.accept(a.id for a in rest)
    after, steps = session.project, 0
    while session.project is not before:
        controller.undo()
        steps += 1
    for _ in range(steps):
        controller.redo()
    assert session.project is after, "what was done again is not what was taken back"


def _export(studio: Studio, path: Path) -> None:
    """Write COCO through the dialog."""
    path.unlink(missing_ok=True)
    studio.actions["export"].trigger()
    wait_until(lambda: bool(_dialogs(studio)))
    (dialog,) = _dialogs(studio)
    dialog.set_path(path)
    dialog.write.click()
    wait_until(path.exists, PATIENCE_S)
    wait_until(lambda: not _dialogs(studio))


def _dialogs(studio: Studio) -> list[ExportDialog]:
    """Return the export dialogs that are shown."""
    return [d for d in studio.window.findChildren(ExportDialog) if d.isVisible()]


def _reopen(studio: Studio) -> None:
    """Close the project and open it again: every annotation is there."""
    session = studio.controller.session
    assert session is not None
    path, annotations = session.path, dict(session.project.annotations)
    studio.opening.close_project()
    settle(100)
    assert studio.opening.open_project(path)
    settle(100)
    assert studio.controller.project is not None
    assert dict(studio.controller.project.annotations).keys() == annotations.keys()
    wait_until(lambda: not studio.service.is_busy(), PATIENCE_S)


def _images(studio: Studio) -> list[int]:
    """Return the images of the project."""
    assert studio.controller.project is not None
    return list(studio.controller.project.images)


def _pending(studio: Studio) -> list[Annotation]:
    """Return the proposals that wait for review."""
    project = studio.controller.project
    assert project is not None
    return [a for a in project.annotations.values() if a.status is Status.PROPOSED]


# The time


def soak(folder: Path, minutes: float, tell: Callable[[str], None]) -> list[Held]:
    """Work for so long; return what was held after each round."""
    app = make_application()
    studio = Studio(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat), folder)
    studio.preferences.memory_budget_mb = MEMORY_MB
    studio.controller.set_session(make_project(folder, 0))
    studio.window.resize(1280, 800)
    studio.window.show()
    begun, noted = time.monotonic(), list[Held]()
    while not noted or noted[-1].minute < minutes:
        start = time.monotonic()
        work(studio, folder, len(noted))
        took = time.monotonic() - start
        settle(round(1000 * max(0.1, PERIOD_S - took)))
        held = Held.now(begun)
        noted.append(held)
        tell(
            f"round {len(noted)}, minute {held.minute:.1f}: {took:.1f} s of work, {held.mib} MiB, "
            f"{held.files} files, {held.threads} threads, {held.objects} objects"
        )
    assert studio.shut_down()
    app.processEvents()
    left = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
    tell(f"Python's threads when the window has closed: {', '.join(left) or 'the main one alone'}")
    return noted


def faults(noted: list[Held]) -> list[str]:
    """Print the table; return a sentence per thing that rose."""
    end = noted[-1].minute
    warm = [h for h in noted if end / 3 <= h.minute < end / 2] or noted[:1]
    last = [h for h in noted if h.minute >= end * 5 / 6]
    print(f"{len(noted)} rounds in {end:.1f} minutes")
    print("| held, median | after the warm-up | at the end |\n|---|---:|---:|")
    medians = {}
    for name in ("mib", "files", "threads", "objects"):
        medians[name] = [statistics.median(getattr(h, name) for h in part) for part in (warm, last)]
        print(f"| {name} | {medians[name][0]:g} | {medians[name][1]:g} |")
    rose = [
        f"{name} rose from {before:g} to {after:g}."
        for name, (before, after) in medians.items()
        if name in ("files", "threads") and after > before
    ]
    before, after = medians["mib"]
    return rose + [f"Memory rose from {before:g} to {after:g} MiB."] * (after > before * (1 + RISE))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        noted = soak(Path(folder), given.minutes, lambda text: print(text, flush=True))
    rose = faults(noted)
    sys.stdout.flush()
    sys.exit("\n".join(rose) or 0)


if __name__ == "__main__":
    main()
