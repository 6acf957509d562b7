"""What the collection's commands do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from fmstudio.ui.workspaces import DockName

if TYPE_CHECKING:
    from fmstudio.ui.studio import Studio

# Of the window's height: what a map needs at least.
_SHARE = 0.42


class Collecting(QObject):
    """The collection's part of the table of commands.

    Parameters
    ----------
    studio : Studio
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._studio = studio

    def handlers(self) -> Mapping[str, Callable[..., object]]:
        """Return what each command does, by its id."""
        return {"collection": self._show, "map-collection": self._map}

    def _show(self) -> None:
        """Bring the panel to the front, high enough for a map."""
        self._studio.window.reveal(DockName.COLLECTION, _SHARE)

    def _map(self) -> None:
        """Show the panel and map the collection."""
        self._show()
        self._studio.collection.start()
