"""The closed-form functional map against the published solver and against pyFM's L-BFGS."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from pyFM.optimize.base_functions import (
    LB_commutation_and_grad,
    descr_preservation_and_grad,
    energy_and_grad_std,
)
from scipy.optimize import fmin_l_bfgs_b
from threadpoolctl import threadpool_limits

from benchmarks.photos import analyse_cats
from benchmarks.published_network import make_step
from benchmarks.timing import compare, seconds_of
from fmstudio.engine.requests import MatchSettings
from fmstudio.spectral.fmap import fmap_energy, solve_fmap
from fmstudio.spectral.reference import solve_fmap_iterative

STEPS = 2000
NETWORK_STEPS = 5
# The published code's grid is 60 x 60; beside it our own grids are measured.
PUBLISHED_PATCHES = 3600
CLOSED = "closed form"
# The published weights, 5 on the Laplacian term and 0.1 on the descriptors', as one.
LAP_WEIGHT = 50.0
# As in pyFM's `FunctionalMapping.fit`: weights that sum to 1, and its stopping rule. With its
# halved terms pyFM's objective is ours divided by 2 * (1 + LAP_WEIGHT) = 102.
DESCR_MU, LAP_MU = 1 / (1 + LAP_WEIGHT), LAP_WEIGHT / (1 + LAP_WEIGHT)
FACTR, PGTOL = 1e7, 1e-5


@dataclass(frozen=True)
class Problem:
    """Descriptors (k, d) of two photos in their bases, eigenvalues, and the features (n, d)."""

    A_s: torch.Tensor
    A_t: torch.Tensor
    evals_s: torch.Tensor
    evals_t: torch.Tensor
    features_s: torch.Tensor
    features_t: torch.Tensor

    @property
    def terms(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return what the solvers take."""
        return self.A_s, self.A_t, self.evals_s, self.evals_t

    def energy(self, C: torch.Tensor) -> float:
        """Return the objective of a map in double precision."""
        values = (v.double() for v in (C, *self.terms))
        return fmap_energy(*values, lap_weight=LAP_WEIGHT)


def make_problem(k: int = 200, d: int = 768, long_side: int = 512) -> Problem:
    """Return the problem of two cats with ``k`` functions and the first ``d`` channels."""
    _, (s, t) = analyse_cats(2, MatchSettings(k=k, long_side=long_side))
    features_s, features_t = s.descriptors[:, :d], t.descriptors[:, :d]
    return Problem(
        # Per square root of the patches, as `Matcher.pair` weighs them.
        s.basis.project(features_s) / s.grid.n**0.5,
        t.basis.project(features_t) / t.grid.n**0.5,
        s.basis.evals,
        t.basis.evals,
        features_s,
        features_t,
    )


def solve_by_lbfgs(problem: Problem, *, is_free: bool) -> torch.Tensor:
    """Return the map that L-BFGS finds with pyFM's terms, start and stopping rule.

    pyFM keeps C's first column as it starts, (1, 0, …, 0): right for meshes, whose first function
    is constant, but not the problem that the others solve.

    Parameters
    ----------
    problem : Problem
    is_free : bool
        False for pyFM's own objective; True to let the first column move, which makes the minimum
        that of the closed form.
    """
    A_s, A_t, evals_s, evals_t = (v.double().numpy() for v in problem.terms)
    gap = np.square(evals_s[None, :] - evals_t[:, None])
    start = np.zeros((len(evals_t), len(evals_s)))
    start[0, 0] = 1.0

    def fixed(flat: np.ndarray) -> tuple[float, np.ndarray]:
        return energy_and_grad_std(flat, DESCR_MU, LAP_MU, 0.0, 0.0, A_s, A_t, [], [], gap)

    def free(flat: np.ndarray) -> tuple[float, np.ndarray]:
        C = flat.reshape(start.shape)
        data, data_grad = descr_preservation_and_grad(C, A_s, A_t)
        commutator, commutator_grad = LB_commutation_and_grad(C, gap)
        grad = DESCR_MU * data_grad + LAP_MU * commutator_grad
        return DESCR_MU * data + LAP_MU * commutator, grad.ravel()

    objective = free if is_free else fixed
    # With more threads NumPy's small products take two to four times as long.
    with threadpool_limits(1, user_api="blas"):
        found = fmin_l_bfgs_b(objective, start.ravel(), factr=FACTR, pgtol=PGTOL)
    return torch.from_numpy(found[0].reshape(start.shape))


def measure(
    problem: Problem, repeats: int, *, steps: int = STEPS, is_quick: bool = False
) -> list[tuple[str, ...]]:
    """Return the table: solver, seconds, times the closed form, objective over the closed form's.

    Parameters
    ----------
    problem : Problem
    repeats : int
    steps : int
        Of the published solver.
    is_quick : bool
        Leave the published grid out: a step on it takes seconds.
    """
    solvers: dict[str, Callable[[], torch.Tensor]] = {
        CLOSED: partial(solve_fmap, *problem.terms, lap_weight=LAP_WEIGHT),
        f"published, {steps} steps, without its network": partial(
            solve_fmap_iterative, *problem.terms, steps=steps
        ),
        "pyFM, L-BFGS, first column fixed": partial(solve_by_lbfgs, problem, is_free=False),
        "pyFM's terms, L-BFGS, first column free": partial(solve_by_lbfgs, problem, is_free=True),
    }
    found = compare(solvers, repeats)
    base, closed = found[CLOSED]
    lowest = problem.energy(closed)
    rows = [
        (name, f"{seconds:.3f}", f"{seconds / base:.1f}", f"{problem.energy(C) / lowest:.4f}")
        for name, (seconds, C) in found.items()
    ]
    own = len(problem.features_s), len(problem.features_t)
    sizes = [own] if is_quick else [own, (PUBLISHED_PATCHES, PUBLISHED_PATCHES)]
    return rows + [_with_network(problem, size, base, steps) for size in sizes]


def _with_network(
    problem: Problem, sizes: tuple[int, int], base: float, steps: int
) -> tuple[str, ...]:
    """Return the row of the published solver with its network on so many patches of s and t.

    Features are repeated to the size: attention takes as long on any numbers.
    """
    pairs = zip((problem.features_s, problem.features_t), sizes, strict=True)
    step = make_step(*(f.repeat(-(-n // len(f)), 1)[:n].clone() for f, n in pairs))
    step()
    few = partial(solve_fmap_iterative, *problem.terms, steps=NETWORK_STEPS, before_step=step)
    seconds = seconds_of(few) * steps / NETWORK_STEPS
    scale = f"{NETWORK_STEPS} steps timed, scaled by {steps / NETWORK_STEPS:g}"
    name = f"published with its network on {sizes[0]} and {sizes[1]} patches ({scale})"
    return name, f"{seconds:.0f}", f"{seconds / base:.0f}", "as without"
