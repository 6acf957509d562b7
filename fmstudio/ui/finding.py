"""Looking for image files that have been moved: a stream for the compute thread."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fmstudio.project.edits import RelocateImage
from fmstudio.project.model import Project
from fmstudio.session import CancelToken
from fmstudio.session_files import file_faults, find_moved


@dataclass(frozen=True, slots=True)
class Found:
    """How many images are missing or changed, and where some of them are now."""

    lost: int
    moves: tuple[RelocateImage, ...]


def find_images(project: Project, base: Path, folder: Path, token: CancelToken) -> Iterator[Found]:
    """Yield what was found, once; told by content, so names and places may be others.

    Parameters
    ----------
    project : Project
    base : Path
        The project's folder.
    folder : Path
        Where to look.
    token : CancelToken
    """
    lost = [image for image, _ in file_faults(project, base)]
    token.check()
    ids = {image.id for image in lost}
    taken = [image.path for image in project.images.values() if image.id not in ids]
    yield Found(len(lost), tuple(find_moved(lost, base, folder, taken)))
