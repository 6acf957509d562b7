"""The dialogs about the program itself: keys, networks, settings, and what it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDialog

from fmstudio.ui.dialogs.about import AboutDialog
from fmstudio.ui.dialogs.backups import BackupsDialog
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
        studio.opening.restoreWanted.connect(self.show_backups)

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

    def show_backups_here(self) -> None:
        """List the backups of the open project."""
        session = self._studio.controller.session
        if session is not None:
            self.show_backups(session.path)

    def show_backups(self, project: Path) -> None:
        """List the backups of a project, open or not."""
        dialog = BackupsDialog(project, self._studio.window)
        dialog.restoreWanted.connect(self._studio.opening.restore)
        open_dialog(dialog)

    def show_about(self) -> None:
        """Say what this program is."""
        open_dialog(AboutDialog(self._studio.window))
