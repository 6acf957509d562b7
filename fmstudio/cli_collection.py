"""The command collection: all images of a project at a glance."""

import math
from pathlib import Path

from fmstudio.cli_output import (
    note,
    progress,
    say,
    say_json,
    say_table,
    stop_on_interrupt,
    warn,
)
from fmstudio.cli_settings import checked_settings
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import MatchSettings, Progress
from fmstudio.project.wording import counted
from fmstudio.session import Session
from fmstudio.session_collection import (
    Overview,
    collection_request,
    map_collection,
    outlier_reason,
)
from fmstudio.session_live import Live

# Of the least consistent pairs.
_WORST = 5


def collection(path: Path, settings: MatchSettings, device: str, *, as_json: bool) -> None:
    """Say which images do not belong, which are alike, and what references cover.

    Raises
    ------
    Cancelled
        If the person stopped it.
    MatchError
        If fewer than three images can be read.
    ProjectError
        If there are fewer than three images.
    """
    token = CancelToken()
    with Session.open(path) as session:
        request = collection_request(session.project)
        live = Live(session.load, session.cache_dir, settings, device)
        with (
            stop_on_interrupt(token),
            checked_settings(),
            progress("Mapping the collection", "images", len(request.images)) as report,
        ):
            for item in map_collection(live, request, token):
                if isinstance(item, Progress):
                    report(item.done, item.total)
                else:
                    found = item
        names = [session.project.images[id_].path for id_ in found.ids]
    if as_json:
        say_json(_values(found, names))
    else:
        _say(found, names)
    warn(f"{failure.target.name}: {failure.message}" for failure in found.failures)


def _values(found: Overview, names: list[str]) -> dict[str, object]:
    """Return an overview as JSON values."""
    return {
        "images": [
            {
                "image": name,
                "cluster": int(found.clusters[at]) + 1,
                "reference_coverage": round(float(found.coverage[at]), 4),
                "inconsistency": _rounded(found.errors[at]),
                "three_cycle_loss": _rounded(found.triangles[at]),
                "xy": [round(float(v), 4) for v in found.xy[at]],
            }
            for at, name in enumerate(names)
        ],
        "outliers": [
            {"image": names[outlier.index], "reason": outlier_reason(outlier)}
            for outlier in found.outliers
        ],
        "edges": [
            {
                "images": [names[i], names[j]],
                "inconsistency": _rounded(found.edge_errors[at]),
                "two_cycle_loss": _rounded(found.pair_losses[at]),
            }
            for at, (i, j) in enumerate(found.edges.tolist())
        ],
        "unread": [failure.target.name for failure in found.failures],
    }


def _say(found: Overview, names: list[str]) -> None:
    """Write an overview as tables."""
    order = sorted(range(len(names)), key=lambda at: (found.clusters[at], names[at]))
    say_table(
        f"{counted(len(names), 'image')} in {counted(int(found.clusters.max()) + 1, 'cluster')}",
        ("image", "cluster", "reference coverage", "inconsistency", "3-cycle loss"),
        [
            (
                names[at],
                str(found.clusters[at] + 1),
                f"{found.coverage[at]:.2f}",
                _figure(found.errors[at], 3),
                _figure(found.triangles[at]),
            )
            for at in order
        ],
    )
    worst = found.worst_edges[:_WORST].tolist()
    say_table(
        "Least consistent pairs",
        ("image", "image", "inconsistency", "2-cycle loss"),
        [
            (
                *(names[i] for i in found.edges[at].tolist()),
                _figure(found.edge_errors[at], 3),
                _figure(found.pair_losses[at]),
            )
            for at in worst
        ],
        text_columns=2,
    )
    for outlier in found.outliers:
        say(f"{names[outlier.index]}: {outlier_reason(outlier)}")
    if not found.outliers:
        note("No image stands out.")


def _figure(value: float, digits: int = 2) -> str:
    """Return a figure in a table; a dash where there is none."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _rounded(value: float) -> float | None:
    """Return a figure as a JSON value."""
    return None if math.isnan(value) else round(float(value), 4)
