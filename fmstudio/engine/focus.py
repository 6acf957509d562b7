"""Where one object lies on a target: found on the whole image, then looked at closely.

The whole images say roughly where the object went, by a smooth displacement that most of its
patches support. Then only the parts of both images that show it are matched, at about twice the
resolution, and points and masks are decoded from there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from fmstudio.engine.match import ImageAnalysis, PairMap
from fmstudio.engine.requests import Mark, MatchSettings
from fmstudio.geometry.boxes import PartBox
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.spectral.convert import row_at, soft_argmax
from fmstudio.spectral.displacement import (
    SmoothDisplacement,
    fit_displacement,
    object_box,
    object_weights,
    prior_rows,
)
from fmstudio.spectral.segment import carried_mask
from fmstudio.spectral.transfer import patch_cover

# How much better the mirrored target has to fit: without a margin, noise would mirror every other
# symmetric object.
_CLEARLY = 1.2
# What fits at least this well is not looked at mirrored: that would cost every image a second look.
_UNSURE = 0.4
# Patches of the target this near to a displaced one of the object are taken to be the object's.
_NEAR = 0.06


class Matching(Protocol):
    """What is asked of `engine.match.Matcher`; see there."""

    settings: MatchSettings

    def analyse(
        self,
        rgb: NDArray[np.uint8],
        key: str,
        *,
        side: int | None = None,
        mirrored: bool = False,
    ) -> ImageAnalysis:
        """Return features and basis of an image (H, W, 3)."""
        ...

    def recall(
        self, size: ImageSize, key: str, *, side: int | None = None, mirrored: bool = False
    ) -> ImageAnalysis | None:
        """Return what is cached of an image."""
        ...

    def pair(
        self,
        s: ImageAnalysis,
        t: ImageAnalysis,
        *,
        losses: bool = False,
        check: Callable[[], object] | None = None,
    ) -> PairMap:
        """Return the map of a pair."""
        ...


@dataclass(slots=True, eq=False)
class View:
    """An image as matching looks at it.

    Attributes
    ----------
    analysis : ImageAnalysis
        Of the whole image.
    key : str
        Hash of the image's bytes.
    open : callable
        Returns its pixels (H, W, 3) uint8; called only when something is not cached.
    parts : dict
        Parts that were looked at, by box and whether mirrored.
    """

    analysis: ImageAnalysis
    key: str
    open: Callable[[], NDArray[np.uint8]]
    parts: dict[tuple[PartBox, bool], ImageAnalysis] = field(default_factory=dict)

    @property
    def size(self) -> ImageSize:
        """Return the image's size."""
        return self.analysis.grid.size

    @property
    def whole(self) -> PartBox:
        """Return the box of the whole image."""
        return 0, 0, self.size.width, self.size.height


