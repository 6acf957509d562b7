from dataclasses import replace

import numpy as np
import pytest

from fmstudio.engine import focus
from fmstudio.engine.cache import TensorCache
from fmstudio.engine.carry import carry, vote
from fmstudio.engine.focus import map_object
from fmstudio.engine.requests import Mark
from fmstudio.engine.views import View, look
from fmstudio.errors import Cancelled
from fmstudio.geometry.frames import Frame
from fmstudio.geometry.masks import Mask
from fmstudio.geometry.metrics import iou
from fmstudio.geometry.points import Keypoints
from tests.engine.conftest import SETTINGS

FINE = replace(SETTINGS, fine_side=256, turns=False)
POINTS = np.array([[262.0, 214.0], [318.0, 246.0], [290.0, 262.0]])


@pytest.fixture(scope="module")
def photos():
    """A textured blob in a large plain picture, and the same moved by (-96, 40) pixels."""
    rng = np.random.default_rng(2)
    texture = rng.integers(40, 256, (8, 10, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)

    def picture(x, y):
        rgb = np.full((480, 640, 3), 30, dtype=np.uint8)
        rgb[y : y + 128, x : x + 160] = texture
        return rgb

    return picture(208, 176), picture(112, 216)


def view_of(matcher, rgb, key, opened=None):
    def open_it():
        if opened is not None:
            opened.append(key)
        return rgb

    return View(matcher.analyse(rgb, key), key, open_it)


def mark_of(x=208, y=176):
    array = np.zeros((480, 640), dtype=bool)
    array[y : y + 128, x : x + 160] = True
    points = Keypoints.drawn([*POINTS.tolist(), [0, 0]], [2, 2, 1, 0])
    return Mark(1, 1, points, Mask.from_array(array))


def test_a_closer_look_carries_more_exactly(make_matcher, photos):
    errors = {}
    for side in (0, 256):
        matcher = make_matcher(replace(FINE, fine_side=side))
        s, t = (view_of(matcher, rgb, key) for rgb, key in zip(photos, "st", strict=True))
        found = map_object(matcher, s, t, mark_of())
        errors[side] = np.abs(found.points(POINTS) - POINTS - [-96, 40]).max()
    back = found.points_back(POINTS + np.array([-96.0, 40.0]))
    assert np.abs(back - POINTS).max() < 10
    assert errors[256] < errors[0]
    assert errors[256] < 6


def test_the_parts_show_the_object_and_little_else(make_matcher, photos):
    matcher = make_matcher(FINE)
    s, t = (view_of(matcher, rgb, key) for rgb, key in zip(photos, "st", strict=True))
    found = map_object(matcher, s, t, mark_of())
    for box, (x, y) in ((found.frame_s.box, (208, 176)), (found.box_t, (112, 216))):
        assert box[0] <= x < x + 160 <= box[2]
        assert box[1] <= y < y + 128 <= box[3]
        assert (box[2] - box[0]) * (box[3] - box[1]) < 0.35 * 480 * 640
    assert not found.is_mirrored


def test_what_fits_well_is_not_looked_at_mirrored(make_matcher, photos):
    matcher = make_matcher(FINE)
    s, t = (view_of(matcher, rgb, key) for rgb, key in zip(photos, "st", strict=True))
    map_object(matcher, s, t, mark_of())
    assert [mirrored for _, mirrored in (*s.parts, *t.parts)] == [False, False]
    assert map_object(matcher, s, t, mark_of()).alternative is None


def test_a_mirrored_object_is_recognised_by_features_that_know_left_from_right(monkeypatch):
    """With colours alone a mirror is no matter; features that see a gradient's sign tell it."""
    # The plain fit, which may be a mirror itself, is not bad on so clean a picture.
    monkeypatch.setattr(focus, "_UNSURE", 2.0)
    import torch

    from fmstudio.engine.match import Matcher
    from tests.engine.conftest import PixelExtractor

    class Directed(PixelExtractor):
        """Colours of a patch's left and right half, in this order."""

        def extract(self, rgb, grid):
            found = super().extract(rgb, grid)
            halves = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].float()
            size = (grid.rows, 2 * grid.cols)
            wide = torch.nn.functional.adaptive_avg_pool2d(halves / 255, size)[0]
            both = wide.reshape(3, grid.rows, grid.cols, 2).permute(1, 2, 3, 0).flatten(2)
            mix = torch.randn(6, 32, generator=torch.Generator().manual_seed(1)) * 4
            data = torch.cos(both @ mix)
            return replace(found, data=torch.nn.functional.normalize(data, dim=2))

    rng = np.random.default_rng(5)
    # Cells are half a patch of the whole image, so that its patches have two halves.
    texture = rng.integers(0, 256, (4, 10, 3), dtype=np.uint8).repeat(40, 0).repeat(20, 1)

    def picture(part):
        rgb = np.full((480, 640, 3), 30, dtype=np.uint8)
        rgb[160:320, 200:400] = part
        return rgb

    matcher = Matcher(FINE, extractors=lambda name, *, device: Directed(name, device=device))
    s = view_of(matcher, picture(texture), "s")
    turned = view_of(matcher, picture(texture[:, ::-1]), "t")
    mark = mark_of(220, 180)
    found = map_object(matcher, s, turned, mark)
    assert found.is_mirrored
    assert np.abs(found.points(POINTS) - POINTS * [-1, 1] - [600, 0]).max() < 20
    assert not found.alternative.found.is_mirrored
    assert found.alternative.margin > 0
    same = view_of(matcher, picture(texture), "u")
    kept = map_object(matcher, s, same, mark)
    assert not kept.is_mirrored
    assert kept.alternative.found.is_mirrored
    assert np.abs(kept.alternative.found.points(POINTS) - POINTS * [-1, 1] - [620, 0]).max() > 60


