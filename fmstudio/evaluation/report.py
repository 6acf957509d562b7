"""The report card: JSON for machines, a Markdown table for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmstudio.io.atomic import write_text

METRICS = (
    "pck@0.05",
    "pck@0.1",
    "pck@0.1/points",
    "pck@0.1/image",
    "iou",
    "smoothness",
    "cycle",
)
STAGES = ("features", "basis", "map", "transfer")
# In patches; the other metrics are shares, shown in percent.
_LENGTHS = ("smoothness",)
# The others are for those who compare with a published table: they are in the JSON.
_SHOWN = ("pck@0.05", "pck@0.1", "iou", "smoothness", "cycle")
_TITLES = {"pck@0.05": "PCK@0.05", "pck@0.1": "PCK@0.1", "iou": "IoU"}


@dataclass(frozen=True, slots=True)
class Scores:
    """What one method reached on one category, or on their mean.

    Attributes
    ----------
    values : Mapping of str to float or None
        By `METRICS`; None where a metric does not apply.
    pairs : int
        Pairs judged; of a mean, all pairs behind it.
    ms : Mapping of str to float or None
        By `STAGES`: "features" and "basis" per image, "map" and "transfer" per pair; None for a
        stage that the method does without.
    by_pair : Mapping of str to tuple of (float or None)
        The metrics that are means over pairs, pair by pair; empty of a mean over categories. Not
        in the JSON.
    """

    values: Mapping[str, float | None]
    pairs: int
    ms: Mapping[str, float | None]
    by_pair: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as the report's JSON has them."""
        return {**self.values, "pairs": self.pairs, "ms": dict(self.ms)}


@dataclass(frozen=True, slots=True)
class Report:
    """A benchmark's outcome.

    Attributes
    ----------
    categories : Mapping of str to Mapping of str to Scores
        By category, then by method.
    mean : Mapping of str to Scores
        By method: the mean over the categories to which a metric applies.
    settings : Mapping of str to Any
        Everything needed to run it again, and the metrics' definitions; JSON values.
    """

    categories: Mapping[str, Mapping[str, Scores]]
    mean: Mapping[str, Scores]
    settings: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "categories": {
                name: {method: scores.to_dict() for method, scores in methods.items()}
                for name, methods in self.categories.items()
            },
            "mean": {method: scores.to_dict() for method, scores in self.mean.items()},
            "settings": dict(self.settings),
        }

    def groups(self, method: str, metric: str) -> list[tuple[float | None, ...]]:
        """Return a method's values of a metric by category and pair, for a bootstrap."""
        return [scores[method].by_pair[metric] for scores in self.categories.values()]

    def to_json(self) -> str:
        """Return the report as JSON text: keys sorted, so equal reports are equal bytes."""
        text = json.dumps(
            self.to_dict(), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False
        )
        return text + "\n"

    def to_markdown(self) -> str:
        """Return the report as Markdown tables: the mean, then each metric by category."""
        methods = list(self.mean)
        parts = [_mean_table(self.mean)]
        for metric in ("pck@0.1", "iou"):
            rows = [
                [name, *(cell(metric, scores[m].values[metric]) for m in methods)]
                for name, scores in self.categories.items()
                if any(scores[m].values[metric] is not None for m in methods)
            ]
            if rows:
                parts.append(table([f"{title_of(metric)}, %", *methods], rows))
        return "\n".join(parts)


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """Return the mean of one method's scores over categories; None is left out of each mean."""
    return Scores(
        values={key: mean_of([s.values[key] for s in scores]) for key in METRICS},
        pairs=sum(s.pairs for s in scores),
        ms={key: mean_of([s.ms[key] for s in scores]) for key in STAGES},
    )


def mean_of(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that are not None; None if all are."""
    present = [v for v in values if v is not None]
    return sum(present) / len(present) if present else None


def write_json(report: Report, path: Path) -> None:
    """Write a report as JSON, whole or not at all."""
    write_text(path, report.to_json())


def _mean_table(mean: Mapping[str, Scores]) -> str:
    """Return the table of means: a row per method."""
    shown = [(m, f"{m}, patches" if m in _LENGTHS else f"{title_of(m)}, %") for m in _SHOWN]
    head = ["mean over categories", *(title for _, title in shown), *(f"{s}, ms" for s in STAGES)]
    rows = [
        [
            method,
            *(cell(metric, scores.values[metric]) for metric, _ in shown),
            *("-" if scores.ms[s] is None else f"{scores.ms[s]:.0f}" for s in STAGES),
        ]
        for method, scores in mean.items()
    ]
    return table(head, rows)


def title_of(metric: str) -> str:
    """Return a metric's name for a heading."""
    return _TITLES.get(metric, metric)


def cell(metric: str, value: float | None) -> str:
    """Return a value as shown in a table."""
    if value is None:
        return "-"
    return f"{value:.2f}" if metric in _LENGTHS else f"{100 * value:.1f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose columns also line up in a terminal."""
    width = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *rest = cells
        numbers = (f"{cell:>{w}}" for cell, w in zip(rest, width[1:], strict=True))
        return f"| {' | '.join([f'{first:<{width[0]}}', *numbers])} |"

    rule = "|".join(["-" * (width[0] + 2), *("-" * (w + 1) + ":" for w in width[1:])])
    return "\n".join([line(head), f"|{rule}|", *map(line, rows)]) + "\n"
