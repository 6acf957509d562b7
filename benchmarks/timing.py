"""Times contestants side by side, so that what the machine does meanwhile hits all of them.

Not alike, though: with every core taken, work on several threads slows many times more than work on
one. Ratios are to be trusted from an idle machine only.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

Result = TypeVar("Result")
# A turn shorter than this is repeated: a single short call would pay for what the one before it
# left behind in caches and threads.
TURN = 0.5
# A contestant that has used so many seconds takes no further turn.
BUDGET = 5.0


def compare(
    contestants: Mapping[str, Callable[[], Result]], repeats: int
) -> dict[str, tuple[float, Result]]:
    """Return the median seconds of each contestant, and what it returned.

    Each runs once to warm up; then all take turns. Very slow ones take fewer, but at least one.

    Parameters
    ----------
    contestants : mapping of str to callable
    repeats : int
        At least 1.
    """
    results = {name: work() for name, work in contestants.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, work in contestants.items():
            if sum(seconds[name]) < BUDGET:
                seconds[name].append(turn(work))
    return {name: (statistics.median(seconds[name]), results[name]) for name in contestants}


def turn(work: Callable[[], object]) -> float:
    """Return the median seconds of a call within one turn."""
    calls = [seconds_of(work)]
    while sum(calls) < TURN:
        calls.append(seconds_of(work))
    return statistics.median(calls)


def seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
