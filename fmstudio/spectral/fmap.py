"""Functional maps in closed form: solve, regularise, measure."""

from dataclasses import dataclass

import torch

from fmstudio.spectral.penalty import commutator_penalty

# Relative to the mean of the data term's diagonal: keeps a rank-deficient system solvable.
_RIDGE = 1e-6
# Rows solved at once: bounds the memory at large k, and keeps the systems in the processor's cache.
_CHUNK = 32


@dataclass(frozen=True, slots=True)
class FmapWeights:
    """Weights of the terms of a functional map, all at least 0.

    Attributes
    ----------
    laplacian : float
        Commutativity with the Laplacians, ``|C diag(evals_s) - diag(evals_t) C|^2``, or another
        penalty in its place (`fmstudio.spectral.penalty`).
    orthogonality : float
        Squared distance of C to the nearest (semi-)orthogonal matrix: preserves area.
    bijectivity : float
        ``|C_st C_ts - I|^2``: forth and back is the identity.
    rounds : int
        Alternations of the last two; without either of them one solve is exact.
    """

    laplacian: float = 1.0
    orthogonality: float = 0.0
    bijectivity: float = 0.0
    rounds: int = 3

    @property
    def is_one_way(self) -> bool:
        """Return whether no term ties a map to that of the other direction or couples its rows."""
        return self.orthogonality == 0 and self.bijectivity == 0


