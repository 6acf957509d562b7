"""The published solver, kept to measure against: thousands of optimiser steps on C alone."""

from collections.abc import Callable

import torch

_DATA_WEIGHT = 0.1
_MASK_WEIGHT = 5.0
_LEARNING_RATE = 1e-2


def published_energy(
    C_st: torch.Tensor,
    A_s: torch.Tensor,
    A_t: torch.Tensor,
    evals_s: torch.Tensor,
    evals_t: torch.Tensor,
) -> torch.Tensor:
    """Return the published objective ``0.1 |C A_s - A_t|^2 + 5 |M o C|^2``.

    ``M_ji = |evals_sj - evals_ti|``; shapes as in `fmstudio.spectral.fmap.solve_fmap`. Divided by
    0.1 it is that function's objective at ``lap_weight = 50``.
    """
    data = (C_st @ A_s - A_t).square().sum()
    mask = (C_st * (evals_s[None, :] - evals_t[:, None])).square().sum()
    return _DATA_WEIGHT * data + _MASK_WEIGHT * mask


def solve_fmap_iterative(
    A_s: torch.Tensor,
    A_t: torch.Tensor,
    evals_s: torch.Tensor,
    evals_t: torch.Tensor,
    *,
    steps: int = 2000,
    before_step: Callable[[], object] | None = None,
) -> torch.Tensor:
    """Return a functional map as the published code finds it: Adam on C, box-constrained.

    C starts at the identity, and is clamped to [0, 1] after every step although functional maps
    have entries of both signs. The closed form reaches a lower objective in one solve; this is
    here so that tests and benchmarks can show it.

    Parameters
    ----------
    A_s, A_t : Tensor, (k_s, p) and (k_t, p)
    evals_s, evals_t : Tensor, (k_s,) and (k_t,)
    steps : int
        The published number is 2000.
    before_step : callable or None
        Called before every step: benchmarks put the published network's work here.

    Returns
    -------
    C_st : Tensor, (k_t, k_s)

    References
    ----------
    The code published with arXiv 2403.12038; its "consistency" term equals weight decay and is
    left out, its network is frozen at random and does not enter C's gradient.
    """
    C = torch.eye(len(evals_t), len(evals_s), dtype=A_s.dtype, device=A_s.device)
    C.requires_grad_()
    optimiser = torch.optim.Adam([C], lr=_LEARNING_RATE)
    for _ in range(steps):
        if before_step is not None:
            before_step()
        optimiser.zero_grad()
        energy = published_energy(C, A_s, A_t, evals_s, evals_t)
        energy.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        with torch.no_grad():
            C.clamp_(0.0, 1.0)
    return C.detach()
