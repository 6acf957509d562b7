"""Time the default networks with threads that spin, and that sleep, while they wait for each other.

``python -m benchmarks.waiting`` analyses one photo again and again in processes of their own, by
turns: on the machine as it is, and beside as many busy processes as there are processors. What
``fmstudio`` asks for is sleeping; torch's own default is spinning.
"""

import contextlib
import multiprocessing
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TIMES, TURNS = 4, 3

# The first is a warm-up.
WORK = f"""
import time
from fmstudio.engine.match import Matcher
from fmstudio.io.images import read_rgb
from fmstudio.resources import resource
rgb = read_rgb(resource("sample/cats/images") / "siamese.jpg")
matcher = Matcher()
for number in range({TIMES} + 1):
    start, used = time.perf_counter(), time.process_time()
    matcher.analyse(rgb, str(number))
    print(time.perf_counter() - start, time.process_time() - used)
"""

Cost = tuple[float, float]
"""Seconds by the clock and of the processors, of one photo."""


def analyse(policy: str) -> Cost:
    """Return the medians of a process whose threads wait in one way."""
    done = subprocess.run(
        [sys.executable, "-c", WORK],
        env={**os.environ, "OMP_WAIT_POLICY": policy},
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [tuple(map(float, line.split())) for line in done.stdout.splitlines()[1:]]
    clock, used = zip(*rows, strict=True)
    return statistics.median(clock), statistics.median(used)


def spin() -> None:
    """Keep a processor busy."""
    while True:
        pass


@contextlib.contextmanager
def others(count: int) -> Iterator[None]:
    """Keep so many processors busy meanwhile."""
    processes = [multiprocessing.Process(target=spin, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def main() -> None:
    """Print the table."""
    print("| beside it | threads that wait | s by the clock | s of the processors |")
    print("|---|---|---:|---:|")
    for busy in (0, os.cpu_count() or 1):
        costs: dict[str, list[Cost]] = {"ACTIVE": [], "PASSIVE": []}
        with others(busy):
            for _ in range(TURNS):
                for policy, found in costs.items():
                    found.append(analyse(policy))
        for policy, found in costs.items():
            clock, used = (statistics.median(column) for column in zip(*found, strict=True))
            beside = f"{busy} busy processes" if busy else "nothing"
            kind = "spin" if policy == "ACTIVE" else "sleep"
            print(f"| {beside} | {kind} | {clock:.2f} | {used:.2f} |", flush=True)


if __name__ == "__main__":
    main()
