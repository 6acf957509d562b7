"""Which image of a set, if it were annotated, would help the others most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# From this cosine of centred descriptors on, one image stands for another.
_ALIKE = 0.5
# Candidates that are looked at together: with 100,000 images they take some 200 MB.
_CHUNK = 256


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """What annotating one image would bring.

    Attributes
    ----------
    index : int
        Of the image.
    gain : float
        How much doubt it would take from the set, in images.
    covered : ndarray, (c,) int64
        Other images that look like it, more than like any that is annotated.
    doubt : float
        Mean doubt of these and the image itself, in [0, 1].
    """

    index: int
    gain: float
    covered: NDArray[np.int64]
    doubt: float


def best_to_annotate(
    descriptors: NDArray[np.floating],
    doubt: NDArray[np.floating],
    is_annotated: NDArray[np.bool_],
) -> Cover | None:
    """Return the image whose annotation would lower the doubt of the set most.

    With s_ij the cosine of centred descriptors, at least 0, an image i is served by the annotated
    images A as well as its nearest one, max_A s_ia. The image j that is sought has the largest
    gain in facility location weighted by doubt, sum_i doubt_i max(0, s_ij - max_A s_ia). The set's
    mean is taken from all descriptors first: photos of one kind of thing all look alike otherwise.

    Parameters
    ----------
    descriptors : ndarray, (n, d)
        One per image; any scale.
    doubt : ndarray, (n,)
        At least 0: 1 less the confidence of what is not reviewed, 1 where nothing is known.
    is_annotated : ndarray, (n,) bool
        Images that can be references already; none of them is returned.

    Returns
    -------
    cover : Cover or None
        None where all images are annotated. Of equals the first.

    Raises
    ------
    ValueError
        If lengths differ.

    References
    ----------
    Cornuejols, Fisher and Nemhauser 1977, "Location of bank accounts to optimize float",
    doi:10.1287/mnsc.23.8.789; Wei, Iyer and Bilmes 2015, "Submodularity in data subset selection
    and active learning", PMLR 37:1954-1963, section 3.
    """
    n = len(descriptors)
    if len(doubt) != n or len(is_annotated) != n:
        raise ValueError(f"{n} descriptors, {len(doubt)} doubts and {len(is_annotated)} states")
    candidates = np.flatnonzero(~is_annotated)
    if not len(candidates):
        return None
    unit = centred(descriptors)
    served = coverage(unit, is_annotated)
    gains = np.concatenate([_gains(unit, doubt, served, chunk) for chunk in _chunks(candidates)])
    best = int(candidates[int(np.argmax(gains))])
    alike = _similarity(unit, np.array([best]))[:, 0]
    covers = (alike >= _ALIKE) & (alike > served) & ~is_annotated
    covers[best] = True
    mean = float(np.asarray(doubt)[covers].mean())
    covers[best] = False
    return Cover(best, float(gains.max()), np.flatnonzero(covers), mean)


def coverage(unit: NDArray[np.float64], is_annotated: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how well annotated images serve each image: the cosine with the nearest, at least 0.

    Parameters
    ----------
    unit : ndarray, (n, d)
        Of `centred`.
    is_annotated : ndarray, (n,) bool

    Returns
    -------
    served : ndarray, (n,)
        In [0, 1]; 0 without any that is annotated.
    """
    served = np.zeros(len(unit))
    for chunk in _chunks(np.flatnonzero(is_annotated)):
        served = np.maximum(served, (unit @ unit[chunk].T).max(axis=1))
    return served


def centred(descriptors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return descriptors (n, d) less their mean, as unit rows; what equals the mean stays zero."""
    away = np.asarray(descriptors, dtype=np.float64)
    away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12)
    away = away - away.mean(axis=0)
    length = np.linalg.norm(away, axis=1, keepdims=True)
    return np.asarray(np.where(length > 1e-9, away / np.maximum(length, 1e-9), 0.0))


def _similarity(unit: NDArray[np.float64], candidates: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how alike all images and some candidates are, (n, c) in [0, 1]."""
    alike = np.clip(unit @ unit[candidates].T, 0.0, 1.0)
    alike[candidates, np.arange(len(candidates))] = 1.0
    return np.asarray(alike)


def _gains(
    unit: NDArray[np.float64],
    doubt: NDArray[np.floating],
    served: NDArray[np.float64],
    candidates: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return what each candidate would bring, (c,)."""
    more = np.maximum(_similarity(unit, candidates) - served[:, None], 0.0)
    return np.asarray(np.asarray(doubt, dtype=np.float64) @ more)


def _chunks(indices: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return indices in groups that fit into memory."""
    return [indices[i : i + _CHUNK] for i in range(0, len(indices), _CHUNK)]
