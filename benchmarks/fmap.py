"""The closed-form functional map against the published solver and against pyFM's L-BFGS."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from pyFM.optimize.base_functions import energy_and_grad_std
from scipy.optimize import fmin_l_bfgs_b

from benchmarks.photos import analyse_cats
from benchmarks.published_network import make_step
from benchmarks.timing import compare, seconds_of
from fmstudio.engine.requests import MatchSettings
from fmstudio.spectral.fmap import fmap_energy, solve_fmap
from fmstudio.spectral.reference import solve_fmap_iterative

STEPS = 2000
NETWORK_STEPS = 5
# The published code's grid is 60 x 60; beside it our own number of patches is measured.
PUBLISHED_PATCHES = 3600
# The published weights, 5 on the Laplacian term and 0.1 on the descriptors', as one.
LAP_WEIGHT = 50.0
# pyFM's own stopping rule (`FunctionalMapping.fit`).
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
    """Return the problem of two cats with ``k`` functions and ``d`` channels."""
    settings = MatchSettings(k=k, long_side=long_side)
    _, (s, t) = analyse_cats(2, settings)
    features_s, features_t = s.descriptors[:, :d], t.descriptors[:, :d]
    return Problem(
        s.basis.project(features_s),
        t.basis.project(features_t),
        s.basis.evals,
        t.basis.evals,
        features_s,
        features_t,
    )


def solve_by_lbfgs(problem: Problem) -> torch.Tensor:
    """Return the map that pyFM's optimiser finds for the same objective (it halves both terms)."""
    A_s, A_t, evals_s, evals_t = (v.double().numpy() for v in problem.terms)
    gap = np.square(evals_s[None, :] - evals_t[:, None])
    start = np.zeros((len(evals_t), len(evals_s)))
    start[0, 0] = 1.0
    args = (1.0, LAP_WEIGHT, 0.0, 0.0, A_s, A_t, [], [], gap)
    found = fmin_l_bfgs_b(energy_and_grad_std, start.ravel(), args=args, factr=FACTR, pgtol=PGTOL)
    return torch.from_numpy(found[0].reshape(start.shape))


def measure(problem: Problem, repeats: int, steps: int = STEPS) -> list[tuple[str, ...]]:
    """Return the table: solver, seconds, times the closed form, objective over the closed form's.

    Parameters
    ----------
    problem : Problem
    repeats : int
    steps : int
        Of the published solver.
    """
    solvers: dict[str, Callable[[], torch.Tensor]] = {
        "closed form": partial(solve_fmap, *problem.terms, lap_weight=LAP_WEIGHT),
        f"published, {steps} steps, without its network": partial(
            solve_fmap_iterative, *problem.terms, steps=steps
        ),
        "pyFM, L-BFGS": partial(solve_by_lbfgs, problem),
    }
    seconds = compare(solvers, repeats)
    base = seconds["closed form"]
    lowest = problem.energy(solvers["closed form"]())
    rows = [
        (name, f"{seconds[name]:.3f}", f"{seconds[name] / base:.1f}",
         f"{problem.energy(solve()) / lowest:.3f}")
        for name, solve in solvers.items()
    ]  # fmt: skip
    sizes = len(problem.features_s), PUBLISHED_PATCHES
    return rows + [_with_network(problem, n, base, steps) for n in sizes]


def _with_network(problem: Problem, n: int, base: float, steps: int) -> tuple[str, ...]:
    """Return the row of the published solver with its network on ``n`` patches an image."""
    repeats = -(-n // len(problem.features_s)), 1
    features = (problem.features_s, problem.features_t)
    step = make_step(*(f.repeat(repeats)[:n].clone() for f in features))
    step()
    few = partial(solve_fmap_iterative, *problem.terms, steps=NETWORK_STEPS, before_step=step)
    seconds = seconds_of(few) * steps / NETWORK_STEPS
    name = f"published with its network on {n} patches ({NETWORK_STEPS} steps timed, scaled)"
    return name, f"{seconds:.0f}", f"{seconds / base:.0f}", "as without"
