"""Where several references together say that points lie on one target."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import grid_sample

from fmstudio.geometry.boxes import PartBox, box_around
from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.spectral.convert import soft_argmax

# Softer than points of one reference are decoded: a second-best place that others hold for the
# best must keep some weight.
_TEMPERATURE = 0.04
_MOST_CELLS = 64
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class PointScores:
    """One reference's score of points with the patches of a part of the target.

    Attributes
    ----------
    box : PartBox
        The part, in pixels of the target.
    grid : PatchGrid
        Of the part.
    rows : Tensor, (m, grid.n)
        Higher is better; of the scale of a cosine.
    """

    box: PartBox
    grid: PatchGrid
    rows: torch.Tensor


def fuse_scores(
    scores: Sequence[PointScores], weights: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return where points lie by several references' word, target pixels (m, 2).

    Each reference's score becomes a probability over the places of the target,
    ``softmax(score / 0.04)``, on one raster around all parts; the point lies where the weighted
    mean of them is highest. So two references that agree on the second-best place of a third
    outvote its best, which no mean or median of three points can do.

    Parameters
    ----------
    scores : sequence of PointScores
        At least one, with the same points.
    weights : ndarray, (r, m)
        At least 0; above 0 for some reference of every point.

    References
    ----------
    Genest and Zidek 1986, "Combining probability distributions", doi:10.1214/ss/1177013825,
    section 3 (the linear opinion pool).
    """
    raster = SharedRaster.of(scores)
    shares = torch.from_numpy(weights / weights.sum(axis=0))  # (r, m)
    words = [raster.probabilities(score) for score in scores]  # r of (m, n)
    return raster.decode(torch.einsum("rm,rmn->mn", shares.to(words[0]), torch.stack(words)))


@dataclass(frozen=True, slots=True)
class SharedRaster:
    """One raster around the parts of a target that several references looked at.

    Attributes
    ----------
    box : PartBox
        In pixels of the target.
    grid : PatchGrid
        Of the box, with cells like the finest patches that it holds.
    """

    box: PartBox
    grid: PatchGrid

    @classmethod
    def of(cls, scores: Sequence[PointScores]) -> "SharedRaster":
        """Return the raster around the parts of these scores, at least one."""
        box = box_around([score.box for score in scores])
        width, height = box[2] - box[0], box[3] - box[1]
        finest = min(min(score.grid.patch) for score in scores)
        step = max(finest, max(width, height) / _MOST_CELLS)
        rows, cols = (max(round(length / step), 1) for length in (height, width))
        return cls(box, PatchGrid(ImageSize(width, height), rows, cols))

    def places(self) -> NDArray[np.float64]:
        """Return the centres of its cells (n, 2), target pixels."""
        return np.asarray(self.grid.centers() + np.array(self.box[:2]))

    def probabilities(self, score: PointScores) -> torch.Tensor:
        """Return a reference's ``softmax(score / 0.04)`` over the cells, (m, n).

        What lies outside of its part was not looked at: it is as likely as the part's nearest
        border.
        """
        x0, y0, x1, y1 = score.box
        unit = 2 * (self.places() - np.array([x0, y0])) / np.array([x1 - x0, y1 - y0]) - 1
        at = torch.from_numpy(unit).to(score.rows).reshape(1, self.grid.rows, self.grid.cols, 2)
        volume = score.rows.reshape(1, -1, score.grid.rows, score.grid.cols)
        drawn = grid_sample(volume, at, padding_mode="border", align_corners=False)[0]
        return (drawn.flatten(1) / _TEMPERATURE).softmax(dim=1)

    def decode(self, pool: torch.Tensor) -> NDArray[np.float64]:
        """Return where probabilities (m, n) are highest, target pixels (m, 2)."""
        pooled = _TEMPERATURE * torch.log(pool + _FLOOR)
        return soft_argmax(pooled, self.grid) + np.array(self.box[:2], dtype=np.float64)
