from dataclasses import replace

import numpy as np
import pytest

from fmstudio.engine.carry import carry
from fmstudio.engine.carry_masks import mask_spread
from fmstudio.engine.focus import map_object
from fmstudio.engine.object_map import SoftMask
from fmstudio.engine.requests import Mark
from fmstudio.engine.views import View
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from fmstudio.spectral.reasons import REASONS
from tests.engine.conftest import SETTINGS


def word_of(make_matcher, scene, target):
    matcher = make_matcher(replace(SETTINGS, fine_side=0, mirror=False, turns=False))
    views = [
        View(matcher.analyse(rgb, key), key, lambda rgb=rgb: rgb)
        for key, rgb in (("s", scene), ("t", target))
    ]
    bits = np.zeros(scene.shape[:2], dtype=bool)
    bits[40:150, 60:200] = True
    points = Keypoints.drawn([[80.0, 60.0], [180.0, 60.0], [80.0, 130.0]], [2, 2, 2])
    mark = Mark(1, 1, points, Mask.from_array(bits))
    return carry(map_object(matcher, *views, mark), mark)


def test_nothing_speaks_against_an_image_carried_to_itself(make_matcher, scene):
    word = word_of(make_matcher, scene, scene)
    assert set(word.reasons) == set(word.mask_reasons) == set(REASONS)
    assert word.extent == 140
    assert word.reasons["cycle"].max() < 8
    assert np.abs(np.log2(word.reasons["stretch"])).max() < 1
    assert word.reasons["coverage"].min() > 0.5
    assert word.reasons["occlusion"].max() < 0.3
    assert word.mask_reasons["cycle"] < 8
    assert word.mask_reasons["coverage"] > 0.5


def test_what_is_covered_up_has_less_support_and_looks_hidden(make_matcher, scene):
    covered = scene.copy()
    covered[100:, :110] = 255
    plain, hidden = (word_of(make_matcher, scene, target) for target in (scene, covered))
    assert hidden.reasons["coverage"][2] < plain.reasons["coverage"][2]
    assert hidden.mask_reasons["coverage"] < plain.mask_reasons["coverage"]
    assert hidden.reasons["cycle"][2] > plain.reasons["cycle"][2]


def test_masks_that_agree_differ_by_nothing_and_others_by_what_they_lack():
    box = (0, 0, 160, 120)
    left, right = np.zeros((2, 12, 16), dtype=np.float32)
    left[:, :8], right[:, 8:] = 1, 1
    assert mask_spread([(SoftMask(box, left), 0.5)] * 2) == pytest.approx(0)
    apart = mask_spread([(SoftMask(box, left), 0.5), (SoftMask(box, right), 0.5)])
    assert apart > 0.4
    assert apart <= 1
