"""Bring feature blocks together: normalise, concatenate, reduce."""

from collections.abc import Sequence

import torch
from torch.nn.functional import normalize

from fmstudio.features.base import FeatureMap
from fmstudio.geometry.grid import PatchGrid


def normalise_block(block: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """Return a block divided by its L2 norm over ``dim``, its channels; zeros stay zeros."""
    return normalize(block, dim=dim, eps=1e-12)


def fuse(maps: Sequence[FeatureMap]) -> FeatureMap:
    """Return one unit-length feature map of several: their blocks side by side, equally weighted.

    Each map is a concatenation of blocks of length 1, so after concatenating the maps and
    normalising once more every block of every extractor has the same weight, and a scalar
    product is the mean cosine over the blocks.

    Parameters
    ----------
    maps : sequence of FeatureMap
        At least one, all on the same grid.

    Returns
    -------
    FeatureMap
        data (rows, cols, sum of d); key joins theirs by "+".

    Raises
    ------
    ValueError
        If there is none, or their grids differ.
    """
    grid = _common_grid(maps)
    data = torch.cat([m.data for m in maps], dim=-1)  # (rows, cols, sum of d)
    return FeatureMap(normalise_block(data), grid, "+".join(m.key for m in maps))


def pca_reduce(maps: Sequence[FeatureMap], width: int) -> tuple[FeatureMap, ...]:
    """Return feature maps projected on the ``width`` leading principal axes they have in common.

    The axes are those of all maps' patches together, so that the results can be compared with
    one another, and with nothing else. Eigenvectors of the covariance, each signed so that its
    largest entry is positive; the results are normalised to length 1.

    Parameters
    ----------
    maps : sequence of FeatureMap
        At least one, of one extractor; their grids may differ.
    width : int
        In [1, d]; no more than the number of patches is useful.

    Returns
    -------
    tuple of FeatureMap
        data (rows, cols, width) each.

    Raises
    ------
    ValueError
        If there is no map, the keys or widths differ, or ``width`` is out of its range.
    """
    if not maps:
        raise ValueError("there is no feature map to reduce")
    if len({(m.key, m.data.shape[-1]) for m in maps}) > 1:
        raise ValueError("feature maps of different extractors have no principal axes in common")
    d = maps[0].data.shape[-1]
    if not 1 <= width <= d:
        raise ValueError(f"{width} principal axes do not fit features of {d} channels")
    # Apple's devices have no double precision.
    exact = torch.float32 if maps[0].data.device.type == "mps" else torch.float64
    rows = torch.cat([m.flat() for m in maps]).to(exact)  # (sum of n, d)
    mean = rows.mean(dim=0)
    centred = rows - mean
    _, vectors = torch.linalg.eigh(centred.T @ centred)  # ascending
    axes = vectors[:, -width:].flip(1)  # (d, width)
    largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))
    axes = axes * torch.where(largest < 0, -1.0, 1.0)
    return tuple(
        FeatureMap(
            normalise_block((m.data.to(exact) - mean) @ axes).float(),
            m.grid,
            f"{m.key}|pca{width}",
        )
        for m in maps
    )


def pca_levels(
    maps: Sequence[FeatureMap], widths: Sequence[int], to: int
) -> tuple[FeatureMap, ...]:
    """Return feature maps whose blocks are each projected on axes that all maps have in common.

    Level by level, as Zhang et al. 2023, "A Tale of Two Features", arXiv:2305.15347, do it to the
    blocks of Stable Diffusion: one level's variance cannot crowd out another's, and each has
    length 1 again.

    Parameters
    ----------
    maps : sequence of FeatureMap
        At least one, of one extractor; their grids may differ.
    widths : sequence of int
        Channels of the blocks in the order in which they are concatenated.
    to : int
        Channels of each block afterwards, at least 1; a narrower block keeps all of its own.

    Returns
    -------
    tuple of FeatureMap
        data (rows, cols, sum of min(width, to)) each.

    Raises
    ------
    ValueError
        If there is no map, the keys differ, or the widths do not add up to the maps'.
    """
    if any(m.data.shape[-1] != sum(widths) for m in maps):
        raise ValueError(f"blocks of {'+'.join(map(str, widths))} channels do not make these maps")
    split = [torch.split(m.data, list(widths), dim=-1) for m in maps]
    levels = [
        pca_reduce(
            [FeatureMap(b[i], m.grid, m.key) for m, b in zip(maps, split, strict=True)],
            min(to, width),
        )
        for i, width in enumerate(widths)
    ]
    return tuple(
        FeatureMap(
            torch.cat([level[j].data for level in levels], dim=-1), m.grid, f"{m.key}|levels{to}"
        )
        for j, m in enumerate(maps)
    )


def _common_grid(maps: Sequence[FeatureMap]) -> PatchGrid:
    """Return the grid of all maps."""
    if not maps:
        raise ValueError("there is no feature map to fuse")
    grid = maps[0].grid
    for other in maps[1:]:
        if other.grid != grid:
            raise ValueError(f"feature maps on {grid} and {other.grid} cannot be fused")
    return grid
