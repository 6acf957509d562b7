"""Carry marks through pair maps, and let several references vote."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.carry_masks import Open, fuse_masks, mask_quality
from fmstudio.engine.focus import ObjectMap, SoftMask
from fmstudio.engine.requests import Mark, ProposedMark
from fmstudio.geometry.grid import PatchGrid
from fmstudio.geometry.points import NOT_LABELLED, Keypoints
from fmstudio.spectral.confidence import Doubt, point_doubt
from fmstudio.spectral.convert import soft_argmax

# References that disagree by this share of the object's extent halve each other's word.
_AGREEMENT = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class CarriedMark:
    """One reference's word on one object of the target.

    Attributes
    ----------
    mark : Mark
        What was carried.
    xy : ndarray, (m, 2), confidence : ndarray, (m,), cycle, margin : ndarray, (m,)
        Per keypoint; empty arrays without keypoints.
    extent : float
        Longest side of the carried points or mask on the target, in pixels.
    soft : SoftMask or None
        Share of each target patch in the mask.
    """

    mark: Mark
    xy: NDArray[np.float64]
    confidence: NDArray[np.float64]
    cycle: NDArray[np.float64]
    margin: NDArray[np.float64]
    soft: SoftMask | None

    @property
    def quality(self) -> float:
        """Return the confidence of the whole: mean over labelled points, else over the mask."""
        if self.mark.keypoints is not None and self.mark.keypoints.labelled.any():
            return float(self.confidence[self.mark.keypoints.labelled].mean())
        return mask_quality(None if self.soft is None else self.soft.values)


def carry(found: ObjectMap, mark: Mark) -> CarriedMark:
    """Return a mark carried from source to target by its own map."""
    empty = np.zeros(0)
    xy, confidence, cycle, margin = np.zeros((0, 2)), empty, empty, empty
    if mark.keypoints is not None:
        xy, doubt = carry_points(found, mark.keypoints.xy)
        confidence = doubt.confidence(_extent(mark, found.pair.grid_s))
        cycle, margin = doubt.cycle, doubt.margin
    soft = None if mark.mask is None else found.soft_mask(mark.mask)
    return CarriedMark(mark, xy, confidence, cycle, margin, soft)


def carry_points(found: ObjectMap, xy: NDArray[np.float64]) -> tuple[NDArray[np.float64], Doubt]:
    """Return target pixels (m, 2) of source pixels (m, 2), and what speaks against them."""
    grid_t, rows = found.pair.grid_t, found.rows(xy)
    at = soft_argmax(rows, grid_t)
    carried = at + found.corner_t
    cycle = np.linalg.norm(found.points_back(carried) - xy, axis=1)
    return carried, point_doubt(rows, grid_t, at, cycle, found.displacement.support)


def vote(
    carried: Sequence[Sequence[CarriedMark]], grid_t: PatchGrid, *, open_target: Open | None = None
) -> tuple[ProposedMark, ...]:
    """Return what all references together propose on one target.

    Where every reference has at most one object of a category, their objects are taken to be
    the same one and fused. Otherwise nothing says which is which, and the category comes from
    the reference that is surest.

    Parameters
    ----------
    carried : sequence of sequences
        For each reference, its carried marks.
    grid_t : PatchGrid
        Of the target.
    open_target : callable or None
        Returns the target's pixels (H, W, 3): masks are drawn to its edges. None leaves them as
        soft as patches are.
    """
    by_category: dict[int, list[list[CarriedMark]]] = defaultdict(list)
    for marks in carried:
        own: dict[int, list[CarriedMark]] = defaultdict(list)
        for mark in marks:
            own[mark.mark.category].append(mark)
        for category, group in own.items():
            by_category[category].append(group)
    proposed = []
    for category in sorted(by_category):
        groups = by_category[category]
        if all(len(group) == 1 for group in groups):
            proposed.append(_fuse([group[0] for group in groups], grid_t, open_target))
        else:
            best = max(groups, key=lambda g: float(np.mean([mark.quality for mark in g])))
            proposed.extend(_fuse([mark], grid_t, open_target) for mark in best)
    return tuple(proposed)


def _fuse(
    words: Sequence[CarriedMark], grid_t: PatchGrid, open_target: Open | None
) -> ProposedMark:
    """Return one proposal from the words of several references on the same object."""
    keypoints, reasons = _fuse_points([w for w in words if w.mark.keypoints is not None], grid_t)
    softs = [(w.soft, w.quality) for w in words if w.soft is not None]
    mask, certainty = fuse_masks(softs, grid_t.size, open_target)
    if keypoints is not None and keypoints.labelled.any():
        quality = float(keypoints.score[keypoints.labelled].mean())
    else:
        quality = certainty
    return ProposedMark(
        category=words[0].mark.category,
        sources=tuple(w.mark.id for w in words),
        keypoints=keypoints,
        mask=mask,
        quality=quality,
        reasons=MappingProxyType(reasons),
    )


def _fuse_points(
    words: Sequence[CarriedMark], grid_t: PatchGrid
) -> tuple[Keypoints | None, dict[str, NDArray[np.float64]]]:
    """Return the robust mean of several references' points, and the reasons of its confidence."""
    if not words:
        return None, {}
    points = [w.mark.keypoints for w in words if w.mark.keypoints is not None]
    visibility = np.stack([p.visibility for p in points])  # (r, m)
    weight = np.stack([w.confidence for w in words]) + 1e-6
    weight[visibility == NOT_LABELLED] = 0.0
    votes = np.stack([w.xy for w in words])  # (r, m, 2)
    center = _weighted_median(votes, weight)  # (m, 2)
    gap = np.linalg.norm(votes - center, axis=2)  # (r, m)
    total = np.maximum(weight.sum(axis=0), 1e-12)
    spread = (weight * gap).sum(axis=0) / total
    extent = max(float(np.ptp(center, axis=0).max()), max(grid_t.patch))
    agreement = 0.5 ** (spread / (_AGREEMENT * extent))
    score = agreement * (weight * np.stack([w.confidence for w in words])).sum(axis=0) / total
    limit = np.array([grid_t.size.width, grid_t.size.height], dtype=np.float64)
    reasons = {
        "cycle": (weight * np.stack([w.cycle for w in words])).sum(axis=0) / total,
        "margin": (weight * np.stack([w.margin for w in words])).sum(axis=0) / total,
        "spread": spread,
    }
    fused = Keypoints(np.clip(center, 0.0, limit), visibility.max(axis=0), np.clip(score, 0.0, 1.0))
    return fused, reasons


