"""The image files of a session: where they are, what they are, where they went."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fmstudio.errors import ImageError, NotWritableError
from fmstudio.io.images import SUFFIXES, ImageInfo, file_sha256, probe, read_rgb
from fmstudio.io.store import SUFFIX, Store
from fmstudio.project.edits import RelocateImage
from fmstudio.project.model import ImageItem, Project

FileFault = Literal["missing", "changed"]

ReportProgress = Callable[[int, int], None]
"""Called with how many files are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class AddReport:
    """What became of images to add: the new ids, and a sentence per file left out."""

    added: tuple[int, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RelocateReport:
    """The ids of images that were found again, and the images that are still lost."""

    found: tuple[int, ...]
    still_lost: tuple[ImageItem, ...]


def open_store(path: Path, *, may_look: bool) -> Store:
    """Return the store of a project file, as `Session.open` says."""
    with_suffix = path.with_name(path.name + SUFFIX)
    chosen = with_suffix if not _is_there(path) and _is_there(with_suffix) else path
    try:
        return Store.open(chosen)
    except NotWritableError as error:
        if not may_look:
            raise
        return Store.look(chosen, str(error))


def walk(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files as given, and the images in and under folders, in order of their names.

    In folders, files count by their ending; what begins with a dot is left out, and so is what a
    project caches, where thumbnails are images too.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(
                name
                for name in folders
                if not name.startswith(".") and not _is_cache(Path(folder) / name)
            )
            for name in sorted(files):
                if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                    yield Path(folder) / name


def _is_cache(folder: Path) -> bool:
    """Return whether a folder is a project's cache: NAME.cache beside NAME.fmstudio."""
    return folder.suffix == ".cache" and folder.with_suffix(".fmstudio").exists()


def stored_path(base: Path, path: Path) -> str:
    """Return how a project in folder ``base`` names a file: relative when inside, else absolute.

    Raises
    ------
    ImageError
        If the name is not text.
    """
    # Not resolve(): a link inside the project's folder stays a path inside it.
    plain = Path(os.path.abspath(path))  # noqa: PTH100
    resolved = Path(os.path.realpath(path.parent)) / path.name
    inside = [p.relative_to(base) for p in (plain, resolved) if p.is_relative_to(base)]
    text = (inside[0] if inside else plain).as_posix()
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ImageError(f"The name {text!r} is not valid text: rename the file.") from error
    return text


def file_faults(project: Project, base: Path) -> list[tuple[ImageItem, FileFault]]:
    """Return the images whose files are gone or hold other bytes than when they were added."""
    faults: list[tuple[ImageItem, FileFault]] = []
    for image in project.sorted_images():
        path = base / image.path
        if not _is_there(path):
            faults.append((image, "missing"))
        elif not _holds(path, image.sha256):
            faults.append((image, "changed"))
    return faults


def read_checked(path: Path, image: ImageItem) -> NDArray[np.uint8]:
    """Return the pixels (H, W, 3) of an image if its file is still the one that was added.

    Raises
    ------
    ImageError
        If the file is missing, cannot be read, or has changed.
    """
    if not _is_there(path):
        raise ImageError(
            f"'{image.path}' is missing: put it back, or relocate the project's images."
        )
    if not image.sha256:
        raise ImageError(
            f"'{image.path}' was not there when it was imported: relocate the project's images."
        )
    if not _holds(path, image.sha256):
        raise ImageError(
            f"'{image.path}' has changed since it was added: restore the file, or remove the "
            "image and add it again."
        )
    return read_rgb(path)


def _is_there(path: Path) -> bool:
    """Return whether there is something at a path; not at one that no system takes."""
    # Path.exists raises for a name that is too long.
    return os.path.exists(path)  # noqa: PTH110


def _holds(path: Path, sha256: str) -> bool:
    """Return whether a file has this content; an unknown content (no hash) is never it."""
    return bool(sha256) and file_sha256(path) == sha256


def new_items(
    project: Project, base: Path, paths: Iterable[Path], progress: ReportProgress | None
) -> tuple[list[ImageItem], list[str]]:
    """Return the files that can be added to a project, and a sentence per file that cannot."""
    files = list(walk(paths))
    by_hash = {image.sha256: image.path for image in project.images.values() if image.sha256}
    taken = set(project.of_path)
    items, skipped = [], []
    for done, file in enumerate(files):
        try:
            path = stored_path(base, file)
            if path in taken:
                skipped.append(f"'{path}' is in the project already.")
                continue
            info = probe(file)
        except ImageError as error:
            skipped.append(str(error))
            continue
        finally:
            if progress is not None:
                progress(done + 1, len(files))
        twin = by_hash.setdefault(info.sha256, path)
        if twin != path:
            skipped.append(f"'{path}' is the same image as '{twin}', byte for byte.")
            continue
        taken.add(path)
        items.append(ImageItem(0, path, info.size, info.sha256, info.orientation))
    return items, skipped


def relocation(
    project: Project, base: Path, folder: Path
) -> tuple[list[RelocateImage], RelocateReport]:
    """Return where missing and changed images of a project are under a folder, by content."""
    lost = [image for image, _ in file_faults(project, base)]
    ids = {image.id for image in lost}
    taken = [image.path for image in project.images.values() if image.id not in ids]
    moves = find_moved(lost, base, folder, taken)
    found = {move.id for move in moves}
    still_lost = tuple(image for image in lost if image.id not in found)
    return moves, RelocateReport(tuple(sorted(found)), still_lost)


def find_moved(
    lost: Iterable[ImageItem], base: Path, folder: Path, taken: Iterable[str]
) -> list[RelocateImage]:
    """Return where under ``folder`` the files of lost images are now, told by their content.

    An image that was never seen (no hash) is told by its file name and size. Of several copies,
    the one whose path ends most like the old one is taken. Files at ``taken`` paths are others'.
    """
    by_hash, by_name = _indexed(folder)
    used = set(taken)
    moves = []
    for image in lost:
        if image.sha256:
            candidates = by_hash.get(image.sha256, [])
        else:
            candidates = by_name.get(image.file_name, [])
        ranked = sorted(candidates, key=lambda file: (-_common_end(image.path, file), file))
        for file in ranked:
            move = _move(image, base, file)
            if move is not None and move.path not in used:
                used.add(move.path)
                moves.append(move)
                break
    return moves


def _indexed(folder: Path) -> tuple[Mapping[str, list[Path]], Mapping[str, list[Path]]]:
    """Return the images under a folder by content hash and by file name."""
    by_hash, by_name = defaultdict(list), defaultdict(list)
    for file in walk([folder]):
        try:
            by_hash[file_sha256(file)].append(file)
        except ImageError:
            # Unreadable here, so not what is looked for; it stays in the list of the missing.
            continue
        by_name[file.name].append(file)
    return by_hash, by_name


def _move(image: ImageItem, base: Path, file: Path) -> RelocateImage | None:
    """Return the move of an image to a file, or None if the file is not that image."""
    try:
        info: ImageInfo = probe(file)
        path = stored_path(base, file)
    except ImageError:
        # A damaged or unnameable namesake is no place to move to.
        return None
    if info.size != image.size or (image.sha256 and info.sha256 != image.sha256):
        return None
    return RelocateImage(image.id, path, info.sha256, info.size, info.orientation)


def _common_end(path: str, file: Path) -> int:
    """Return how many parts at their ends two paths share."""
    shared = 0
    for a, b in zip(reversed(path.split("/")), reversed(file.parts), strict=False):
        if a != b:
            break
        shared += 1
    return shared
