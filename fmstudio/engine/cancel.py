"""Cancelling: a flag that long work looks at between its steps."""

import threading

from fmstudio.errors import Cancelled


class CancelToken:
    """A flag set by whoever wants the work to stop; safe across threads."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop at its next check."""
        self._event.set()

    @property
    def is_cancelled(self) -> bool:
        """Return whether a stop was asked for."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if a stop was asked for."""
        if self._event.is_set():
            raise Cancelled("Cancelled.")
