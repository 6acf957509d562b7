"""The kind of network that the published code runs in each of its optimiser steps."""

import torch
from torch import nn

WIDTH, HEADS, LAYERS = 512, 4, 2


class CrossAttentionLayer(nn.Module):
    """One exchange between two sets of patches: attention, then a perceptron, both residual."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.perceptron = nn.Sequential(
            nn.Linear(2 * WIDTH, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, WIDTH)
        )

    def forward(self, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return patches (1, n, WIDTH) after looking at the other image's (1, m, WIDTH)."""
        message, _ = self.attention(x, other, other, need_weights=False)
        return x + self.perceptron(torch.cat([x, message], dim=2))


class RefinementNetwork(nn.Module):
    """Refines the features of two images by attention between them, as DPFM does.

    References
    ----------
    Attaiki et al. 2021, "DPFM: Deep Partial Functional Maps", arXiv 2110.09994, section 4.1;
    arXiv 2403.12038 uses it with 2 layers, 4 heads and width 512.
    """

    def __init__(self, d: int) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(d, WIDTH), nn.Linear(WIDTH, d)
        self.layers = nn.ModuleList(CrossAttentionLayer() for _ in range(LAYERS))

    def forward(self, s: torch.Tensor, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the refined features of both images, (n_s, d) and (n_t, d)."""
        x, y = self.enter(s)[None], self.enter(t)[None]
        for layer in self.layers:
            x, y = layer(x, y), layer(y, x)
        return self.leave(x)[0], self.leave(y)[0]


def make_step(s: torch.Tensor, t: torch.Tensor) -> "NetworkStep":
    """Return one optimiser step's network work on two images' features (n, d)."""
    torch.manual_seed(0)
    return NetworkStep(RefinementNetwork(s.shape[1]), s, t)


class NetworkStep:
    """Forward and backward of the network, as published: its learning rate is 1e-9, not 0."""

    def __init__(self, network: RefinementNetwork, s: torch.Tensor, t: torch.Tensor) -> None:
        self.network, self._s, self._t = network, s, t

    def __call__(self) -> None:
        """Run one step."""
        self.network.zero_grad()
        refined_s, refined_t = self.network(self._s, self._t)
        (refined_s.square().mean() + refined_t.square().mean()).backward()
