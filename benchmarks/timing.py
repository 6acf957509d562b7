"""Times contestants side by side, so that a busy machine slows all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping

Work = Callable[[], object]
# A turn shorter than this is repeated: a single short call would pay for what the one before it
# left behind in caches and threads.
TURN = 0.5


def compare(contestants: Mapping[str, Work], repeats: int) -> dict[str, float]:
    """Return the median seconds of each contestant.

    Each runs once to warm up; then all take turns.

    Parameters
    ----------
    contestants : mapping of str to callable
    repeats : int
        At least 1.
    """
    for work in contestants.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, work in contestants.items():
            seconds[name].append(_turn(work))
    return {name: statistics.median(times) for name, times in seconds.items()}


def _turn(work: Work) -> float:
    """Return the median seconds of a call within one turn."""
    calls = [seconds_of(work)]
    while sum(calls) < TURN:
        calls.append(seconds_of(work))
    return statistics.median(calls)


def seconds_of(work: Work) -> float:
    """Return the seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
