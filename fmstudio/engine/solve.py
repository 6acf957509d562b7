"""The functional map of a pair under the settings: pose, solve, refine, measure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from fmstudio.engine.requests import MatchSettings
from fmstudio.geometry.grid import PatchGrid
from fmstudio.spectral.convert import hub_corrected
from fmstudio.spectral.eigenbasis import EigenBasis
from fmstudio.spectral.fmap import FmapWeights, solve_fmap, solve_fmap_pair
from fmstudio.spectral.losses import report_losses
from fmstudio.spectral.network import NetworkSettings, refine_descriptors
from fmstudio.spectral.partial import foreground, overlap, patch_weights, slant
from fmstudio.spectral.penalty import SLANTED, laplacian_penalty
from fmstudio.spectral.refine import bijective_zoomout, refine_orthogonal, zoomout

if TYPE_CHECKING:
    from fmstudio.engine.match import ImageAnalysis


@dataclass(frozen=True, slots=True, eq=False)
class SolvedPair:
    """A pair's functional map, and what it was asked to align.

    Attributes
    ----------
    C_st : Tensor, (k_t, k_s)
    C_ts : Tensor, (k_s, k_t), or None
        The map back, where both were solved together.
    A_s : Tensor, (k_s, d)
        All the source's descriptors in the map's functions: what decoding carries.
    aligned_s, aligned_t : Tensor, (k_s, d) and (k_t, d)
        What the map aligns: descriptors under the foreground's weights.
    penalty : Tensor, (k_t, k_s)
        Squared weights of the map's entries.
    """

    C_st: torch.Tensor
    C_ts: torch.Tensor | None
    A_s: torch.Tensor
    aligned_s: torch.Tensor
    aligned_t: torch.Tensor
    penalty: torch.Tensor

    def losses(self) -> Mapping[str, float]:
        """Return the terms of the map's objective; see `fmstudio.spectral.losses`."""
        return report_losses(
            self.C_st, self.aligned_s, self.aligned_t, self.penalty, C_ts=self.C_ts
        )


def solve_pair(
    s: "ImageAnalysis",
    t: "ImageAnalysis",
    raw: torch.Tensor,
    settings: MatchSettings,
    *,
    agreed: torch.Tensor | None = None,
    check: Callable[[], object] | None = None,
) -> SolvedPair:
    """Return the functional map of a pair, solved in closed form and refined as the settings say.

    Parameters
    ----------
    s, t : ImageAnalysis
        With bases of `MatchSettings.basis_size` functions, or as many as there are patches.
    raw : Tensor, (n_s, n_t)
        Cosine similarity of the descriptors.
    settings : MatchSettings
    agreed : Tensor, (k_t, k_s), or None
        A map that was solved together with others (`fmstudio.engine.agreement`), to be refined.
    check : callable or None
        Called between the steps of the refinement network; what it raises ends the work.
    """
    slope = _slope(s, t, raw) if settings.lap_mask == SLANTED else 1.0
    aligned = _trained(s, t, settings, check)
    posed = _posed(s, t, aligned, settings, (settings.k, settings.k), slope)
    C_st, C_ts = (agreed, None) if agreed is not None else _solve(posed, settings)
    if settings.refine == "none":
        return SolvedPair(C_st, C_ts, posed.A_s, posed.aligned_s, posed.aligned_t, posed.penalty)
    # As many functions as the map will have; the scale of coefficients is that of `_descriptors`.
    size = settings.basis_size
    bases = (
        first_functions(s.basis, size).per_patch(),
        first_functions(t.basis, size).per_patch(),
    )
    C_st, C_ts = _refine(C_st, C_ts, bases, settings)
    posed = _posed(s, t, aligned, settings, (C_st.shape[1], C_st.shape[0]), slope)
    return SolvedPair(C_st, C_ts, posed.A_s, posed.aligned_s, posed.aligned_t, posed.penalty)


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """What the solver takes; names as in `SolvedPair`."""

    A_s: torch.Tensor
    aligned_s: torch.Tensor
    aligned_t: torch.Tensor
    evals_s: torch.Tensor
    evals_t: torch.Tensor
    penalty: torch.Tensor


