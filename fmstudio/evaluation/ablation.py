"""What each part of the method is worth: the default with one thing changed, on the same pairs."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.engine.cache import TensorCache
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.device import choose_device
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import MatchSettings
from fmstudio.errors import MatchError
from fmstudio.evaluation.benchmark import ReportProgress, evaluate, silent
from fmstudio.evaluation.bootstrap import Interval, paired_bootstrap
from fmstudio.evaluation.card import spoken
from fmstudio.evaluation.datasets import LabelledSet
from fmstudio.evaluation.left_out import LeftOut, leave_one_out
from fmstudio.evaluation.report import METRICS, Report, cell, table, title_of
from fmstudio.features.base import Extractor, ExtractorSpec, FeatureMap
from fmstudio.features.registry import make_extractor
from fmstudio.geometry.grid import PatchGrid

_SHOWN = ("pck@0.05", "pck@0.1", "iou", "smoothness", "cycle")
_JUDGED = ("pck@0.1", "iou")
_HEAD: tuple[str, ...] = ("part", "PCK@0.05", "PCK@0.1", "IoU", "smoothness", "cycle", "map, ms")
_HEAD += ("PCK@0.1 over the default", "IoU over the default")
# What features and analyses may hold while rows share them.
_HELD_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Part:
    """A row of the table.

    Attributes
    ----------
    group : str
        One of `GROUPS`.
    changes : Mapping of str to object
        Of `MatchSettings`, against the base.
    method : str
        Of `evaluation.methods.METHODS`.
    """

    group: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    method: str = "map"

    @property
    def name(self) -> str:
        """Return the row as what would be typed: a method, or NAME=VALUE for ``--set``."""
        changes = ", ".join(f"{key}={_written(value)}" for key, value in self.changes.items())
        if self.method == "map":
            return changes or "map (the default)"
        return ", ".join(part for part in (self.method, changes) if part)


def _written(value: object) -> str:
    """Return a value as ``--set`` takes it."""
    if isinstance(value, tuple):
        return "+".join(map(str, value)) if len(value) > 1 else str(value[0])
    return str(value).lower() if isinstance(value, bool) else str(value)


def _each(group: str, name: str, values: Iterable[object], **more: object) -> list[Part]:
    """Return a part for each value of a setting."""
    return [Part(group, {name: value, **more}) for value in values]


_LITE0, _LITE2 = "efficientnet-lite0", "efficientnet-lite2"


def _networks(basis: str, *descriptors: str) -> dict[str, Any]:
    """Return the changes that choose networks."""
    return {"basis_extractor": basis, "descriptor_extractors": descriptors}


def _layer(network: str, basis: str, descriptors: str) -> Part:
    """Return the part that takes basis and descriptors from layers of one network."""
    return Part("layers", _networks(f"{network}:layers={basis}", f"{network}:layers={descriptors}"))


GROUPS: Mapping[str, tuple[Part, ...]] = {
    "methods": tuple(
        Part("methods", method=name)
        for name in ("identity", "nn", "smoothed-nn", "filtered-nn", "hub-nn", "lowpass-nn")
    ),
    "object": (
        Part("object", {"fine_side": 0}),
        *_each("object", "fine_side", (320, 384, 512)),
        Part("object", {"prior_weight": 0.0}),
        *_each("object", "prior_weight", (0.02, 0.08)),
        Part("object", {"mirror": False}),
        Part("object", {"turns": False}),
        Part("object", {"edges": False}),
        Part("object", {"fine_side": 0, "prior_weight": 0.0, "mirror": False, "edges": False}),
    ),
    "solver": (
        Part("solver", {"map_weight": 0.0}),
        Part("solver", {"hub_correction": False}),
        *_each("solver", "lap_weight", (0.0, 1.0, 10.0, 30.0)),
        *_each("solver", "lap_mask", ("slanted", "resolvent"), lap_weight=30.0),
        *_each("solver", "orthogonality", (0.1, 1.0)),
        *_each("solver", "bijectivity", (0.1, 1.0)),
        *_each("solver", "foreground", (0.5, 0.9)),
    ),
    "decoders": tuple(
        _each("decoders", "decoder", ("band-limited", "transferred", "concatenated", "spectral"))
        + _each("decoders", "map_weight", (0.1, 0.5, 0.7, 1.0))
    ),
    "refinements": tuple(
        _each("refinements", "refine", ("orthogonal", "zoomout", "bijective-zoomout"))
    ),
    "basis": (
        Part("basis", {"basis": "uniform"}),
        Part("basis", {"laplacian": "random-walk"}),
        Part("basis", {"neighbours": 8}),
    ),
    "k": tuple(
        _each("k", "k", (10, 20, 80, 120, 200))
        + _each("k", "k", (10, 20, 40, 80, 120, 200), decoder="band-limited")
    ),
    "networks": tuple(
        Part("networks", _networks(basis, *descriptors))
        for basis, descriptors in (
            (_LITE0, (_LITE0,)),
            (_LITE2, (_LITE0,)),
            (_LITE0, (_LITE2,)),
            (_LITE2, (_LITE2,)),
            (_LITE2, (_LITE0, _LITE2)),
        )
    ),
    "layers": (
        *(_layer(_LITE0, n, n) for n in ("4", "7", "10", "12", "14", "15", "10+12+14")),
        *(_layer(_LITE2, n, n) for n in ("10", "14", "17", "20", "14+17")),
        # The multi-layer variant: one layer for the basis, another for the descriptors.
        *(_layer(_LITE0, a, b) for a, b in (("4", "12"), ("12", "4"), ("10", "14"), ("14", "10"))),
    ),
    "reduction": tuple(_each("reduction", "pca_width", (32, 64, 128))),
    "size": tuple(_each("size", "long_side", (256, 384, 640))),
    "collection": tuple(_each("collection", "consistency", (0.01, 0.1, 1.0))),
    "network": tuple(_each("network", "network_steps", (50,))),
    "published": (Part("published", method="published"),),
}
"""The parts by group; the last two are slow, and judged only by name."""

SLOW = ("network", "published")


@dataclass(frozen=True, slots=True)
class Ablation:
    """What each part reached.

    Attributes
    ----------
    base : Report
        Of the settings that all parts change.
    parts : tuple of (Part, Report)
    """

    base: Report
    parts: tuple[tuple[Part, Report], ...]

    def difference(self, part: Part, report: Report, metric: str) -> Interval | None:
        """Return a part's mean difference to the base, on the same pairs."""
        return paired_bootstrap(report.groups(part.method, metric), self.base.groups("map", metric))

    def left_out(self, metric: str) -> LeftOut | None:
        """Return what choosing among all rows gives on categories left out of the choice."""
        rows = [(Part("methods"), self.base), *self.parts]
        return leave_one_out(
            {
                part.name: {
                    category: scores[part.method].values[metric]
                    for category, scores in report.categories.items()
                }
                for part, report in rows
            }
        )

    def to_markdown(self) -> str:
        """Return a table for each group: the default, then its parts with their differences.

        After them what choosing among all rows gives on categories left out of the choice.
        """
        default = ["map (the default)", *_cells(self.base, "map"), "", ""]
        rows: dict[str, list[list[str]]] = {}
        for part, report in self.parts:
            differences = [spoken(self.difference(part, report, m), "+") for m in _JUDGED]
            row = [part.name, *_cells(report, part.method), *differences]
            rows.setdefault(part.group, [default]).append(row)
        tables = [f"### {group}\n\n{table(_HEAD, rows[group])}" for group in rows]
        held = [(title_of(metric), self.left_out(metric)) for metric in _JUDGED]
        lines = [f"- {found.sentence(name)}" for name, found in held if found is not None]
        if lines:
            tables.append("\n".join(["### one category left out", "", *lines, ""]))
        return "\n".join(tables)

    def to_json(self) -> str:
        """Return the table as JSON text, keys sorted."""
        rows = [_row(Part("methods"), self.base)]
        for part, report in self.parts:
            intervals = {m: self.difference(part, report, m) for m in _JUDGED}
            over = {m: None if i is None else [i.mean, i.low, i.high] for m, i in intervals.items()}
            rows.append({**_row(part, report), "over_default": over})
        document = {"parts": rows, "settings": dict(self.base.settings)}
        return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def ablate(
    sets: Sequence[LabelledSet],
    *,
    groups: Sequence[str] = (),
    pairs: int | None = 30,
    seed: int = 0,
    settings: MatchSettings | None = None,
    progress: ReportProgress | None = None,
    token: CancelToken | None = None,
    device: str = "auto",
    extractors: Callable[..., Extractor] = make_extractor,
) -> Ablation:
    """Return what each part of the chosen groups reaches; parameters as of `evaluate`.

    Rows share features and analyses, kept in half precision as the product's own cache keeps them.

    Parameters
    ----------
    groups : sequence of str
        Of `GROUPS`; empty means all but `SLOW`.
    progress : callable or None
        Called with (pairs done, pairs in all), over all rows.
    extractors : callable
        As of `Matcher`.

    Raises
    ------
    MatchError
        If a group is not known; otherwise as `evaluate`.
    """
    unknown = [g for g in groups if g not in GROUPS]
    if unknown:
        raise MatchError(f'There is no group "{unknown[0]}"; choose among {", ".join(GROUPS)}.')
    base = settings or MatchSettings()
    chosen = [p for g in groups or [g for g in GROUPS if g not in SLOW] for p in GROUPS[g]]
    share = _Shared(extractors)
    token, report_progress = token or CancelToken(), progress or silent
    reports = []
    for index, part in enumerate([Part("methods"), *chosen]):

        def at(done: int, total: int, before: int = index) -> None:
            report_progress(before * total + done, (len(chosen) + 1) * total)

        changed = replace(base, **part.changes)
        reports.append(
            evaluate(
                sets,
                pairs=pairs,
                seed=seed,
                methods=[part.method],
                settings=changed,
                progress=at,
                token=token,
                analyser=share.matcher(changed, device),
            )
        )
    return Ablation(reports[0], tuple(zip(chosen, reports[1:], strict=True)))


