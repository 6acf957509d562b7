"""Smoothing of functions and similarity volumes over a patch grid: what needs no map."""

from collections.abc import Iterator

import torch

from fmstudio.geometry.grid import PatchGrid

# Of the bilateral filter: in patches, in patches, and in cosine similarity.
_SIGMA = 1.0
_RADIUS = 2
_RANGE = 0.2


def bilateral(functions: torch.Tensor, guide: torch.Tensor, grid: PatchGrid) -> torch.Tensor:
    """Return functions (n, p) smoothed over the grid where the guide is alike.

    ``f_i <- sum_j w_ij f_j / sum_j w_ij`` with
    ``w_ij = exp(-|rc_i - rc_j|^2 / (2 sigma^2) - (1 - cos_ij)^2 / (2 range^2))`` in a window.

    Parameters
    ----------
    functions : Tensor, (n, p)
    guide : Tensor, (n, d)
        Unit rows; cos_ij is their product.
    grid : PatchGrid
        Of n patches.
    """
    values = functions.reshape(grid.rows, grid.cols, -1)
    total, weights = torch.zeros_like(values), torch.zeros_like(values[..., :1])
    for here, there, weight in _neighbours(guide, grid):
        total[here] += weight[..., None] * values[there]
        weights[here] += weight[..., None]
    return (total / weights).reshape(functions.shape)


def filter_displacements(
    volume: torch.Tensor, guide_s: torch.Tensor, grid_s: PatchGrid, grid_t: PatchGrid
) -> torch.Tensor:
    """Return a volume smoothed over source patches at equal displacement in patches.

    ``S(i, j) <- sum_o w_io S(i + o, j + o) / sum_o w_io`` over the offsets o of a window for which
    both i + o and j + o lie in their grids, with the weights of `bilateral` on the source.

    Parameters
    ----------
    volume : Tensor, (n_s, n_t)
    guide_s : Tensor, (n_s, d)
        Unit rows.
    grid_s, grid_t : PatchGrid
    """
    values = volume.reshape(grid_s.rows, grid_s.cols, grid_t.rows, grid_t.cols)
    total, weights = torch.zeros_like(values), torch.zeros_like(values)
    for here, there, weight in _neighbours(guide_s, grid_s):
        # The same offset moves the target's patches.
        total[here + here] += weight[..., None, None] * values[there + there]
        weights[here + here] += weight[..., None, None]
    return (total / weights).reshape(volume.shape)


_Part = tuple[slice, slice]


def _neighbours(
    guide: torch.Tensor, grid: PatchGrid
) -> Iterator[tuple[_Part, _Part, torch.Tensor]]:
    """Yield, for each offset of the window, where patches and neighbours lie, and their weights."""
    unit = guide.reshape(grid.rows, grid.cols, -1)
    for down in range(-_RADIUS, _RADIUS + 1):
        for right in range(-_RADIUS, _RADIUS + 1):
            here, there = _overlap(down, right)
            distance = 1 - (unit[here] * unit[there]).sum(dim=2)
            near = (down**2 + right**2) / (2 * _SIGMA**2)
            yield here, there, torch.exp(-near - distance.square() / (2 * _RANGE**2))


def _overlap(down: int, right: int) -> tuple[_Part, _Part]:
    """Return where a grid and the same grid moved by (down, right) overlap, in either's indices."""

    def span(step: int) -> _Part:
        if step >= 0:
            return slice(0, -step or None), slice(step, None)
        return slice(-step, None), slice(0, step)

    (rows, rows_moved), (cols, cols_moved) = span(down), span(right)
    return (rows, cols), (rows_moved, cols_moved)
