"""What the command line says: results on stdout, everything else on stderr."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from fmstudio.engine.cancel import CancelToken

Report = Callable[[int, int], None]
"""Called with how much is done, and how much there is."""

# Tables that go to a file or a pipe are as wide as they need to be.
_PIPE_WIDTH = 240
# On a terminal, work that took less leaves no line behind.
_WORTH_SAYING = 1.0


def say(text: str = "") -> None:
    """Write a line of a result to stdout."""
    typer.echo(text)


def say_json(value: object) -> None:
    """Write a result to stdout as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def note(text: str) -> None:
    """Write a line beside the result to stderr."""
    typer.echo(text, err=True)


def warn(lines: Iterable[str]) -> None:
    """Write sentences on what did not go as asked to stderr, in yellow."""
    for line in lines:
        _colored(line, "yellow")


def fail(text: str) -> None:
    """Write the sentence that says why a command failed to stderr, in red."""
    _colored(text, "red")


def say_table(
    title: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, text_columns: int = 1
) -> None:
    """Write a table to stdout; its first columns hold text, the others numbers.

    A row without cells is a rule between those above and below it.
    """
    table = Table(title=Text(title) if title else None, title_justify="left")
    for index, name in enumerate(head):
        is_text = index < text_columns
        table.add_column(Text(name), justify="left" if is_text else "right", overflow="fold")
    for row in rows:
        if row:
            table.add_row(*(Text(cell) for cell in row))
        else:
            table.add_section()
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    console.print(table)


@contextmanager
def progress(title: str, unit: str, total: int | None = None) -> Iterator[Report]:
    """Show how far long work has come, with rate and time left, on stderr.

    Where that is no terminal, only a line at the start and one at the end are written.

    Parameters
    ----------
    title : str
        What is done, such as ``"Reading images"``.
    unit : str
        What is counted, in the plural.
    total : int or None
        None while it is not known; each report may give another.

    Yields
    ------
    report : callable
        Called with how much is done, and how much there is.
    """
    console = Console(stderr=True)
    started = time.monotonic()
    count = [0, total or 0]
    if not console.is_terminal:
        note(f"{title} ...")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(title, total=total)

    def report(done: int, of: int) -> None:
        count[:] = done, of
        bar.update(task, completed=done, total=of)

    try:
        with bar:
            yield report
    finally:
        seconds = time.monotonic() - started
        is_slow = seconds >= _WORTH_SAYING or not console.is_terminal
        if count[0] and is_slow:
            note(f"{title}: {count[0]:,} of {count[1]:,} {unit} in {_duration(seconds)}.")


@contextmanager
def stop_on_interrupt(token: CancelToken) -> Iterator[None]:
    """Let a first Ctrl+C set the token, so that work stops between two steps; a second one kills.

    Elsewhere than on the main thread, where no signal arrives, it changes nothing.
    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        if token.is_cancelled:
            raise KeyboardInterrupt
        token.cancel()

    try:
        before = signal.signal(signal.SIGINT, interrupt)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Rate(ProgressColumn):
    """How much is done a second, or how many seconds one takes."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """Return the rate as text; empty while there is none."""
        speed = task.finished_speed or task.speed
        if not speed:
            return Text()
        text = f"{speed:,.1f} {self._unit}/s" if speed >= 1 else f"{1 / speed:.1f} s each"
        return Text(text, style="dim")


def _colored(text: str, style: str) -> None:
    """Write one unbroken line to stderr; colour only where a terminal shows it."""
    Console(stderr=True).print(Text(text, style=style), soft_wrap=True)


def _duration(seconds: float) -> str:
    """Return a time span for a person."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
