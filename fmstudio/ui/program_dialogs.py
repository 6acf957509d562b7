"""The dialogs about the program itself: keys, networks, settings, and what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDialog

from fmstudio.ui.dialogs.about import AboutDialog
from fmstudio.ui.dialogs.models import ModelsDialog
from fmstudio.ui.dialogs.settings import SettingsDialog
from fmstudio.ui.dialogs.shortcuts import ShortcutSheet

if TYPE_CHECKING:
    from fmstudio.ui.studio import Studio


def open_dialog(dialog: QDialog) -> None:
    """Open a dialog that is gone when it is closed."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()


class ProgramDialogs(QObject):
    """Opens them over the window.

    Parameters
    ----------
    studio : Studio
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._studio = studio

    def show_sheet(self) -> None:
        """Open the sheet of keys, made anew: keys may have changed."""
        open_dialog(ShortcutSheet(self._studio.actions, self._studio.window))

    def show_models(self) -> None:
        """Open the table of networks."""
        studio = self._studio
        open_dialog(ModelsDialog(studio.service, studio.window, downloads=studio.downloads))

    def show_settings(self) -> None:
        """Open the settings."""
        studio = self._studio
        dialog = SettingsDialog(
            studio.controller, studio.preferences, studio.window, service=studio.service
        )
        open_dialog(dialog)

    def show_about(self) -> None:
        """Say what this program is."""
        open_dialog(AboutDialog(self._studio.window))
