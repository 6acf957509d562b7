"""Truth by construction: an image and itself, and an image and itself moved."""

from dataclasses import replace

import numpy as np
import pytest

from fmstudio.engine.inspect import answer_point, describe, match_lines, pair_layers, warped_grid
from fmstudio.engine.live import LivePairs
from fmstudio.engine.questions import HEATS, PairQuestion, PointQuestion
from fmstudio.engine.requests import ImageRef, Mark
from fmstudio.geometry.frames import Frame
from fmstudio.geometry.grid import ImageSize
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.points import Keypoints
from tests.engine.conftest import SETTINGS

SIZE = ImageSize(256, 192)
POINTS = np.array([[120.0, 80.0], [60.0, 50.0], [150.0, 130.0]])
KEYPOINTS = Keypoints.drawn([*POINTS.tolist(), [0, 0]], [2, 2, 1, 0])


def ref(number):
    return ImageRef(number, f"key-{number}", f"{number}.png", SIZE)


def mask():
    array = np.zeros((SIZE.height, SIZE.width), dtype=bool)
    array[40:140, 50:170] = True
    return Mask.from_array(array)


def pair_of(target=0, mark=None):
    marked = mark or Mark(1, 1, KEYPOINTS, mask())
    return PairQuestion(ref(0), ref(target), marked, ((0, 1), (1, 2), (0, 3)))


@pytest.fixture(scope="module")
def scene_rgb():
    rows, cols = np.mgrid[0:192, 0:256]
    channels = (cols, rows * 1.3, 128 + 60 * np.sin(cols / 40) * np.cos(rows / 30))
    return np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8)


@pytest.fixture
def find(make_matcher, scene_rgb):
    """Return a function from a question to its map; image 1 is image 0 mirrored."""

    def load(image):
        return scene_rgb if image.id != 1 else np.ascontiguousarray(scene_rgb[:, ::-1])

    pairs = LivePairs(make_matcher(replace(SETTINGS, fine_side=0, mirror=False)), load)
    return lambda pair: pairs.find(pair.s, pair.t, pair.mark)


@pytest.mark.parametrize("is_back", [False, True])
@pytest.mark.parametrize("heat", HEATS)
def test_of_an_image_and_itself_the_counterpart_is_the_point(find, heat, is_back):
    pair = pair_of()
    answer = answer_point(PointQuestion(pair, (120.0, 80.0), is_back, heat), find(pair))
    assert np.abs(np.array(answer.there) - [120, 80]).max() < 6
    assert answer.cycle == pytest.approx(np.hypot(*np.subtract(answer.back, (120, 80))))
    assert answer.cycle < 8
    assert answer.is_on_object
    assert 0.5 < answer.confidence <= 1
    values = answer.heat.values
    assert values.dtype == np.float32
    assert values.max() == 1
    assert values.min() >= 0
    row, col = np.unravel_index(values.argmax(), values.shape)
    assert answer.heat.box == (0, 0, 256, 192)
    assert abs((col + 0.5) * 256 / values.shape[1] - 120) < 16
    assert abs((row + 0.5) * 192 / values.shape[0] - 80) < 16


def test_a_place_beside_the_object_is_said_to_be_so(find):
    pair = pair_of()
    assert not answer_point(PointQuestion(pair, (250.0, 8.0)), find(pair)).is_on_object
    assert not answer_point(PointQuestion(pair, (900.0, 80.0)), find(pair)).is_on_object


def test_features_alone_say_less_than_the_map(find):
    pair = pair_of()
    spread = {
        heat: answer_point(PointQuestion(pair, (120.0, 80.0), heat=heat), find(pair)).heat.values
        for heat in HEATS
    }
    assert np.abs(spread["features"] - spread["map"]).max() > 0.01
    low, high = (np.minimum(spread["map"], spread["features"]), spread["both"])
    assert high.sum() < low.sum() + spread["map"].size / 2


