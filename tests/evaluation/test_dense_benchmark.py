import json

import numpy as np
import pytest

from fmstudio.engine.cancel import CancelToken
from fmstudio.errors import Cancelled, DatasetError
from fmstudio.evaluation import stereo
from fmstudio.evaluation.datasets import find_sets
from fmstudio.evaluation.datasets.dense import by_pixel
from fmstudio.evaluation.dense_benchmark import evaluate_dense
from fmstudio.evaluation.stereo import motorcycle_pair
from fmstudio.evaluation.synthetic import KINDS, synthetic_pairs
from fmstudio.geometry.grid import ImageSize, PatchGrid


@pytest.fixture
def images(writer, mosaic):
    made = writer("mosaic")
    for image_id, (down, right) in enumerate([(0, 0), (3, 4)], start=1):
        made.image(image_id, mosaic(down, right))
        made.annotation(image_id, image_id, xyv=[(40, 40, 2), (90, 60, 2)])
    (labelled,) = find_sets(made.close())
    return labelled.images


def grid_of(pair):
    height, width = pair.target.shape[:2]
    return PatchGrid.of_long_side(ImageSize(width, height), 20)


@pytest.mark.parametrize("kind", KINDS)
def test_the_truth_is_where_the_pixels_came_from(images, kind):
    for pair in synthetic_pairs(images, [kind]):
        grid = grid_of(pair)
        xy, valid = pair.truth(grid)
        assert valid.mean() > 0.5
        here = grid.centers()[valid].astype(int)
        there = np.minimum(xy[valid].astype(int), np.array(pair.source.shape[1::-1]) - 1)
        target = pair.target[here[:, 1], here[:, 0]].astype(int)
        source = pair.source[there[:, 1], there[:, 0]].astype(int)
        # Cells have sharp borders; a few centres fall on one.
        assert (np.abs(target - source).max(axis=1) < 12).mean() > 0.8


def test_what_is_covered_is_not_judged(images):
    (pair, _) = synthetic_pairs(images, ["occlusion"])
    covered = ~pair.visible
    assert 0.05 < covered.mean() < 0.25
    _, valid = pair.truth(grid_of(pair))
    at = grid_of(pair).centers().astype(int)
    assert not valid[covered[at[:, 1], at[:, 0]]].any()


def test_equal_seeds_give_equal_pairs(images):
    first, again, other = (list(synthetic_pairs(images, seed=seed)) for seed in (3, 3, 4))
    assert all(np.array_equal(a.target, b.target) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a.target, b.target) for a, b in zip(first, other, strict=True))
    assert [(p.name, p.kind) for p in first[:4]] == [("photo1.png", kind) for kind in KINDS]


def test_methods_are_judged_by_kind(images, matcher):
    seen = []
    report = evaluate_dense(
        synthetic_pairs(images, ["affine", "mirror"]),
        4,
        methods=["identity", "nn", "map"],
        analyser=matcher,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(i, 4) for i in range(5)]
    copied, mapped = (report.summary("mirror", m) for m in ("identity", "map"))
    assert copied["epe"] > 0.2
    assert copied["smoothness"] == 0
    assert mapped["epe"] < 0.05
    assert mapped["over_truth"] == pytest.approx(1, abs=0.3)
    plain = report.summary("affine", "nn")
    assert plain["smoother_than_nn"] == 1
    data = json.loads(report.to_json())
    assert data["kinds"]["mirror"]["map"]["epe"] == mapped["epe"]
    assert "### affine (2 pairs)" in report.to_markdown()


def test_it_can_be_cancelled(images, matcher):
    token = CancelToken()
    with pytest.raises(Cancelled):
        evaluate_dense(
            synthetic_pairs(images, ["affine"]),
            2,
            methods=["nn"],
            analyser=matcher,
            token=token,
            progress=lambda done, _: token.cancel() if done == 1 else None,
        )


def test_the_stereo_pair_is_the_right_way_round():
    pytest.importorskip("skimage", reason="scikit-image ships the pair")
    pair = motorcycle_pair()
    grid = grid_of(pair)
    xy, valid = pair.truth(grid)
    here = grid.centers()[valid]

    def difference(there):
        a, b = (np.clip(p.astype(int), 0, [740, 499]) for p in (here, there))
        return np.abs(
            pair.target[a[:, 1], a[:, 0]].astype(float) - pair.source[b[:, 1], b[:, 0]]
        ).mean()

    right = difference(xy[valid])
    assert right < 0.5 * difference(2 * here - xy[valid])
    assert right < 0.5 * difference(here)
    assert 0.5 < valid.mean() < 1


def test_an_unknown_displacement_moves_nothing():
    moved = np.array([[[2.0, 1.0], [np.inf, 0.0]], [[0.5, 0.0], [np.nan, 1.0]]])
    found = by_pixel(moved)(np.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5], [9.0, 9.0]]))
    assert found.tolist() == [[2.5, 1.5], [1.5, 0.5], [1.0, 1.5], [9.0, 9.0]]


def test_without_scikit_image_it_is_said(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "skimage.data", None)
    with pytest.raises(DatasetError, match="pip install scikit-image"):
        stereo.motorcycle_pair()
