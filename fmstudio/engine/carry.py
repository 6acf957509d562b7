"""Carry marks through pair maps, and let several references vote."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.engine.carry_masks import Open, fuse_masks, mask_quality
from fmstudio.engine.consensus import PointScores, fuse_scores
from fmstudio.engine.object_map import ObjectMap, SoftMask
from fmstudio.engine.requests import Mark, ProposedMark
from fmstudio.geometry.grid import PatchGrid
from fmstudio.geometry.points import NOT_LABELLED, Keypoints
from fmstudio.spectral.confidence import Doubt, agreement, fused_confidence, point_doubt
from fmstudio.spectral.convert import soft_argmax

# A score of 1 says that a person placed a point: see `Keypoints.placed`.
_SUREST = 1 - 1e-6


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
    scores : PointScores or None
        What the target's places have for each keypoint; None without keypoints.
    """

    mark: Mark
    xy: NDArray[np.float64]
    confidence: NDArray[np.float64]
    cycle: NDArray[np.float64]
    margin: NDArray[np.float64]
    soft: SoftMask | None
    scores: PointScores | None = None

    @property
    def quality(self) -> float:
        """Return the confidence of the whole: mean over labelled points, else over the mask."""
        if self.mark.keypoints is not None and self.mark.keypoints.labelled.any():
            return float(self.confidence[self.mark.keypoints.labelled].mean())
        return mask_quality(None if self.soft is None else self.soft.values)


def carry(found: ObjectMap, mark: Mark) -> CarriedMark:
    """Return a mark carried from source to target by its own map."""
    soft = None if mark.mask is None else found.soft_mask(mark.mask)
    if mark.keypoints is None:
        empty = np.zeros(0)
        return CarriedMark(mark, np.zeros((0, 2)), empty, empty, empty, soft)
    rows = found.rows(mark.keypoints.xy)
    xy, doubt = _decoded(found, mark.keypoints.xy, rows)
    confidence = doubt.confidence(_extent(mark, found.pair.grid_s))
    scores = PointScores(found.box_t, found.pair.grid_t, rows)
    return CarriedMark(mark, xy, confidence, doubt.cycle, doubt.margin, soft, scores)


def carry_points(found: ObjectMap, xy: NDArray[np.float64]) -> tuple[NDArray[np.float64], Doubt]:
    """Return target pixels (m, 2) of source pixels (m, 2), and what speaks against them."""
    return _decoded(found, xy, found.rows(xy))


def _decoded(
    found: ObjectMap, xy: NDArray[np.float64], rows: torch.Tensor
) -> tuple[NDArray[np.float64], Doubt]:
    """Return the target pixels (m, 2) of points with these rows of the score, and their doubt."""
    at = soft_argmax(rows, found.pair.grid_t)
    carried = at + found.corner_t
    cycle = np.linalg.norm(found.points_back(carried) - xy, axis=1)
    return carried, point_doubt(rows, found.pair.grid_t, at, cycle, found.displacement.support)


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
    """Return where several references' points lie together, and the reasons of the confidence."""
    if not words:
        return None, {}
    points = [w.mark.keypoints for w in words if w.mark.keypoints is not None]
    visibility = np.stack([p.visibility for p in points])  # (r, m)
    weight = np.stack([w.confidence for w in words]) + 1e-6
    # A point that no reference labels stays unlabelled, wherever it is put.
    weight[(visibility == NOT_LABELLED) & visibility.any(axis=0)] = 0.0
    center = _together(words, weight)  # (m, 2)
    gap = np.linalg.norm(np.stack([w.xy for w in words]) - center, axis=2)  # (r, m)
    share = weight / weight.sum(axis=0)
    limit = np.array([grid_t.size.width, grid_t.size.height], dtype=np.float64)
    reasons = {
        "cycle": (share * np.stack([w.cycle for w in words])).sum(axis=0),
        "margin": (share * np.stack([w.margin for w in words])).sum(axis=0),
        "spread": (share * gap).sum(axis=0),
    }
    score = words[0].confidence
    if len(words) > 1:
        extent = max(float(np.ptp(center, axis=0).max()), max(grid_t.patch))
        confidence = np.stack([w.confidence for w in words])
        score = fused_confidence(agreement(confidence, weight > 0, gap / extent))
    score = np.clip(score, 0.0, _SUREST)
    return Keypoints(np.clip(center, 0.0, limit), visibility.max(axis=0), score), reasons


def _together(words: Sequence[CarriedMark], weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return where points lie by all words together, (m, 2); one word is taken as it is."""
    scores = [w.scores for w in words if w.scores is not None]
    if len(words) == 1 or len(scores) < len(words):
        return words[0].xy
    # Squared: of references that disagree, the surer one is right more often than its share; and
    # a point of a reference whose object fits as a whole more often than its own score says.
    whole = np.array([w.quality for w in words])[:, None]
    return fuse_scores(scores, (weight * (whole + 1e-6)) ** 2)


def _extent(mark: Mark, grid: PatchGrid) -> float:
    """Return the longest side of a mark in pixels, at least a patch."""
    boxes = []
    if mark.keypoints is not None:
        boxes.append(mark.keypoints.bbox())
    if mark.mask is not None:
        boxes.append(mark.mask.bbox)
    sides = [max(box[2], box[3]) for box in boxes if box is not None]
    return max([*sides, *grid.patch])
