"""Times what a person waits for on a large canvas: ``python -m benchmarks.canvas_zoom``.

One photo of 8000 x 6000 pixels with a mask over much of it, and with 17 or 500 keypoints. Each
step is one event of the wheel or of a drag and the frame that it leads to, on a canvas of
1200 x 900 pixels drawn into memory.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask, Polygon
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import AddAnnotation, AddCategory
from fmstudio.project.model import Annotation, Category, Propagated, Status
from fmstudio.session import Session
from fmstudio.ui.canvas.view import CanvasView
from fmstudio.ui.controller import Controller
from fmstudio.worker.service import EngineService

SIZE = ImageSize(8000, 6000)
CANVAS = 1200, 900


def make_photo(path: Path) -> None:
    """Write a photo with detail of every size."""
    rng = np.random.default_rng(0)
    rgb = np.zeros((SIZE.height, SIZE.width, 3), np.float32)
    for side in (6, 40, 300, 2000):
        small = rng.random((side * 3 // 4 + 1, side, 3), dtype=np.float32)
        rgb += cv2.resize(small, (SIZE.width, SIZE.height), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), np.clip(rgb * 64, 0, 255).astype(np.uint8))


def make_annotation(m: int, image_id: int, category_id: int) -> Annotation:
    """Return a proposal with m keypoints and a mask of many bays over much of the photo."""
    rng = np.random.default_rng(1)
    angle = np.linspace(0, 2 * np.pi, 4000, endpoint=False)
    radius = 2000 + 500 * np.sin(7 * angle) + 60 * np.sin(90 * angle) + 8 * rng.random(len(angle))
    ring = np.column_stack([4000 + 1.6 * radius * np.cos(angle), 3000 + radius * np.sin(angle)])
    way = np.cumsum(rng.normal(0, 5000 / m, (m, 2)), axis=0)
    xy = np.clip(way + np.array([4000, 3000]), 0, [SIZE.width, SIZE.height])
    points = Keypoints(xy, rng.integers(1, 3, m), rng.random(m))
    mask = Mask.from_polygons(SIZE, [Polygon(ring)])
    origin = Propagated((1,), "benchmark")
    return Annotation(0, image_id, category_id, points, mask, Status.PROPOSED, origin, 0.5)


def zoom_steps(canvas: CanvasView) -> Iterator[None]:
    """Turn the wheel all the way in and out again."""
    at = QPointF(CANVAS[0] * 0.45, CANVAS[1] * 0.4)
    for turn in (*[120] * 26, *[-120] * 26):
        event = QWheelEvent(
            at, canvas.mapToGlobal(at), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        canvas.wheelEvent(event)
        yield


def pan_steps(canvas: CanvasView) -> Iterator[None]:
    """Drag across the photo at several scales."""
    for scale in (0.25, 0.5, 1.0, 3.0):
        canvas.fit()
        canvas.zoom_to(scale)
        for step in range(20):
            canvas.pan(QPointF(600, 450), QPointF(600 + (-1) ** (step // 10) * 60, 460))
            yield


def milliseconds(canvas: CanvasView, steps: Iterator[None]) -> list[float]:
    """Return how long each step took with its frame."""
    found = []
    while True:
        start = time.perf_counter()
        try:
            next(steps)
        except StopIteration:
            return found
        canvas.viewport().repaint()
        found.append(1000 * (time.perf_counter() - start))


def wait_for(canvas: CanvasView) -> float:
    """Wait until the photo is on the canvas; return the seconds."""
    start = time.perf_counter()
    loop = QEventLoop()
    canvas.ready.connect(loop.quit)
    if not canvas.is_ready:
        loop.exec()
    return time.perf_counter() - start


def report(name: str, times: list[float]) -> None:
    """Print one line of the table."""
    line = f"median {statistics.median(times):5.1f} ms, worst {max(times):5.1f} ms"
    print(f"{name:<44} {line}, {len(times)} frames")


def measure(folder: Path) -> None:
    """Make the project, show it, and print the table."""
    (folder / "photos").mkdir()
    make_photo(folder / "photos" / "large.jpg")
    service = EngineService()
    with Session.create(folder / "benchmark") as session:
        session.add_images([folder / "photos"])
        controller = Controller()
        controller.set_session(session)
        (image,) = session.project.images
        canvas = CanvasView(controller, service, "reference")
        canvas.resize(*CANVAS)
        canvas.show()
        print(f"decoded and halved in {wait_for(canvas):.1f} s")
        report("zoom, the photo alone", milliseconds(canvas, zoom_steps(canvas)))
        report("pan, the photo alone", milliseconds(canvas, pan_steps(canvas)))
        for m in (17, 500):
            names = tuple(f"point {i}" for i in range(m))
            limbs = tuple((i, i + 1) for i in range(m - 1))
            category = Category(0, f"with {m}", keypoints=names, skeleton=limbs)
            controller.perform(AddCategory(category))
            number = session.project.category_named(category.name).id
            controller.perform(AddAnnotation(make_annotation(m, image, number)))
            for what, steps in (("zoom", zoom_steps), ("pan", pan_steps)):
                canvas.fit()
                found = milliseconds(canvas, steps(canvas))
                report(f"{what}, a mask and {m} keypoints", found)
            controller.undo()
        canvas.close()
    service.shutdown(5000)


def main() -> None:
    """Run the command."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.canvas_zoom", description=__doc__
    ).parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder))
    app.quit()


if __name__ == "__main__":
    main()
