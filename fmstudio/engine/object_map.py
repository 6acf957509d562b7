"""A pair matched for one object, and what is decoded from it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from fmstudio.engine.match import ImageAnalysis, PairMap
from fmstudio.geometry.boxes import PartBox
from fmstudio.geometry.frames import Frame
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.votes import Pose
from fmstudio.spectral.convert import row_at, soft_argmax
from fmstudio.spectral.displacement import SmoothDisplacement, fit_displacement, prior_rows
from fmstudio.spectral.segment import carried_mask
from fmstudio.spectral.transfer import patch_cover

# Patches of the target this near to a displaced one of the object are taken to be the object's.
_NEAR = 0.06


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
    frame_s : Frame
        What the source's part shows.
    box_t : PartBox
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
    frame_s: Frame
    box_t: PartBox
    weights: NDArray[np.float64]
    displacement: SmoothDisplacement
    prior_weight: float
    is_mirrored: bool = False
    alternative: "Alternative | None" = None

    @property
    def pose(self) -> Pose:
        """Return how the two images were held against each other."""
        if self.frame_s.turn:
            return Pose.TURNED
        return Pose.MIRRORED if self.is_mirrored else Pose.PLAIN

    @property
    def corner_t(self) -> NDArray[np.float64]:
        """Return the target part's corner, (2,)."""
        return np.array(self.box_t[:2], dtype=np.float64)

    def rows(self, xy: NDArray[np.floating]) -> torch.Tensor:
        """Return the score of source points (m, 2) with all patches of the target's part."""
        grid_s, grid_t = self.pair.grid_s, self.pair.grid_t
        at = self.frame_s.enter(xy)
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
        return self.decode(self.rows(xy))

    def decode(self, rows: torch.Tensor) -> NDArray[np.float64]:
        """Return the target pixels (m, 2) of points with these `rows` (m, n_t)."""
        return soft_argmax(rows, self.pair.grid_t) + self.corner_t

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
        return self.frame_s.leave(back(np.asarray(xy, dtype=np.float64) - self.corner_t))

    def cover(self, mask: Mask) -> torch.Tensor:
        """Return the share of each patch of the source's part that a source mask covers, (n_s,)."""
        part = Mask.from_array(self.frame_s.cut(mask.to_array().astype(np.uint8)) > 0)
        return patch_cover(part, self.pair.grid_s)

    def soft_mask(self, mask: Mask) -> SoftMask:
        """Return a source mask on the target's part, softly."""
        displaced = self.displacement(self.pair.grid_s.centers()[self.weights > 0])
        soft = carried_mask(
            self.pair.score,
            self.cover(mask),
            displaced,
            self.pair.grid_t,
            self.part_t.descriptors,
        )
        return SoftMask(self.box_t, soft)

    def points_back(self, xy: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return source pixels (m, 2) of target pixels (m, 2)."""
        return self.decode_back(self.rows_back(xy))

    def decode_back(self, rows: torch.Tensor) -> NDArray[np.float64]:
        """Return the source pixels (m, 2) of points with these `rows_back` (m, n_s)."""
        return self.frame_s.leave(soft_argmax(rows, self.pair.grid_s))


@dataclass(frozen=True, slots=True, eq=False)
class Alternative:
    """The map that was not taken.

    Attributes
    ----------
    found : ObjectMap
        Where a mirror was tried, between the whole images: of the target as it is if the mirrored
        one was taken, and the other way about. Else between the parts: the source as it is if a
        turned one was taken, and the other way about.
    margin : float
        Support of the map that was taken less the support of this one, where the two were tried;
        below 0 where this one fits better, but not clearly.
    """

    found: ObjectMap
    margin: float
