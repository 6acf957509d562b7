import numpy as np
import pytest
import torch

from fmstudio.errors import MatchError
from fmstudio.figures.photos import PhotoPair, check_inside
from fmstudio.geometry.grid import ImageSize


def test_the_identity_carries_every_function_onto_itself(identity: PhotoPair) -> None:
    f = torch.rand(192, 3, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(identity.through_map(f), f, atol=1e-4)
    assert torch.allclose(identity.by_score(f), f, atol=1e-4)
    assert torch.equal(identity.by_nearest(f), f)


def test_a_constant_keeps_its_value_on_a_grid_of_another_size(uneven: PhotoPair) -> None:
    ones = torch.ones(48, 1)
    for carried in (uneven.through_map(ones), uneven.by_score(ones), uneven.by_nearest(ones)):
        assert torch.allclose(carried, torch.ones(50, 1), atol=1e-5)


@pytest.mark.parametrize("point", [(-1.0, 5.0), (5.0, 121.0), (160.5, 0.0), (np.inf, 0.0)])
def test_points_outside_are_refused_in_a_sentence(point: tuple[float, float]) -> None:
    size = ImageSize(160, 120)
    check_inside((160.0, 0.0), size, "a.jpg")
    with pytest.raises(MatchError, match=r"lies outside a\.jpg, which has 160 x 120 pixels\."):
        check_inside(point, size, "a.jpg")
