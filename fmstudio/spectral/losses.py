"""What a functional map costs, term by term: one function per term of the objective."""

from collections.abc import Mapping, Sequence
from functools import reduce

import torch

from fmstudio.spectral.fmap import FmapWeights, nearest_orthogonal


def descriptor_loss(C_st: torch.Tensor, A_s: torch.Tensor, A_t: torch.Tensor) -> torch.Tensor:
    """Return ``|C_st A_s - A_t|^2``: how badly the descriptors align.

    Parameters
    ----------
    C_st : Tensor, (k_t, k_s)
    A_s, A_t : Tensor, (k_s, p) and (k_t, p)
    """
    return (C_st @ A_s - A_t).square().sum()


def laplacian_loss(C_st: torch.Tensor, penalty: torch.Tensor) -> torch.Tensor:
    """Return ``sum(penalty * C_st^2)``, both (k_t, k_s).

    With `fmstudio.spectral.penalty.commutator_penalty` it is
    ``|C diag(evals_s) - diag(evals_t) C|^2``.
    """
    return (penalty * C_st.square()).sum()


def orthogonality_loss(C_st: torch.Tensor) -> torch.Tensor:
    """Return the squared distance of C_st (k_t, k_s) to the nearest (semi-)orthogonal matrix.

    It is the sum of ``(1 - sigma)^2`` over the singular values sigma.
    """
    return (C_st - nearest_orthogonal(C_st)).square().sum()


def bijectivity_loss(C_st: torch.Tensor, C_ts: torch.Tensor) -> torch.Tensor:
    """Return ``|C_st C_ts - I|^2``: there and back should be the identity of the target.

    Parameters
    ----------
    C_st, C_ts : Tensor, (k_t, k_s) and (k_s, k_t)

    References
    ----------
    Eynard et al. 2016, "Coupled functional maps", doi:10.1109/3DV.2016.49.
    """
    product = C_st @ C_ts
    return (product - torch.eye(len(product)).to(product)).square().sum()


def cycle_loss(maps: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return ``|C_m1 ... C_23 C_12 - I|^2`` of a cycle of m maps, the first carried first.

    Parameters
    ----------
    maps : sequence of Tensor
        At least three; each takes what the one before gives, the first what the last gives.

    Raises
    ------
    ValueError
        If there are fewer than three, or their sizes do not close a cycle.

    References
    ----------
    Wang, Huang, Guibas 2013, "Image co-segmentation via consistent functional maps",
    doi:10.1109/ICCV.2013.110.
    """
    if len(maps) < 3:
        raise ValueError(f"a cycle has at least 3 maps, not {len(maps)}")
    sizes = [tuple(C.shape) for C in maps]
    if any(a[0] != b[1] for a, b in zip(sizes, sizes[1:] + sizes[:1], strict=True)):
        raise ValueError(f"functional maps of sizes {sizes} do not close a cycle")
    product = reduce(lambda done, C: C @ done, maps)
    return (product - torch.eye(len(product)).to(product)).square().sum()


def report_losses(
    C_st: torch.Tensor,
    A_s: torch.Tensor,
    A_t: torch.Tensor,
    penalty: torch.Tensor,
    *,
    C_ts: torch.Tensor | None = None,
    cycle: Sequence[torch.Tensor] = (),
) -> Mapping[str, float]:
    """Return every term of a functional map's objective, unweighted, by name.

    Parameters
    ----------
    C_st : Tensor, (k_t, k_s)
    A_s, A_t : Tensor, (k_s, p) and (k_t, p)
    penalty : Tensor, (k_t, k_s)
        Squared weights of C's entries.
    C_ts : Tensor, (k_s, k_t), or None
        None leaves "bijectivity" out.
    cycle : sequence of Tensor
        Of three or more maps; empty leaves "cycle" out.

    Returns
    -------
    losses : Mapping of str to float
        "descriptors", "laplacian", "orthogonality", "bijectivity", "cycle".
    """
    losses = {
        "descriptors": float(descriptor_loss(C_st, A_s, A_t)),
        "laplacian": float(laplacian_loss(C_st, penalty)),
        "orthogonality": float(orthogonality_loss(C_st)),
    }
    if C_ts is not None:
        losses["bijectivity"] = float(bijectivity_loss(C_st, C_ts))
    if cycle:
        losses["cycle"] = float(cycle_loss(cycle))
    return losses


def weighted_sum(losses: Mapping[str, float], weights: FmapWeights) -> float:
    """Return the objective that the solver minimises for C_st: each term times its weight.

    The data term has weight 1; the cycle is reported and not optimised. A weight above 0 whose
    term is missing from ``losses`` raises `KeyError`.
    """
    total = losses["descriptors"] + weights.laplacian * losses["laplacian"]
    if weights.orthogonality:
        total += weights.orthogonality * losses["orthogonality"]
    if weights.bijectivity:
        total += weights.bijectivity * losses["bijectivity"]
    return total
