"""Times the inspector's answers: ``python -m benchmarks.hover [DIR]``.

DIR holds labelled COCO sets; without one the sample's cats are taken. For a pair of each set that
is matched already: what the engine takes for a point (its counterpart, distribution, round trip and
confidence), in each direction; and in a window drawn into memory the time from an event of the
mouse until the canvas with the counterpart is drawn again.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QPointF, QSettings, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from fmstudio.engine.cancel import CancelToken
from fmstudio.resources import resource
from fmstudio.session import Session
from fmstudio.session_inspect import HEATS, PointQuestion, answer_job
from fmstudio.ui.canvas.view import CanvasView
from fmstudio.ui.studio import Studio

POINTS = 40
PATIENCE_MS = 600_000
LIMIT_MS = 30


def sets_in(folder: Path) -> Iterator[Path]:
    """Yield the COCO files of a folder of sets."""
    yield from sorted(folder.glob("*/coco.json"))


def open_set(labels: Path, folder: Path) -> Session:
    """Return a project of a set's first two photos, with the labels of the first."""
    session = Session.create(folder / labels.parent.name)
    photos = folder / f"{labels.parent.name}-photos"
    photos.mkdir()
    for photo in sorted((labels.parent / "images").iterdir())[:2]:
        shutil.copy(photo, photos)
    session.add_images([photos])
    session.import_coco(labels, photos)
    return session


def wait_for(signal_met: Callable[[], bool]) -> None:
    """Turn the event loop until something holds; raises TimeoutError if it never does."""
    loop, clock = QEventLoop(), QTimer()
    clock.timeout.connect(lambda: loop.quit() if signal_met() else None)
    clock.start(0)
    QTimer.singleShot(PATIENCE_MS, loop.quit)
    loop.exec()
    clock.stop()
    if not signal_met():
        raise TimeoutError("The window did not get ready.")


def engine_times(studio: Studio) -> list[float]:
    """Return the milliseconds of single answers, asked on this thread."""
    live, pair = studio.live.live(), studio.inspector.question
    assert live is not None
    assert pair is not None
    rng = np.random.default_rng(0)
    found = []
    for number in range(2 * POINTS):
        size = pair.t.size if number % 2 else pair.s.size
        x, y = rng.random(2) * [size.width, size.height]
        heat = HEATS[number % len(HEATS)]
        question = PointQuestion(pair, (float(x), float(y)), bool(number % 2), heat)
        start = time.perf_counter()
        list(answer_job(live, question, CancelToken()))
        found.append(1e3 * (time.perf_counter() - start))
    # The first of each direction is a warm-up.
    return found[2:]


def window_times(studio: Studio, canvas: CanvasView, other: CanvasView) -> list[float]:
    """Return the milliseconds from moving the mouse to the counterpart being drawn."""
    rng, whole = np.random.default_rng(1), canvas.image_rect()
    found = []
    for x, y in rng.random((POINTS, 2)):
        place = canvas.map_from_image(x * whole.width(), y * whole.height())
        before = studio.inspector.answer
        start = time.perf_counter()
        move_to(canvas, place)
        while studio.inspector.answer is before:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        other.viewport().repaint()
        found.append(1e3 * (time.perf_counter() - start))
    return found[1:]


def move_to(canvas: CanvasView, place: QPointF) -> None:
    """Send the event of a mouse that is at a place."""
    none = Qt.MouseButton.NoButton
    there = canvas.viewport().mapToGlobal(place)
    plain = Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(QEvent.Type.MouseMove, place, there, none, none, plain)
    QApplication.sendEvent(canvas.viewport(), event)


def measure(labels: Path, folder: Path) -> tuple[list[float], list[float], float]:
    """Return the engine's and the window's times for one set, and the seconds until both begin."""
    settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
    studio = Studio(settings, folder / "data")
    studio.window.resize(1280, 800)
    studio.window.show()
    studio.controller.set_session(open_set(labels, folder))
    studio.window.use_workspace("inspect")
    pair = studio.canvases
    wait_for(lambda: all(canvas.is_ready for canvas in pair.canvases))
    start = time.perf_counter()
    studio.inspector.set_on(True)
    wait_for(lambda: bool(studio.inspector.layers or studio.inspector.error))
    if studio.inspector.error:
        raise RuntimeError(studio.inspector.error)
    ready = time.perf_counter() - start
    window = [
        *window_times(studio, pair.reference, pair.target),
        *window_times(studio, pair.target, pair.reference),
    ]
    engine = engine_times(studio)
    studio.window.close()
    studio.shut_down()
    return engine, window, ready


def main(folder: Path) -> None:
    """Print the table."""
    engine, window = [], []
    for labels in sets_in(folder):
        with tempfile.TemporaryDirectory() as place:
            of_engine, of_window, ready = measure(labels, Path(place))
        print(f"{labels.parent.name}: matched and its layers drawn after {ready:.1f} s")
        engine += of_engine
        window += of_window
    print(f"| what | points | median, ms | 95th percentile, ms | within {LIMIT_MS} ms |")
    print("|" + " --- |" * 5)
    for what, times in (("the engine's answer", engine), ("mouse to canvas drawn", window)):
        middle, slow = np.percentile(times, (50, 95))
        share = 100 * float(np.mean(np.array(times) <= LIMIT_MS))
        print(f"| {what} | {len(times)} | {middle:.1f} | {slow:.1f} | {share:.0f} % |")


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication([])
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else resource("sample"))