class _Shared:
    """Matchers of different settings that compute each network's features once."""

    def __init__(self, extractors: Callable[..., Extractor]) -> None:
        self._make = extractors
        self._features = TensorCache(memory_bytes=_HELD_BYTES)
        self._analyses = TensorCache(memory_bytes=_HELD_BYTES)
        self._made: dict[str, Extractor] = {}

    def matcher(self, settings: MatchSettings, device: str) -> Matcher:
        """Return a matcher of these settings."""
        return Matcher(
            settings,
            device=choose_device(device),
            cache=self._analyses,
            extractors=self._extractor,
        )

    def _extractor(self, name: str, *, device: torch.device | str = "cpu") -> Extractor:
        """Return the one extractor of a name."""
        if name not in self._made:
            made = self._make(name, device=device)
            self._made[name] = _Remembering(made, self._features, torch.device(device))
        return self._made[name]


class _Remembering:
    """An extractor that computes the features of an image and a grid once."""

    def __init__(self, extractor: Extractor, cache: TensorCache, device: torch.device) -> None:
        self._extractor = extractor
        self._cache = cache
        self._device = device

    @property
    def spec(self) -> ExtractorSpec:
        """Return the extractor's own."""
        return self._extractor.spec

    def extract(self, rgb: NDArray[np.uint8], grid: PatchGrid) -> FeatureMap:
        """Return the features of an image on a grid."""
        digest = hashlib.sha256(rgb.tobytes()).hexdigest()
        key = f"{digest}:{self.spec.key}:{grid.rows}x{grid.cols}"
        known = self._cache.get(key)
        if known is None:
            found = self._extractor.extract(rgb, grid)
            self._cache.put(key, {"data": found.data.half().cpu()})
            return found
        return FeatureMap(known["data"].to(self._device).float(), grid, self.spec.key)


def _cells(report: Report, method: str) -> list[str]:
    """Return a row's numbers."""
    scores = report.mean[method]
    ms = scores.ms["map"]
    return [*(cell(m, scores.values[m]) for m in _SHOWN), "-" if ms is None else f"{ms:.0f}"]


def _row(part: Part, report: Report) -> dict[str, Any]:
    """Return a row as JSON values."""
    scores = report.mean[part.method]
    changes = {k: list(v) if isinstance(v, tuple) else v for k, v in part.changes.items()}
    values = {m: scores.values[m] for m in METRICS}
    return {"group": part.group, "method": part.method, "changes": changes, **values}
