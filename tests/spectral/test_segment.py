import numpy as np
import torch

from fmstudio.geometry.grid import ImageSize, PatchGrid
from fmstudio.spectral.segment import carried_mask, discriminant

GRID = PatchGrid(ImageSize(320, 240), 15, 20)


def scene(seed=0):
    """Return which patches are the object's, and descriptors that tell it from the ground."""
    rng = np.random.default_rng(seed)
    inside = np.zeros((15, 20), dtype=bool)
    inside[4:11, 6:15] = True
    sides = rng.normal(size=(2, 16))
    data = sides[inside.ravel().astype(int)] + 0.3 * rng.normal(size=(300, 16))
    descriptors = torch.nn.functional.normalize(torch.from_numpy(data).float(), dim=1)
    return inside, descriptors


def test_the_target_tells_its_object_from_its_ground():
    inside, descriptors = scene()
    rng = np.random.default_rng(1)
    soft = np.where(inside, 0.8, 0.15).ravel()
    # Half of all patches are in doubt; the sure ones teach the rest.
    doubtful = rng.random(300) < 0.5
    soft[doubtful] = 0.45
    told = discriminant(descriptors, torch.from_numpy(soft).float()).numpy()
    assert ((told > 0.5) == inside.ravel())[doubtful].mean() > 0.95
    assert ((told >= 0) & (told <= 1)).all()


def test_with_nothing_sure_there_is_nothing_to_learn():
    _, descriptors = scene()
    soft = torch.full((300,), 0.5)
    assert torch.equal(discriminant(descriptors, soft), soft)


def test_a_look_alike_where_the_object_did_not_go_is_left_out():
    inside, descriptors = scene()
    # A second patch of object-like features, far from where the object's patches went.
    twin = np.zeros((15, 20), dtype=bool)
    twin[0:3, 17:20] = True
    descriptors = descriptors.clone()
    descriptors[torch.from_numpy(twin.ravel())] = descriptors[torch.from_numpy(inside.ravel())][:9]
    score = descriptors @ descriptors.T
    cover = torch.from_numpy(inside.ravel()).float()
    displaced = GRID.centers()[inside.ravel()]
    soft = carried_mask(score, cover, displaced, GRID, descriptors)
    assert soft.shape == (15, 20)
    assert (soft[inside] > 0.45).mean() > 0.95
    assert soft[twin].max() < 0.3
    everywhere = carried_mask(score, cover, GRID.centers(), GRID, descriptors)
    assert everywhere[twin].mean() > 0.45
