"""Where one object lies on a target: found on the whole image, then looked at closely.

The whole images say roughly where the object went, by a smooth displacement that most of its
patches support. Then only the parts of both images that show it are matched, at about twice the
resolution, and points and masks are decoded from there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.match import ImageAnalysis, PairMap
from fmstudio.engine.object_map import Alternative, ObjectMap
from fmstudio.engine.requests import Mark
from fmstudio.engine.turns import better_turned
from fmstudio.engine.views import Matching, View, look, look_mirrored
from fmstudio.geometry.boxes import PartBox
from fmstudio.geometry.frames import Frame
from fmstudio.spectral.displacement import fit_displacement, object_box, object_weights

# How much better the mirrored target has to fit: without a margin, noise would mirror every other
# symmetric object.
_CLEARLY = 1.2
# What fits at least this well is not looked at mirrored: that would cost every image a second look.
_UNSURE = 0.4


def map_object(
    matcher: Matching,
    s: View,
    t: View,
    mark: Mark,
    *,
    pair: PairMap | None = None,
    check: Callable[[], object] | None = None,
    may_turn: bool = True,
) -> ObjectMap:
    """Return the map of one object from a source to a target.

    Parameters
    ----------
    matcher : Matcher
    s, t : View
        Made with its settings.
    mark : Mark
        Of the source.
    pair : PairMap or None
        Between the whole images, where it is known already.
    check : callable or None
        Called between the steps; what it raises ends the work.
    may_turn : bool
        False does without `MatchSettings.turns`: seven looks at a source that is asked once.

    Raises
    ------
    ImageError
        If an image has to be opened and cannot be.
    """
    check = check or _go_on
    found = _best_whole(matcher, s, t, mark, pair, check)
    if not matcher.settings.fine_side:
        return found
    found = _closer(matcher, s, t, mark, found, check)
    turns = may_turn and matcher.settings.turns
    return better_turned(matcher, s, found, check) if turns else found


def map_objects(
    matcher: Matching,
    s: View,
    t: View,
    marks: Sequence[Mark],
    *,
    check: Callable[[], object],
    may_turn: bool = True,
) -> Iterator[tuple[Mark, ObjectMap]]:
    """Yield each mark of a source with its object's map; the whole images are matched once.

    Parameters and errors as for `map_object`.
    """
    pair = matcher.pair(s.analysis, t.analysis, check=check)
    for mark in marks:
        found = map_object(matcher, s, t, mark, pair=pair, check=check, may_turn=may_turn)
        check()
        yield mark, found


def closer_alternative(
    matcher: Matching, s: View, t: View, mark: Mark, rival: Alternative, check: Callable[[], object]
) -> ObjectMap:
    """Return the map that was not taken, between the parts that show the object, seen closer.

    Parameters and errors as for `map_object`; ``rival`` is the alternative of its answer.
    """
    found = rival.found
    if not matcher.settings.fine_side or found.frame_s.box != s.whole:
        return found
    return _closer(matcher, s, t, mark, found, check)


def _closer(
    matcher: Matching,
    s: View,
    t: View,
    mark: Mark,
    found: ObjectMap,
    check: Callable[[], object],
) -> ObjectMap:
    """Return the object's map between the parts that show it, where these are seen closer."""
    box_s, box_t = _boxes(found, mark)
    if not (_is_closer(matcher, s, box_s) or _is_closer(matcher, t, box_t)):
        return found
    frame_s = Frame(box_s)
    check()
    part_s = look(matcher, s, frame_s)
    check()
    part_t = look(matcher, t, Frame(box_t), mirrored=found.is_mirrored)
    check()
    weights = found.weights[found.pair.grid_s.xy_to_index(frame_s.leave(part_s.grid.centers()))]
    fine = matcher.pair(part_s, part_t, check=check)
    return replace(
        found,
        pair=fine,
        part_s=part_s,
        part_t=part_t,
        frame_s=frame_s,
        box_t=box_t,
        weights=weights,
        displacement=fit_displacement(fine.score, fine.grid_s, fine.grid_t, weights),
    )


def _best_whole(
    matcher: Matching,
    s: View,
    t: View,
    mark: Mark,
    pair: PairMap | None,
    check: Callable[[], object],
) -> ObjectMap:
    """Return the object's map between the whole images, of the target as it is or mirrored."""
    settings = matcher.settings
    weights = object_weights(s.analysis.grid, mark.mask, labelled_points(mark))

    def between(target: ImageAnalysis, pair: PairMap, mirrored: bool) -> ObjectMap:
        fit = fit_displacement(pair.score, pair.grid_s, pair.grid_t, weights)
        shown = (Frame(s.whole), t.whole)
        return ObjectMap(
            pair, s.analysis, target, *shown, weights, fit, settings.prior_weight, mirrored
        )

    plain = between(t.analysis, pair or matcher.pair(s.analysis, t.analysis, check=check), False)
    if not settings.mirror or plain.displacement.support >= _UNSURE:
        return plain
    check()
    turned = look_mirrored(matcher, t)
    check()
    other = between(turned, matcher.pair(s.analysis, turned, check=check), True)
    margin = other.displacement.support - plain.displacement.support
    if other.displacement.support > _CLEARLY * plain.displacement.support:
        return replace(other, alternative=Alternative(plain, margin))
    return replace(plain, alternative=Alternative(other, -margin))


def _is_closer(matcher: Matching, view: View, box: PartBox) -> bool:
    """Return whether a part by itself is seen at a higher resolution than within the whole."""
    settings = matcher.settings
    longer = max(box[2] - box[0], box[3] - box[1])
    return settings.fine_side * view.size.long_side > settings.long_side * longer


def _boxes(found: ObjectMap, mark: Mark) -> tuple[PartBox, PartBox]:
    """Return the parts of source and target that show the object."""
    grid_s, grid_t = found.pair.grid_s, found.pair.grid_t
    places = grid_s.centers()[found.weights > 0]
    points = labelled_points(mark)
    box_s = object_box(places, points, grid_s.size)
    box_t = object_box(found.displacement(places), found.points(points), grid_t.size)
    return box_s, box_t


def labelled_points(mark: Mark) -> NDArray[np.float64]:
    """Return the labelled keypoints of a mark, (m, 2)."""
    if mark.keypoints is None:
        return np.zeros((0, 2))
    return mark.keypoints.xy[mark.keypoints.labelled]


def _go_on() -> None:
    """Let the work go on."""
