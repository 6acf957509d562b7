"""Three arrangements of the window, for three kinds of work."""

from dataclasses import dataclass
from enum import StrEnum


class DockName(StrEnum):
    """The docks; also their object names, by which their places are remembered."""

    IMAGES = "images"
    QUEUE = "queue"
    ANNOTATION = "annotation"
    HISTORY = "history"
    CATEGORIES = "categories"
    INSPECTOR = "inspector"
    COLLECTION = "collection"
    SPECTRUM = "spectrum"
    TASKS = "tasks"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Which docks are open, and whether the reference canvas is.

    Attributes
    ----------
    docks : tuple of DockName
        Of docks that share a place the last one named is in front.
    shows_reference : bool
    """

    docks: tuple[DockName, ...]
    shows_reference: bool


_SIDES = (DockName.IMAGES, DockName.ANNOTATION)
_SHARED = (DockName.HISTORY, DockName.CATEGORIES)

WORKSPACES: dict[str, Workspace] = {
    "annotate": Workspace((*_SIDES, *_SHARED), shows_reference=False),
    "review": Workspace((*_SIDES, DockName.QUEUE, *reversed(_SHARED)), shows_reference=True),
    "inspect": Workspace(
        (DockName.COLLECTION, DockName.SPECTRUM, DockName.INSPECTOR), shows_reference=True
    ),
}
FIRST = "review"
