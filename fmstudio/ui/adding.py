"""Looking at image files before they are added: a stream for the compute thread."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fmstudio.project.edits import AddImages, apply
from fmstudio.project.model import ImageItem, Project
from fmstudio.session import CancelToken
from fmstudio.session_files import new_items, walk

# A chunk's fixed cost grows with the project, so its size does too; small enough to stay a step.
_CHUNK = 16
_IMAGES_PER_FILE = 500


@dataclass(frozen=True, slots=True)
class Looked:
    """What a chunk of files turned out to be.

    Attributes
    ----------
    done, total : int
        Files looked at so far, and in all.
    items : tuple of ImageItem
        What can be added.
    skipped : tuple of str
        A sentence per file that cannot.
    """

    done: int
    total: int
    items: tuple[ImageItem, ...]
    skipped: tuple[str, ...]


def look_at(
    project: Project, base: Path, paths: Iterable[Path], token: CancelToken
) -> Iterator[Looked]:
    """Yield what can be added to a project, chunk by chunk; may run on any thread.

    Parameters
    ----------
    project : Project
    base : Path
        The project's folder.
    paths : iterable of Path
        Files, and folders to search.
    token : CancelToken

    Raises
    ------
    Cancelled
        Between two files in a search, and between two chunks.
    """
    files = []
    for file in walk(paths):
        token.check()
        files.append(file)
    chunk = _CHUNK + len(project.images) // _IMAGES_PER_FILE
    for start in range(0, len(files), chunk):
        token.check()
        part = files[start : start + chunk]
        items, skipped = new_items(project, base, part, None)
        # With what was found, so that a twin in a later chunk is noticed.
        project = apply(project, AddImages(tuple(items)))
        yield Looked(start + len(part), len(files), tuple(items), tuple(skipped))
