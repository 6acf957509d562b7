"""Masks of one object, run-length encoded column by column as COCO does.

A mask is its runs. A polygon covers the pixels whose centres it covers, and the outline of a mask
runs along pixel edges, so that ``Mask.from_polygons(mask.size, mask.polygons())`` is ``mask``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from pycocotools import mask as coco

from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.outlines import trace

# In pixels along the longer axis: what an outline of pycocotools may take, some 200 MB.
_MOST_STEPS = 4_000_000
# Rings that are united at once: the time that pycocotools takes grows with the square of them.
_TOGETHER = 256


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """An outline and the holes in it.

    Attributes
    ----------
    outer : ndarray, (v, 2) float64
        Vertices in pixels; the last is joined to the first.
    holes : tuple of ndarray, (v, 2) float64
        What the even-odd rule takes out of it.

    Raises
    ------
    ValueError
        If a ring is not (v, 2), has fewer than three vertices, or is not finite.
    """

    outer: NDArray[np.float64]
    holes: tuple[NDArray[np.float64], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "outer", _ring(self.outer))
        object.__setattr__(self, "holes", tuple(_ring(hole) for hole in self.holes))

    @property
    def rings(self) -> tuple[NDArray[np.float64], ...]:
        """Return the outline and then the holes."""
        return (self.outer, *self.holes)


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A binary mask.

    Equal masks have equal runs: empty runs are merged away on construction.

    Attributes
    ----------
    size : ImageSize
    counts : ndarray, (r,) uint32
        Lengths of alternating runs of 0 and 1, column-major, the first a run of 0 (maybe empty);
        they add up to width * height. Read-only.

    Raises
    ------
    ValueError
        If the counts are not whole, are negative, or do not add up to width * height.
    """

    size: ImageSize
    counts: NDArray[np.uint32]

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts)
        if counts.ndim != 1 or counts.dtype.kind not in "iu":
            raise ValueError(
                f"run lengths are a list of whole numbers, not {counts.dtype} {counts.shape}"
            )
        if (counts < 0).any() or (counts > self.n_pixels).any():
            raise ValueError("a run length is negative or longer than the image")
        total = int(counts.sum(dtype=np.int64))
        if total != self.n_pixels:
            width, height = self.size.width, self.size.height
            raise ValueError(f"runs add up to {total} pixels, the image has {width} x {height}")
        object.__setattr__(self, "counts", _canonical(counts))

    @classmethod
    def from_array(cls, array: NDArray[np.bool_]) -> "Mask":
        """Return the mask of a (H, W) bool array; raises ValueError if it has no pixel."""
        height, width = array.shape
        size = ImageSize(width, height)
        flat = np.asarray(array, dtype=bool).ravel(order="F")
        change = np.flatnonzero(np.diff(flat)) + 1
        return cls(size, _runs(change if not flat[0] else np.append(0, change), flat.size))

    @classmethod
    def many(
        cls, sizes: Sequence[ImageSize], runs: NDArray[np.uint32], lengths: NDArray[np.int64]
    ) -> "list[Mask]":
        """Return masks whose runs stand one after the other.

        The same as one by one, five times as fast: what is checked is checked once for all.

        Parameters
        ----------
        sizes : sequence of ImageSize
        runs : ndarray, (n,) uint32
        lengths : ndarray, (len(sizes),) int64
            How many of the n runs each mask has, at least 1.

        Raises
        ------
        ValueError
            As for one mask.
        """
        if not len(sizes):
            return []
        runs = np.array(runs, dtype=np.uint32)
        runs.setflags(write=False)
        ends = np.cumsum(lengths)
        starts = ends - lengths
        wanted = np.array([size.width * size.height for size in sizes])
        is_plain = np.add.reduceat(runs, starts, dtype=np.int64) == wanted
        # An empty run is in its place only at the beginning of a mask.
        empty = np.setdiff1d(np.flatnonzero(runs == 0), starts)
        is_plain[np.searchsorted(ends, empty, side="right")] = False
        found = []
        places = zip(sizes, starts.tolist(), ends.tolist(), is_plain.tolist(), strict=True)
        for size, start, end, is_good in places:
            counts = runs[start:end]
            if is_good:
                mask = object.__new__(cls)
                object.__setattr__(mask, "size", size)
                object.__setattr__(mask, "counts", counts)
            else:
                mask = cls(size, counts)
            found.append(mask)
        return found

    @classmethod
    def empty(cls, size: ImageSize) -> "Mask":
        """Return the mask that covers nothing."""
        return cls(size, np.array([size.width * size.height], dtype=np.uint32))

    @classmethod
    def from_polygons(cls, size: ImageSize, polygons: Iterable[Polygon]) -> "Mask":
        """Return the union of polygons, each less its holes (even-odd within one polygon).

        A pixel is covered when its centre is. Parts outside the image are left out.
        """
        n = size.width * size.height
        return cls.union(size, [cls(size, _runs(_toggles(size, p.rings), n)) for p in polygons])

    @classmethod
    def from_coco_polygons(cls, size: ImageSize, rings: Sequence[ArrayLike]) -> "Mask":
        """Return the union of rings exactly as pycocotools draws them: COCO knows no holes.

        Parameters
        ----------
        size : ImageSize
        rings : sequence of array_like, (2 v,) or (v, 2)
            Vertices in pixels, at least three each.

        Raises
        ------
        ValueError
            If a ring is malformed, or lies more than ten image sides away, or if the rings
            together are longer than four million pixels.

        References
        ----------
        ``rleFrPoly`` of https://github.com/cocodataset/cocoapi (its own rounding at edges).
        """
        flat = [_ring(np.asarray(ring, dtype=np.float64).reshape(-1, 2)).ravel() for ring in rings]
        if any(np.abs(ring).max() > 11 * size.long_side + 100 for ring in flat):
            raise ValueError("a polygon lies far outside its image")
        # pycocotools draws every step of an outline, five to a pixel, and ends the process where
        # there is no memory for them.
        if sum(_steps(ring) for ring in flat) > _MOST_STEPS:
            raise ValueError("its polygons are longer than any outline of an object")
        parts = []
        for start in range(0, len(flat), _TOGETHER):
            some = [ring.tolist() for ring in flat[start : start + _TOGETHER]]
            drawn = coco.merge(coco.frPyObjects(some, size.height, size.width))
            parts.append(cls.from_rle_bytes(size, drawn["counts"]))
        return parts[0] if len(parts) == 1 else cls.union(size, parts)

    @classmethod
    def from_rle_bytes(cls, size: ImageSize, data: bytes) -> "Mask":
        """Return the mask of COCO's compressed ``counts``.

        Raises
        ------
        ValueError
            If the bytes are no such code, or do not fit the size.

        References
        ----------
        ``rleFrString`` of https://github.com/cocodataset/cocoapi: six bits a character from
        ASCII 48, low five bits first, every count from the fourth on as a difference from the one
        two before it.
        """
        codes = np.frombuffer(data, dtype=np.uint8).astype(np.int64) - 48
        if codes.size == 0 or codes.min() < 0 or codes.max() > 63 or codes[-1] & 0x20:
            raise ValueError("compressed run lengths hold a character that is not part of the code")
        starts = np.flatnonzero(np.append(True, (codes[:-1] & 0x20) == 0))
        lengths = np.diff(np.append(starts, codes.size))
        if lengths.max() > 7:
            raise ValueError("a compressed run length is longer than any image")
        shift = 5 * (np.arange(codes.size) - np.repeat(starts, lengths))
        values = np.add.reduceat((codes & 0x1F) << shift, starts)
        last = codes[starts + lengths - 1]
        values -= np.where(last & 0x10, np.int64(1) << (5 * lengths), 0)
        values[1::2] = np.cumsum(values[1::2])
        values[2::2] = np.cumsum(values[2::2])
        if (values < 0).any() or (values > size.width * size.height).any():
            raise ValueError("a compressed run length is negative or longer than the image")
        return cls(size, values.astype(np.uint32))

    @classmethod
    def union(cls, size: ImageSize, masks: Iterable["Mask"]) -> "Mask":
        """Return what any of the masks covers; raises ValueError if a size differs."""
        masks = list(masks)
        if any(mask.size != size for mask in masks):
            raise ValueError("masks of different sizes have no union")
        edges = [mask._edges() for mask in masks]
        starts = np.sort(np.concatenate([np.empty(0, np.int64), *(e[0::2] for e in edges)]))
        ends = np.sort(np.concatenate([np.empty(0, np.int64), *(e[1::2] for e in edges)]))
        # Run i of the union ends where as many runs have ended as have started.
        is_last = ends[:-1] < starts[1:]
        starts = starts[np.append(True, is_last)[: starts.size]]
        ends = ends[np.append(is_last, True)[: ends.size]]
        return cls(size, _runs(np.stack([starts, ends], 1).ravel(), size.width * size.height))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        return self.size == other.size and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        return hash((self.size, self.counts.tobytes()))

    @property
    def n_pixels(self) -> int:
        """Return how many pixels the image has, covered or not."""
        return self.size.width * self.size.height

    @property
    def area(self) -> int:
        """Return how many pixels are covered."""
        return int(self.counts[1::2].sum(dtype=np.int64))

    @property
    def bbox(self) -> tuple[int, int, int, int] | None:
        """Return (x, y, width, height) of the covered pixels, or None without any."""
        edges = self._edges()
        if edges.size == 0:
            return None
        first, last = edges[0::2], edges[1::2] - 1
        left, right = int(first[0]) // self.size.height, int(last[-1]) // self.size.height
        # A run that goes on into the next column covers the last row and the first.
        wraps = first // self.size.height != last // self.size.height
        rows = np.concatenate([first, last]) % self.size.height
        top = 0 if wraps.any() else int(rows.min())
        bottom = self.size.height - 1 if wraps.any() else int(rows.max())
        return left, top, right - left + 1, bottom - top + 1

    def to_array(self) -> NDArray[np.bool_]:
        """Return the mask as (H, W) bool."""
        values = np.arange(len(self.counts)) % 2 == 1
        flat = np.repeat(values, self.counts)
        return flat.reshape((self.size.height, self.size.width), order="F")

    def to_rle_bytes(self) -> bytes:
        """Return COCO's compressed ``counts``, as pycocotools writes them."""
        size = [self.size.height, self.size.width]
        packed = coco.frPyObjects({"size": size, "counts": self.counts.tolist()}, *size)
        return bytes(packed["counts"])

    def intersection_area(self, other: "Mask") -> int:
        """Return how many pixels both cover; raises ValueError if the sizes differ."""
        return self.area + other.area - Mask.union(self.size, [self, other]).area

    def iou(self, other: "Mask") -> float | None:
        """Return intersection over union in [0, 1], or None when both masks are empty.

        Raises
        ------
        ValueError
            If the sizes differ.
        """
        union = Mask.union(self.size, [self, other]).area
        return (self.area + other.area - union) / union if union else None

    def polygons(self) -> tuple[Polygon, ...]:
        """Return the outlines of the parts, along pixel edges, each with its holes.

        Parts are 4-connected, so that no ring crosses itself; from top to bottom, then left to
        right, by each part's first vertex. Outlines run clockwise as seen, holes the other way.
        """
        box = self.bbox
        if box is None:
            return ()
        x, y, width, height = box
        padded = np.zeros((height + 2, width + 2), dtype=np.uint8)
        padded[1:-1, 1:-1] = self.to_array()[y : y + height, x : x + width]
        _, labels = cv2.connectedComponents(padded, connectivity=4)
        offset = np.array([x, y], dtype=np.float64)
        outers: dict[int, NDArray[np.float64]] = {}
        holes: dict[int, list[NDArray[np.float64]]] = {}
        for ring in trace(padded.astype(bool)):
            # The first edge of a ring goes right along its top: a part lies below it,
            # and what lies above the top of a hole is the part around it.
            col, row = int(ring[0, 0]), int(ring[0, 1])
            below = int(labels[row + 1, col + 1])
            if below:
                outers[below] = ring + offset
            else:
                holes.setdefault(int(labels[row, col + 1]), []).append(ring[::-1] + offset)
        return tuple(Polygon(outer, tuple(holes.get(i, ()))) for i, outer in outers.items())

    @property
    def n_parts(self) -> int:
        """Return how many 4-connected parts there are."""
        return len(self.polygons())

    @property
    def n_holes(self) -> int:
        """Return how many holes the parts have together."""
        return sum(len(polygon.holes) for polygon in self.polygons())

    def _edges(self) -> NDArray[np.int64]:
        """Return where runs of 1 start and end, (2 r,) flat indices, ends exclusive."""
        edges = np.cumsum(self.counts, dtype=np.int64)
        return edges if len(edges) % 2 == 0 else edges[:-1]


