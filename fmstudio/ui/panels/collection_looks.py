"""What the images of a collection look like by each measure, with the legend that says so."""

import math
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor

from fmstudio.drawing.colors import cividis, keypoint_colors
from fmstudio.project.model import ImageState, Project
from fmstudio.session_collection import Overview, map_quality
from fmstudio.ui import theme
from fmstudio.ui.panels.image_model import state_words


class Coloring(StrEnum):
    """What images are coloured by."""

    QUALITY = "quality"
    CLUSTER = "cluster"
    COVERAGE = "coverage"
    STATUS = "status"


# More clusters than there are well separated colours share the last one.
_COLORED = 8


@dataclass(frozen=True, slots=True)
class Legend:
    """What colours mean: a ramp between two words, or one colour a word.

    Attributes
    ----------
    low, high : str
        Of a ramp; empty where there is none.
    words : tuple of (QColor, str)
    """

    low: str = ""
    high: str = ""
    words: tuple[tuple[QColor, str], ...] = ()


def ramp(value: float) -> QColor:
    """Return the cividis colour of a value in [0, 1]; a grey where there is none."""
    return theme.tokens().muted if math.isnan(value) else QColor(*cividis(value).tolist())


def colors_of(overview: Overview, project: Project, coloring: Coloring) -> list[QColor]:
    """Return the colour of each image of an overview."""
    if coloring is Coloring.QUALITY:
        return [ramp(map_quality(error)) for error in overview.errors.tolist()]
    if coloring is Coloring.COVERAGE:
        return [ramp(value) for value in overview.coverage.tolist()]
    if coloring is Coloring.CLUSTER:
        return [_cluster_color(cluster) for cluster in overview.clusters.tolist()]
    return [
        _state_color(project.image_state(id_)) if id_ in project.images else theme.tokens().muted
        for id_ in overview.ids
    ]


def legend_of(overview: Overview, coloring: Coloring) -> Legend:
    """Return what the colours mean."""
    if coloring is Coloring.QUALITY:
        return Legend(_tr("maps disagree"), _tr("agree"))
    if coloring is Coloring.COVERAGE:
        return Legend(_tr("not covered"), _tr("like a reference"))
    if coloring is Coloring.STATUS:
        return Legend(words=tuple((_state_color(s), state_words(s)) for s in ImageState))
    count = int(overview.clusters.max()) + 1
    words = [(_cluster_color(at), f"{at + 1}") for at in range(min(count, _COLORED))]
    if count > _COLORED:
        words[-1] = (words[-1][0], _tr("{0} and more").format(_COLORED))
    return Legend(words=tuple(words))


def _cluster_color(cluster: int) -> QColor:
    """Return the colour of a cluster."""
    return QColor(*keypoint_colors(_COLORED)[min(cluster, _COLORED - 1)])


def _state_color(state: ImageState) -> QColor:
    """Return the colour of a state of an image."""
    colors = theme.tokens()
    return {
        ImageState.NONE: colors.muted,
        ImageState.PROPOSED: colors.warn,
        ImageState.PARTLY_REVIEWED: colors.accent,
        ImageState.ACCEPTED: colors.ok,
        ImageState.REJECTED: colors.error,
    }[state]


def _tr(text: str) -> str:
    """Return a text in the person's language."""
    return QCoreApplication.translate("CollectionLooks", text)
