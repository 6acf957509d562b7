"""Refine a functional map through the point-to-point maps that it stands for.

All bases here have functions of mean square 1 (`EigenBasis.per_patch`): so a map between grids of
different sizes is orthogonal where it preserves area, and is re-estimated at the scale at which it
was solved.
"""

from collections.abc import Iterator

import torch

from fmstudio.spectral.convert import fmap_to_p2p, p2p_to_fmap
from fmstudio.spectral.eigenbasis import EigenBasis
from fmstudio.spectral.fmap import nearest_orthogonal

_STEP = 5
_ROUNDS = 10


def zoomout(
    C_st: torch.Tensor, basis_s: EigenBasis, basis_t: EigenBasis, *, step: int = _STEP
) -> torch.Tensor:
    """Return a functional map in the whole bases, grown step by step from one in their beginnings.

    At size k: ``p2p_ts(y) = argmin_x |phi_t(y) C_st - phi_s(x)|`` over the first k functions, phi
    being rows of evecs; then C_st becomes the functional map of p2p_ts over the first ``k + step``;
    until the bases are used up. A map that has the bases' full size is returned as it is.

    Parameters
    ----------
    C_st : Tensor, (k_t, k_s)
        In the first functions of the bases.
    basis_s, basis_t : EigenBasis
    step : int
        Functions added each time, at least 1.

    Returns
    -------
    C_st : Tensor, (basis_t.k, basis_s.k)

    Raises
    ------
    ValueError
        If the map has more functions than a basis, or ``step`` is below 1.

    References
    ----------
    Melzi et al. 2019, "ZoomOut: Spectral upsampling for efficient shape correspondence",
    arXiv 1904.07865. There the points are nearest under ``|C_st phi_s(x)' - phi_t(y)'|``: the same
    where C_st is orthogonal. The form here needs no inverse, so it holds for a part of an image.
    """
    for small, large in _growing(C_st, basis_s, basis_t, step):
        C_st = p2p_to_fmap(fmap_to_p2p(C_st, *small), *large)
    return C_st


def bijective_zoomout(
    C_st: torch.Tensor,
    C_ts: torch.Tensor,
    basis_s: EigenBasis,
    basis_t: EigenBasis,
    *,
    step: int = _STEP,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return functional maps of both directions in the whole bases, grown together.

    As `zoomout`, but both point-to-point maps look at both functional maps: with
    ``d(x, y) = |phi_t(y) C_st - phi_s(x)|^2 + |phi_s(x) C_ts - phi_t(y)|^2``, p2p_ts takes the x
    and p2p_st the y of the smallest d. Then each C becomes the functional map of its own
    direction's points in the larger basis.

    Parameters
    ----------
    C_st, C_ts : Tensor, (k_t, k_s) and (k_s, k_t)
    basis_s, basis_t : EigenBasis
    step : int
        Functions added each time, at least 1.

    Returns
    -------
    C_st, C_ts : Tensor, (basis_t.k, basis_s.k) and (basis_s.k, basis_t.k)

    Raises
    ------
    ValueError
        As in `zoomout`, or if the maps are not of one pair.

    References
    ----------
    In the line of Ren et al. 2020, "MapTree", arXiv 2006.02532, and Ren et al. 2021,
    "Discrete optimization for shape matching", doi:10.1111/cgf.14359 (bijective ZoomOut): both
    directions enter each nearest-neighbour search. Their search over several maps, and terms
    beside the bijective one, are not here.
    """
    if C_st.shape != C_ts.T.shape:
        raise ValueError(
            f"maps of {tuple(C_st.shape)} and {tuple(C_ts.shape)} are not the two directions of "
            "one pair"
        )
    for (s, t), (more_s, more_t) in _growing(C_st, basis_s, basis_t, step):
        rows_s = torch.cat([s.evecs, s.evecs @ C_ts], dim=1)
        rows_t = torch.cat([t.evecs @ C_st, t.evecs], dim=1)
        distance = torch.cdist(rows_s, rows_t)
        p2p_ts, p2p_st = distance.argmin(dim=0), distance.argmin(dim=1)
        C_st, C_ts = p2p_to_fmap(p2p_ts, more_s, more_t), p2p_to_fmap(p2p_st, more_t, more_s)
    return C_st, C_ts


def refine_orthogonal(
    C_st: torch.Tensor, basis_s: EigenBasis, basis_t: EigenBasis, *, rounds: int = _ROUNDS
) -> torch.Tensor:
    """Return the (semi-)orthogonal functional map to which nearest points lead.

    Each round: p2p_ts as in `zoomout`, then C_st becomes the orthogonal matrix nearest to the
    functional map of p2p_ts; until the points stay.

    Parameters
    ----------
    C_st : Tensor, (k_t, k_s)
        In the first functions of the bases.
    basis_s, basis_t : EigenBasis
    rounds : int
        At most so many.

    Returns
    -------
    C_st : Tensor, (k_t, k_s)

    References
    ----------
    Ovsjanikov et al. 2012, "Functional Maps", doi:10.1145/2185520.2185526, section 6.2 (iterative
    closest points in the spectral domain).
    """
    s, t = basis_s.truncated(C_st.shape[1]), basis_t.truncated(C_st.shape[0])
    before: torch.Tensor | None = None
    for _ in range(rounds):
        p2p_ts = fmap_to_p2p(C_st, s, t)
        if before is not None and torch.equal(p2p_ts, before):
            break
        before = p2p_ts
        C_st = nearest_orthogonal(p2p_to_fmap(p2p_ts, s, t))
    return C_st


_Bases = tuple[EigenBasis, EigenBasis]


def _growing(
    C_st: torch.Tensor, basis_s: EigenBasis, basis_t: EigenBasis, step: int
) -> Iterator[tuple[_Bases, _Bases]]:
    """Yield the bases of a map's size and those of the next, until the bases are used up."""
    if step < 1:
        raise ValueError(f"a step adds at least 1 function, not {step}")
    k_t, k_s = C_st.shape
    if k_s > basis_s.k or k_t > basis_t.k:
        raise ValueError(
            f"a map of {k_t} x {k_s} functions cannot grow in bases of {basis_t.k} and {basis_s.k}"
        )
    while k_s < basis_s.k or k_t < basis_t.k:
        more_s, more_t = min(k_s + step, basis_s.k), min(k_t + step, basis_t.k)
        yield (
            (basis_s.truncated(k_s), basis_t.truncated(k_t)),
            (basis_s.truncated(more_s), basis_t.truncated(more_t)),
        )
        k_s, k_t = more_s, more_t
