"""Scores between patches from a functional map, beside `convert.map_similarity`."""

import torch
from torch.nn.functional import normalize

from fmstudio.spectral.eigenbasis import EigenBasis


def transferred_similarity(
    C_st: torch.Tensor,
    basis_s: EigenBasis,
    basis_t: EigenBasis,
    descriptors_s: torch.Tensor,
) -> torch.Tensor:
    """Return the cosine of raw source descriptors with what the map makes of them on the target.

    The source's descriptors D_s are carried whole, ``T = Phi_t C Phi_s' M_s D_s`` (n_t, d), and
    each target patch's row is compared with the raw rows of the source. Only the target's side is
    band-limited, which is what sets it apart from `convert.map_similarity`.

    Parameters
    ----------
    C_st : Tensor, (k_t, k_s)
    basis_s, basis_t : EigenBasis
        Of n_s and n_t patches.
    descriptors_s : Tensor, (n_s, d)
        Unit rows.

    Returns
    -------
    similarity : Tensor, (n_s, n_t)
        Cosines in [-1, 1].

    References
    ----------
    The code published with arXiv 2403.12038, which decodes so; section 3.3 there.
    """
    carried = basis_t.lift(C_st @ basis_s.project(descriptors_s))
    return descriptors_s @ normalize(carried, dim=1).T


def concatenated_similarity(transferred: torch.Tensor, raw: torch.Tensor) -> torch.Tensor:
    """Return the cosine of transferred and raw descriptors side by side, (n_s, n_t).

    A source patch is ``[D_s, D_s]``, a target patch ``[T, D_t]`` with T of
    `transferred_similarity`, each half of length 1: the cosine of the two is the mean of the
    halves' cosines.

    Parameters
    ----------
    transferred, raw : Tensor, (n_s, n_t)
        Cosines ``D_s T'`` and ``D_s D_t'``.
    """
    return 0.5 * (transferred + raw)


def spectral_similarity(
    C_st: torch.Tensor, basis_s: EigenBasis, basis_t: EigenBasis
) -> torch.Tensor:
    """Return how near target patches, carried by the map, lie to source patches in the spectrum.

    ``1 - |Phi_t[y] C_st - Phi_s[x]|^2 / (2 k_s)``: the distance by which
    `convert.fmap_to_p2p` finds its nearest rows, as a score on the scale of a cosine; it looks at
    no descriptor.

    Parameters
    ----------
    C_st : Tensor, (k_t, k_s)
    basis_s, basis_t : EigenBasis
        With functions of mean square 1 (`EigenBasis.per_patch`): rows then have squares near k.

    Returns
    -------
    similarity : Tensor, (n_s, n_t)
        At most 1.

    References
    ----------
    Ovsjanikov et al. 2012, "Functional Maps", doi:10.1145/2185520.2185526, section 6.1.
    """
    rows_s, rows_t = basis_s.evecs, basis_t.evecs @ C_st
    squares = rows_s.square().sum(dim=1)[:, None] + rows_t.square().sum(dim=1)[None, :]
    distance = (squares - 2 * rows_s @ rows_t.T).clamp_min(0)
    return 1 - distance / (2 * rows_s.shape[1])
