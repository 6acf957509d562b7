"""A report card: what methods reached, how sure that is, and everything to run it again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fmstudio.drawing.figure import Figure, render
from fmstudio.drawing.svg import to_svg
from fmstudio.evaluation.bootstrap import Interval, bootstrap, paired_bootstrap
from fmstudio.evaluation.environment import Environment
from fmstudio.evaluation.plots import PlotRow, interval_plot
from fmstudio.evaluation.report import METRICS, STAGES, Report, Scores, table, title_of
from fmstudio.io.atomic import write_bytes, write_text
from fmstudio.io.images import write_png

AGAINST = "nn"
PLOTTED = ("pck@0.1", "iou")
_WIDTH = 1200


@dataclass(frozen=True, slots=True)
class Card:
    """A report with what it ran on.

    Attributes
    ----------
    report : Report
    environment : Environment
    seconds : float
        Wall-clock time of the whole benchmark.
    memory : Mapping of str to int
        See `environment.peak_memory`.
    command : str
        What was typed, without the program's folder.
    """

    report: Report
    environment: Environment
    seconds: float
    memory: Mapping[str, int]
    command: str

    def intervals(self, metric: str) -> dict[str, Interval | None]:
        """Return each method's mean of a metric with its bootstrap interval."""
        return {m: bootstrap(self.report.groups(m, metric)) for m in self.report.mean}

    def differences(self, metric: str) -> dict[str, Interval | None]:
        """Return each method's mean difference to nearest neighbours, where those were judged."""
        if AGAINST not in self.report.mean:
            return {}
        base = self.report.groups(AGAINST, metric)
        return {
            m: paired_bootstrap(self.report.groups(m, metric), base)
            for m in self.report.mean
            if m != AGAINST
        }

    def to_json(self) -> str:
        """Return the card as JSON text, keys sorted."""
        by_pair = [m for m in METRICS if m in _any(self.report).by_pair]
        document = {
            **self.report.to_dict(),
            "intervals": {m: _plain(self.intervals(m)) for m in by_pair},
            "differences_to_nn": {m: _plain(self.differences(m)) for m in by_pair},
            "environment": self.environment.to_dict(),
            "peak_memory_bytes": dict(self.memory),
            "seconds": self.seconds,
            "command": self.command,
        }
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        """Return the card as Markdown, with links to the plots beside it."""
        sections = [
            "# Report card\n",
            f"`{self.command}`\n",
            *(f"![{title_of(metric)}]({_plot_name(metric)}.svg)\n" for metric in self._plotted()),
            "## Means, with 95 % bootstrap intervals over pairs\n",
            self._interval_table(),
            "## All figures\n",
            self.report.to_markdown(),
            "## Time and memory\n",
            _stage_table(self.report.mean),
            self._footprint(),
            "## Ran on\n",
            *(f"- {line}" for line in _lines(self.environment)),
            "\n## Definitions\n",
            *(f"- **{k}**: {v}" for k, v in self.report.settings["definitions"].items()),
            "\n## Settings\n",
            f"```json\n{json.dumps(self.report.settings['match'], indent=2)}\n```",
        ]
        return "\n".join(sections) + "\n"

    def plots(self) -> dict[str, Figure]:
        """Return the figures by file name without ending: a metric's means by method."""
        return {_plot_name(metric): self._plot(metric) for metric in self._plotted()}

    def _plotted(self) -> list[str]:
        """Return which metrics are drawn: those that apply."""
        return [
            p for p in PLOTTED if any(s.values[p] is not None for s in self.report.mean.values())
        ]

    def _plot(self, metric: str) -> Figure:
        """Return a metric's means by method."""
        rows = []
        for method, interval in self.intervals(metric).items():
            values = [scores[method].values[metric] for scores in self.report.categories.values()]
            rows.append(PlotRow(method, interval, tuple(v for v in values if v is not None)))
        return interval_plot(
            f"{title_of(metric)} by method",
            "Mean over categories in %, its 95 % interval over pairs, and each category as a dot.",
            rows,
        )

    def _interval_table(self) -> str:
        """Return the table of means with intervals, and of differences to nearest neighbours."""
        metrics = [*self._plotted()]
        differences = {m: self.differences(m) for m in metrics}
        intervals = {m: self.intervals(m) for m in metrics}
        head = ["method", *(f"{title_of(m)}, %" for m in metrics)]
        head += [f"{title_of(m)} over {AGAINST}" for m in metrics if differences[m]]
        rows = []
        for method in self.report.mean:
            row = [method, *(spoken(intervals[m][method]) for m in metrics)]
            row += [spoken(differences[m].get(method), "+") for m in metrics if differences[m]]
            rows.append(row)
        return table(head, rows)

    def _footprint(self) -> str:
        """Return time and memory of the whole in a sentence."""
        held = ", ".join(f"{what} {bytes_ / 2**20:.0f} MiB" for what, bytes_ in self.memory.items())
        return f"In all {self.seconds:.0f} s; most memory held: {held or 'not measured'}.\n"


def write_card(card: Card, folder: Path) -> list[Path]:
    """Write card.json, card.md and the plots (SVG and PNG) to a folder; return their paths.

    Raises
    ------
    OSError
        If the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / "card.json", folder / "card.md"]
    write_text(written[0], card.to_json())
    write_text(written[1], card.to_markdown())
    for name, figure in card.plots().items():
        svg, png = folder / f"{name}.svg", folder / f"{name}.png"
        write_bytes(svg, to_svg(figure, _WIDTH))
        write_png(png, render(figure, _WIDTH))
        written += [svg, png]
    return written


def spoken(interval: Interval | None, sign: str = "") -> str:
    """Return an interval in percent as text, "-" for None; ``sign`` "+" writes it out."""
    if interval is None:
        return "-"
    mean, low, high = (100 * v for v in (interval.mean, interval.low, interval.high))
    return f"{mean:{sign}.1f} [{low:{sign}.1f}, {high:{sign}.1f}]"


def _plain(intervals: Mapping[str, Interval | None]) -> dict[str, Any]:
    """Return intervals as JSON values."""
    return {m: None if i is None else asdict(i) for m, i in intervals.items()}


def _any(report: Report) -> Scores:
    """Return some scores of a report."""
    return next(iter(next(iter(report.categories.values())).values()))


def _plot_name(metric: str) -> str:
    """Return the name of a metric's plot."""
    return metric.replace("@", "-").replace(".", "")


def _stage_table(mean: Mapping[str, Scores]) -> str:
    """Return the table of milliseconds."""
    rows = [
        [m, *("-" if s.ms[stage] is None else f"{s.ms[stage]:.1f}" for stage in STAGES)]
        for m, s in mean.items()
    ]
    head = [
        "milliseconds",
        *(f"{s} / image" for s in STAGES[:2]),
        *(f"{s} / pair" for s in STAGES[2:]),
    ]
    return table(head, rows)


def _lines(environment: Environment) -> Sequence[str]:
    """Return an environment as lines of text."""
    return (
        f"fmstudio {environment.version}, commit {environment.commit or 'unknown (installed)'}",
        f"weights: {', '.join(environment.weights)}",
        f"device: {environment.device}, {environment.processors} processors, "
        f"{environment.threads} threads",
        f"{environment.system}, Python {environment.python}",
        ", ".join(f"{name} {version}" for name, version in environment.packages.items()),
    )
