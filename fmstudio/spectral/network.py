"""Descriptors refined for one pair by a network that is trained on this pair's own map.

No label is used: the map of the refined descriptors, solved in closed form and differentiated
through, is asked to align them, to commute with the Laplacians, to be orthogonal and to be
inverted by the map of the other direction.

Why that alone is not enough: all four terms are as good as 0 for *any* two images once the
descriptors say nothing of the images. Coefficients A_s = A_t = I, each descriptor one function of
the basis, give C = I, and only the difference of the two spectra is left; constant descriptors
bring the first two terms to 0, and the others pay only for the rank that is lost. So the objective
can always be lowered by forgetting what the patches look like. Three things hold against it: every
patch keeps the length of its descriptor and turns by at most ``arcsin(reach)``; a "spread" term
keeps each image's covariance of the channels, so that none of them fades or is doubled; and the
best step is kept, not the last. They bound the damage; they do not make a lower loss a better map,
which only labels can show.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch

from fmstudio.spectral.eigenbasis import EigenBasis
from fmstudio.spectral.message_passing import MessagePassing
from fmstudio.spectral.network_losses import PairLosses

_GRADIENT_NORM = 1.0
_BETAS = (0.9, 0.999)

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
        If a shape does not fit, or an image's descriptors are all 0 or not all finite.
    ArithmeticError
        If training leaves the finite numbers: the learning rate is too high.

    References
    ----------
    Attaiki, Pai and Ovsjanikov 2021, "DPFM: deep partial functional maps", arXiv 2110.09994;
    Roufosse, Sharma and Ovsjanikov 2019, "Unsupervised deep learning for structured shape
    matching", arXiv 1812.03794 (the losses, through a differentiable solve);
    arXiv 2403.12038, section 3 (per pair, zero-shot); Bardes, Ponce and LeCun 2022, "VICReg",
    arXiv 2105.04906 (collapse, and covariance against it).
    """
    _check_shapes(descriptors_s, descriptors_t, basis_s, basis_t)
    # A caller in inference mode gets a network that learns all the same.
    with torch.inference_mode(mode=False), torch.enable_grad():
        pair = PairLosses(
            (_plain(descriptors_s), _plain(descriptors_t)),
            (_plain_basis(basis_s), _plain_basis(basis_t)),
            channels=settings.channels,
            reach=settings.reach,
            lap_weight=settings.lap_weight,
        )
        steps, history = _train(pair, settings, progress, check or _never)
        refined = [pair.descriptors(i, steps[i]) for i in (0, 1)]
    losses = {name: tuple(values[name] for values in history) for name in history[0]}
    return Refined(refined[0], refined[1], MappingProxyType(losses))


def _train(
    pair: PairLosses,
    settings: NetworkSettings,
    progress: StepProgress | None,
    check: Callable[[], object],
) -> tuple[list[torch.Tensor], list[dict[str, float]]]:
    """Return the best step's changes of both images, and every step's losses."""
    generator = torch.Generator().manual_seed(settings.seed)
    network = MessagePassing(
        pair.x[0].shape[1], settings.layers, settings.heads, settings.width, generator
    ).to(pair.x[0].device)
    optimiser = _Adam(list(network.parameters()), settings.learning_rate)
    history: list[dict[str, float]] = []
    best, best_at, kept = float("inf"), 0, [torch.zeros_like(x) for x in pair.x]
    for step in range(settings.steps + 1):
        check()
        changes = network(*pair.inputs, *pair.bases)
        if not all(change.isfinite().all() for change in changes):
            raise ArithmeticError(f"training diverged at step {step}; lower the learning rate")
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
        network.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), _GRADIENT_NORM)
        optimiser.step()
    return kept, history


class _Adam:
    """The Adam optimiser.

    Torch's own imports its compiler when it is first made: two seconds in which nobody can cancel.

    References
    ----------
    Kingma and Ba 2015, "Adam", arXiv 1412.6980, algorithm 1.
    """

    def __init__(self, weights: list[torch.nn.Parameter], learning_rate: float) -> None:
        self._weights = weights
        self._rate = learning_rate
        self._mean = [torch.zeros_like(w) for w in weights]
        self._square = [torch.zeros_like(w) for w in weights]
        self._steps = 0

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight against its gradient."""
        self._steps += 1
        bias = [1 - beta**self._steps for beta in _BETAS]
        for weight, mean, square in zip(self._weights, self._mean, self._square, strict=True):
            if weight.grad is None:
                continue
            mean.lerp_(weight.grad, 1 - _BETAS[0])
            square.lerp_(weight.grad.square(), 1 - _BETAS[1])
            weight.sub_(self._rate * (mean / bias[0]) / ((square / bias[1]).sqrt() + 1e-8))


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
    if not all(d.isfinite().all() for d in both) or not all(d.any() for d in both):
        raise ValueError("the descriptors of an image must be finite, and not all of them 0")


def _never() -> None:
    """Let the work go on."""
