"""The refinement network: the patches of two images exchange messages."""

import torch
from torch import nn
from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention

from fmstudio.spectral.eigenbasis import EigenBasis


class MessagePassing(nn.Module):
    """From the channels of two images' patches to a change of these channels, at first none.

    Every layer first aggregates over the graph of each image by heat diffusion in its eigenbasis,
    each channel for a time of its own that is learned, and then takes messages from the other
    image's patches by multi-head attention; both are residual. The two images share all weights,
    so exchanging them exchanges the results. The output projection starts at zero.

    Attention is ``scaled_dot_product_attention``, which on CPU and GPU works in blocks: the
    n_s x n_t weights are never in memory at once.

    Parameters
    ----------
    channels : int
        Of the descriptors.
    layers, heads, width : int
        At least 1; ``width`` is divisible by ``heads``.
    generator : Generator
        Of the CPU; all weights are drawn from it, and torch's global state is left alone.

    References
    ----------
    Attaiki, Pai and Ovsjanikov 2021, "DPFM: deep partial functional maps", arXiv 2110.09994 (cross
    attention between two shapes); Sharp et al. 2022, "DiffusionNet", doi:10.1145/3507905
    (diffusion of learned time).
    """

    def __init__(
        self, channels: int, layers: int, heads: int, width: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.enter = _Linear(channels, width, generator)
        self.diffuse = nn.ModuleList(_Diffusion(width, generator) for _ in range(layers))
        self.attend = nn.ModuleList(_CrossAttention(width, heads, generator) for _ in range(layers))
        self.leave = _Linear(width, channels, generator)
        nn.init.zeros_(self.leave.weight)

    def forward(
        self, x_s: torch.Tensor, x_t: torch.Tensor, basis_s: EigenBasis, basis_t: EigenBasis
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the changes of (n_s, channels) and (n_t, channels)."""
        h_s, h_t = self.enter(x_s), self.enter(x_t)
        for diffuse, attend in zip(self.diffuse, self.attend, strict=True):
            h_s, h_t = diffuse(h_s, basis_s), diffuse(h_t, basis_t)
            h_s, h_t = attend(h_s, h_t), attend(h_t, h_s)
        return self.leave(_normed(h_s)), self.leave(_normed(h_t))


class _Diffusion(nn.Module):
    """Aggregation over an image's graph: ``h + mlp([h, evecs exp(-evals * time) evecs' M h])``."""

    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        # Times from 1 to 100: from a few patches' reach to a good part of the image.
        self.log_time = nn.Parameter(torch.linspace(0.0, 4.6, width))
        self.mlp = _Mlp(width, generator)

    def forward(self, h: torch.Tensor, basis: EigenBasis) -> torch.Tensor:
        """Return (n, width) from (n, width)."""
        own = _normed(h)
        decay = torch.exp(-basis.evals[:, None] * self.log_time.exp())  # (k, width)
        update: torch.Tensor = self.mlp(own, basis.lift(decay * basis.project(own)))
        return h + update


class _CrossAttention(nn.Module):
    """Messages from the other image: ``h + mlp([h, attention(h, other)])``."""

    def __init__(self, width: int, heads: int, generator: torch.Generator) -> None:
        super().__init__()
        self.heads = heads
        self.query = _Linear(width, width, generator)
        self.key = _Linear(width, width, generator)
        self.value = _Linear(width, width, generator)
        self.mlp = _Mlp(width, generator)

    def forward(self, h: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return (n, width) from (n, width) and the other image's (m, width)."""
        own, other = _normed(h), _normed(other)
        message = scaled_dot_product_attention(
            self._split(self.query(own)),
            self._split(self.key(other)),
            self._split(self.value(other)),
        )
        update: torch.Tensor = self.mlp(own, message[0].transpose(0, 1).reshape(h.shape))
        return h + update

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """Return (1, heads, n, width / heads) from (n, width)."""
        return x.reshape(len(x), self.heads, -1).transpose(0, 1)[None]


class _Mlp(nn.Module):
    """Two layers on a patch's own state and the message to it."""

    def __init__(self, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.first = _Linear(2 * width, 2 * width, generator)
        self.second = _Linear(2 * width, width, generator)

    def forward(self, own: torch.Tensor, message: torch.Tensor) -> torch.Tensor:
        """Return (n, width) from two (n, width)."""
        out: torch.Tensor = self.second(gelu(self.first(torch.cat([own, message], dim=1))))
        return out


class _Linear(nn.Module):
    """An affine layer with weights drawn from a generator and no offset yet.

    Torch's own would draw from the global generator, which belongs to the caller.
    """

    def __init__(self, inside: int, outside: int, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outside, inside))
        self.bias = nn.Parameter(torch.zeros(outside))
        nn.init.xavier_uniform_(self.weight, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (n, outside) from (n, inside)."""
        return linear(x, self.weight, self.bias)


def _normed(h: torch.Tensor) -> torch.Tensor:
    """Return states (n, width), each of mean 0 and variance 1."""
    return layer_norm(h, h.shape[1:])
