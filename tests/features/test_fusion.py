import pytest
import torch

from fmstudio.features.base import FeatureMap
from fmstudio.features.fusion import fuse, normalise_block, pca_levels, pca_reduce
from fmstudio.geometry.grid import ImageSize, PatchGrid

GRID = PatchGrid(ImageSize(80, 60), 3, 4)


def feature_map(d: int, seed: int, key: str = "a", grid: PatchGrid = GRID) -> FeatureMap:
    generator = torch.Generator().manual_seed(seed)
    data = torch.randn(grid.rows, grid.cols, d, generator=generator)
    return FeatureMap(normalise_block(data), grid, key)


def test_normalised_blocks_have_length_one_and_zeros_stay() -> None:
    block = torch.randn(3, 4, 5)
    block[0, 0] = 0
    lengths = normalise_block(block).norm(dim=-1)
    assert lengths[0, 0] == 0
    assert torch.allclose(lengths.flatten()[1:], torch.ones(11))


def test_fused_similarity_is_the_mean_of_the_blocks() -> None:
    a, b = feature_map(5, 0), feature_map(9, 1, "b")
    fused = fuse([a, b])
    assert fused.data.shape == (3, 4, 14)
    assert fused.key == "a+b"
    assert torch.allclose(fused.data.norm(dim=-1), torch.ones(3, 4))
    mean = (a.flat() @ a.flat().T + b.flat() @ b.flat().T) / 2
    assert torch.allclose(fused.flat() @ fused.flat().T, mean, atol=1e-6)


def test_every_block_weighs_the_same_whichever_map_it_came_in() -> None:
    a, b, c = (feature_map(4, seed, str(seed)) for seed in range(3))
    pair = FeatureMap(torch.cat([a.data, b.data], dim=-1), GRID, "0,1")
    assert torch.allclose(fuse([pair, c]).data, fuse([a, b, c]).data, atol=1e-6)


def test_maps_on_different_grids_are_refused() -> None:
    other = feature_map(5, 1, grid=PatchGrid(ImageSize(80, 61), 3, 4))
    with pytest.raises(ValueError, match="cannot be fused"):
        fuse([feature_map(5, 0), other])
    with pytest.raises(ValueError, match="no feature map"):
        fuse([])


def test_all_principal_axes_keep_all_distances() -> None:
    """Projection on a full orthonormal basis is a rotation about the mean."""
    maps = [feature_map(6, 0), feature_map(6, 1, grid=PatchGrid(ImageSize(50, 50), 5, 5))]
    rows = torch.cat([m.flat() for m in maps])
    centred = normalise_block(rows - rows.mean(dim=0))
    reduced = torch.cat([m.flat() for m in pca_reduce(maps, 6)])
    assert torch.allclose(reduced @ reduced.T, centred @ centred.T, atol=1e-5)


def test_leading_axes_carry_the_variance() -> None:
    """Features that lie in a plane lose nothing when reduced to two numbers."""
    generator = torch.Generator().manual_seed(0)
    plane = torch.randn(2, 20, generator=generator)
    data = torch.randn(3, 4, 2, generator=generator) @ plane
    (reduced,) = pca_reduce([FeatureMap(data, GRID, "k")], 2)
    flat = data.reshape(12, 20)
    centred = normalise_block(flat - flat.mean(dim=0))
    got = reduced.flat()
    assert reduced.key == "k|pca2"
    assert torch.allclose(got @ got.T, centred @ centred.T, atol=1e-4)


def test_reducing_is_repeatable() -> None:
    maps = [feature_map(8, 3), feature_map(8, 4)]
    for once, again in zip(pca_reduce(maps, 3), pca_reduce(maps, 3), strict=True):
        assert torch.equal(once.data, again.data)


@pytest.mark.parametrize("direction", [(-3.0, 1.0), (3.0, -1.0), (-1.0, 3.0), (1.0, -3.0)])
def test_axes_point_the_way_of_their_largest_entry(direction: tuple[float, float]) -> None:
    """Which of the two opposite axes is taken does not depend on the solver."""
    along = torch.linspace(-1, 1, 12)
    data = (along.unsqueeze(1) * torch.tensor(direction)).reshape(3, 4, 2)
    (reduced,) = pca_reduce([FeatureMap(data, GRID, "k")], 1)
    largest = max(direction, key=abs)
    assert torch.equal(reduced.flat()[:, 0].sign(), (along * largest).sign())


@pytest.mark.parametrize("width", [0, 9])
def test_a_width_that_does_not_fit_is_refused(width: int) -> None:
    with pytest.raises(ValueError, match="principal axes do not fit"):
        pca_reduce([feature_map(8, 0)], width)


def test_maps_of_different_extractors_have_no_common_axes() -> None:
    with pytest.raises(ValueError, match="different extractors"):
        pca_reduce([feature_map(8, 0, "a"), feature_map(8, 1, "b")], 2)
    with pytest.raises(ValueError, match="no feature map"):
        pca_reduce([], 2)


def levels(*seeds: int) -> list[FeatureMap]:
    """Return maps of a block of 6 channels, one of 3 and one of 7."""
    grids = (GRID, PatchGrid(ImageSize(50, 50), 5, 5))
    blocks = [
        [feature_map(d, s + d, grid=g).data for d in (6, 3, 7)]
        for s, g in zip(seeds, grids, strict=True)
    ]
    return [FeatureMap(torch.cat(b, dim=-1), g, "k") for b, g in zip(blocks, grids, strict=True)]


def test_each_level_is_reduced_on_its_own_and_jointly_over_the_maps() -> None:
    maps = levels(0, 100)
    got = pca_levels(maps, (6, 3, 7), 4)
    assert [m.data.shape for m in got] == [(3, 4, 11), (5, 5, 11)]
    assert got[0].key == "k|levels4"
    alone = pca_reduce([FeatureMap(m.data[..., 9:], m.grid, "k") for m in maps], 4)
    for m, level in zip(got, alone, strict=True):
        assert torch.equal(m.data[..., 7:], level.data)
        for block in m.data.split([4, 3, 4], dim=-1):
            assert torch.allclose(block.norm(dim=-1), torch.ones(block.shape[:2]))


def test_a_loud_level_does_not_crowd_out_another() -> None:
    maps = levels(0, 100)
    louder = [
        FeatureMap(torch.cat([m.data[..., :9], 50 * m.data[..., 9:]], dim=-1), m.grid, "k")
        for m in maps
    ]
    for a, b in zip(pca_levels(maps, (6, 3, 7), 2), pca_levels(louder, (6, 3, 7), 2), strict=True):
        assert torch.allclose(a.data, b.data, atol=1e-4)


def test_widths_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match=r"blocks of 6\+3 channels do not make"):
        pca_levels(levels(0, 100), (6, 3), 2)
    with pytest.raises(ValueError, match="no feature map"):
        pca_levels([], (6,), 2)