def _steps(ring: NDArray[np.float64]) -> float:
    """Return the length of a closed ring (2 v,) in pixels, each edge along its longer axis."""
    xy = ring.reshape(-1, 2)
    return float(np.abs(xy - np.roll(xy, 1, axis=0)).max(axis=1).sum())


def _ring(values: ArrayLike) -> NDArray[np.float64]:
    """Return a read-only (v, 2) ring, checked."""
    ring = np.array(values, dtype=np.float64)
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 3:
        raise ValueError(f"a ring is (v, 2) with at least three vertices, not {ring.shape}")
    if not np.isfinite(ring).all():
        raise ValueError("polygon coordinates must be finite numbers")
    ring.setflags(write=False)
    return ring


def _runs(changes: NDArray[np.int64], n: int) -> NDArray[np.uint32]:
    """Return the run lengths of n pixels that change at these ascending flat indices."""
    return np.diff(np.concatenate([[0], changes, [n]])).astype(np.uint32)


def _canonical(counts: NDArray[np.integer]) -> NDArray[np.uint32]:
    """Return the same runs as read-only uint32, with no empty run but perhaps the first."""
    if not counts[1:].all():
        ones = np.flatnonzero(counts)
        is_new = np.append(True, ones[1:] % 2 != ones[:-1] % 2)
        merged = np.add.reduceat(counts[ones], np.flatnonzero(is_new))
        counts = merged if ones[0] % 2 == 0 else np.append(0, merged)
    result = np.array(counts, dtype=np.uint32)
    result.setflags(write=False)
    return result


def _toggles(size: ImageSize, rings: Sequence[NDArray[np.float64]]) -> NDArray[np.int64]:
    """Return the flat column-major indices where the even-odd rule changes, ascending.

    Each column's centre line is cut by the rings' edges, every edge owning its left end but not
    its right one, so that each line is cut an even number of times.
    """
    starts = np.concatenate(rings)
    ends = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    low = np.where(starts[:, :1] <= ends[:, :1], starts, ends)
    high = np.where(starts[:, :1] <= ends[:, :1], ends, starts)
    first = np.clip(np.ceil(low[:, 0] - 0.5), 0, size.width).astype(np.int64)
    stop = np.clip(np.ceil(high[:, 0] - 0.5), 0, size.width).astype(np.int64)
    lengths = stop - first
    edge = np.repeat(np.arange(len(low)), lengths)
    step = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    col = first[edge] + step
    slope = (high[edge, 1] - low[edge, 1]) / (high[edge, 0] - low[edge, 0])
    y = low[edge, 1] + (col + 0.5 - low[edge, 0]) * slope
    row = np.clip(np.ceil(y - 0.5), 0, size.height).astype(np.int64)
    return np.sort(col * size.height + row)
