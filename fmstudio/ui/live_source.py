"""The engine that is kept ready for questions about the pair that is shown."""

from PySide6.QtCore import QObject

from fmstudio.session import Session
from fmstudio.session_live import Live
from fmstudio.ui.controller import Controller
from fmstudio.ui.preferences import Preferences


class LiveSource(QObject):
    """Makes a `Live` for the open project, and another one when the person's settings change.

    Parameters
    ----------
    controller : Controller
    preferences : Preferences
    parent : QObject or None
    """

    def __init__(
        self, controller: Controller, preferences: Preferences, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._preferences = preferences
        self._made: tuple[Session, object, Live] | None = None
        controller.sessionChanged.connect(self._let_go)

    def live(self) -> Live | None:
        """Return the engine for the open project as it is set now; None without a project."""
        session, chosen = self._controller.session, self._preferences
        if session is None:
            return None
        settings = (chosen.match_settings, chosen.device, chosen.cache_limits)
        if self._made is None or self._made[0] is not session or self._made[1] != settings:
            match, device, limits = settings
            live = Live(session.load, session.cache_dir, match, device, limits)
            self._made = session, settings, live
        return self._made[2]

    def _let_go(self) -> None:
        """Keep nothing of a project that is closed."""
        self._made = None
