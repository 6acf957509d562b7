"""Time and memory of large projects: ``python -m benchmarks.scale [IMAGES ...]``.

For each count of images (1000, 10,000 and 100,000) a project with ten annotations an image is made,
opened, edited, undone, searched, exported and imported again through `Session`, each in a process
of its own. An annotation has 17 keypoints, every tenth a mask. Printed are seconds, and by how much
the most memory that the process ever held is above what it held before, in MiB. The growth is the
exponent g of ``cost = count ** g`` between the two largest counts: 1 is linear.

`benchmarks.large_things` does the same for single things that are large.
"""

import argparse
import gc
import math
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.io.store import Store
from fmstudio.project.edits import AddAnnotation
from fmstudio.project.model import Annotation, Category, ImageItem, Project, Propagated, Status
from fmstudio.project.search import parse_query
from fmstudio.session import CocoOptions, Session

COUNTS = (1000, 10_000, 100_000)
PER_IMAGE = 10
SIZE = ImageSize(640, 480)
CATEGORY = Category(1, "cat", keypoints=tuple(f"point {i}" for i in range(17)))
EDITS = 7
ALL = CocoOptions(statuses=tuple(Status))

Costs = dict[str, tuple[float, float]]
"""Of each step the seconds and the MiB."""


class Meter:
    """Notes what steps cost."""

    def __init__(self) -> None:
        self.costs: Costs = {}

    @contextmanager
    def step(self, name: str, parts: int = 1) -> Iterator[None]:
        """Note what happens inside, made of so many equal parts of which one counts."""
        before = _memory("VmRSS")
        # From now on the system counts the peak anew.
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        start = time.perf_counter()
        yield
        took = time.perf_counter() - start
        self.costs[name] = took / parts, (_memory("VmHWM") - before) / 1024


def _memory(name: str) -> int:
    """Return a line of the system's account of this process's memory, in KiB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise OSError(f"the system does not say {name}")


# A project of many parts


def make(count: int) -> Project:
    """Return a project of so many images."""
    images = [ImageItem(n, f"photos/{n:06d}.jpg", SIZE, f"{n:064x}") for n in range(1, count + 1)]
    return Project.build("large", images, [CATEGORY], _annotations(count))


def _annotations(count: int) -> Iterator[Annotation]:
    """Yield ten annotations an image, half of them proposals."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[: SIZE.height, : SIZE.width]
    mask = Mask.from_array((rows - 240) ** 2 + (columns - 320) ** 2 < 150**2)
    for image in range(1, count + 1):
        xy = rng.random((PER_IMAGE, 17, 2)) * [SIZE.width, SIZE.height]
        for index in range(PER_IMAGE):
            id_, score = (image - 1) * PER_IMAGE + index + 1, float(rng.random())
            points = Keypoints(xy[index], np.full(17, 2), np.full(17, score))
            yield Annotation(
                id_, image, 1, points, None if index else mask,
                Status.PROPOSED if index % 2 else Status.ACCEPTED, Propagated((1,), "k"), score,
            )  # fmt: skip


def write(meter: Meter, folder: Path, count: int) -> None:
    """Make the project's file."""
    project = make(count)
    with meter.step("write"):
        Store.create(folder / "large.fmstudio", project).close()


def work(meter: Meter, folder: Path, _count: int) -> None:
    """Open the project, edit, undo, search and export."""
    with meter.step("open"):
        session = Session.open(folder / "large.fmstudio")
    drawn = Annotation(0, 1, 1, Keypoints.drawn(np.full((17, 2), 50.0), [2] * 17), None)
    session.perform(AddAnnotation(drawn))
    with meter.step("edit", EDITS):
        for _ in range(EDITS):
            session.perform(AddAnnotation(drawn))
    with meter.step("undo", EDITS):
        for _ in range(EDITS):
            session.undo()
    query = parse_query("status:proposed score:<0.3 -name:*99*")
    with meter.step("search"):
        images = session.project.images.values()
        assert sum(query.matches(session.project, image) for image in images)
    with meter.step("export"):
        session.export_coco(folder / "all.json", ALL)
    session.close()


def read(meter: Meter, folder: Path, count: int) -> None:
    """Import what was exported into an empty project."""
    with Session.create(folder / "again.fmstudio") as session:
        with meter.step("import"):
            session.import_coco(folder / "all.json")
        assert len(session.project.images) == count


# Processes of their own, and the table


def measured(work: Callable[[Meter, Path, int], None], folder: Path, count: int) -> Costs:
    """Return what a piece of work costs in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_tell, args=(work, folder, count, there))
    process.start()
    there.close()
    try:
        costs: Costs = here.recv()
    except EOFError:
        raise SystemExit(f"{work.__name__} of {count} ended without a result.") from None
    finally:
        process.join()
    return costs


def _tell(
    work: Callable[[Meter, Path, int], None], folder: Path, count: int, end: Connection
) -> None:
    """Work and send what it cost."""
    meter = Meter()
    gc.collect()
    work(meter, folder, count)
    end.send(meter.costs)


def table(counts: list[int]) -> None:
    """Print the table."""
    columns: list[Costs] = []
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            columns.append({})
            for step in (write, work, read):
                columns[-1] |= measured(step, Path(name), count)
                print(count, step.__name__, columns[-1], flush=True)
    heads = [f"{count:,} images, {count * PER_IMAGE:,} annotations" for count in counts]
    print("| | " + " | ".join(heads) + " | growth of time, of memory |")
    print("|---|" + "---:|" * (len(counts) + 1))
    for name in columns[0]:
        print(
            f"| {name} | "
            + " | ".join(said(column[name]) for column in columns)
            + f" | {_growth(columns, counts, name)} |"
        )


def said(cost: tuple[float, float]) -> str:
    """Return what a step cost as people read it."""
    seconds, mib = cost
    time_ = f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
    return f"{time_}, {mib:.0f} MiB"


def _growth(columns: list[Costs], counts: list[int], name: str) -> str:
    """Return the exponents between the two largest counts."""
    if len(counts) < 2:
        return ""
    before, after = columns[-2][name], columns[-1][name]
    step = math.log(counts[-1] / counts[-2])
    return ", ".join(
        f"{math.log(max(b, 1e-9) / max(a, 1e-9)) / step:.2f}" if a > 0.001 and b > 0.001 else "-"
        for a, b in zip(before, after, strict=True)
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=list(COUNTS), metavar="IMAGES")
    table(parser.parse_args().counts)
