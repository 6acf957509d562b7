import dataclasses

import numpy as np
import pytest
import torch

from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.geometry.masks import Mask
from fmstudio.spectral.confidence import patch_confidence, point_doubt
from fmstudio.spectral.convert import row_at
from fmstudio.spectral.eigenbasis import uniform_basis
from fmstudio.spectral.transfer import (
    mask_from_soft,
    patch_cover,
    patch_means,
    patches_to_pixels,
    transfer_field,
    transfer_function,
    transfer_keypoints,
    transfer_mask,
    transport_function,
)

GRID = PatchGrid(ImageSize(320, 240), 15, 20)


def score_of(shift_rows, shift_cols, sharp=0.05):
    """Score whose best target of patch (r, c) is (r + shift_rows, c + shift_cols)."""
    rows, cols = (torch.from_numpy(v).float() for v in np.divmod(np.arange(GRID.n), GRID.cols))
    down = rows[None, :] - rows[:, None] - shift_rows
    across = cols[None, :] - cols[:, None] - shift_cols
    return -sharp * (down.square() + across.square())


def rectangle(x, y, width, height):
    array = np.zeros((240, 320), dtype=bool)
    array[y : y + height, x : x + width] = True
    return Mask.from_array(array)


def test_keypoints_follow_a_known_shift():
    xy = np.array([[100.3, 80.7], [200.0, 120.0]])
    carried = transfer_keypoints(score_of(2, -3), GRID, GRID, xy)
    assert np.abs(carried - (xy + np.array([-48, 32]))).max() < 1.0


def test_mask_follows_a_known_shift():
    soft = transfer_mask(score_of(1, 2, sharp=1.0), GRID, GRID, rectangle(64, 64, 96, 80))
    mask = mask_from_soft(soft, GRID).to_array()
    truth = rectangle(64 + 32, 64 + 16, 96, 80).to_array()
    assert (mask & truth).sum() / (mask | truth).sum() > 0.85


def test_holes_and_parts_survive():
    array = rectangle(32, 32, 128, 128).to_array() & ~rectangle(80, 80, 32, 32).to_array()
    array |= rectangle(224, 64, 64, 64).to_array()
    soft = transfer_mask(score_of(0, 0, sharp=1.0), GRID, GRID, Mask.from_array(array))
    carried = mask_from_soft(soft, GRID).to_array()
    assert not carried[96, 96]
    assert carried[96, 48]
    assert carried[96, 250]


def test_fields_are_means_of_source_values():
    field = torch.rand(GRID.n, 3)
    carried = transfer_field(score_of(0, 0), field)
    assert carried.min() >= field.min()
    assert carried.max() <= field.max()
    assert torch.allclose(transfer_field(score_of(0, 0, sharp=50.0), field), field, atol=1e-4)


def test_patch_cover_adds_up_to_the_area():
    mask = rectangle(10, 20, 77, 33)
    assert float(patch_cover(mask, GRID).sum()) * 16 * 16 == pytest.approx(77 * 33)


def doubt_of(score, xy_s, xy_t):
    """Return the doubt of points carried within one grid."""
    back = transfer_keypoints(score.T, GRID, GRID, xy_t)
    cycle = np.linalg.norm(back - xy_s, axis=1)
    return point_doubt(row_at(score, GRID, xy_s), GRID, xy_t, cycle, support=0.5)


def test_points_on_a_consistent_map_are_trusted_and_ambiguous_ones_are_not():
    xy = np.array([[100.0, 80.0]])
    clear = score_of(0, 0)
    # The same patch again, far to the right: a second answer just as good.
    ambiguous = torch.maximum(score_of(0, 0), score_of(0, 10) - 1e-3)
    doubts = [doubt_of(s, xy, xy) for s in (clear, ambiguous)]
    assert doubts[0].cycle[0] < 2
    assert doubts[0].margin[0] > 0.3
    assert doubts[1].margin[0] < 0.01
    assert doubts[0].confidence(100.0)[0] > doubts[1].confidence(100.0)[0]


