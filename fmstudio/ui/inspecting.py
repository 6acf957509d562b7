"""What the inspector's commands do, and how they show what it draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from fmstudio.ui.controller import Level
from fmstudio.ui.view_files import save_view
from fmstudio.ui.workspaces import DockName

if TYPE_CHECKING:
    from fmstudio.ui.studio import Studio

# Of the window's height: what the pictures of the spectrum need at least.
_SPECTRUM_SHARE = 0.29
_PICTURES = {"inspect-colour": "colour", "inspect-checker": "checker"}
_FLAGS = {
    "inspect-contour": "has_contour",
    "inspect-grid": "has_grid",
    "inspect-lines": "has_lines",
}


class Inspecting(QObject):
    """The inspector's part of the table of commands.

    Parameters
    ----------
    studio : Studio
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._studio = studio
        studio.inspector.changed.connect(self._tick)
        self._tick()

    def handlers(self) -> Mapping[str, Callable[..., object]]:
        """Return what each command does, by its id."""
        inspector = self._studio.inspector
        return {
            "inspect": inspector.set_on,
            "inspect-heat": self._next_heat,
            **{id_: self._picture_chooser(name) for id_, name in _PICTURES.items()},
            **{id_: self._flag_chooser(name) for id_, name in _FLAGS.items()},
            "inspect-pin": inspector.toggle_pin,
            "spectrum": self._show_spectrum,
            "save-view": self._save_view,
        }

    def _next_heat(self) -> None:
        """Draw the distribution that comes next."""
        inspector = self._studio.inspector
        inspector.choose(inspector.choices.with_next_heat())
        inspector.set_on(True)

    def _picture_chooser(self, name: str) -> Callable[[bool], None]:
        """Return what carries a picture over, in place of another."""

        def choose(is_chosen: bool) -> None:
            inspector = self._studio.inspector
            inspector.choose(replace(inspector.choices, picture=name if is_chosen else "off"))
            self._turn_on(is_chosen)

        return choose

    def _flag_chooser(self, name: str) -> Callable[[bool], None]:
        """Return what draws a layer beside the others."""

        def choose(is_chosen: bool) -> None:
            inspector = self._studio.inspector
            change: dict[str, Any] = {name: is_chosen}
            inspector.choose(replace(inspector.choices, **change))
            self._turn_on(is_chosen)

        return choose

    def _turn_on(self, is_chosen: bool) -> None:
        """Inspect, if there is something more to be seen."""
        if is_chosen:
            self._studio.inspector.set_on(True)

    def _show_spectrum(self) -> None:
        """Show the panel of the spectrum, and inspect the pair."""
        self._studio.window.reveal(DockName.SPECTRUM, _SPECTRUM_SHARE)
        self._studio.inspector.set_on(True)

    def _tick(self) -> None:
        """Tick the commands whose layers are drawn."""
        inspector, actions = self._studio.inspector, self._studio.actions
        actions["inspect"].setChecked(inspector.is_on)
        for id_, name in _PICTURES.items():
            actions[id_].setChecked(inspector.choices.picture == name)
        for id_, name in _FLAGS.items():
            actions[id_].setChecked(getattr(inspector.choices, name))

    def _save_view(self) -> None:
        """Ask for a file and write what the canvases show."""
        studio = self._studio
        session = studio.controller.session
        if session is None:
            return
        path = studio.questions.picture(session.path.with_name("view.png"))
        if path is None:
            return
        saved = studio.controller.attempt(
            lambda: save_view(path, studio.canvases, studio.match_overlay)
        )
        if saved:
            studio.controller.notify(self.tr("The view is saved in {0}.").format(path), Level.INFO)
