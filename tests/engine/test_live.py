from dataclasses import replace

import numpy as np
import pytest

from fmstudio.engine import live
from fmstudio.engine.live import LivePairs
from fmstudio.engine.requests import ImageRef, Mark
from fmstudio.errors import ImageError
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.points import Keypoints
from tests.engine.conftest import SETTINGS

WHOLE = replace(SETTINGS, fine_side=0, mirror=False)
MARK = Mark(1, 1, Keypoints.drawn([[120.0, 80.0], [60.0, 50.0]], [2, 2]))


def ref(number):
    return ImageRef(number, f"key-{number}", f"{number}.png", ImageSize(256, 192))


@pytest.fixture
def pairs(make_matcher, scene):
    opened = []

    def load(image):
        opened.append(image.id)
        if image.id == 99:
            raise ImageError("99.png is missing.")
        return np.roll(scene, 8 * image.id, axis=1)

    made = LivePairs(make_matcher(WHOLE), load)
    made.opened = opened
    return made


def test_a_pair_is_matched_once(pairs):
    found = pairs.find(ref(0), ref(1), MARK)
    assert pairs.find(ref(0), ref(1), MARK) is found
    assert pairs.opened == [0, 1]
    assert np.abs(found.points(MARK.keypoints.xy) - MARK.keypoints.xy - [8, 0]).max() < 6


def test_another_mark_is_another_map(pairs):
    moved = replace(MARK, keypoints=Keypoints.drawn([[121.0, 80.0], [60.0, 50.0]], [2, 2]))
    renumbered = replace(MARK, id=7)
    found = pairs.find(ref(0), ref(1), MARK)
    assert pairs.find(ref(0), ref(1), moved) is not found
    assert pairs.find(ref(0), ref(1), renumbered) is found


def test_what_was_not_asked_for_lately_is_let_go(pairs, monkeypatch):
    monkeypatch.setattr(live, "_IMAGES", 2)
    monkeypatch.setattr(live, "_PAIRS", 1)
    first = pairs.find(ref(0), ref(1), MARK)
    pairs.find(ref(0), ref(2), MARK)
    assert pairs.find(ref(0), ref(1), MARK) is not first
    assert pairs.opened == [0, 1, 2, 1]


def test_an_image_that_cannot_be_opened_is_an_error_and_leaves_the_rest(pairs):
    with pytest.raises(ImageError, match=r"99\.png is missing"):
        pairs.find(ref(0), ref(99), MARK)
    assert pairs.find(ref(0), ref(1), MARK)