def test_a_point_that_does_not_return_is_doubted():
    # Everything goes to one target patch; it can return to one source only.
    score = torch.zeros(GRID.n, GRID.n)
    score[:, 150] = 0.3
    score[40, 150] = 0.31
    far = np.array([[310.0, 230.0]])
    to = GRID.centers()[[150]]
    doubt = doubt_of(score, far, to)
    assert doubt.cycle[0] > 100
    returning = dataclasses.replace(doubt, cycle=np.zeros(1))
    odds = [c / (1 - c) for c in (d.confidence(100.0)[0] for d in (doubt, returning))]
    assert odds[0] < odds[1] / 5


def test_patch_confidence_is_one_where_the_round_trip_closes():
    identity = torch.arange(GRID.n)
    assert patch_confidence(identity, identity, GRID).tolist() == [1.0] * GRID.n
    constant = torch.zeros(GRID.n, dtype=torch.int64)
    confidence = patch_confidence(constant, constant, GRID)
    assert confidence[0] == 1
    assert confidence[-1] < 1e-3


def test_the_identity_map_carries_a_function_onto_its_low_pass():
    basis = uniform_basis(GRID.rows, GRID.cols, 25)
    f = torch.rand(GRID.n, 3, generator=torch.Generator().manual_seed(0))
    carried = transfer_function(torch.eye(25), basis, basis, f)
    assert torch.allclose(carried, basis.low_pass(f), atol=1e-5)
    again = transfer_function(torch.eye(25), basis, basis, carried)
    assert torch.allclose(again, carried, atol=1e-5)


def test_the_map_of_a_mirror_mirrors_a_function():
    basis = uniform_basis(GRID.rows, GRID.cols, GRID.n)
    mirrored = torch.arange(GRID.n).reshape(GRID.rows, GRID.cols).flip(1).reshape(-1)
    C_st = basis.project(basis.evecs[mirrored])
    f = torch.rand(GRID.n, 1, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(transfer_function(C_st, basis, basis, f), f[mirrored], atol=1e-4)


def test_a_map_that_does_not_fit_is_refused():
    basis = uniform_basis(GRID.rows, GRID.cols, 25)
    for C_st, f in (
        (torch.eye(24), torch.ones(GRID.n, 1)),
        (torch.eye(25), torch.ones(GRID.n)),
        (torch.eye(25), torch.ones(7, 1)),
    ):
        with pytest.raises(ValueError, match="cannot carry functions"):
            transfer_function(C_st, basis, basis, f)


def test_soft_transport_follows_a_known_shift():
    f = torch.zeros(GRID.n, 1)
    f[5 * GRID.cols + 9] = 1.0
    carried = transport_function(score_of(2, -3, sharp=1.0), f)
    assert int(carried.argmax()) == 7 * GRID.cols + 6


def test_temperature_and_neighbours_say_how_soft_transport_is():
    f = torch.zeros(GRID.n, 1)
    f[150] = 1.0
    score = score_of(0, 0)
    peaks = [float(transport_function(score, f, t, 9).max()) for t in (1e-4, 0.05, 1e3)]
    assert peaks[0] == pytest.approx(1.0)
    assert peaks[0] > peaks[1] > peaks[2]
    assert peaks[2] == pytest.approx(1 / 9, rel=1e-3)
    assert torch.equal(transport_function(score, f, 10.0, 1), f)
    assert torch.equal(transport_function(score, f), transfer_field(score, f))


@pytest.mark.parametrize(
    ("temperature", "neighbours", "n"), [(0.0, 5, 300), (0.1, 0, 300), (0.1, 5, 299)]
)
def test_transport_that_makes_no_sense_is_refused(temperature, neighbours, n):
    with pytest.raises(ValueError, match=r"above 0|do not fit"):
        transport_function(score_of(0, 0), torch.ones(n, 1), temperature, neighbours)


def test_patch_means_and_back():
    values = np.zeros((240, 320, 2), dtype=np.float32)
    values[..., 0] = np.arange(320) + 0.5
    values[..., 1] = (np.arange(240) + 0.5)[:, None]
    means = patch_means(values, GRID)
    assert np.allclose(means.numpy(), GRID.centers(), atol=1e-3)
    fine = patches_to_pixels(means[:, 0], GRID)
    assert fine.shape == (240, 320)
    assert np.abs(fine - values[..., 0])[:, 8:-8].max() < 1e-2
