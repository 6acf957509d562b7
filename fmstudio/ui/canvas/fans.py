"""The references' votes as fans: from each fused point a line to where each reference puts it."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen, QTransform

from fmstudio.drawing.colors import Rgb, keypoint_colors
from fmstudio.geometry.votes import Vote
from fmstudio.ui.canvas.looks import Look, screen_xy

# A vote that was left out, or hardly weighs, is still to be seen.
_FAINTEST, _THINNEST, _WIDEST = 0.3, 1.0, 3.2
_CASING = QColor(14, 15, 17)


def draw_fans(
    painter: QPainter,
    looks: Sequence[Look],
    to_screen: QTransform,
    area: QRectF,
    *,
    is_all: bool,
) -> None:
    """Draw the votes on keypoints of what is selected.

    Parameters
    ----------
    painter : QPainter
        In screen pixels.
    looks : sequence of Look
    to_screen : QTransform
        From image pixels to screen pixels.
    area : QRectF
        The screen.
    is_all : bool
        On all keypoints of all annotations; else on those that are selected or pointed at.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for look in looks:
        if look.is_ghost or len(look.annotation.votes) < 2:
            continue
        for index in _fanned(look, is_all=is_all):
            _draw_fan(painter, look, index, to_screen, area)
    painter.setOpacity(1.0)


def _fanned(look: Look, *, is_all: bool) -> list[int]:
    """Return the keypoints of an annotation whose votes are drawn."""
    points = look.annotation.keypoints
    if points is None or len(look.annotation.votes[0]) != len(points):
        return []
    labelled = np.flatnonzero(points.labelled).tolist()
    pointed_at = (look.keypoint, look.hovered)
    return [i for i in labelled if is_all or i in pointed_at]


def _draw_fan(
    painter: QPainter, look: Look, index: int, to_screen: QTransform, area: QRectF
) -> None:
    """Draw the votes on one keypoint, the lightest first."""
    annotation = look.annotation
    points = annotation.keypoints
    assert points is not None
    hub = QPointF(*screen_xy(points, to_screen)[index].tolist())
    reach = area.adjusted(-area.width(), -area.height(), area.width(), area.height())
    for vote in sorted(annotation.votes, key=lambda v: float(v.weight[index])):
        place = to_screen.map(QPointF(*vote.xy[index].tolist()))
        if reach.contains(place) and reach.contains(hub):
            _draw_vote(painter, look, vote, index, (hub, place))


def _draw_vote(
    painter: QPainter, look: Look, vote: Vote, index: int, ends: tuple[QPointF, QPointF]
) -> None:
    """Draw one reference's word: a line whose width and strength say its weight, and its end."""
    hub, place = ends
    weight = float(vote.weight[index])
    width = _THINNEST + (_WIDEST - _THINNEST) * weight
    painter.setOpacity(look.opacity * (_FAINTEST + (1 - _FAINTEST) * weight**0.5))
    casing, pen = QPen(_CASING, width + 1.8), QPen(_color(look, index), width)
    if vote.say == 0:
        pen.setDashPattern([3.0, 3.0])
    for line in (casing, pen):
        painter.setPen(line)
        painter.drawLine(hub, place)
    painter.setPen(QPen(_CASING, 1.2))
    painter.setBrush(QColor(*_rgb(look, index)))
    # A diamond: a reference's own word is not a keypoint.
    r = 2.6 + 1.6 * weight
    corners = ((0.0, -r), (r, 0.0), (0.0, r), (-r, 0.0))
    painter.drawPolygon([place + QPointF(dx, dy) for dx, dy in corners])


def _rgb(look: Look, index: int) -> Rgb:
    """Return a keypoint's colour."""
    return keypoint_colors(len(look.category.keypoints), look.category.colors)[index]


def _color(look: Look, index: int) -> QColor:
    """Return a keypoint's colour, lightened so that its fan stands out on photos."""
    return QColor(*_rgb(look, index)).lighter(130)
