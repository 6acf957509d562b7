"""Time and memory of single large things: ``python -m benchmarks.large_things``.

A category of 500 keypoints beside one of 17, a mask of 10,000 vertices beside one of 100, and a
photo of 12,000 x 9000 pixels beside one of 1200 x 900; each in a process of its own. Printed are
seconds, and the most memory above what was held before, in MiB.
"""

import math
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.scale import Costs, Meter, measured, said
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask, Polygon
from fmstudio.geometry.points import Keypoints
from fmstudio.project.edits import AddAnnotation, AddCategory, ChangeAnnotation
from fmstudio.project.model import Annotation, Category, Status
from fmstudio.resources import resource
from fmstudio.session import CancelToken, CocoOptions, Proposal, Session
from fmstudio.session_thumbnails import thumbnail_of

POLYGONS = CocoOptions(polygons=True, statuses=tuple(Status))


def points(meter: Meter, folder: Path, m: int) -> None:
    """Carry a category of m keypoints to another photo, correct one, export and import."""
    with _photos(folder, "siamese.jpg", "tabby.jpg") as session:
        names = tuple(f"point {i}" for i in range(m))
        limbs = tuple((i, i + 1) for i in range(m - 1))
        session.perform(AddCategory(Category(0, "face", keypoints=names, skeleton=limbs)))
        source, target = session.project.sorted_images()
        # A spiral over the face.
        turns = np.linspace(0.05, 1, m)
        way = np.column_stack([np.cos(40 * turns), np.sin(40 * turns)]) * turns[:, None]
        xy = np.array([0.66 * source.size.width, 0.42 * source.size.height]) + 90 * way
        session.perform(AddAnnotation(_drawn(source.id, Keypoints.drawn(xy, [2] * m), None)))
        with meter.step("carry"):
            _carry(session, source.id, target.id)
        (carried,) = session.project.annotations_of(target.id)
        assert carried.keypoints is not None
        assert len(carried.keypoints) == m
        moved = Keypoints.drawn(carried.keypoints.xy + 1, [2] * m)
        with meter.step("correct"):
            session.perform(ChangeAnnotation(carried.id, moved, None))
        _there_and_back(meter, session, folder)


def vertices(meter: Meter, folder: Path, n: int) -> None:
    """Draw a mask of n vertices, trace it, export and import."""
    with _photos(folder, "siamese.jpg") as session:
        (image,) = session.project.sorted_images()
        session.perform(AddCategory(Category(0, "face")))
        angle = np.linspace(0, 2 * math.pi, n, endpoint=False)
        radius = 120 + 25 * np.sin(np.arange(n) * 2.4)
        ring = np.array([image.size.width, image.size.height]) / 2 + np.column_stack(
            [radius * np.cos(angle), radius * np.sin(angle)]
        )
        with meter.step("draw"):
            mask = Mask.from_polygons(image.size, [Polygon(ring)])
            session.perform(AddAnnotation(_drawn(image.id, None, mask)))
        with meter.step("trace"):
            assert mask.polygons()
        _there_and_back(meter, session, folder)


def pixels(meter: Meter, folder: Path, side: int) -> None:
    """Add a photo of so many pixels, make its thumbnail, open it, and carry a point to it."""
    size = ImageSize(side, side * 3 // 4)
    with _photos(folder, "siamese.jpg") as session:
        (source,) = session.project.sorted_images()
        photo = cv2.imread(str(session.path_of(source)))
        assert photo is not None
        large = cv2.resize(photo, (size.width, size.height), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / "large.jpg"), large)
        del large
        with meter.step("add"):
            session.add_images([folder / "large.jpg"])
        image = session.project.sorted_images()[-1]
        assert image.size == size
        with meter.step("thumbnail"):
            thumbnail_of(image, session.path_of(image), session.cache_dir)
        session.perform(AddCategory(Category(0, "face", keypoints=("nose",))))
        nose = Keypoints.drawn([[201.0, 141.0]], [2])
        session.perform(AddAnnotation(_drawn(source.id, nose, None)))
        with meter.step("carry"):
            _carry(session, source.id, image.id)
        (carried,) = session.project.annotations_of(image.id)
        assert carried.keypoints is not None


def _photos(folder: Path, *names: str) -> Session:
    """Return a new project of some of the sample's photos."""
    photos = folder / "photos"
    photos.mkdir()
    for name in names:
        shutil.copy(resource("sample/cats") / "images" / name, photos)
    session = Session.create(folder / "project")
    session.add_images([photos])
    return session


def _drawn(image_id: int, keypoints: Keypoints | None, mask: Mask | None) -> Annotation:
    """Return what a person drew."""
    return Annotation(0, image_id, 1, keypoints, mask)


def _carry(session: Session, source: int, target: int) -> None:
    """Propagate and land it."""
    request = session.request([source], [target])
    for event in session.job(request, CancelToken(), "cpu"):
        if isinstance(event, Proposal):
            session.receive(event, request)
    session.land()


def _there_and_back(meter: Meter, session: Session, folder: Path) -> None:
    """Export the project and import it into an empty one."""
    with meter.step("export"):
        session.export_coco(folder / "all.json", POLYGONS)
    with Session.create(folder / "again") as again, meter.step("import"):
        again.import_coco(folder / "all.json")


def main() -> None:
    """Print the tables."""
    things: tuple[tuple[Callable[[Meter, Path, int], None], str, int, int], ...] = (
        (points, "keypoints", 17, 500),
        (vertices, "vertices", 100, 10_000),
        (pixels, "pixels wide", 1200, 12_000),
    )
    for work, unit, small, large in things:
        columns: list[Costs] = []
        for count in (small, large):
            with tempfile.TemporaryDirectory() as folder:
                columns.append(measured(work, Path(folder), count))
        print(f"\n| | {small:,} {unit} | {large:,} {unit} |\n|---|---:|---:|")
        for name in columns[0]:
            print(f"| {name} | " + " | ".join(said(column[name]) for column in columns) + " |")


if __name__ == "__main__":
    main()
