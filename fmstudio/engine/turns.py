"""An object that stands at another angle: the source turned, wherever that fits clearly better.

Convolutional features hardly know a turned part again. The turned looks are the source's, so that
a whole collection shares them; a target costs a few products of sketches, and one more map where
a turn seems to fit.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.object_map import Alternative, ObjectMap
from fmstudio.engine.views import Matching, Sketch, View, look, sketch
from fmstudio.geometry.frames import Frame
from fmstudio.geometry.grid import PatchGrid
from fmstudio.spectral.convert import hub_corrected
from fmstudio.spectral.displacement import fit_displacement

TURNS = (45, -45, 90, -90, 135, -135, 180)
# What fits at least this well stands upright.
_SURE = 0.65
# How much better a turned source has to fit: in the sketch as a factor, to be worth a closer look,
# and there in support. A factor alone would turn what fits badly at any angle.
_LIKELIER, _GAIN = 1.05, 0.07
# Of sketches: whether a turn fits shows without the finest waves.
_SCHEDULE = ((0.25, 0), (0.18, 0), (0.12, 6), (0.08, 12), (0.06, 24))


def better_turned(
    matcher: Matching, s: View, found: ObjectMap, check: Callable[[], object]
) -> ObjectMap:
    """Return the object's map from the source turned, where that fits clearly better.

    Parameters
    ----------
    matcher : Matcher
    s : View
        The source.
    found : ObjectMap
        From the source as it is; returned where no turn fits better.
    check : callable
        Called between the steps; what it raises ends the work.

    Raises
    ------
    ImageError
        If the source has to be opened and cannot be.
    """
    if found.displacement.support >= _SURE:
        return found
    turn = _likeliest(matcher, s, found, check)
    if turn == 0:
        return found
    frame = Frame(found.frame_s.box, turn)
    part = look(matcher, s, frame)
    weights = _weights(found, frame, part.grid)
    check()
    pair = matcher.pair(part, found.part_t, check=check)
    fit = fit_displacement(pair.score, pair.grid_s, pair.grid_t, weights)
    turned = replace(
        found, pair=pair, part_s=part, frame_s=frame, weights=weights, displacement=fit
    )
    margin = fit.support - found.displacement.support
    if margin > _GAIN:
        return replace(turned, alternative=found.alternative or Alternative(found, margin))
    return replace(found, alternative=found.alternative or Alternative(turned, -margin))


def _likeliest(matcher: Matching, s: View, found: ObjectMap, check: Callable[[], object]) -> int:
    """Return the turn whose sketch fits clearly better than the one as it is, or 0."""
    target = Sketch.of(found.part_t)
    support = {}
    for turn in (0, *TURNS):
        check()
        frame = Frame(found.frame_s.box, turn)
        source = sketch(matcher, s, frame)
        weights = _weights(found, frame, source.grid)
        score = hub_corrected(source.descriptors @ target.descriptors.T)
        fit = fit_displacement(score, source.grid, target.grid, weights, schedule=_SCHEDULE)
        support[turn] = fit.support
    best = max(TURNS, key=support.__getitem__)
    return best if support[best] > _LIKELIER * support[0] else 0


def _weights(found: ObjectMap, frame: Frame, grid: PatchGrid) -> NDArray[np.float64]:
    """Return which patches (n,) of a turned picture belong to the object."""
    places = found.frame_s.enter(frame.leave(grid.centers()))
    grid_s = found.pair.grid_s
    weights = found.weights[grid_s.xy_to_index(places)] * grid_s.size.contains(places)
    return weights if weights.any() else np.ones(grid.n)
