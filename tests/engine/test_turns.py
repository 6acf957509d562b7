"""Photos of the sample and the default networks: what they know again depends on the angle."""

from pathlib import Path

import numpy as np
import pytest

from fmstudio.engine import turns
from fmstudio.engine.carry import carry, vote
from fmstudio.engine.focus import map_object
from fmstudio.engine.match import Matcher
from fmstudio.engine.requests import Mark, MatchSettings
from fmstudio.engine.views import View
from fmstudio.errors import Cancelled
from fmstudio.evaluation.datasets import read_coco_folder
from fmstudio.geometry.metrics import iou

CATS = Path(__file__).parents[2] / "resources" / "sample" / "cats"


@pytest.fixture(scope="module")
def matchers():
    """Matchers without and with turns; one loads the networks for both."""
    return {is_on: Matcher(MatchSettings(mirror=False, turns=is_on)) for is_on in (False, True)}


@pytest.fixture(scope="module")
def photos():
    """Pixels and truth of the sample's cats, by file name."""
    from fmstudio.io.images import read_rgb

    (cats,) = read_coco_folder(CATS)
    return {image.path.name: (read_rgb(image.path), image) for image in cats.images}


@pytest.fixture
def tabby(photos, matchers):
    """The tabby as a source, and its mark."""
    rgb, image = photos["tabby.jpg"]
    view = View(matchers[True].analyse(rgb, "tabby"), "tabby", lambda: rgb)
    return view, Mark(1, 1, image.keypoints, image.mask)


def lying(matcher, photos, name, quarters=-1):
    """A photo turned by quarters: -1 is clockwise."""
    rgb = np.ascontiguousarray(np.rot90(photos[name][0], quarters))
    return View(matcher.analyse(rgb, f"{name}{quarters}"), f"{name}{quarters}", lambda: rgb)


def clockwise(xy, rgb):
    """Where pixels of a photo lie when it is turned clockwise."""
    return np.column_stack([rgb.shape[0] - xy[:, 1], xy[:, 0]])


def test_an_object_that_lies_on_its_side_is_known_again(tabby, photos, matchers):
    view, mark = tabby
    labelled = mark.keypoints.labelled
    truth = clockwise(mark.keypoints.xy, photos["tabby.jpg"][0])
    target = lying(matchers[True], photos, "tabby.jpg")
    errors, maps = {}, {}
    for is_on, matcher in matchers.items():
        maps[is_on] = map_object(matcher, view, target, mark)
        away = np.linalg.norm(maps[is_on].points(mark.keypoints.xy) - truth, axis=1)
        errors[is_on] = (away[labelled] / max(mark.keypoints.bbox()[2:])).max()
    assert errors[True] < 0.1 < 0.2 < errors[False]
    found = maps[True]
    assert found.frame_s.turn == 90
    assert found.alternative.found.frame_s.turn == 0
    assert found.alternative.margin > turns._GAIN
    back = found.points_back(truth)[labelled]
    assert np.linalg.norm(back - mark.keypoints.xy[labelled], axis=1).max() < 12


def test_its_mask_is_carried_by_the_turned_map(photos, matchers):
    rgb, image = photos["siamese.jpg"]
    view = View(matchers[True].analyse(rgb, "siamese"), "siamese", lambda: rgb)
    mark = Mark(1, 1, image.keypoints, image.mask)
    target = lying(matchers[True], photos, "siamese.jpg")
    found = map_object(matchers[True], view, target, mark)
    assert found.frame_s.turn == 90
    (proposed,) = vote([[carry(found, mark)]], target.analysis.grid, open_target=target.open)
    assert iou(proposed.mask.to_array(), np.rot90(image.mask.to_array(), -1)) > 0.9


def test_what_stands_upright_is_left_as_it_is(tabby, photos, matchers, monkeypatch):
    view, mark = tabby
    same = lying(matchers[True], photos, "tabby.jpg", 0)
    found = map_object(matchers[True], view, same, mark)
    assert found.frame_s.turn == 0
    # It fits so well that not even a sketch is made.
    assert found.displacement.support >= turns._SURE
    assert not view.sketches
    monkeypatch.setattr(turns, "_SURE", 2.0)
    assert map_object(matchers[True], view, same, mark).frame_s.turn == 0
    assert len(view.sketches) == 1 + len(turns.TURNS)


def test_turned_looks_are_the_sources_and_are_shared_by_targets(tabby, photos, matchers):
    view, mark = tabby
    looks = []
    for quarters in (-1, 1):
        target = lying(matchers[True], photos, "tabby.jpg", quarters)
        found = map_object(matchers[True], view, target, mark)
        assert found.frame_s.turn == -90 * quarters
        assert len(target.parts) == 1
        looks.append(set(view.parts))
    assert looks[0] == looks[1]


def test_a_cancel_is_noticed_between_two_turns(tabby, photos, matchers):
    view, mark = tabby
    target = lying(matchers[True], photos, "tabby.jpg")

    def check():
        if len(view.sketches) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        map_object(matchers[True], view, target, mark, check=check)
    assert len(view.sketches) == 3
