import numpy as np
import pytest

from fmstudio.evaluation.warps import (
    AffineWarp,
    affine_warp,
    jacobian,
    mirror_warp,
    smooth_warp,
    warp_image,
)
from fmstudio.geometry.grid import ImageSize, PatchGrid

SIZE = ImageSize(160, 120)
AT = PatchGrid(SIZE, 12, 16).centers()


def photo():
    return np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)


@pytest.mark.parametrize("seed", range(8))
def test_a_smooth_warp_is_bounded_and_folds_nowhere(seed):
    warp = smooth_warp(SIZE, np.random.default_rng(seed))
    moved = np.linalg.norm(warp.to_source(AT) - AT, axis=1)
    assert 1 < moved.max() <= 0.0801 * 160
    assert jacobian(warp, AT).min() > 0.2


def test_equal_seeds_give_equal_warps():
    for make in (smooth_warp, affine_warp):
        first, again, other = (make(SIZE, np.random.default_rng(s)) for s in (1, 1, 2))
        assert np.array_equal(first.to_source(AT), again.to_source(AT))
        assert not np.allclose(first.to_source(AT), other.to_source(AT))


def test_an_affine_warp_changes_area_alike_everywhere():
    warp = affine_warp(SIZE, np.random.default_rng(3))
    area = jacobian(warp, AT)
    assert area == pytest.approx(np.full(len(AT), np.linalg.det(warp.linear)))
    assert 0.8**2 <= area[0] <= 1.25**2


def test_the_mirror_flips_the_picture_and_is_its_own_inverse():
    mirror = mirror_warp(SIZE)
    assert np.array_equal(warp_image(photo(), mirror), photo()[:, ::-1])
    assert mirror.to_source(mirror.to_source(AT)) == pytest.approx(AT)
    assert jacobian(mirror, AT) == pytest.approx(np.full(len(AT), -1.0))


def test_the_target_shows_what_lies_in_the_source():
    shifted = AffineWarp(np.eye(2), np.array([7.0, -3.0]))
    made = warp_image(photo(), shifted)
    assert np.array_equal(made[3:, :-7], photo()[:-3, 7:])
