"""Carry marks through pair maps, and let several references vote."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.carry_masks import Open, fuse_masks, mask_quality, mask_spread
from fmstudio.engine.consensus import PointScores, fuse_scores
from fmstudio.engine.object_map import ObjectMap, SoftMask
from fmstudio.engine.reasons import ObjectReasons, decoded
from fmstudio.engine.requests import Mark, ProposedMark
from fmstudio.geometry.grid import PatchGrid
from fmstudio.geometry.points import NOT_LABELLED, Keypoints
from fmstudio.geometry.votes import MOST_VOTES, AlternativeMark, Pose, Vote, competing
from fmstudio.spectral.confidence import agreement, fused_confidence

# A score of 1 says that a person placed a point: see `Keypoints.placed`.
_SUREST = 1 - 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class CarriedMark:
    """One reference's word on one object of the target.

    Attributes
    ----------
    mark : Mark
        What was carried.
    xy : ndarray, (m, 2), confidence : ndarray, (m,)
        Per keypoint; empty arrays without keypoints.
    reasons : Mapping of str to ndarray, (m,)
        See `fmstudio.spectral.reasons`; empty without keypoints.
    soft : SoftMask or None
        Share of each target patch in the mask.
    scores : PointScores or None
        What the target's places have for each keypoint; None without keypoints.
    mask_reasons : Mapping of str to float
        The reasons of the mask as a whole; empty without one.
    extent : float
        Longest side of the mark on the source, in pixels.
    say : float
        What a person lets it count: 1 as it is, 0 left out.
    rival : Rival or None
        The same mark by a map that competes with the one taken.
    is_relayed : bool
        Whether the mark is itself a guess, on an image that passes it on; see `engine.relays`.
    """

    mark: Mark
    xy: NDArray[np.float64]
    confidence: NDArray[np.float64]
    reasons: Mapping[str, NDArray[np.float64]]
    soft: SoftMask | None
    scores: PointScores | None = None
    mask_reasons: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    extent: float = 0.0
    say: float = 1.0
    rival: "Rival | None" = None
    is_relayed: bool = False

    @property
    def quality(self) -> float:
        """Return the confidence of the whole: mean over labelled points, else over the mask."""
        if self.mark.keypoints is not None and self.mark.keypoints.labelled.any():
            return float(self.confidence[self.mark.keypoints.labelled].mean())
        return mask_quality(None if self.soft is None else self.soft.values)


@dataclass(frozen=True, slots=True, eq=False)
class Rival:
    """One reference's word by the map that was not taken.

    Attributes
    ----------
    word : CarriedMark
    support, taken_support : float
        Of this map and of the one that was taken.
    pose, taken_pose : Pose
    """

    word: CarriedMark
    support: float
    taken_support: float
    pose: Pose
    taken_pose: Pose


def carry(found: ObjectMap, mark: Mark) -> CarriedMark:
    """Return a mark carried from source to target by its own map."""
    soft = None if mark.mask is None else found.soft_mask(mark.mask)
    usual = ObjectReasons.of(found)
    of_mask = usual.of_mask(mark.mask) if mark.mask is not None else {}
    extent = extent_of(mark, found.pair.grid_s)
    if mark.keypoints is None:
        xy, confidence = np.zeros((0, 2)), np.zeros(0)
        return CarriedMark(mark, xy, confidence, {}, soft, None, of_mask, extent)
    rows = found.rows(mark.keypoints.xy)
    xy, doubt = decoded(found, mark.keypoints.xy, rows)
    reasons = usual.of_points(mark.keypoints.xy, doubt)
    scores = PointScores(found.box_t, found.pair.grid_t, rows)
    return CarriedMark(mark, xy, doubt.confidence(extent), reasons, soft, scores, of_mask, extent)


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
        For each reference, its carried marks; then for each image that passes marks on, its own:
        they count only where a reference has the category, and where its objects are fused.
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
        own_groups = [group for group in groups if not group[0].is_relayed]
        if not own_groups:
            continue
        if all(len(group) == 1 for group in groups):
            proposed.append(_fuse([group[0] for group in groups], grid_t, open_target))
        else:
            best = max(own_groups, key=lambda g: float(np.mean([mark.quality for mark in g])))
            proposed.extend(_fuse([mark], grid_t, open_target) for mark in best)
    return tuple(proposed)


def _fuse(
    words: Sequence[CarriedMark], grid_t: PatchGrid, open_target: Open | None
) -> ProposedMark:
    """Return one proposal from the words of several references on the same object."""
    of_references = [w for w in words if not w.is_relayed]
    words = [w for w in words if w.say > 0]
    own = [w for w in words if not w.is_relayed]
    keypoints, reasons = _fuse_points([w for w in words if w.mark.keypoints is not None], grid_t)
    masked = [(w, w.soft) for w in words if w.soft is not None]
    softs = [(soft, word.quality) for word, soft in masked]
    mask, certainty = fuse_masks(softs, grid_t.size, open_target)
    if keypoints is not None and keypoints.labelled.any():
        quality = float(keypoints.score[keypoints.labelled].mean())
    else:
        quality = certainty
    return ProposedMark(
        category=own[0].mark.category,
        sources=tuple(w.mark.id for w in own),
        keypoints=keypoints,
        mask=mask,
        quality=quality,
        reasons=MappingProxyType(reasons),
        mask_reasons=MappingProxyType(_fuse_mask_reasons([w for w, _ in masked], softs)),
        extent=float(np.mean([w.extent for w in own])),
        votes=_votes(of_references) if keypoints is not None else (),
        alternative=_fuse_rivals(own, grid_t, open_target),
    )


def _fuse_mask_reasons(
    words: Sequence[CarriedMark], softs: Sequence[tuple[SoftMask, float]]
) -> dict[str, float]:
    """Return the reasons of a mask by several references' word, weighted by their quality."""
    if not words:
        return {}
    weights = np.array([w.quality for w in words]) + 1e-6
    names = set.intersection(*(set(w.mask_reasons) for w in words))
    reasons = {
        name: float(np.average([w.mask_reasons[name] for w in words], weights=weights))
        for name in sorted(names)
    }
    if len(softs) > 1:
        reasons["spread"] = mask_spread(softs)
    return reasons


