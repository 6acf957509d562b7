"""What a person has placed of an object, said to the rest of it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.engine.carry import CarriedMark, point_weights
from fmstudio.engine.consensus import SharedRaster
from fmstudio.geometry.points import Keypoints
from fmstudio.geometry.votes import Pose
from fmstudio.spectral.shape import expected_points

# Of the object's longest side: how near a map has to come to a placed point to have said so, and
# what a point has to move by to be moved at all.
_SAID, _MOVES = 0.05, 0.1
# Nobody is certain: the probability that a map is right although it says nothing of the kind.
_DOUBT = 0.05
# What the map that was not taken is believed before anything is placed; the other counts 1.
_RIVAL = 0.2
# What a placed point counts as the object's shape is fitted; one of the engine's at most 1.
_PLACED = 20.0


def settle(words: Sequence[CarriedMark], points: Keypoints, proposed: Keypoints) -> Keypoints:
    """Return where an object's points lie by all its references, knowing what a person placed.

    Nothing is matched again. Of each reference's two maps, where two compete, that one is believed
    which said where the placed points are; and where a point is to be expected by the object's
    shape on the references and by the placed points near it counts beside what the patches say.
    Only what then lies elsewhere than without a placed point moves; what they say nothing of is
    where it was proposed. Placed points stay to the pixel, scores and visibilities as they are.

    Parameters
    ----------
    words : sequence of CarriedMark
        Of each reference, with as many keypoints; those that are left out say nothing.
    points : Keypoints
        On the target, as they are now.
    proposed : Keypoints
        As they were before a person placed the first.

    Raises
    ------
    ValueError
        If a word has no keypoints, or another number, or another number was proposed.
    """
    counts = {0 if w.mark.keypoints is None else len(w.mark.keypoints) for w in words}
    if not counts | {len(proposed)} <= {len(points)}:
        raise ValueError("what is settled needs references with the same keypoints")
    words = [word for word in words if word.say > 0]
    placed = points.placed
    if not words or not placed.any() or placed.sum() == points.labelled.sum():
        return points
    extent = max(float(np.ptp(points.xy[points.labelled], axis=0).max()), 1.0)
    voices = _Voices(words)
    before = voices.raster.decode(voices.pool(points, np.zeros(len(points), dtype=bool), extent))
    after = _shaped(voices, points, extent)
    has_moved = np.linalg.norm(after - before, axis=1) > _MOVES * extent
    can_move = points.labelled & proposed.labelled & ~placed & voices.labelled
    settled = np.where(has_moved[:, None], after, proposed.xy)
    xy = np.where(can_move[:, None], settled, points.xy)
    return Keypoints(xy, points.visibility, points.score)


def other_way(word: CarriedMark) -> CarriedMark:
    """Return a reference's word by the map that was not taken, with the other as its rival."""
    if word.rival is None:
        return word
    rival = word.rival
    turned = replace(
        rival,
        word=replace(word, rival=None),
        support=rival.taken_support,
        taken_support=rival.support,
        pose=rival.taken_pose,
        taken_pose=rival.pose,
    )
    return replace(rival.word, mark=word.mark, say=word.say, rival=turned)


def as_taken(words: Sequence[CarriedMark], pose: Pose | None) -> list[CarriedMark]:
    """Return words by the maps that were taken for a proposal.

    Parameters
    ----------
    words : sequence of CarriedMark
    pose : Pose or None
        By which the proposal was made, where two maps competed for it.
    """
    surest = max(words, key=lambda word: word.quality)
    if pose is None or surest.rival is None or surest.rival.taken_pose is pose:
        return list(words)
    return [other_way(word) for word in words]


class _Voices:
    """What references say of the places of the target, by both of their maps.

    Parameters
    ----------
    words : sequence of CarriedMark
    """

    def __init__(self, words: Sequence[CarriedMark]) -> None:
        both = [(w, None if w.rival is None else w.rival.word) for w in words]
        scores = [w.scores for pair in both for w in pair if w is not None and w.scores is not None]
        self.raster = SharedRaster.of(scores)
        self.places = self.raster.places()
        self.weights = point_weights(words)  # (r, m)
        marks = [w.mark.keypoints for w in words if w.mark.keypoints is not None]
        self.shapes = [(mark.xy, mark.labelled) for mark in marks]
        self.labelled = np.any([mark.labelled for mark in marks], axis=0)
        self._maps = [
            [self.raster.probabilities(w.scores) for w in pair if w is not None and w.scores]
            for pair in both
        ]

    def pool(self, points: Keypoints, placed: NDArray[np.bool_], extent: float) -> torch.Tensor:
        """Return the probabilities of points (m, n), by maps that said where placed points are."""
        near = [
            (index, torch.from_numpy(_near(self.places, points.xy[index], _SAID * extent)))
            for index in np.flatnonzero(placed).tolist()
        ]
        pool = torch.zeros_like(self._maps[0][0])
        for maps, weights in zip(self._maps, self.weights, strict=True):
            belief = np.array([1.0, _RIVAL][: len(maps)])
            for index, there in near:
                belief *= [_DOUBT + float(p[index] @ there.to(p)) for p in maps]
                belief /= belief.sum()
            for p, share in zip(maps, belief / belief.sum(), strict=True):
                pool += p * torch.from_numpy(weights * share).to(p)[:, None]
        return pool / pool.sum(dim=1, keepdim=True).clamp_min(1e-30)


def _shaped(voices: _Voices, points: Keypoints, extent: float) -> NDArray[np.float64]:
    """Return where points lie (m, 2) by what is said of them and by where shape expects them."""
    pool = voices.pool(points, points.placed, extent)
    peak = pool.amax(dim=1).double().cpu().numpy()
    xy = np.where(points.placed[:, None], points.xy, voices.raster.decode(pool))
    trust = np.where(points.placed, _PLACED, peak / max(peak.max(), 1e-12)) * points.labelled
    expected = expected_points(voices.shapes, xy, trust, points.placed, extent)
    density = expected.log_density(voices.places)
    factor = np.exp(density - density.max(axis=1, keepdims=True))
    return voices.raster.decode(pool * torch.from_numpy(factor).to(pool))


def _near(
    places: NDArray[np.float64], xy: NDArray[np.float64], sigma: float
) -> NDArray[np.float64]:
    """Return ``exp(-d^2 / 2 sigma^2)`` of places (n, 2) by their distance from one."""
    return np.asarray(np.exp(-((places - xy) ** 2).sum(axis=1) / (2 * sigma**2)))
