"""Measure, print, and write the tables into README.md: ``python -m benchmarks [PART…]``."""

import argparse
import datetime
import os
import platform
import sys
from pathlib import Path

import scipy
import torch
from threadpoolctl import threadpool_info

from benchmarks import cost, eigen, fmap, pair

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"
# Average of processes that run; above it, others take part.
IDLE = 0.5
PARTS = ("pair", "cost", "fmap", "eigen")
# Patches on the photo's longer side, and values of k; 40 is the default.
EIGEN_SIZES = ((32, (40, 50, 100, 200)), (48, (50, 100, 200)), (70, (50, 100, 200)))
QUICK_EIGEN_SIZES = ((32, (40, 100)),)
# The contestants of these take seconds each.
SLOW_REPEATS = 3


def tables(parts: list[str], repeats: int, *, is_quick: bool = False) -> str:
    """Return the chosen tables as Markdown; ``is_quick`` takes small sizes and each once."""
    slow = 1 if is_quick else min(repeats, SLOW_REPEATS)
    found = []
    if "pair" in parts:
        heads: tuple[str, ...] = ("stage", "ms", "over networks")
        rows = pair.measure(1 if is_quick else repeats)
        found.append(_table("One pair, default settings", heads, rows))
    if "cost" in parts:
        rows = cost.measure(slow, is_quick=is_quick)
        found.append(_table("Cost by size", cost.HEADS, rows))
    if "fmap" in parts:
        k, steps = (50, 100) if is_quick else (200, fmap.STEPS)
        rows = fmap.measure(fmap.make_problem(k), slow, steps=steps, is_quick=is_quick)
        heads = (f"solver (k = {k}, d = 768)", "s", "times the closed form", "objective, ratio")
        found.append(_table("The functional map", heads, rows))
    if "eigen" in parts:
        sizes = QUICK_EIGEN_SIZES if is_quick else EIGEN_SIZES
        rows = [row for patches_long, ks in sizes for row in eigen.measure(patches_long, ks, slow)]
        heads = ("patches", "k", "solver", "ms", "times ours", "residual")
        found.append(_table("Eigenvectors", heads, rows))
    return "\n".join(found)


def _table(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return one Markdown table under a heading."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join([f"### {title}", "", *("| " + " | ".join(line) + " |" for line in lines), ""])


def _machine(load: float) -> str:
    """Return what the figures were taken on, by which command, and beside which load."""
    blas = max((i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"), default=1)
    return (
        f"`python -m benchmarks`, {datetime.date.today():%Y-%m-%d}, on the CPU: "
        f"{os.cpu_count()} cores, {torch.get_num_threads()} threads for torch "
        f"and {blas} for BLAS unless stated, Python {platform.python_version()}, "
        f"torch {torch.__version__}, SciPy {scipy.__version__}; load at the start {load:.1f}."
    )


def write(readme: Path, text: str, load: float) -> None:
    """Put tables between the markers of a README; nothing else in it changes.

    Parameters
    ----------
    readme : Path
    text : str
        The tables.
    load : float
        Of the machine when their measurement began.

    Raises
    ------
    ValueError
        If it has no such markers.
    """
    old = readme.read_text(encoding="utf-8")
    head, begin, rest = old.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme.name} lacks {BEGIN} or {END}: put the two lines back.")
    readme.write_text(f"{head}{BEGIN}\n{_machine(load)}\n\n{text}{END}{tail}", encoding="utf-8")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)}; all by default")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="small sizes, once, printed only")
    given = parser.parse_args()
    if wrong := set(given.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(wrong))}; there are {', '.join(PARTS)}")
    load = os.getloadavg()[0]
    if load > IDLE:
        print(f"The machine is busy (load {load:.1f}): ratios will be wrong.", file=sys.stderr)
    text = tables(given.parts or list(PARTS), given.repeats, is_quick=given.quick)
    print(text)
    if not given.parts and not given.quick:
        write(README, text, load)


if __name__ == "__main__":
    main()
