"""What a person has said of some points of an object, said to the rest of it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fmstudio.engine.carry import CarriedMark, carry, vote
from fmstudio.engine.object_map import ObjectMap
from fmstudio.engine.requests import Mark
from fmstudio.geometry.grid import PatchGrid
from fmstudio.geometry.points import Keypoints
from fmstudio.spectral.displacement import fit_displacement
from fmstudio.spectral.landmarks import Landmarks


def held(found: ObjectMap, landmarks: Landmarks) -> ObjectMap:
    """Return an object's map solved anew, so that it goes through landmarks.

    The pair's score stays: the networks and the functional map are not asked again.

    Parameters
    ----------
    found : ObjectMap
    landmarks : Landmarks
        In pixels of the two images. Those of an earlier call are forgotten.
    """
    pair = found.pair
    inner = Landmarks(found.frame_s.enter(landmarks.xy_s), landmarks.xy_t - found.corner_t)
    fit = fit_displacement(pair.score, pair.grid_s, pair.grid_t, found.weights, landmarks=inner)
    return replace(found, displacement=fit, landmarks=inner)


def carry_held(found: ObjectMap, mark: Mark, points: Keypoints) -> CarriedMark:
    """Return a mark carried as in `carry`, knowing the points that a person placed on the target.

    Parameters
    ----------
    found : ObjectMap
    mark : Mark
        With keypoints.
    points : Keypoints
        On the target, as many; those that are `Keypoints.placed` are landmarks where the source
        has them too.

    Raises
    ------
    ValueError
        If the mark has no keypoints, or another number.
    """
    if mark.keypoints is None or len(mark.keypoints) != len(points):
        raise ValueError("landmarks need a mark with the same keypoints")
    known = points.placed & mark.keypoints.labelled
    landmarks = Landmarks(mark.keypoints.xy[known], points.xy[known])
    return carry(held(found, landmarks) if known.any() else found, mark)


def correct(
    found: Sequence[tuple[ObjectMap, Mark]], points: Keypoints, grid_t: PatchGrid
) -> Keypoints:
    """Return where an object's points lie by all its references, knowing what a person placed.

    Points that a person placed, and those that are not labelled, stay as they are. Of the others
    those move that are surer where they would go than where they are: without this, a correction
    does as much harm as good (docs/method.md).

    Parameters
    ----------
    found : sequence of (ObjectMap, Mark)
        Of each reference, at least one: its map to the target, and what was carried.
    points : Keypoints
        On the target, as they are now.
    grid_t : PatchGrid
        Of the whole target.

    Raises
    ------
    ValueError
        As `carry_held`.
    """
    words = [[carry_held(one, replace(mark, mask=None), points)] for one, mark in found]
    (proposed,) = vote(words, grid_t)
    assert proposed.keypoints is not None
    fresh = proposed.keypoints
    can_move = points.labelled & fresh.labelled & ~points.placed
    stays = ~(can_move & (fresh.score >= points.score))
    return Keypoints(
        np.where(stays[:, None], points.xy, fresh.xy),
        points.visibility,
        np.where(stays, points.score, fresh.score),
    )
