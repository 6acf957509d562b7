"""What a person asks about a pair that is shown, and what comes back: frozen values, no torch."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fmstudio.engine.requests import ImageRef, Mark
from fmstudio.geometry.boxes import PartBox

HEATS = ("map", "features", "both")
"""What a distribution is made of: the pair's map, the similarity of features alone, or where both
agree."""

Limb = tuple[int, int]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PairQuestion:
    """One object of a source, looked for on a target.

    Attributes
    ----------
    s, t : ImageRef
    mark : Mark
        Without keypoints and mask it stands for all of the source.
    skeleton : tuple of (int, int)
        Keypoints of the mark that a line joins, from 0.
    """

    s: ImageRef
    t: ImageRef
    mark: Mark
    skeleton: tuple[Limb, ...] = ()


@dataclass(frozen=True, slots=True)
class PointQuestion:
    """Where a point lies on the other image.

    Attributes
    ----------
    pair : PairQuestion
    xy : tuple of float
        Pixels of the source; of the target if ``is_back``.
    is_back : bool
        Asked from the target to the source.
    heat : str
        One of `HEATS`.

    Raises
    ------
    ValueError
        If ``heat`` is none of them.
    """

    pair: PairQuestion
    xy: Point
    is_back: bool = False
    heat: str = "map"

    def __post_init__(self) -> None:
        if self.heat not in HEATS:
            raise ValueError(f'heat is one of {", ".join(HEATS)}, not "{self.heat}"')


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """A distribution over the places of a part of an image.

    Attributes
    ----------
    box : PartBox
        Where its raster lies, image pixels; it is 0 outside.
    values : ndarray, (rows, cols) float32
        Probabilities as shares of the greatest, in [0, 1].
    """

    box: PartBox
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PointAnswer:
    """Where a point lies on the other image, and what speaks for it.

    Attributes
    ----------
    question : PointQuestion
    there : tuple of float
        On the other image, pixels.
    back : tuple of float
        Where that comes back to on the image that was asked about, pixels.
    cycle : float
        From the point to ``back``, pixels.
    confidence : float
        Probability in [0, 1] that ``there`` is right, as of a carried keypoint.
    is_on_object : bool
        Whether the point belongs to the object that was matched; confidences of others are guesses.
    heat : HeatMap
        Over the other image.
    """

    question: PointQuestion
    there: Point
    back: Point
    cycle: float
    confidence: float
    is_on_object: bool
    heat: HeatMap


@dataclass(frozen=True, slots=True, eq=False)
class DenseField:
    """For the places of the target's part, where they come from.

    Attributes
    ----------
    box : PartBox
        The part of the target, pixels.
    xy_s : ndarray, (rows, cols, 2) float32
        Source pixels of the centres of the raster's cells.
    share : ndarray, (rows, cols) float32
        How much of each cell shows the object, in [0, 1].
    """

    box: PartBox
    xy_s: NDArray[np.float32]
    share: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Contours:
    """What is drawn of a mark, carried to the target.

    Attributes
    ----------
    rings : tuple of ndarray, (m, 2)
        Closed outlines of its mask, target pixels.
    limbs : tuple of ndarray, (2, 2)
        Lines of its skeleton between labelled keypoints, target pixels.
    """

    rings: tuple[NDArray[np.float64], ...] = ()
    limbs: tuple[NDArray[np.float64], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class WarpedGrid:
    """A square grid over the source's object, and what its smooth displacement makes of it.

    Attributes
    ----------
    lines_s, lines_t : tuple of ndarray, (m, 2)
        The same lines as polylines on the source and on the target, pixels.
    cells_t : ndarray, (c, 4, 2)
        Corners of its cells on the target, pixels.
    orientation : ndarray, (c,) int8
        Sign of the displacement's Jacobian in each cell: 1 keeps left and right, -1 exchanges them.
    """

    lines_s: tuple[NDArray[np.float64], ...]
    lines_t: tuple[NDArray[np.float64], ...]
    cells_t: NDArray[np.float64]
    orientation: NDArray[np.int8]

    @property
    def is_flipped(self) -> bool:
        """Return whether most of the object is mirrored from left to right."""
        return bool(self.orientation.sum() < 0)

    @property
    def is_folded(self) -> NDArray[np.bool_]:
        """Return which cells (c,) lie the other way round than most."""
        return np.asarray(self.orientation == (1 if self.is_flipped else -1))


@dataclass(frozen=True, slots=True, eq=False)
class MatchLines:
    """Places of the source's object with their counterparts.

    Attributes
    ----------
    xy_s, xy_t : ndarray, (m, 2)
        Pixels.
    confidence : ndarray, (m,)
        In [0, 1].
    """

    xy_s: NDArray[np.float64]
    xy_t: NDArray[np.float64]
    confidence: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PairFound:
    """A pair is matched: from here on its points can be asked for.

    Attributes
    ----------
    question : PairQuestion
    support : float
        Share of the object's patches that its smooth displacement explains, in [0, 1].
    turn : int
        Degrees by which the source was turned.
    """

    question: PairQuestion
    support: float
    turn: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class PairLayers:
    """All that can be drawn of a matched pair at once."""

    question: PairQuestion
    dense: DenseField
    grid: WarpedGrid
    matches: MatchLines
    contours: Contours = field(default_factory=Contours)


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """The bases of the two parts of a matched pair, and the functional map between them.

    Attributes
    ----------
    question : PairQuestion
    evals_s, evals_t : ndarray, (k_s,) and (k_t,)
        Eigenvalues of the two Laplacians, ascending.
    functions_s, functions_t : tuple of HeatMap
        The eigenfunctions over both images, as signed shares of their greatest magnitude.
    C_st : ndarray, (k_t, k_s) float32
    diagonal : float
        Share of C_st's squared entries that lie within two of its diagonal, in [0, 1].
    orthogonality, bijectivity : float
        ``|C_st' C_st - I|^2 / k_s`` and ``|C_ts C_st - I|^2 / k_s``; 0 is perfect.
    bands : ndarray, (b,)
        Share of C_st's squared entries in each band of as many source functions, low to high; they
        add up to 1.
    """

    question: PairQuestion
    evals_s: NDArray[np.float64]
    evals_t: NDArray[np.float64]
    functions_s: tuple[HeatMap, ...]
    functions_t: tuple[HeatMap, ...]
    C_st: NDArray[np.float32]
    diagonal: float
    orthogonality: float
    bijectivity: float
    bands: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BandQuestion:
    """Where the mark's keypoints lie by a map of the first k functions only."""

    pair: PairQuestion
    k: int


@dataclass(frozen=True, slots=True, eq=False)
class BandAnswer:
    """Where they lie.

    Attributes
    ----------
    question : BandQuestion
    xy : ndarray, (m, 2)
        Of the labelled keypoints, target pixels.
    shift : float
        Median distance from where the pair's own map puts them, target pixels; 0 without any.
    """

    question: BandQuestion
    xy: NDArray[np.float64]
    shift: float