def test_an_unknown_heat_is_refused():
    with pytest.raises(ValueError, match="map, features, both"):
        PointQuestion(pair_of(), (0.0, 0.0), heat="warmth")


def test_without_marks_the_whole_image_counts(find):
    pair = pair_of(mark=Mark(0, 0))
    found = find(pair)
    assert found.weights.all()
    answer = answer_point(PointQuestion(pair, (230.0, 170.0)), found)
    assert answer.is_on_object
    assert np.abs(np.array(answer.there) - [230, 170]).max() < 16
    layers = pair_layers(pair, found)
    assert layers.contours.rings == ()
    assert layers.contours.limbs == ()
    assert layers.dense.share.all()


def test_layers_of_an_image_and_itself_lie_where_they_were(find):
    pair = pair_of()
    layers = pair_layers(pair, find(pair))
    dense = layers.dense
    rows, cols = dense.share.shape
    x, y = np.meshgrid((np.arange(cols) + 0.5) * 256 / cols, (np.arange(rows) + 0.5) * 192 / rows)
    gap = np.abs(dense.xy_s - np.stack([x, y], axis=-1)).max(axis=-1)
    assert np.median(gap[dense.share > 0]) < 6
    assert 0 < (dense.share > 0).mean() < 0.7
    (ring,) = layers.contours.rings
    assert np.abs(ring.min(axis=0) - [50, 40]).max() < 10
    assert np.abs(ring.max(axis=0) - [170, 140]).max() < 10
    assert [limb.shape for limb in layers.contours.limbs] == [(2, 2), (2, 2)]
    lines = layers.matches
    assert len(lines.xy_s) == len(lines.xy_t) == len(lines.confidence) == 56
    assert np.median(np.abs(lines.xy_t - lines.xy_s)) < 6


def test_few_matches_are_far_from_each_other(find):
    pair = pair_of()
    xy = match_lines(pair, find(pair), 12).xy_s
    assert xy.shape == (12, 2)
    gaps = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    assert gaps[~np.eye(12, dtype=bool)].min() > 20


def test_the_grid_is_what_it_was_and_nothing_folds(find):
    grid = warped_grid(find(pair_of()))
    assert len(grid.lines_s) == len(grid.lines_t) > 10
    for a, b in zip(grid.lines_s, grid.lines_t, strict=True):
        assert np.abs(a - b).max() < 10
    assert len(grid.cells_t) == len(grid.orientation) > 50
    assert not grid.is_flipped
    assert not grid.is_folded.any()


def test_a_mirrored_image_flips_the_grid(find):
    pair = pair_of(1)
    found = find(pair)
    grid = warped_grid(found)
    assert grid.is_flipped
    assert grid.is_folded.mean() < 0.2
    assert describe(pair, found).support == found.displacement.support


def test_a_fold_is_marked_where_it_is(find):
    found = find(pair_of())
    theta = found.displacement.theta.copy()
    # The lowest waves, so strong that a part of the object runs backwards.
    theta[3:5] += [120.0, 0.0]
    folded = replace(found, displacement=replace(found.displacement, theta=theta))
    grid = warped_grid(folded)
    assert 0 < grid.is_folded.mean() < 0.9


def test_a_turned_source_has_its_heat_upright(find):
    pair = pair_of()
    found = find(pair)
    turned = replace(found, frame_s=Frame((0, 0, 256, 192), 180))
    question = PointQuestion(pair, (120.0, 80.0), is_back=True)
    answer = answer_point(question, turned)
    # Matched as if the source were turned: everything comes back on the other side.
    assert np.abs(np.array(answer.there) - [256 - 120, 192 - 80]).max() < 6
    rows, cols = answer.heat.values.shape
    row, col = np.unravel_index(answer.heat.values.argmax(), (rows, cols))
    assert abs((col + 0.5) * 256 / cols - 136) < 20
    assert abs((row + 0.5) * 192 / rows - 112) < 20