def _posed(
    s: "ImageAnalysis",
    t: "ImageAnalysis",
    aligned: tuple[torch.Tensor, torch.Tensor],
    settings: MatchSettings,
    sizes: tuple[int, int],
    slope: float,
) -> _Problem:
    """Return the problem of a pair over the first functions of both bases."""
    basis_s, basis_t = first_functions(s.basis, sizes[0]), first_functions(t.basis, sizes[1])
    A_s = coefficients(s.descriptors, s.grid, basis_s)
    is_same = aligned[0] is s.descriptors and not settings.foreground
    return _Problem(
        A_s,
        A_s if is_same else coefficients(aligned[0], s.grid, basis_s, settings.foreground),
        coefficients(aligned[1], t.grid, basis_t, settings.foreground),
        basis_s.evals,
        basis_t.evals,
        laplacian_penalty(settings.lap_mask, basis_s.evals, basis_t.evals, slope=slope),
    )


def coefficients(
    descriptors: torch.Tensor, grid: PatchGrid, basis: EigenBasis, strength: float = 0.0
) -> torch.Tensor:
    """Return an image's descriptors (n, d) in its basis (k, d), per square root of its patches.

    So grids of any size weigh descriptors alike.

    Parameters
    ----------
    descriptors : Tensor, (n, d)
    grid : PatchGrid
    basis : EigenBasis
    strength : float
        In [0, 1]: how far the background is weighed down; see `fmstudio.spectral.partial`.
    """
    if strength:
        weights = patch_weights(foreground(descriptors, grid), strength)
        descriptors = weights[:, None] * descriptors
    projected: torch.Tensor = basis.project(descriptors) / grid.n**0.5
    return projected


def first_functions(basis: EigenBasis, k: int) -> EigenBasis:
    """Return the first k functions of a basis, or all where it has fewer."""
    return basis if k >= basis.k else basis.truncated(k)


def _trained(
    s: "ImageAnalysis",
    t: "ImageAnalysis",
    settings: MatchSettings,
    check: Callable[[], object] | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the descriptors that the map aligns: as they are, or after the refinement network.

    Only the map is solved from what the network makes: scores that take it lose accuracy.
    """
    if not settings.network_steps:
        return s.descriptors, t.descriptors
    refined = refine_descriptors(
        s.descriptors,
        t.descriptors,
        first_functions(s.basis, settings.k),
        first_functions(t.basis, settings.k),
        NetworkSettings(steps=settings.network_steps, lap_weight=settings.lap_weight),
        check=check,
    )
    return refined.descriptors_s, refined.descriptors_t


def _solve(problem: _Problem, settings: MatchSettings) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return C_st under the settings' weights, and C_ts where something ties the two."""
    weights = FmapWeights(
        laplacian=settings.lap_weight,
        orthogonality=settings.orthogonality,
        bijectivity=settings.bijectivity,
    )
    terms = (problem.aligned_s, problem.aligned_t, problem.evals_s, problem.evals_t)
    if weights.is_one_way and settings.refine != "bijective-zoomout":
        C_st = solve_fmap(*terms, lap_weight=weights.laplacian, penalty=problem.penalty)
        return C_st, None
    return solve_fmap_pair(*terms, weights, problem.penalty)


def _refine(
    C_st: torch.Tensor,
    C_ts: torch.Tensor | None,
    bases: tuple[EigenBasis, EigenBasis],
    settings: MatchSettings,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return a pair's maps refined as the settings say."""
    s, t = bases
    if settings.refine == "bijective-zoomout" and C_ts is not None:
        return bijective_zoomout(C_st, C_ts, s, t)
    if settings.refine == "orthogonal":
        back = None if C_ts is None else refine_orthogonal(C_ts, t, s)
        return refine_orthogonal(C_st, s, t), back
    return zoomout(C_st, s, t), None if C_ts is None else zoomout(C_ts, t, s)


def _slope(s: "ImageAnalysis", t: "ImageAnalysis", raw: torch.Tensor) -> float:
    """Return the slope of a pair's diagonal, from which patches find back to themselves."""
    score = hub_corrected(raw)
    return slant(*overlap(score.argmax(dim=1), score.argmax(dim=0), s.grid, t.grid))