def _weighted_median(
    votes: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted median (m, 2) of votes (r, m, 2), each coordinate on its own.

    With an even split the two middle votes are averaged, so that two equal references meet
    half-way.
    """
    order = np.argsort(votes, axis=0)
    sorted_votes = np.take_along_axis(votes, order, axis=0)
    share = np.take_along_axis(np.broadcast_to(weight[:, :, None], votes.shape), order, axis=0)
    share = np.cumsum(share, axis=0) / np.maximum(share.sum(axis=0), 1e-12)
    low = (share < 0.5 - 1e-9).sum(axis=0)
    high = (share < 0.5 + 1e-9).sum(axis=0)
    last = len(votes) - 1
    pick = [
        np.take_along_axis(sorted_votes, np.minimum(i, last)[None], axis=0)[0] for i in (low, high)
    ]
    return np.asarray(0.5 * (pick[0] + pick[1]))


def _extent(mark: Mark, grid: PatchGrid) -> float:
    """Return the longest side of a mark in pixels, at least a patch."""
    boxes = []
    if mark.keypoints is not None:
        boxes.append(mark.keypoints.bbox())
    if mark.mask is not None:
        boxes.append(mark.mask.bbox)
    sides = [max(box[2], box[3]) for box in boxes if box is not None]
    return max([*sides, *grid.patch])
