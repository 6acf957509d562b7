"""Descriptors refined for one pair by a network that is trained on this pair's own map.

No label is used: the map of the refined descriptors, solved in closed form and differentiated
through, is asked to align them, to commute with the Laplacians, to be orthogonal and to be
inverted by the map of the other direction.

Why that alone is not enough: all four terms are 0 for *any* two images once the descriptors say
nothing of the images. Coefficients A_s = A_t = I, each descriptor one function of the basis, give
C = I; constant descriptors make the first two terms 0, and the others pay only for the rank that
is lost. So the objective can always be lowered by forgetting what the patches look like. Three
things hold against it: every patch keeps the length of its descriptor and turns by at most
``arcsin(reach)``; a "spread" term keeps each image's covariance of the channels, so that none of
them fades or is doubled; and the best step is kept, not the last. They bound the damage; they do
not make a lower loss a better map, which only labels can show.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch

from fmstudio.spectral.eigenbasis import EigenBasis
from fmstudio.spectral.fmap import solve_fmap
from fmstudio.spectral.message_passing import MessagePassing

# Principal channels with less than this share of the largest one's variance are rounding errors.
_RANK_TOLERANCE = 1e-9
_GRADIENT_NORM = 1.0

StepProgress = Callable[[int, int, Mapping[str, float]], object]


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How descriptors are refined.

    Attributes
    ----------
    layers, heads, width : int
        Of the network, at least 1; ``width`` is divisible by ``heads``.
    channels : int
        Joint principal channels that the network sees and changes, at least 1.
    steps : int
        Optimiser steps at most; 0 returns the descriptors as they are.
    patience : int
        Stop after this many steps without a new lowest loss, at least 1.
    learning_rate : float
        Of Adam, above 0.
    seed : int
        Of the network's first weights.
    reach : float
        In (0, 1): a descriptor turns by at most ``arcsin(reach)``.
    lap_weight : float
        Of Laplacian commutativity in the closed-form solve, as in `solve_fmap`.
    descriptor, laplacian, orthogonality, bijectivity, spread : float
        Weights of the loss's terms, at least 0.

    Raises
    ------
    ValueError
        If one is out of its range.
    """

    layers: int = 2
    heads: int = 4
    width: int = 64
    channels: int = 64
    steps: int = 40
    patience: int = 8
    learning_rate: float = 2e-3
    seed: int = 0
    reach: float = 0.3
    lap_weight: float = 0.1
    descriptor: float = 1.0
    laplacian: float = 1.0
    orthogonality: float = 0.1
    bijectivity: float = 0.1
    spread: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        for name in ("layers", "heads", "width", "channels", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("steps", "lap_weight", *_TERMS):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, not {getattr(self, name)}")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not divisible by {self.heads} heads")
        if not 0 < self.reach < 1:
            raise ValueError(f"reach must lie between 0 and 1, not be {self.reach}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0, not {self.learning_rate}")


_TERMS = ("descriptor", "laplacian", "orthogonality", "bijectivity", "spread")


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """Descriptors after training.

    Attributes
    ----------
    descriptors_s, descriptors_t : Tensor, (n_s, d) and (n_t, d)
        Those of the step with the lowest total loss; rows as long as they came.
    losses : Mapping of str to tuple of float
        Per term, unweighted, and the weighted "total"; entry 0 is of the descriptors as they came.
    """

    descriptors_s: torch.Tensor
    descriptors_t: torch.Tensor
    losses: Mapping[str, tuple[float, ...]]

    @property
    def best_step(self) -> int:
        """Return the step whose descriptors these are."""
        total = self.losses["total"]
        return total.index(min(total))


def refine_descriptors(
    descriptors_s: torch.Tensor,
    descriptors_t: torch.Tensor,
    basis_s: EigenBasis,
    basis_t: EigenBasis,
    settings: NetworkSettings,
    *,
    progress: StepProgress | None = None,
    check: Callable[[], object] | None = None,
) -> Refined:
    """Return the descriptors of a pair, refined by a network trained on the pair itself.

    The network works in ``settings.channels`` joint principal channels of the two images'
    coefficients: the losses see descriptors only through these k_s + k_t columns, so that many
    channels lose nothing there, whatever d is. What lies outside of them is kept as it is. Memory
    is that of the descriptors and of some tens of (n, width) states; one step costs
    ``4 layers n_s n_t width`` multiplications forwards and about twice that backwards.

    Parameters
    ----------
    descriptors_s, descriptors_t : Tensor, (n_s, d) and (n_t, d)
        Same d, same device.
    basis_s, basis_t : EigenBasis
        Of n_s and n_t patches.
    settings : NetworkSettings
    progress : callable or None
        Called with (step, steps, losses by term) after each evaluation, first with step 0.
    check : callable or None
        Called twice in each step; what it raises ends the training.

    Returns
    -------
    refined : Refined
        On one device and thread count the same for the same seed.

    Raises
    ------
    ValueError
        If a shape does not fit, or the descriptors are all 0 or not all finite.
    ArithmeticError
        If training leaves the finite numbers: the learning rate is too high.

    References
    ----------
    Attaiki, Pai and Ovsjanikov 2021, "DPFM: deep partial functional maps", arXiv 2110.09994;
    Roufosse, Sharma and Ovsjanikov 2019, "Unsupervised deep learning for structured shape
    matching", arXiv 1812.03794, section 4 (the losses, through a differentiable solve);
    arXiv 2403.12038, section 3 (per pair, zero-shot); Bardes, Ponce and LeCun 2022, "VICReg",
    arXiv 2105.04906, section 4 (collapse, and covariance against it).
    """
    _check_shapes(descriptors_s, descriptors_t, basis_s, basis_t)
    # A caller in inference mode gets a network that learns all the same.
    with torch.inference_mode(mode=False), torch.enable_grad():
        pair = _Pair(
            (_plain(descriptors_s), _plain(descriptors_t)),
            (_plain_basis(basis_s), _plain_basis(basis_t)),
            settings,
        )
        steps, history = _train(pair, settings, progress, check or _never)
        refined = [pair.descriptors(i, steps[i]) for i in (0, 1)]
    losses = {name: tuple(values[name] for values in history) for name in history[0]}
    return Refined(refined[0], refined[1], MappingProxyType(losses))


