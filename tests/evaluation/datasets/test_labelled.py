"""A labelled set holds together: its pairs are of its images."""

from pathlib import Path

import pytest

from fmstudio.evaluation.datasets import LabelledImage, LabelledSet
from fmstudio.geometry.grid import ImageSize

IMAGES = tuple(
    LabelledImage(i, Path(f"{i}.jpg"), ImageSize(4, 3), None, None, None) for i in (1, 2)
)


def test_a_plain_set_states_no_pairs_and_is_judged_by_its_boxes():
    plain = LabelledSet("cat", Path(), IMAGES)
    assert plain.pairs is None
    assert plain.threshold == "box"


@pytest.mark.parametrize("pair", [(1, 3), (1, 1)])
def test_a_pair_is_of_two_images_of_the_set(pair):
    with pytest.raises(ValueError, match="no pair of two different images"):
        LabelledSet("cat", Path(), IMAGES, pairs=((1, 2), pair))


def test_a_threshold_is_a_share_of_the_box_or_the_image():
    assert LabelledSet("cat", Path(), IMAGES, threshold="image").threshold == "image"
    with pytest.raises(ValueError, match="a threshold is one of"):
        LabelledSet("cat", Path(), IMAGES, threshold="points")
