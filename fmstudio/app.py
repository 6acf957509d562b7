"""The window's program: Qt, the studio, and a way out that never waits for the compute thread."""

import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from fmstudio import __version__
from fmstudio.ui.crash import CrashReporter
from fmstudio.ui.icons import app_icon
from fmstudio.ui.keys import KeyGuard
from fmstudio.ui.recovery import RunMarker
from fmstudio.ui.studio import Studio

NAME = "fmstudio"
DESKTOP_ID = "org.fmstudio.Studio"
"""Name of the menu entry, by which a desktop finds the window's icon."""


def run(path: Path | None = None) -> int:
    """Open the window and stay until it is closed.

    Parameters
    ----------
    path : Path or None
        A project, a folder or an image to open; None shows the welcome page.

    Returns
    -------
    code : int
        For the process to end with.
    """
    if sys.platform == "win32":
        # Qt's libraries keep torch's from loading when they come first (WinError 1114).
        import torch  # noqa: F401
    app = make_application()
    reporter = CrashReporter()
    reporter.install()
    studio = Studio()
    if sys.platform == "darwin":
        # There a double click on a file comes as an event, not as an argument.
        app.installEventFilter(studio.opening)
    studio.log.attach()
    studio.window.show()
    studio.begin(path)
    marker = RunMarker(studio.controller, reporter.folder)
    marker.begin()
    code = app.exec()
    marker.end()
    studio.log.detach()
    has_ended = studio.shut_down()
    reporter.uninstall()
    if not has_ended or "torch" in sys.modules:
        _leave(code)
    return code


def _leave(code: int) -> NoReturn:
    """End the process now.

    Everything is on the disk by then. A step of the compute thread may outlast its time, and
    taking torch down as Python does it takes seconds.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def make_application() -> QApplication:
    """Return the one QApplication, named so that settings and data find their folders."""
    QCoreApplication.setOrganizationName(NAME)
    QCoreApplication.setApplicationName(NAME)
    QCoreApplication.setApplicationVersion(__version__)
    there = QApplication.instance()
    app = there if isinstance(there, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationDisplayName("")
    app.setDesktopFileName(DESKTOP_ID)
    app.setWindowIcon(app_icon())
    KeyGuard(app)
    return app