def _train(
    pair: "_Pair",
    settings: NetworkSettings,
    progress: StepProgress | None,
    check: Callable[[], object],
) -> tuple[list[torch.Tensor], list[dict[str, float]]]:
    """Return the best step's changes of both images, and every step's losses."""
    generator = torch.Generator().manual_seed(settings.seed)
    network = MessagePassing(
        pair.x[0].shape[1], settings.layers, settings.heads, settings.width, generator
    ).to(pair.x[0].device)
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    history: list[dict[str, float]] = []
    best, best_at, kept = float("inf"), 0, [torch.zeros_like(x) for x in pair.x]
    for step in range(settings.steps + 1):
        check()
        changes = network(*pair.inputs, *pair.bases)
        if not all(change.isfinite().all() for change in changes):
            raise ArithmeticError(
                f"the network's output is not finite at step {step}; lower the learning rate"
            )
        terms = pair.losses(changes)
        total = torch.stack([getattr(settings, name) * terms[name] for name in _TERMS]).sum()
        value = float(total.detach())
        history.append({**{name: float(terms[name].detach()) for name in _TERMS}, "total": value})
        if value < best:
            best, best_at, kept = value, step, [change.detach() for change in changes]
        if progress is not None:
            progress(step, settings.steps, history[-1])
        if step == settings.steps or step - best_at >= settings.patience:
            break
        check()
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), _GRADIENT_NORM)
        optimiser.step()
    return kept, history


