"""Time what a person waits for in a large project: ``python -m benchmarks.large_project``.

Makes a project of 100,000 images, half of them annotated, and opens it in the whole window, drawn
into memory. Every image has a file of its own name, so the thumbnails are real and made on demand;
the files share the bytes of a few hundred photos. Printed are the time to a usable window, the
frames of a scroll, edits, a search, the longest pause of the GUI thread in each, and the memory.
The command fails if opening takes 3 s, an edit 50 ms, or a pause while scrolling 100 ms or more.
"""

import argparse
import hashlib
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PIL import Image
from PySide6.QtCore import QCoreApplication, QEventLoop, QSettings, QTimer

from benchmarks.gui_pause import Pulse
from fmstudio.app import make_application
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.io.store import Store
from fmstudio.project.edits import AddAnnotation, RemoveImages
from fmstudio.project.model import Annotation, Category, ImageItem, Project, Propagated, Status
from fmstudio.resources import resource
from fmstudio.ui.studio import Studio

FILE = "large.fmstudio"
IMAGES = 100_000
PHOTOS = 300
SIZE = ImageSize(640, 480)
OPEN_BOUND_S = 3.0
EDIT_BOUND_MS = 50.0
PAUSE_BOUND_MS = 100.0


@dataclass(slots=True)
class Measured:
    """What was measured of one thing, and what the longest pause was meanwhile.

    Attributes
    ----------
    ms : list of float
        One per frame, edit or search.
    pause_ms : float
    """

    ms: list[float] = field(default_factory=list)
    pause_ms: float = 0.0

    def __str__(self) -> str:
        figures = f"median {statistics.median(self.ms):7.1f} ms, worst {max(self.ms):7.1f} ms"
        pause = f", longest pause {self.pause_ms:6.1f} ms" if self.pause_ms else ""
        return f"{figures}, {len(self.ms)} times{pause}"


# The project