def _fuse_rivals(
    words: Sequence[CarriedMark], grid_t: PatchGrid, open_target: Open | None
) -> AlternativeMark | None:
    """Return what the maps that were not taken say together, where there is one for every word.

    Of references that face different ways, some maps are mirrored and some are not: what is put
    together are the maps that were not taken, whichever way each is.
    """
    rivals = [w.rival for w in words if w.rival is not None]
    if not rivals or len(rivals) < len(words):
        return None
    support = float(np.mean([r.support for r in rivals]))
    taken = float(np.mean([r.taken_support for r in rivals]))
    if not competing(taken, support):
        return None
    fused = _fuse(
        [replace(r.word, say=w.say) for r, w in zip(rivals, words, strict=True)],
        grid_t,
        open_target,
    )
    if fused.keypoints is None and fused.mask is None:
        return None
    surest = max(range(len(words)), key=lambda i: words[i].quality)
    first = rivals[surest]
    content = fused.keypoints, fused.mask, fused.quality
    return AlternativeMark(*content, support, taken, first.pose, first.taken_pose, fused.votes)


def _votes(words: Sequence[CarriedMark]) -> tuple[Vote, ...]:
    """Return each reference's own word on the keypoints, the heaviest first."""
    said = [w for w in words if w.mark.keypoints is not None]
    weights = point_weights(said)
    total = weights.sum(axis=0)
    shares = weights / np.where(total > 0, total, 1.0)
    votes = [
        Vote(w.mark.id, w.xy, np.clip(w.confidence, 0, 1), share, w.say)
        for w, share in zip(said, shares, strict=True)
    ]
    return tuple(sorted(votes, key=lambda v: -float(v.weight.mean()))[:MOST_VOTES])


def point_weights(words: Sequence[CarriedMark]) -> NDArray[np.float64]:
    """Return what each word weighs on each point, (r, m)."""
    # Squared: of references that disagree, the surer one is right more often than its share; and
    # a point of a reference whose object fits as a whole more often than its own score says.
    whole = np.array([w.quality for w in words])[:, None] + 1e-6
    say = np.array([w.say for w in words])[:, None]
    return np.asarray(say * (_trust(words) * whole) ** 2)


def _trust(words: Sequence[CarriedMark]) -> NDArray[np.float64]:
    """Return how far each word is trusted on each point by itself, (r, m)."""
    visibility = _visibility(words)
    trust = np.stack([w.confidence for w in words]) + 1e-6
    # A point that no reference labels stays unlabelled, wherever it is put.
    trust[(visibility == NOT_LABELLED) & visibility.any(axis=0)] = 0.0
    return np.asarray(trust)


def _visibility(words: Sequence[CarriedMark]) -> NDArray[np.int8]:
    """Return the visibility of each word's points, (r, m)."""
    return np.stack([w.mark.keypoints.visibility for w in words if w.mark.keypoints is not None])


def _fuse_points(
    words: Sequence[CarriedMark], grid_t: PatchGrid
) -> tuple[Keypoints | None, dict[str, NDArray[np.float64]]]:
    """Return where several references' points lie together, and the reasons of the confidence."""
    if not words:
        return None, {}
    weight = np.array([w.say for w in words])[:, None] * _trust(words)  # (r, m)
    center = _together(words)  # (m, 2)
    gap = np.linalg.norm(np.stack([w.xy for w in words]) - center, axis=2)  # (r, m)
    share = weight / weight.sum(axis=0)
    limit = np.array([grid_t.size.width, grid_t.size.height], dtype=np.float64)
    reasons = {
        name: (share * np.stack([w.reasons[name] for w in words])).sum(axis=0)
        for name in words[0].reasons
    }
    if len(words) > 1:
        reasons["spread"] = (share * gap).sum(axis=0)
    score = words[0].confidence
    if len(words) > 1:
        extent = max(float(np.ptp(center, axis=0).max()), max(grid_t.patch))
        confidence = np.stack([w.confidence for w in words])
        # Who passes on a guess was not asked by itself: it is no further witness.
        counted = (weight > 0) & ~np.array([w.is_relayed for w in words])[:, None]
        score = fused_confidence(agreement(confidence, weight > 0, gap / extent, counted))
    score = np.clip(score, 0.0, _SUREST)
    return Keypoints(np.clip(center, 0.0, limit), _visibility(words).max(axis=0), score), reasons


def _together(words: Sequence[CarriedMark]) -> NDArray[np.float64]:
    """Return where points lie by all words together, (m, 2); one word is taken as it is."""
    scores = [w.scores for w in words if w.scores is not None]
    if len(words) == 1 or len(scores) < len(words):
        return words[0].xy
    return fuse_scores(scores, point_weights(words))


def extent_of(mark: Mark, grid: PatchGrid) -> float:
    """Return the longest side of a mark in pixels, at least a patch."""
    boxes = []
    if mark.keypoints is not None:
        boxes.append(mark.keypoints.bbox())
    if mark.mask is not None:
        boxes.append(mark.mask.bbox)
    sides = [max(box[2], box[3]) for box in boxes if box is not None]
    return max([*sides, *grid.patch])
