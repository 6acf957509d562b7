"""The entry point: ``fmstudio`` and ``python -m fmstudio``.

Without arguments it opens the window, with ``gui PATH`` on a project or a folder; any other
argument is a command.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from fmstudio.cli import app
from fmstudio.errors import FmstudioError


def main(args: Sequence[str] | None = None) -> None:
    """Open the window or run the command line; leaves by SystemExit.

    Exit codes: 0 done, 1 an error that was said in a sentence, 2 wrong usage, 130 Ctrl+C.

    Parameters
    ----------
    args : sequence of str or None
        None takes those of the process.
    """
    given = sys.argv[1:] if args is None else list(args)
    app(args=given or ["gui"], prog_name="fmstudio", obj=open_window)


def open_window(path: Path | None) -> int:
    """Open the window and return the exit code when it is closed.

    Parameters
    ----------
    path : Path or None
        A project, a folder or an image; None shows the welcome page.

    Raises
    ------
    FmstudioError
        If there is no screen to open it on, or Qt's libraries are missing.
    """
    # Qt itself would abort the process where there is no display.
    has_display = any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    )
    if sys.platform.startswith("linux") and not has_display:
        raise FmstudioError(
            "There is no display to open a window on: work with the commands of "
            "'fmstudio --help', or set DISPLAY."
        )
    try:
        from fmstudio.app import run
    except ImportError as error:
        if (error.name or "").startswith("fmstudio"):
            raise  # a fault of our own, no missing library
        raise FmstudioError(
            f"The window cannot be opened, since a library is missing ({error}); the commands of "
            "'fmstudio --help' work without it."
        ) from error
    return run(path)


if __name__ == "__main__":
    main()
