"""The reasons of one object's points and mask, from the map that carried them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.engine.object_map import ObjectMap
from fmstudio.geometry.masks import Mask
from fmstudio.spectral.confidence import Doubt, point_doubt
from fmstudio.spectral.convert import soft_argmax
from fmstudio.spectral.reasons import coverage, occlusion, relative_stretch

# Of an object's patches so many stand for all: what they say together hardly changes with more.
_SAMPLE = 64
# Of a mask's places the worst tenth says whether it is folded anywhere.
_WORST = 10


@dataclass(frozen=True, slots=True, eq=False)
class ObjectReasons:
    """What is usual on an object, against which its points are held.

    Attributes
    ----------
    found : ObjectMap
    places : ndarray, (n, 2)
        The object's patches, in pixels of the source's part.
    peak : float
        Median of the best scores of a sample of them.
    """

    found: ObjectMap
    places: NDArray[np.float64]
    peak: float

    @classmethod
    def of(cls, found: ObjectMap) -> "ObjectReasons":
        """Return what is usual on the object of a map."""
        places = found.pair.grid_s.centers()[found.weights > 0]
        rows = found.rows(found.frame_s.leave(_sample(places)))
        return cls(found, places, float(rows.amax(dim=1).median()))

    def of_points(self, xy: NDArray[np.floating], doubt: Doubt) -> dict[str, NDArray[np.float64]]:
        """Return the reasons of points, each (m,); see `fmstudio.spectral.reasons`.

        A point that the displacement puts outside of the part that was looked at has coverage 0.

        Parameters
        ----------
        xy : ndarray, (m, 2)
            Source pixels.
        doubt : Doubt
        """
        found = self.found
        at = found.frame_s.enter(xy)
        is_seen = found.pair.grid_t.size.contains(found.displacement(at))
        support = found.displacement.patch_support
        return {
            "cycle": doubt.cycle,
            "margin": doubt.margin,
            "stretch": relative_stretch(found.displacement, at, self.places),
            "coverage": coverage(at, self.places, support) * is_seen,
            "occlusion": occlusion(doubt.peak, self.peak, found.displacement.support),
        }

    def of_mask(self, mask: Mask) -> Mapping[str, float]:
        """Return the reasons of a mask: those of places all over it, together.

        The median of "cycle" and "margin", the mean of "coverage" and "occlusion", and the lowest
        tenth's bound of "stretch": below 0, more than a tenth of the mask is folded.
        """
        found = self.found
        inside = found.pair.grid_s.centers()[found.cover(mask).numpy() > 0.5]
        if not len(inside):
            return MappingProxyType({})
        xy = found.frame_s.leave(_sample(inside))
        reasons = self.of_points(xy, decoded(found, xy)[1])
        return MappingProxyType(
            {
                "cycle": float(np.median(reasons["cycle"])),
                "margin": float(np.median(reasons["margin"])),
                "stretch": float(np.percentile(reasons["stretch"], _WORST)),
                "coverage": float(reasons["coverage"].mean()),
                "occlusion": float(reasons["occlusion"].mean()),
            }
        )


def decoded(
    found: ObjectMap, xy: NDArray[np.float64], rows: torch.Tensor | None = None
) -> tuple[NDArray[np.float64], Doubt]:
    """Return the target pixels (m, 2) of source pixels (m, 2), and what speaks against them.

    ``rows`` of None takes `ObjectMap.rows` of them.
    """
    rows = found.rows(xy) if rows is None else rows
    at = soft_argmax(rows, found.pair.grid_t)
    carried = at + found.corner_t
    cycle = np.linalg.norm(found.points_back(carried) - xy, axis=1)
    return carried, point_doubt(rows, found.pair.grid_t, at, cycle, found.displacement.support)


def _sample(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a few places (m, 2) spread evenly over many, the same ones every time."""
    step = max(1, -(-len(places) // _SAMPLE))
    return places[step // 2 :: step] if step > 1 else places
