import numpy as np
import pytest

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.collection import clusters, outliers, overview, places, spread
from fmstudio.engine.overview import OutlierReason, Overview
from fmstudio.engine.requests import ImageRef, Progress
from fmstudio.errors import Cancelled, ImageError, MatchError
from fmstudio.geometry.grid import ImageSize
from fmstudio.spectral.coverage import centred, coverage

SIZE = ImageSize(256, 192)
COUNT = 8


@pytest.fixture
def photos(scene):
    """Views of one scene, each shifted a little, and last a stranger: stripes of other colours."""
    wide = np.concatenate([scene, scene[:, ::-1]], axis=1)
    views = [np.ascontiguousarray(wide[:, x : x + 256]) for x in range(0, 4 * COUNT, 4)]
    stripes = np.zeros_like(scene)
    stripes[:, ::16] = (255, 0, 255)
    stripes[::24] = (0, 255, 0)
    return [*views, stripes]


def refs(count):
    return tuple(ImageRef(10 + i, f"hash{i}", f"{i}.png", SIZE) for i in range(count))


def run(photos, matcher, *, annotated=(), token=None, missing=()):
    def load(image):
        if image.id in missing:
            raise ImageError(f"{image.name} is missing.")
        return photos[image.id - 10]

    images = refs(len(photos))
    flags = [image.id in annotated for image in images]
    return overview(images, flags, load, matcher, token or CancelToken())


def test_a_planted_stranger_stands_out_first(photos, make_matcher):
    *progress, found = run(photos, make_matcher(), annotated=(10,))
    assert all(isinstance(item, Progress) for item in progress)
    assert isinstance(found, Overview)
    assert found.ids == tuple(range(10, 10 + COUNT + 1))
    assert found.outliers[0].index == COUNT
    assert found.outliers[0].reason is not OutlierReason.MAPS
    assert found.xy.shape == (COUNT + 1, 2)
    assert found.xy.min() >= 0
    assert found.xy.max() <= 1
    assert (found.clusters == found.clusters[COUNT]).sum() == 1
    assert found.coverage[0] == pytest.approx(1)
    assert found.coverage[COUNT] < 0.5
    assert len(found.edges) == len(found.edge_errors) == len(found.pair_losses)
    assert found.edge_errors[found.worst_edges[0]] == found.edge_errors.max()
    assert np.isfinite(found.errors).all()


def test_the_same_images_give_the_same_overview(photos, make_matcher):
    first, second = ([*run(photos, make_matcher())][-1] for _ in range(2))
    np.testing.assert_array_equal(first.xy, second.xy)
    np.testing.assert_array_equal(first.errors, second.errors)
    np.testing.assert_array_equal(first.clusters, second.clusters)


def test_an_image_that_cannot_be_read_is_named_and_the_rest_goes_on(photos, make_matcher):
    found = [*run(photos, make_matcher(), missing=(12,))][-1]
    assert [failure.target.id for failure in found.failures] == [12]
    assert 12 not in found.ids
    assert len(found.ids) == COUNT


def test_two_readable_images_are_no_collection(photos, make_matcher):
    with pytest.raises(MatchError, match="At least 3"):
        list(run(photos[:3], make_matcher(), missing=(10,)))


def test_it_stops_when_it_is_cancelled(photos, make_matcher):
    token = CancelToken()
    events = run(photos, make_matcher(), token=token)
    next(events)
    token.cancel()
    with pytest.raises(Cancelled):
        list(events)


def test_of_a_large_set_images_far_from_each_other_are_mapped(photos, make_matcher, monkeypatch):
    monkeypatch.setattr("fmstudio.engine.collection.MOST_MAPPED", 5)
    found = [*run(photos, make_matcher())][-1]
    mapped = np.isfinite(found.errors)
    assert mapped.sum() == 5
    assert mapped[COUNT]
    assert mapped[found.edges].all()
    assert len(found.clusters) == len(found.coverage) == COUNT + 1


def test_a_spread_choice_holds_one_of_each_kind():
    rng = np.random.default_rng(0)
    kinds = np.repeat(np.eye(4), 20, axis=0) + 0.01 * rng.standard_normal((80, 4))
    unit = centred(kinds)
    assert sorted((spread(unit, 4) // 20).tolist()) == [0, 1, 2, 3]
    assert spread(unit, 80).tolist() == list(range(80))


def test_clusters_are_numbered_by_size_and_places_keep_them_apart():
    rng = np.random.default_rng(1)
    kinds = np.repeat(np.eye(3), (3, 9, 5), axis=0)
    unit = centred(kinds + 0.01 * rng.standard_normal(kinds.shape))
    found = clusters(unit, np.arange(len(unit)))
    assert found.tolist() == [2] * 3 + [0] * 9 + [1] * 5
    # Also where most of them were not chosen to be mapped.
    assert clusters(unit, np.array([0, 3, 4, 12])).tolist() == found.tolist()
    xy = places(unit)
    centers = np.array([xy[found == at].mean(axis=0) for at in range(3)])
    assert min(np.linalg.norm(centers[i] - centers[j]) for i, j in ((0, 1), (0, 2), (1, 2))) > 0.3


def test_what_stands_out_twice_comes_first():
    errors = np.array([0.1] * 8 + [0.9, 0.8, np.nan])
    distances = np.array([0.1] * 9 + [0.9, 0.7])
    assert [(o.index, o.reason.value) for o in outliers(errors, distances)] == [
        (9, "both"),
        (8, "maps"),
        (10, "looks"),
    ]


def test_coverage_is_the_likeness_to_the_nearest_reference():
    unit = centred(np.eye(4)[[0, 0, 1, 2]])
    covered = coverage(unit, np.array([True, False, False, False]))
    assert covered[:2] == pytest.approx(1)
    assert (covered[2:] < 0.5).all()
    assert not coverage(unit, np.zeros(4, dtype=bool)).any()