@dataclass(frozen=True, slots=True, eq=False)
class SoftMask:
    """Shares in [0, 1] over the patches of a part of an image; 0 outside of it.

    Attributes
    ----------
    box : PartBox
    values : ndarray, (rows, cols) float32
    """

    box: PartBox
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ObjectMap:
    """A pair matched for one object.

    Attributes
    ----------
    pair : PairMap
        Between the two parts; its pixels count from their corners.
    part_s, part_t : ImageAnalysis
    box_s, box_t : PartBox
    weights : ndarray, (n_s,)
        Which patches of the source's part belong to the object.
    displacement : SmoothDisplacement
        Between the parts.
    prior_weight : float
        See `MatchSettings`.
    is_mirrored : bool
        Whether the mirrored target fits clearly better.
    alternative : Alternative or None
        The runner-up, where two maps were tried.
    """

    pair: PairMap
    part_s: ImageAnalysis
    part_t: ImageAnalysis
    box_s: PartBox
    box_t: PartBox
    weights: NDArray[np.float64]
    displacement: SmoothDisplacement
    prior_weight: float
    is_mirrored: bool = False
    alternative: "Alternative | None" = None

    @property
    def corner_s(self) -> NDArray[np.float64]:
        """Return the source part's corner, (2,)."""
        return np.array(self.box_s[:2], dtype=np.float64)

    @property
    def corner_t(self) -> NDArray[np.float64]:
        """Return the target part's corner, (2,)."""
        return np.array(self.box_t[:2], dtype=np.float64)

    def rows(self, xy: NDArray[np.floating]) -> torch.Tensor:
        """Return the score of source points (m, 2) with all patches of the target's part."""
        grid_s, grid_t = self.pair.grid_s, self.pair.grid_t
        at = np.asarray(xy, dtype=np.float64) - self.corner_s
        rows = row_at(self.pair.score, grid_s, at)
        side = grid_t.size.long_side
        prior = prior_rows(self.displacement(at), grid_t.centers(), side, self.prior_weight)
        return rows + prior.to(rows)

    def rows_back(self, xy: NDArray[np.floating]) -> torch.Tensor:
        """Return the score of target points (m, 2) with all patches of the source's part."""
        grid_s, grid_t = self.pair.grid_s, self.pair.grid_t
        at = np.asarray(xy, dtype=np.float64) - self.corner_t
        rows = row_at(self.pair.score.T, grid_t, at)
        displaced = self.displacement(grid_s.centers())
        prior = prior_rows(at, displaced, grid_t.size.long_side, self.prior_weight)
        return rows + prior.to(rows)

    def points(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return target pixels (m, 2) of source pixels (m, 2)."""
        return soft_argmax(self.rows(xy), self.pair.grid_t) + self.corner_t

    def field(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the source pixels (m, 2) of target pixels (m, 2) by a smooth displacement.

        What every place of the object does, rather than where each by itself is most alike: fitted
        backwards to the target's patches that the object went to.
        """
        grid_s, grid_t = self.pair.grid_s, self.pair.grid_t
        displaced = self.displacement(grid_s.centers()[self.weights > 0])
        near = cKDTree(displaced).query(grid_t.centers())[0]
        is_near = np.asarray(near) <= _NEAR * grid_t.size.long_side
        weights = is_near * 1.0 if is_near.any() else np.ones(grid_t.n)
        back = fit_displacement(self.pair.score.T, grid_t, grid_s, weights)
        return back(np.asarray(xy, dtype=np.float64) - self.corner_t) + self.corner_s

    def soft_mask(self, mask: Mask) -> SoftMask:
        """Return a source mask on the target's part, softly."""
        grid_s = self.pair.grid_s
        x0, y0, x1, y1 = self.box_s
        part = Mask.from_array(mask.to_array()[y0:y1, x0:x1])
        displaced = self.displacement(grid_s.centers()[self.weights > 0])
        soft = carried_mask(
            self.pair.score,
            patch_cover(part, grid_s),
            displaced,
            self.pair.grid_t,
            self.part_t.descriptors,
        )
        return SoftMask(self.box_t, soft)

    def points_back(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return source pixels (m, 2) of target pixels (m, 2)."""
        return soft_argmax(self.rows_back(xy), self.pair.grid_s) + self.corner_s


@dataclass(frozen=True, slots=True, eq=False)
class Alternative:
    """The map that was not taken.

    Attributes
    ----------
    found : ObjectMap
        Between the whole images: of the target as it is if the mirrored one was taken, and the
        other way about.
    margin : float
        Support of the map that was taken less the support of this one, between the whole images;
        below 0 where this one fits better, but not clearly.
    """

    found: ObjectMap
    margin: float


def map_object(
    matcher: Matching,
    s: View,
    t: View,
    mark: Mark,
    *,
    pair: PairMap | None = None,
    check: Callable[[], object] | None = None,
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

    Raises
    ------
    ImageError
        If an image has to be opened and cannot be.
    """
    check = check or _go_on
    found = _best_whole(matcher, s, t, mark, pair, check)
    side = matcher.settings.fine_side
    if not side:
        return found
    box_s, box_t = _boxes(found, mark)
    if not (_is_closer(matcher, s, box_s) or _is_closer(matcher, t, box_t)):
        return found
    check()
    part_s = look(matcher, s, box_s)
    check()
    part_t = look(matcher, t, box_t, mirrored=found.is_mirrored)
    check()
    centers = part_s.grid.centers() + np.array(box_s[:2])
    weights = found.weights[found.pair.grid_s.xy_to_index(centers)]
    fine = matcher.pair(part_s, part_t, check=check)
    fit = fit_displacement(fine.score, fine.grid_s, fine.grid_t, weights)
    return ObjectMap(
        fine,
        part_s,
        part_t,
        box_s,
        box_t,
        weights,
        fit,
        found.prior_weight,
        found.is_mirrored,
        found.alternative,
    )


def look(matcher: Matching, view: View, box: PartBox, *, mirrored: bool = False) -> ImageAnalysis:
    """Return the analysis of a part of an image, at `MatchSettings.fine_side`."""
    at = (box, mirrored)
    if at not in view.parts:
        x0, y0, x1, y1 = box
        key, side = f"{view.key}|{x0},{y0},{x1},{y1}", matcher.settings.fine_side
        known = matcher.recall(ImageSize(x1 - x0, y1 - y0), key, side=side, mirrored=mirrored)
        if known is None:
            part = np.ascontiguousarray(view.open()[y0:y1, x0:x1])
            known = matcher.analyse(part, key, side=side, mirrored=mirrored)
        view.parts[at] = known
    return view.parts[at]


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
        boxes = (s.whole, t.whole)
        return ObjectMap(
            pair, s.analysis, target, *boxes, weights, fit, settings.prior_weight, mirrored
        )

    plain = between(t.analysis, pair or matcher.pair(s.analysis, t.analysis, check=check), False)
    if not settings.mirror or plain.displacement.support >= _UNSURE:
        return plain
    check()
    turned = _mirrored(matcher, t)
    check()
    other = between(turned, matcher.pair(s.analysis, turned, check=check), True)
    margin = other.displacement.support - plain.displacement.support
    if other.displacement.support > _CLEARLY * plain.displacement.support:
        return replace(other, alternative=Alternative(plain, margin))
    return replace(plain, alternative=Alternative(other, -margin))


def _mirrored(matcher: Matching, view: View) -> ImageAnalysis:
    """Return the analysis of a whole image that the networks see mirrored."""
    at = (view.whole, True)
    if at not in view.parts:
        known = matcher.recall(view.size, view.key, mirrored=True)
        view.parts[at] = known or matcher.analyse(view.open(), view.key, mirrored=True)
    return view.parts[at]


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
