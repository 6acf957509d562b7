"""A matched pair in the spectral domain: its bases, its functional map, and what fewer leave."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from fmstudio.engine.focus import labelled_points
from fmstudio.engine.inspect import upright
from fmstudio.engine.object_map import ObjectMap
from fmstudio.engine.questions import BandAnswer, BandQuestion, HeatMap, PairQuestion, Spectrum
from fmstudio.engine.views import Matching
from fmstudio.spectral.displacement import fit_displacement

_NEAR_DIAGONAL, _BANDS = 2, 8


def spectrum_of(question: PairQuestion, matcher: Matching, found: ObjectMap) -> Spectrum:
    """Return the bases and the functional map of a matched pair.

    Parameters
    ----------
    question : PairQuestion
    matcher : Matcher
        Solves the map back where the pair has none.
    found : ObjectMap
        Of the pair.
    """
    pair = found.pair
    C_ts = pair.C_ts if pair.C_ts is not None else matcher.pair(found.part_t, found.part_s).C_st
    C, back = (each.detach().double().cpu().numpy() for each in (pair.C_st, C_ts))
    k_t, k_s = C.shape
    evals = (part.basis.evals.double().cpu().numpy() for part in (found.part_s, found.part_t))
    evals_s, evals_t = (values[:k] for values, k in zip(evals, (k_s, k_t), strict=True))
    return Spectrum(
        question,
        evals_s,
        evals_t,
        tuple(upright(f, pair.grid_s, found.frame_s) for f in _functions(found, k_s, is_s=True)),
        tuple(HeatMap(found.box_t, f) for f in _functions(found, k_t, is_s=False)),
        C.astype(np.float32),
        diagonal_energy(C),
        float(np.square(C.T @ C - np.eye(k_s)).sum() / k_s),
        float(np.square(back @ C - np.eye(k_s)).sum() / k_s),
        band_energy(C),
    )


def points_in_band(question: BandQuestion, matcher: Matching, found: ObjectMap) -> BandAnswer:
    """Return where the mark's keypoints lie by a map of the first k functions of both bases.

    The map is solved anew in the smaller bases and not cut out of the larger one: it is the best
    that so few functions can say. Decoder and displacement are those of the pair.

    Parameters
    ----------
    question : BandQuestion
        Its k is at least 1; as many functions as the bases have are taken.
    matcher : Matcher
    found : ObjectMap
        Of the pair.
    """
    xy = labelled_points(question.pair.mark)
    if not len(xy):
        return BandAnswer(question, xy, 0.0)
    pair = matcher.pair(found.part_s, found.part_t, k=question.k)
    fit = fit_displacement(pair.score, pair.grid_s, pair.grid_t, found.weights)
    there = replace(found, pair=pair, displacement=fit).points(xy)
    shift = np.linalg.norm(there - found.points(xy), axis=1)
    return BandAnswer(question, there, float(np.median(shift)))


def diagonal_energy(C: NDArray[np.floating]) -> float:
    """Return the share of C's squared entries (k_t, k_s) within two of its diagonal.

    Of a C that is not square the diagonal goes from corner to corner.
    """
    k_t, k_s = C.shape
    rows, cols = np.mgrid[:k_t, :k_s]
    near = np.abs(rows - cols * k_t / k_s) <= _NEAR_DIAGONAL
    squares = np.square(C)
    return float(squares[near].sum() / max(float(squares.sum()), np.finfo(np.float64).tiny))


def band_energy(C: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the share of C's squared entries in each of up to eight bands of its columns."""
    columns = np.square(C).sum(axis=0)
    sums = [part.sum() for part in np.array_split(columns, min(_BANDS, len(columns)))]
    return np.asarray(sums) / max(float(columns.sum()), np.finfo(np.float64).tiny)


def _functions(found: ObjectMap, k: int, *, is_s: bool) -> list[NDArray[np.float32]]:
    """Return the first k eigenfunctions (rows, cols) of a part, as shares of the greatest."""
    part = found.part_s if is_s else found.part_t
    evecs: torch.Tensor = part.basis.evecs[:, :k].float().cpu()
    shares = evecs / evecs.abs().amax(dim=0).clamp_min(torch.finfo(evecs.dtype).tiny)
    return [f.numpy().reshape(part.grid.rows, part.grid.cols) for f in shares.T]
