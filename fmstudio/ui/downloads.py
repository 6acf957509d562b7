"""Downloads of weights: each a process of its own, the command ``fmstudio models fetch``.

That command is the only one that reaches for the network. Being a process, a download neither
waits for the compute thread nor holds it up; it can be stopped at once, and goes on the next time
from where it was.
"""

import re
import sys
import time
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

# Over how many reports the rate is taken.
_WINDOW = 24
_MB = 1_000_000
_RETRY = re.compile(r"\[Retry (\d+)/(\d+)\]")


class How(StrEnum):
    """How a download ended."""

    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ended:
    """A download that has ended: of which model, how, and what a person should read."""

    name: str
    how: How
    text: str


def command_line() -> tuple[str, ...]:
    """Return what runs fmstudio's command line: Python, or this program itself where it is built.

    A one-folder build has no Python to ask for a module; its program is the command line.
    """
    is_built = getattr(sys, "frozen", False)
    return (sys.executable,) if is_built else (sys.executable, "-m", "fmstudio")


class Downloads(QObject):
    """Fetches the weights of one model at a time.

    Parameters
    ----------
    parent : QObject or None
        With whom it ends; a download that runs then is stopped.
    program : tuple of str or None
        What runs fmstudio's command line; None takes this program's own.
    """

    changed = Signal()
    """One has begun, has come further, or has ended."""
    ended = Signal(object)
    """An `Ended`; `changed` comes first."""

    def __init__(
        self,
        parent: QObject | None = None,
        program: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(parent)
        self._program = program or command_line()
        self._process: QProcess | None = None
        self._name = ""
        self._is_stopped = False
        self._errors = ""
        self._done = self._total = 0
        self._marks: deque[tuple[float, int]] = deque(maxlen=_WINDOW)

    @property
    def name(self) -> str:
        """Return the model that is being fetched; empty if none is."""
        return self._name

    @property
    def progress(self) -> tuple[int, int]:
        """Return how many bytes are here, and how many there are (0 while unknown)."""
        return self._done, self._total

    @property
    def text(self) -> str:
        """Return how far it has come, how fast, and how long still: for a label."""
        if not self._total:
            retry = _RETRY.findall(self._errors)
            if retry:
                return self.tr("The hub does not answer; trying again ({0} of {1})…").format(
                    *retry[-1]
                )
            return self.tr("Connecting…")
        words = [f"{self._done / _MB:,.0f} / {self._total / _MB:,.0f} MB"]
        rate = self._rate()
        if rate:
            words.append(f"{rate / _MB:,.1f} MB/s")
            left = (self._total - self._done) / rate
            words.append(self.tr("{0} s left").format(f"{left:,.0f}"))
        return ", ".join(words)

    def start(self, name: str) -> None:
        """Fetch the weights of a model; one that runs already goes on instead."""
        if self._process is not None:
            return
        self._name, self._is_stopped, self._errors = name, False, ""
        self._done = self._total = 0
        self._marks.clear()
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        # What the fast protocol has brought is lost when it is stopped; plain HTTP goes on from it.
        environment.insert("HF_HUB_DISABLE_XET", "1")
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_error_output)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_process_error)
        self._process = process
        program, *first = self._program
        process.start(program, [*first, "models", "fetch", name, "--lines"])
        self.changed.emit()

    def stop(self) -> None:
        """Stop what runs; what has come is kept, to go on from."""
        if self._process is not None:
            self._is_stopped = True
            self._process.kill()

    def shut_down(self) -> None:
        """End what runs before this object goes."""
        process = self._process
        if process is not None:
            self.stop()
            process.waitForFinished(500)

    # What the process says

    def _on_output(self) -> None:
        """Take over how far the download is."""
        # Whole lines only: a figure cut in two would be another figure.
        while self._process is not None and self._process.canReadLine():
            line = bytes(self._process.readLine().data()).decode(errors="replace")
            done, _, total = line.strip().partition(" ")
            if done.isdigit() and total.isdigit():
                self._done, self._total = int(done), int(total)
                self._marks.append((time.monotonic(), self._done))
        self.changed.emit()

    def _on_error_output(self) -> None:
        """Keep what it complains of: its last line is why it failed."""
        if self._process is not None:
            said = bytes(self._process.readAllStandardError().data())
            self._errors += said.decode(errors="replace")
            self.changed.emit()

    def _on_process_error(self, error: QProcess.ProcessError) -> None:
        """End what could not even begin; every other error is followed by the end."""
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            self._errors = self._process.errorString()
            self._end(How.FAILED)

    def _on_finished(self) -> None:
        """End a download."""
        if self._process is None:
            return
        self._on_error_output()
        if self._is_stopped:
            self._end(How.STOPPED)
        else:
            code = self._process.exitCode()
            crashed = self._process.exitStatus() == QProcess.ExitStatus.CrashExit
            self._end(How.FAILED if code or crashed else How.DONE)

    def _end(self, how: How) -> None:
        """Say how a download ended."""
        process, name = self._process, self._name
        self._process, self._name = None, ""
        if process is not None:
            process.deleteLater()
        lines = [line.strip() for line in self._errors.splitlines() if line.strip()]
        text = {
            How.DONE: self.tr("{0} is on this disk now.").format(name),
            How.STOPPED: self.tr("Stopped; the next download goes on from here."),
            How.FAILED: lines[-1] if lines else self.tr("The download of {0} failed.").format(name),
        }[how]
        self.changed.emit()
        self.ended.emit(Ended(name, how, text))

    def _rate(self) -> float:
        """Return the bytes per second lately; 0 while unknown."""
        if len(self._marks) < 2:
            return 0.0
        (start, first), (end, last) = self._marks[0], self._marks[-1]
        return (last - first) / (end - start) if end > start else 0.0
