"""The losses of the refinement network: what a pair's own map says of its descriptors."""

import torch

from fmstudio.spectral.eigenbasis import EigenBasis
from fmstudio.spectral.fmap import solve_fmap

# Principal channels with less than this share of the largest one's variance are rounding errors.
_RANK_TOLERANCE = 1e-9


class PairLosses:
    """What the network is trained on: two images in their joint principal channels.

    Attributes
    ----------
    bases : tuple of EigenBasis
    x : list of Tensor, (n, r)
        Channels of each image; r is at most ``channels``.
    inputs : list of Tensor, (n, r)
        The same at unit scale, for the network.

    Parameters
    ----------
    descriptors : tuple of Tensor, (n_s, d) and (n_t, d)
    bases : tuple of EigenBasis
        Of n_s and n_t patches.
    channels, reach, lap_weight : int, float, float
        See `fmstudio.spectral.network.NetworkSettings`.
    """

    def __init__(
        self,
        descriptors: tuple[torch.Tensor, torch.Tensor],
        bases: tuple[EigenBasis, EigenBasis],
        *,
        channels: int,
        reach: float,
        lap_weight: float,
    ) -> None:
        self.bases = bases
        self._descriptors = descriptors
        self._reach, self._lap_weight = reach, lap_weight
        self._axes = _principal_axes(descriptors, bases, channels)  # (d, r)
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
        weight = self._lap_weight
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
        bound = self._reach * self._length[i]
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
