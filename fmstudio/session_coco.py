"""Where the images of a COCO file are, and what an import of it brought."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fmstudio.errors import FormatError, ImageError
from fmstudio.io.coco import CocoData, Fault, read_json
from fmstudio.io.coco_read import Reader
from fmstudio.io.images import ImageInfo, probe
from fmstudio.project.edits import ImportAnnotations
from fmstudio.project.model import Category, ImageItem, Project
from fmstudio.session_files import ReportProgress, stored_path

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Step:
    """How far a stream has come: what it does, and of how many things how many are done."""

    phase: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import brought.

    Attributes
    ----------
    images, categories, annotations : tuple of int
        Ids that are new in the project.
    notes : tuple of str
        Sentences on what was not taken as it stood, and on images whose files were not found.
    """

    images: tuple[int, ...]
    categories: tuple[int, ...]
    annotations: tuple[int, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do.

    Attributes
    ----------
    edit : ImportAnnotations
    notes : tuple of str
        Sentences on what a person should know.
    n_missing : int
        Images whose files were not found.
    faults : tuple of Fault
        Why it must not be done; empty if it may.
    """

    edit: ImportAnnotations
    notes: tuple[str, ...]
    n_missing: int = 0
    faults: tuple[Fault, ...] = ()


def plan_import(
    project: Project,
    base: Path,
    data: CocoData,
    coco_file: Path,
    image_root: Path | None,
    progress: ReportProgress | None,
) -> tuple[ImportAnnotations, tuple[str, ...]]:
    """Return the edit that imports a COCO file, and sentences on what a person should know.

    Raises
    ------
    FormatError
        If images have another size than the file says: nothing on them would fit.
    """
    steps = plan_steps(project, base, data, coco_file, image_root)
    for done in steps:
        if isinstance(done, ImportPlan):
            plan = done
        elif progress is not None:
            progress(done, len(data.images))
    if plan.faults:
        named = "; ".join(str(fault) for fault in plan.faults[:_SHOWN])
        more = len(plan.faults) - _SHOWN
        rest = f"; and {more} more faults" if more > 0 else ""
        raise FormatError(f"{coco_file}: {named}{rest}.")
    return plan.edit, plan.notes


def plan_steps(
    project: Project, base: Path, data: CocoData, coco_file: Path, image_root: Path | None
) -> Iterator[int | ImportPlan]:
    """Yield how many images have been looked at, after each, and at last the plan.

    No file outside of the folders that are named is opened, whatever a name says. Names are
    looked up in ``image_root``; without one beside the COCO file, in a folder ``images`` there,
    and among the images of the project. An image that is in the project under another name, equal
    byte for byte, is that one.
    """
    roots = [image_root] if image_root else [coco_file.parent, coco_file.parent / "images"]
    known = _Known(project)
    images: list[ImageItem] = []
    notes: list[str] = []
    faults: list[Fault] = []
    for index, image in enumerate(data.images):
        path, info, note = _look_up(image, roots)
        there = known.find(image, info) or known.at(stored_path(base, path))
        if info is not None:
            faults += _size_faults(index, image, info)
            place = there.path if there else stored_path(base, path)
            image = replace(image, path=place, sha256=info.sha256, orientation=info.orientation)
        elif there is not None:
            image = replace(there, id=image.id, size=image.size)
        else:
            image = replace(image, path=stored_path(base, path))
            notes.append(note)
        images.append(image)
        yield index + 1
    edit = ImportAnnotations(tuple(images), data.categories, data.annotations)
    shown = (*data.notes, *_shortened(notes))
    yield ImportPlan(edit, shown, len(notes), tuple(faults))


class _Known:
    """The images of a project, by content and by name."""

    def __init__(self, project: Project) -> None:
        self._by_hash = {image.sha256: image for image in project.images.values() if image.sha256}
        self._by_path = {path: project.images[id_] for path, id_ in project.of_path.items()}
        self._by_name: defaultdict[str, list[ImageItem]] = defaultdict(list)
        for image in project.images.values():
            self._by_name[image.file_name].append(image)

    def find(self, image: ImageItem, info: ImageInfo | None) -> ImageItem | None:
        """Return the project's image of the same content; without a file, of the same name."""
        if info is not None:
            return self._by_hash.get(info.sha256)
        end = "/" + image.path
        same = [k for k in self._by_name[image.file_name] if ("/" + k.path).endswith(end)]
        return same[0] if len(same) == 1 else None

    def at(self, path: str) -> ImageItem | None:
        """Return the project's image of a path."""
        return self._by_path.get(path)


def _look_up(image: ImageItem, roots: list[Path]) -> tuple[Path, ImageInfo | None, str]:
    """Return where an image is, what it is if it can be read, and else a sentence."""
    inside = [root for root in roots if _is_inside(root / image.path, root)]
    for root in inside:
        path = root / image.path
        if os.path.lexists(path):
            try:
                return path, probe(path), ""
            except ImageError as error:
                return path, None, str(error)
    path = roots[0] / image.path
    if not inside:
        note = f"'{image.path}' leads out of {roots[0]} and was not opened"
    else:
        note = f"There is no image {path}"
    return path, None, f"{note}: its labels are kept until it is relocated."


def _is_inside(path: Path, root: Path) -> bool:
    """Return whether a path stays in a folder, by what it says; links in it are the person's."""
    return Path(os.path.abspath(path)).is_relative_to(os.path.abspath(root))  # noqa: PTH100


def _size_faults(index: int, image: ImageItem, info: ImageInfo) -> Iterator[Fault]:
    """Yield the fault of an image that is not as large as the file says."""
    said, found = image.size, info.size
    if said == found:
        return
    why = "take the file that the labels were made on"
    if info.orientation >= 5 and (said.width, said.height) == (found.height, found.width):
        why = "its labels were made without the orientation in its EXIF data; turn the pixels first"
    yield Fault(
        "images",
        index,
        f"'{image.path}' should be {said.width} x {said.height} pixels, and the image has "
        f"{found.width} x {found.height}: {why}",
    )


def _shortened(notes: list[str]) -> Iterator[str]:
    """Yield some sentences, and how many more there are."""
    yield from notes[:5]
    if len(notes) > 5:
        yield f"{len(notes) - 5} more images were not found."


def read_schemas(path: Path) -> tuple[Category, ...]:
    """Return the categories of a COCO file, whatever its images and annotations are.

    Raises
    ------
    FormatError
        If it cannot be read, is not JSON, or has no category that can be taken over.
    """
    document = read_json(path)
    categories = document.get("categories") if isinstance(document, Mapping) else None
    reader = Reader()
    schemas = reader.read({"images": [], "categories": categories}).categories
    if reader.faults:
        raise FormatError(f"{path}: {reader.faults[0]}.")
    if not schemas:
        raise FormatError(f"{path} has no categories: choose a COCO file that lists some.")
    return schemas