def make_project(folder: Path, count: int) -> None:
    """Write a project of so many images with files."""
    for group in range((count + 999) // 1000):
        (folder / "photos" / f"{group:03d}").mkdir(parents=True)
    photos = _make_photos(folder)
    annotations = list(_annotations(count))
    opened = {1, 2, *_most_doubtful(annotations)}
    images = []
    for number in range(1, count + 1):
        name = f"photos/{(number - 1) // 1000:03d}/IMG_{number:06d}.jpg"
        photo, sha256 = photos[number % len(photos)], f"{number:064x}"
        if number in opened:
            # The canvas insists on the bytes that were added; a list of thumbnails does not.
            data = photo.read_bytes() + number.to_bytes(4, "big")
            (folder / name).write_bytes(data)
            sha256 = hashlib.sha256(data).hexdigest()
        else:
            os.link(photo, folder / name)
        images.append(ImageItem(number, name, SIZE, sha256))
    category = Category(1, "cat", keypoints=tuple(f"point {i}" for i in range(17)))
    Store.create(folder / FILE, Project.build("large", images, [category], annotations)).close()


def _most_doubtful(annotations: list[Annotation]) -> list[int]:
    """Return the images of the first hundred in the queue."""
    waiting = [a for a in annotations if a.status is Status.PROPOSED]
    return [a.image_id for a in sorted(waiting, key=lambda a: a.confidence or 0.0)[:100]]


def _make_photos(folder: Path) -> list[Path]:
    """Write photos of 640 x 480 pixels: places in the sample's cats."""
    cats = sorted((resource("sample/cats") / "images").glob("*.jpg"))
    place = np.random.default_rng(0)
    made = []
    (folder / "bytes").mkdir()
    for number in range(PHOTOS):
        with Image.open(cats[number % len(cats)]) as image:
            side = min(image.width // 4, image.height // 3)
            left = int(place.integers(0, image.width - 4 * side * 3 // 4 + 1))
            top = int(place.integers(0, image.height - 3 * side * 3 // 4 + 1))
            box = (left, top, left + 3 * side, top + 9 * side // 4)
            made.append(folder / "bytes" / f"{number}.jpg")
            image.crop(box).resize((SIZE.width, SIZE.height)).save(made[-1], quality=88)
    return made


def _annotations(count: int) -> Iterator[Annotation]:
    """Yield 17 keypoints, and on every fifth a mask, on every second image; most are proposals."""
    rng = np.random.default_rng(1)
    inside = np.zeros((SIZE.height, SIZE.width), dtype=bool)
    inside[100:300, 200:400] = True
    mask = Mask.from_array(inside)
    for id_, image in enumerate(range(1, count + 1, 2), 1):
        confidence = float(rng.random())
        xy = rng.random((17, 2)) * [SIZE.width, SIZE.height]
        points = Keypoints(xy, np.full(17, 2), np.full(17, confidence))
        status = Status.ACCEPTED if id_ % 5 == 1 else Status.PROPOSED
        yield Annotation(
            id_, image, 1, points, None if id_ % 5 else mask, status,
            Propagated((1,), "benchmark"), confidence,
        )  # fmt: skip


# What is measured


def open_project(studio: Studio, path: Path) -> dict[str, float]:
    """Open the project; return the seconds until the window can be used, and until it is whole."""
    start = time.perf_counter()
    assert studio.opening.open_project(path)
    read = time.perf_counter() - start
    view = studio.images.view
    view.viewport().repaint()
    QCoreApplication.processEvents()
    usable = time.perf_counter() - start
    project = studio.controller.project
    assert project is not None
    assert view.model().rowCount() == len(project.images)
    wait_until(lambda: studio.canvases.target.is_ready and not studio.service.is_busy())
    return {"open and shown": read, "usable": usable, "whole": time.perf_counter() - start}


def scroll(studio: Studio) -> Measured:
    """Scroll by wheel steps, by pages and by throws of the handle."""
    view, found = studio.images.view, Measured()
    bar = view.verticalScrollBar()
    rng = np.random.default_rng(2)
    steps = [*[120] * 60, *[view.height()] * 60]
    places = [*np.cumsum(steps), *rng.integers(0, bar.maximum(), 60)]
    with pulse_of(found):
        for place in places:
            start = time.perf_counter()
            bar.setValue(int(place))
            view.viewport().repaint()
            found.ms.append(1000 * (time.perf_counter() - start))
            settle(15)
        wait_until(lambda: not studio.service.is_busy("thumbnails"))
    return found


def edit(change: Callable[[], object], times: int) -> Measured:
    """Make a change so many times; each ends when all views have been told and painted."""
    found = Measured()
    for _ in range(times):
        start = time.perf_counter()
        change()
        QCoreApplication.processEvents()
        found.ms.append(1000 * (time.perf_counter() - start))
        with pulse_of(found):
            settle(400)
    return found


def edits(studio: Studio) -> dict[str, Measured]:
    """Return how long the edits of a working day take."""
    controller = studio.controller
    project = controller.project
    assert project is not None
    image = controller.target_id or 1
    points = Keypoints.drawn(np.full((17, 2), 50.0), [2] * 17)
    drawn = Annotation(0, image, 1, points, None)
    studio.queue.show_next()
    settle(300)
    gone = iter(sorted(project.images, reverse=True)[::7])
    return {
        "add an annotation": edit(lambda: controller.perform(AddAnnotation(drawn)), 7),
        "undo": edit(controller.undo, 5),
        "accept and show the next": edit(studio.queue.accept_current, 9),
        "reject and show the next": edit(studio.queue.reject_current, 5),
        "next in the queue": edit(studio.queue.show_next, 5),
        "remove an image": edit(lambda: controller.perform(RemoveImages((next(gone),))), 3),
    }


def search(studio: Studio, text: str) -> Measured:
    """Search three times, and go back to all images in between."""
    found = Measured()
    for words in (text, "", text, "", text, ""):
        with pulse_of(found):
            start = time.perf_counter()
            studio.images.search.set_text(words)
            wait_until(lambda: not studio.images.model.is_searching)
            if words:
                found.ms.append(1000 * (time.perf_counter() - start))
            settle(50)
    return found


# Waiting


@contextmanager
def pulse_of(found: Measured) -> Iterator[None]:
    """Note the longest pause of the GUI thread meanwhile."""
    pulse = Pulse()
    pulse.begin("")
    yield
    pulse.end()
    found.pause_ms = max(found.pause_ms, max(gap.ms for gap in pulse.gaps))


def settle(ms: int) -> None:
    """Let the window run for a while."""
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


def wait_until(is_done: Callable[[], bool], seconds: float = 60) -> None:
    """Let the window run until something holds, for so many seconds at most."""
    end = time.perf_counter() + seconds
    while not is_done():
        assert time.perf_counter() < end, f"waited for {seconds:.0f} seconds"
        settle(5)


def memory_mib() -> int:
    """Return how much memory this process holds now, in MiB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    raise OSError("the system does not say how much memory a process holds")


def measure(folder: Path, count: int) -> list[str]:
    """Print the table; return the sentences of what took too long."""
    # In a process of its own, so that the memory is that of the window alone.
    maker = multiprocessing.get_context("spawn").Process(target=make_project, args=(folder, count))
    maker.start()
    maker.join()
    application = make_application()
    studio = Studio(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat), folder)
    studio.window.resize(1280, 800)
    studio.window.show()
    settle(200)
    empty = memory_mib()
    seconds = open_project(studio, folder / FILE)
    print(", ".join(f"{what} {value:.2f} s" for what, value in seconds.items()))
    print(f"memory: {empty} MiB without a project, {memory_mib()} MiB with it")
    table = {"scroll, one frame": scroll(studio)}
    done = edits(studio)
    table |= done
    for text in ("name:*99*.jpg", "status:proposed score:<0.3", "category:cat -IMG_00"):
        table[f"search {text}"] = search(studio, text)
    for name, found in table.items():
        print(f"{name:<34} {found}")
    print(f"memory after all: {memory_mib()} MiB")
    studio.shut_down()
    application.processEvents()
    return faults(seconds["usable"], table["scroll, one frame"], done)


def faults(open_s: float, scrolled: Measured, done: dict[str, Measured]) -> list[str]:
    """Return a sentence per bound that was not kept."""
    late = [f"Opening took {open_s:.2f} s."] if open_s >= OPEN_BOUND_S else []
    if scrolled.pause_ms >= PAUSE_BOUND_MS:
        late.append(f"A pause while scrolling took {scrolled.pause_ms:.0f} ms.")
    medians = {name: statistics.median(found.ms) for name, found in done.items()}
    return late + [
        f"'{name}' took {ms:.0f} ms." for name, ms in medians.items() if ms >= EDIT_BOUND_MS
    ]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_project", description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        late = measure(Path(folder), given.images)
    sys.stdout.flush()
    sys.exit("\n".join(late) or 0)


if __name__ == "__main__":
    main()