class _Pair:
    """What training needs of two images, in their joint principal channels."""

    def __init__(
        self,
        descriptors: tuple[torch.Tensor, torch.Tensor],
        bases: tuple[EigenBasis, EigenBasis],
        settings: NetworkSettings,
    ) -> None:
        self.bases = bases
        self._descriptors = descriptors
        self._settings = settings
        self._axes = _principal_axes(descriptors, bases, settings.channels)  # (d, r)
        self._length = [d.norm(dim=1, keepdim=True) for d in descriptors]
        self.x = [d @ self._axes for d in descriptors]  # (n, r)
        joint = torch.cat([x - x.mean(dim=0) for x in self.x])
        # A channel that hardly varies must not outweigh all others.
        floor = 1e-4 * float(torch.cat(self._length).mean())
        self._deviation = joint.square().mean(dim=0).sqrt().clamp_min(floor)
        self._covariance = [self._covariance_of(x) for x in self.x]
        scale = torch.cat(self.x).square().mean(dim=0).sqrt().mean()
        self.inputs = [x / scale for x in self.x]
        top = max(float(b.evals.max()) for b in bases)
        gap = (bases[0].evals[None, :] - bases[1].evals[:, None]) / max(top, 1e-12)
        self._gap = _wide(gap)  # (k_t, k_s)

    def descriptors(self, i: int, change: torch.Tensor) -> torch.Tensor:
        """Return image i's descriptors (n, d) under a change (n, r)."""
        step, ratio = self._bounded(i, change)
        return (self._descriptors[i] + step @ self._axes.T) * ratio

    def losses(self, changes: tuple[torch.Tensor, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Return the terms of the loss, each a scalar that does not depend on any scale."""
        x, A = [], []
        for i, basis in enumerate(self.bases):
            step, ratio = self._bounded(i, changes[i])
            x.append((self.x[i] + step) * ratio)
            A.append(_wide(basis.project(x[i])) / len(x[i]) ** 0.5)
        evals = [_wide(b.evals) for b in self.bases]
        weight = self._settings.lap_weight
        C_st = solve_fmap(A[0], A[1], evals[0], evals[1], lap_weight=weight)
        C_ts = solve_fmap(A[1], A[0], evals[1], evals[0], lap_weight=weight)
        return {
            "descriptor": 0.5 * (_misfit(C_st, A[0], A[1]) + _misfit(C_ts, A[1], A[0])),
            "laplacian": 0.5 * (_weighted(C_st, self._gap) + _weighted(C_ts, self._gap.T)),
            "orthogonality": 0.5 * (_skewness(C_st) + _skewness(C_ts)),
            "bijectivity": 0.5 * _distance_to_identity(C_st @ C_ts, C_ts @ C_st),
            "spread": 0.5 * _wide(self._spread(0, x[0]) + self._spread(1, x[1])),
        }

    def _bounded(self, i: int, change: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the step (n, r) within reach, and the ratio (n, 1) that keeps the rows' length."""
        bound = self._settings.reach * self._length[i]
        step = bound * change * (1 + change.square().sum(dim=1, keepdim=True)).rsqrt()
        # The axes are orthonormal: the length in all d channels is known without them.
        square = self._length[i].square().clamp_min(1e-24)
        inner = (2 * self.x[i] * step + step.square()).sum(dim=1, keepdim=True)
        return step, (square / (square + inner)).sqrt()

    def _covariance_of(self, x: torch.Tensor) -> torch.Tensor:
        """Return the covariance (r, r) of channels brought to the same scale."""
        centred = (x - x.mean(dim=0)) / self._deviation
        return centred.T @ centred / len(x)

    def _spread(self, i: int, x: torch.Tensor) -> torch.Tensor:
        """Return how far image i's covariance has moved, relative to what it was."""
        was = self._covariance[i]
        moved = (self._covariance_of(x) - was).square().sum()
        return moved / was.square().sum().clamp_min(1e-12)


def _principal_axes(
    descriptors: tuple[torch.Tensor, torch.Tensor],
    bases: tuple[EigenBasis, EigenBasis],
    count: int,
) -> torch.Tensor:
    """Return orthonormal axes (d, r) of both images' coefficients, the strongest first; r <= count.

    Of the coefficients' Gram matrix, k_s + k_t wide, never of d x d channels. Not centred: the
    mean is itself something that a map aligns.
    """
    pairs = zip(descriptors, bases, strict=True)
    A = torch.cat([_wide(b.project(d)) / len(d) ** 0.5 for d, b in pairs])  # (k_s + k_t, d)
    squares, vectors = torch.linalg.eigh(A @ A.T)
    squares, vectors = squares.flip(0)[:count], vectors.flip(1)[:, :count]
    sound = squares > _RANK_TOLERANCE * squares[0].clamp_min(torch.finfo(A.dtype).tiny)
    axes: torch.Tensor = A.T @ (vectors[:, sound] / squares[sound].sqrt())
    return axes.to(descriptors[0])


def _misfit(C: torch.Tensor, A_from: torch.Tensor, A_to: torch.Tensor) -> torch.Tensor:
    """Return ``|C A_from - A_to|^2 / |A_to|^2``."""
    return (C @ A_from - A_to).square().sum() / A_to.square().sum()


def _weighted(C: torch.Tensor, gap: torch.Tensor) -> torch.Tensor:
    """Return ``|gap o C|^2 / |C|^2``: the share of C that mixes frequencies."""
    return (gap * C).square().sum() / C.square().sum()


def _skewness(C: torch.Tensor) -> torch.Tensor:
    """Return ``|C' C - I|^2 / k``, or of ``C C'`` where that is the smaller."""
    gram = C.T @ C if C.shape[0] >= C.shape[1] else C @ C.T
    return _distance_to_identity(gram)


def _distance_to_identity(*products: torch.Tensor) -> torch.Tensor:
    """Return the sum over square matrices of ``|P - I|^2 / k``."""
    return torch.stack(
        [(P - torch.eye(len(P)).to(P)).square().sum() / len(P) for P in products]
    ).sum()


def _wide(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor in double precision, in which the solve and its gradient are stable.

    On the processor where the device has no such numbers: only small k-sized ones come here.
    """
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor that training may use: outside of any graph, not of inference mode."""
    return tensor.detach().clone() if tensor.is_inference() else tensor.detach()


def _plain_basis(basis: EigenBasis) -> EigenBasis:
    """Return a basis that training may use."""
    return EigenBasis(_plain(basis.evals), _plain(basis.evecs), _plain(basis.mass))


def _check_shapes(
    descriptors_s: torch.Tensor,
    descriptors_t: torch.Tensor,
    basis_s: EigenBasis,
    basis_t: EigenBasis,
) -> None:
    """Raise `ValueError` unless descriptors fit each other and their bases."""
    shapes = [tuple(d.shape) for d in (descriptors_s, descriptors_t)]
    if len(shapes[0]) != 2 or len(shapes[1]) != 2 or shapes[0][1] != shapes[1][1]:
        raise ValueError(f"descriptors must be (n, d) with one d, not {shapes[0]} and {shapes[1]}")
    for shape, basis in zip(shapes, (basis_s, basis_t), strict=True):
        if shape[0] != len(basis.evecs):
            raise ValueError(
                f"descriptors {shape} do not fit a basis on {len(basis.evecs)} patches"
            )
    both = (descriptors_s, descriptors_t)
    if not all(d.isfinite().all() for d in both) or not any(d.any() for d in both):
        raise ValueError("descriptors must be finite, and not all of them 0")


def _never() -> None:
    """Let the work go on."""