def test_a_part_is_looked_at_once_and_kept_in_the_cache(make_matcher, photos, tmp_path):
    opened = []
    matcher = make_matcher(FINE, TensorCache(tmp_path))
    view = view_of(matcher, photos[0], "s", opened)
    box = Frame((160, 128, 416, 352))
    first = look(matcher, view, box)
    assert look(matcher, view, box) is first
    assert opened == ["s"]
    later = make_matcher(FINE, TensorCache(tmp_path))
    again = look(later, View(view.analysis, "s", lambda: pytest.fail("opened")), box)
    assert again.grid == first.grid
    assert np.abs((again.descriptors - first.descriptors).numpy()).max() < 1e-3
    # Mirrored it is something else.
    assert look(later, view_of(later, photos[0], "s"), box, mirrored=True).key != first.key


def test_several_parts_and_holes_survive(make_matcher):
    rng = np.random.default_rng(4)
    texture = rng.integers(60, 256, (9, 18, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
    shape = np.zeros((144, 288), dtype=bool)
    shape[:, :176] = True  # a block with a hole, and a smaller one beside it
    shape[48:96, 48:112] = False
    shape[32:112, 224:] = True

    def picture(x, y):
        array = np.zeros((480, 640), dtype=bool)
        array[y : y + 144, x : x + 288] = shape
        rgb = np.full((480, 640, 3), 20, dtype=np.uint8)
        rgb[y : y + 144, x : x + 288][shape] = texture[shape]
        return rgb, array

    (rgb_s, array_s), (rgb_t, array_t) = picture(160, 128), picture(240, 208)
    matcher = make_matcher(FINE)
    s, t = view_of(matcher, rgb_s, "s"), view_of(matcher, rgb_t, "t")
    mark = Mark(1, 1, mask=Mask.from_array(array_s))
    words = [[carry(map_object(matcher, s, t, mark), mark)]]
    (proposed,) = vote(words, t.analysis.grid, open_target=lambda: rgb_t)
    assert proposed.mask.n_holes == 1
    assert iou(proposed.mask.to_array(), array_t) > 0.9
    assert proposed.mask.n_parts == 2


def test_masks_are_drawn_to_the_edges(make_matcher, photos):
    matcher = make_matcher(FINE)
    s, t = (view_of(matcher, rgb, key) for rgb, key in zip(photos, "st", strict=True))
    word = carry(map_object(matcher, s, t, mark_of()), mark_of())
    wanted = np.zeros((480, 640), dtype=bool)
    wanted[216:344, 112:272] = True
    reached = []
    for opened in (None, t.open):
        (mark,) = vote([[word]], t.analysis.grid, open_target=opened)
        found = mark.mask.to_array()
        reached.append((found & wanted).sum() / (found | wanted).sum())
    assert min(reached) > 0.9
    assert reached[0] != reached[1]


def test_a_cancel_is_noticed_between_the_steps(make_matcher, photos):
    matcher = make_matcher(FINE)
    s, t = (view_of(matcher, rgb, key) for rgb, key in zip(photos, "st", strict=True))
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        map_object(matcher, s, t, mark_of(), check=check)
    assert len(calls) == 3
