"""What the commands of the collection and of the spectrum do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

from fmstudio.ui.workspaces import DockName

if TYPE_CHECKING:
    from fmstudio.ui.studio import Studio

# Of the window's height: what a panel needs at least.
_SHARES = {DockName.COLLECTION: 0.42, DockName.SPECTRUM: 0.29}


class Collecting(QObject):
    """The part of the table of commands of panels that want room.

    Parameters
    ----------
    studio : Studio
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._studio = studio

    def handlers(self) -> Mapping[str, Callable[..., object]]:
        """Return what each command does, by its id."""
        return {
            "collection": lambda: self._show(DockName.COLLECTION),
            "map-collection": self._map,
            "spectrum": self._show_spectrum,
        }

    def _show(self, name: DockName) -> None:
        """Bring a panel to the front, high enough for what is in it."""
        window = self._studio.window
        dock = window.dock(name)
        dock.reveal()
        high = round(_SHARES[name] * window.height())
        if not dock.isFloating() and dock.height() < high:
            window.resizeDocks([dock], [high], Qt.Orientation.Vertical)

    def _map(self) -> None:
        """Show the panel and map the collection."""
        self._show(DockName.COLLECTION)
        self._studio.collection.start()

    def _show_spectrum(self) -> None:
        """Show the panel, and inspect the pair."""
        self._show(DockName.SPECTRUM)
        self._studio.inspector.set_on(True)
