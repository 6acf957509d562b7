"""The corners of a ring that a hand can take: few, and exact wherever nobody touches them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmstudio.ui.canvas.hits import Point, gaps_to_lines

Ring = NDArray[np.float64]
_NOTHING: Ring = np.zeros((0, 2))


@dataclass(frozen=True, slots=True, eq=False)
class Corners:
    """A closed ring as corners, and what lies between each and the next.

    Attributes
    ----------
    xy : ndarray, (m, 2) float64
        In pixels, at least three.
    between : tuple of ndarray, (k, 2) float64
        For each corner, the vertices of the ring from there to the next one; none where the ring
        runs straight.
    """

    xy: Ring
    between: tuple[Ring, ...]

    @classmethod
    def of(cls, ring: Ring, tolerance: float) -> "Corners":
        """Return as few corners as leave no vertex of a ring (v, 2) further away than this."""
        places = _kept(ring, tolerance)
        stops = np.append(places[1:], places[0] + len(ring))
        between = tuple(
            np.take(ring, np.arange(start + 1, stop), axis=0, mode="wrap")
            for start, stop in zip(places.tolist(), stops.tolist(), strict=True)
        )
        return cls(ring[places], between)

    def ring(self) -> Ring:
        """Return all vertices, (v, 2)."""
        return np.concatenate(
            [part for i, way in enumerate(self.between) for part in (self.xy[i : i + 1], way)]
        )

    def moved(self, index: int, to: Point) -> "Corners":
        """Return the ring with a corner elsewhere; the ways to its neighbours become straight."""
        xy = self.xy.copy()
        xy[index] = to
        between = list(self.between)
        between[index] = between[index - 1] = _NOTHING
        return Corners(xy, tuple(between))

    def with_corner(self, after: int, at: Point) -> "Corners":
        """Return the same ring with one more corner: the place after a corner nearest to another.

        Only when that corner is moved, the ring changes.
        """
        way, following = self.between[after], self.xy[(after + 1) % len(self.xy)]
        if len(way):
            nearest = int(np.argmin(np.hypot(*(way - np.asarray(at)).T)))
            new, before, rest = way[nearest], way[:nearest], way[nearest + 1 :]
        else:
            new, before, rest = _foot(self.xy[after], following, at), _NOTHING, _NOTHING
        between = (*self.between[:after], before, rest, *self.between[after + 1 :])
        return Corners(np.insert(self.xy, after + 1, new, axis=0), between)

    def without(self, index: int) -> "Corners":
        """Return the ring without a corner, straight there; raises ValueError below three."""
        if len(self.xy) <= 3:
            raise ValueError("a ring needs three corners")
        between = list(self.between)
        between[index - 1] = _NOTHING
        del between[index]
        return Corners(np.delete(self.xy, index, axis=0), tuple(between))

    def nearest_way(self, at: Point, reach: float) -> int | None:
        """Return the corner after which the ring comes nearest to a place, or None beyond reach."""
        ring = self.ring()
        gaps = gaps_to_lines(ring, np.roll(ring, -1, axis=0), at)
        best = int(np.argmin(gaps))
        if gaps[best] > reach:
            return None
        starts = np.cumsum([0, *(1 + len(way) for way in self.between)])
        return int(np.searchsorted(starts, best, side="right")) - 1

    def coarser(self, tolerance: float) -> "Corners":
        """Return the same ring with the corners that another tolerance gives."""
        return Corners.of(self.ring(), tolerance)


def _kept(ring: Ring, tolerance: float) -> NDArray[np.int64]:
    """Return the ascending indices of the vertices that stay corners, at least three.

    Between two vertices far apart, every straight way that misses a vertex by more than the
    tolerance is broken at the one that it misses most.

    References
    ----------
    Douglas and Peucker 1973, doi:10.3138/FM57-6770-U75U-7727. OpenCV's ``approxPolyDP`` takes
    corners away again afterwards, and then misses vertices by more than it was told.
    """
    first = int(np.argmax(np.hypot(*(ring - ring[0]).T)))
    ring = np.roll(ring, -first, axis=0)
    places = np.unique([0, int(np.argmax(np.hypot(*(ring - ring[0]).T)))])
    live = np.arange(len(ring))
    while live.size:
        live, broken = _missed(ring, places, live, tolerance)
        places = np.union1d(places, broken)
        if not live.size and len(places) < 3:
            rest = np.setdiff1d(np.arange(len(ring)), places)
            gaps = gaps_to_lines(ring[places[0]], ring[places[-1]], ring[rest])
            places = np.union1d(places, rest[np.argmax(gaps)])
            live = np.arange(len(ring))
    return np.sort((places + first) % len(ring))


def _missed(
    ring: Ring, places: NDArray[np.int64], live: NDArray[np.int64], tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the vertices on straight ways that have to be broken, and those to break them at.

    Only the ``live`` vertices, ascending, are looked at: all of some ways between ``places``.
    """
    way = np.searchsorted(places, live, side="right") - 1
    ends = places[(way + 1) % len(places)]
    gaps = gaps_to_lines(ring[places[way]], ring[ends], ring[live])
    starts = np.flatnonzero(np.diff(way, prepend=-1))
    most = np.maximum.reduceat(gaps, starts).repeat(np.diff(starts, append=len(live)))
    is_missed = most > tolerance
    furthest = np.flatnonzero(is_missed & (gaps == most))
    each = np.unique(way[furthest], return_index=True)[1]
    return live[is_missed], live[furthest[each]]


def _foot(start: Ring, end: Ring, at: Point) -> Ring:
    """Return the place of a straight way (2,) to (2,) that is nearest to another."""
    along = end - start
    share = float((np.asarray(at) - start) @ along) / max(float(along @ along), 1e-12)
    return np.asarray(start + min(max(share, 0.0), 1.0) * along)