def solve_fmap(
    A_s: torch.Tensor,
    A_t: torch.Tensor,
    evals_s: torch.Tensor,
    evals_t: torch.Tensor,
    *,
    lap_weight: float,
    penalty: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the functional map that carries descriptors from s to t.

    Minimises ``|C A_s - A_t|^2 + lap_weight * |C diag(evals_s) - diag(evals_t) C|^2``;
    the rows of C are independent, so each is one k_s x k_s solve, all of them one batch.

    Parameters
    ----------
    A_s, A_t : Tensor, (k_s, p) and (k_t, p)
        Descriptors in the two bases; same p, same device.
    evals_s, evals_t : Tensor, (k_s,) and (k_t,)
        Ascending, in [0, 2] for a normalised Laplacian.
    lap_weight : float
        At least 0.
    penalty : Tensor, (k_t, k_s), or None
        Squared weights of C's entries, in place of the commutator's ``(evals_s - evals_t)^2``.

    Returns
    -------
    C_st : Tensor, (k_t, k_s)

    Raises
    ------
    ValueError
        If p differs, or a shape does not fit its evals.

    References
    ----------
    Ovsjanikov et al. 2012, "Functional Maps", doi:10.1145/2185520.2185526, section 5.
    """
    _check_shapes(A_s, A_t, evals_s, evals_t)
    if penalty is None:
        penalty = commutator_penalty(evals_s, evals_t)
    return _solve_rows(A_s @ A_s.T, A_t @ A_s.T, lap_weight * penalty)


def solve_fmap_pair(
    A_s: torch.Tensor,
    A_t: torch.Tensor,
    evals_s: torch.Tensor,
    evals_t: torch.Tensor,
    weights: FmapWeights,
    penalty: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the functional maps of a pair in both directions, solved together.

    Adds orthogonality and bijectivity to the terms of `solve_fmap`. With the other direction and
    the nearest orthogonal matrices held fixed, the rows stay independent, so each half-round is
    one batch of exact solves: C_st with ``|C_st C_ts - I|^2``, C_ts with ``|C_ts C_st - I|^2``.
    With orthogonality alone the sum of all terms never grows; with bijectivity each half-round
    lowers its own direction's sum only, because the two identities are not one term.

    Parameters
    ----------
    A_s, A_t : Tensor, (k_s, p) and (k_t, p)
    evals_s, evals_t : Tensor, (k_s,) and (k_t,)
    weights : FmapWeights
    penalty : Tensor, (k_t, k_s), or None
        As in `solve_fmap`; its transpose is that of C_ts.

    Returns
    -------
    C_st, C_ts : Tensor, (k_t, k_s) and (k_s, k_t)

    Raises
    ------
    ValueError
        If p differs, or a shape does not fit its evals.

    References
    ----------
    Ovsjanikov et al. 2012 (above), section 5; Eynard et al. 2016, "Coupled functional maps",
    doi:10.1109/3DV.2016.49 (both directions at once).
    """
    _check_shapes(A_s, A_t, evals_s, evals_t)
    if penalty is None:
        penalty = commutator_penalty(evals_s, evals_t)
    forth = weights.laplacian * penalty
    back = forth.T.contiguous()
    gram_s, gram_t, cross = A_s @ A_s.T, A_t @ A_t.T, A_t @ A_s.T
    C_st = _solve_rows(gram_s, cross, forth)
    C_ts = _solve_rows(gram_t, cross.T, back)
    if weights.is_one_way:
        return C_st, C_ts
    ortho, inverse = weights.orthogonality, weights.bijectivity
    for _ in range(weights.rounds):
        C_st = _solve_rows(
            gram_s + inverse * C_ts @ C_ts.T + ortho * torch.eye(len(gram_s)).to(gram_s),
            cross + inverse * C_ts.T + ortho * nearest_orthogonal(C_st),
            forth,
        )
        C_ts = _solve_rows(
            gram_t + inverse * C_st @ C_st.T + ortho * torch.eye(len(gram_t)).to(gram_t),
            cross.T + inverse * C_st.T + ortho * nearest_orthogonal(C_ts),
            back,
        )
    return C_st, C_ts


def nearest_orthogonal(C: torch.Tensor) -> torch.Tensor:
    """Return the (semi-)orthogonal matrix nearest to C (k_t, k_s): its polar factor."""
    U, _, Vh = torch.linalg.svd(C, full_matrices=False)
    polar: torch.Tensor = U @ Vh
    return polar


def fmap_energy(
    C_st: torch.Tensor,
    A_s: torch.Tensor,
    A_t: torch.Tensor,
    evals_s: torch.Tensor,
    evals_t: torch.Tensor,
    *,
    lap_weight: float,
) -> float:
    """Return the value of the objective that `solve_fmap` minimises; shapes as there."""
    data = (C_st @ A_s - A_t).square().sum()
    commutator = (C_st * (evals_s[None, :] - evals_t[:, None])).square().sum()
    return float(data + lap_weight * commutator)


def _solve_rows(gram: torch.Tensor, cross: torch.Tensor, penalty: torch.Tensor) -> torch.Tensor:
    """Return C whose row j solves ``(gram + diag(penalty_j)) c = cross_j``.

    By Cholesky: the systems are symmetric positive definite, and ``torch.linalg.solve`` on a CPU
    batch hangs with oneMKL and two threads (seen with torch 2.13 and 2.15).
    """
    ridge = _RIDGE * gram.diagonal().mean().clamp_min(torch.finfo(gram.dtype).tiny)
    rows = []
    for start in range(0, len(penalty), _CHUNK):
        part = slice(start, start + _CHUNK)
        systems = gram.expand(len(penalty[part]), *gram.shape).clone()  # (chunk, k_s, k_s)
        systems.diagonal(dim1=1, dim2=2).add_(penalty[part] + ridge)
        factors = torch.linalg.cholesky(systems)
        rows.append(torch.cholesky_solve(cross[part, :, None], factors)[:, :, 0])
    return torch.cat(rows)


def _check_shapes(
    A_s: torch.Tensor, A_t: torch.Tensor, evals_s: torch.Tensor, evals_t: torch.Tensor
) -> None:
    """Raise `ValueError` unless descriptors and eigenvalues fit each other."""
    if A_s.ndim != 2 or A_t.ndim != 2 or A_s.shape[1] != A_t.shape[1]:
        raise ValueError(
            f"descriptors must be (k, p) with one p, not {tuple(A_s.shape)} and {tuple(A_t.shape)}"
        )
    if A_s.shape[0] != len(evals_s) or A_t.shape[0] != len(evals_t):
        raise ValueError(
            f"descriptors {tuple(A_s.shape)} and {tuple(A_t.shape)} do not fit "
            f"{len(evals_s)} and {len(evals_t)} eigenvalues"
        )
