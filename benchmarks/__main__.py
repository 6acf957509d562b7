"""Measure, print, and write the tables into README.md: ``python -m benchmarks [PART…]``."""

import argparse
import datetime
import os
import platform
from pathlib import Path

import scipy
import torch

from benchmarks import eigen, fmap, pair

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"
EIGEN_SIZES = ((32, 40), (32, 200), (48, 100), (70, 200))


def tables(parts: list[str], repeats: int) -> str:
    """Return the chosen tables as Markdown."""
    found = []
    if "pair" in parts:
        found.append(_table("One pair, default settings",
                            ("stage", "ms", "over networks"), pair.measure(repeats)))  # fmt: skip
    if "fmap" in parts:
        heads = ("solver (k = 200, d = 768)", "s", "times the closed form", "objective, ratio")
        found.append(_table("The functional map", heads, fmap.measure(fmap.make_problem(), 3)))
    if "eigen" in parts:
        rows = [row for size in EIGEN_SIZES for row in eigen.measure(*size, repeats)]
        heads = ("patches", "k", "solver", "ms", "times ours", "residual")
        found.append(_table("Eigenvectors", heads, rows))
    return "\n".join(found)


def _table(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return one Markdown table under a heading."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join([f"### {title}", "", *("| " + " | ".join(line) + " |" for line in lines), ""])


def _machine() -> str:
    """Return what the figures were taken on."""
    return (
        f"{datetime.date.today():%Y-%m-%d}, {os.cpu_count()} cores, {torch.get_num_threads()} "
        f"threads, Python {platform.python_version()}, torch {torch.__version__}, "
        f"scipy {scipy.__version__}."
    )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help="pair, fmap, eigen; all by default")
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    known = ["pair", "fmap", "eigen"]
    if wrong := set(given.parts) - set(known):
        parser.error(f"there is no part {', '.join(sorted(wrong))}; there are {', '.join(known)}")
    text = tables(given.parts or known, given.repeats)
    print(text)
    if not given.parts:
        old = README.read_text(encoding="utf-8")
        head, _, rest = old.partition(BEGIN)
        tail = rest.partition(END)[2]
        README.write_text(f"{head}{BEGIN}\n{_machine()}\n\n{text}{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
