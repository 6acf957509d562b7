import dataclasses

import numpy as np
import pytest
import torch

from fmstudio.engine.cache import TensorCache
from fmstudio.engine.requests import Phase
from fmstudio.geometry.grid import ImageSize


def test_an_image_matches_itself(make_matcher, scene):
    matcher = make_matcher()
    analysis = matcher.analyse(scene, "a")
    pair = matcher.pair(analysis, analysis)
    assert torch.equal(pair.p2p_ts, torch.arange(analysis.grid.n))
    assert torch.allclose(pair.confidence_t, torch.ones(analysis.grid.n))
    # Rank-deficient descriptors leave a little play; where they speak, C is the identity.
    A = analysis.basis.project(analysis.descriptors)
    assert float((pair.C_st @ A - A).norm() / A.norm()) < 0.02


def test_a_shifted_image_matches_by_the_shift(make_matcher, scene):
    wide = np.concatenate([scene, scene[:, :64][:, ::-1]], axis=1)
    matcher = make_matcher()
    s, t = (matcher.analyse(np.ascontiguousarray(wide[:, x : x + 256]), str(x)) for x in (0, 32))
    pair = matcher.pair(s, t)
    rows, cols = np.divmod(pair.p2p_ts.numpy(), s.grid.cols)
    own_rows, own_cols = np.divmod(np.arange(t.grid.n), t.grid.cols)
    inside = own_cols < t.grid.cols - 3
    right = (rows == own_rows) & (cols == own_cols + 2)
    assert right[inside].mean() > 0.9


@pytest.mark.parametrize(
    "change",
    [
        {"basis": "uniform"},
        {"neighbours": 8},
        {"laplacian": "random-walk"},
        {"bijectivity": 0.1, "orthogonality": 0.1},
        {"map_weight": 1.0},
        {"k": 10_000},
    ],
)
def test_every_setting_gives_a_working_map(make_matcher, scene, change):
    matcher = make_matcher(dataclasses.replace(matcher_settings(make_matcher), **change))
    analysis = matcher.analyse(scene, "a")
    pair = matcher.pair(analysis, analysis)
    exact = (pair.p2p_ts == torch.arange(analysis.grid.n)).float().mean()
    assert exact > 0.9


def matcher_settings(make_matcher):
    return make_matcher().settings


def test_grids_of_different_sizes_match(make_matcher, scene):
    matcher = make_matcher()
    s = matcher.analyse(scene, "a")
    t = matcher.analyse(np.ascontiguousarray(scene[:, :128]), "b")
    pair = matcher.pair(s, t)
    assert pair.score.shape == (s.grid.n, t.grid.n)
    assert pair.C_st.shape == (t.basis.k, s.basis.k)


def test_an_analysis_is_computed_once(make_matcher, scene, tmp_path):
    first = make_matcher(cache=TensorCache(tmp_path))
    computed = first.analyse(scene, "a")
    assert set(computed.ms) == {Phase.FEATURES, Phase.BASIS}
    later = make_matcher(cache=TensorCache(tmp_path))
    recalled = later.recall(ImageSize(256, 192), "a")
    assert recalled is not None
    assert later.made[0].calls == 0
    assert recalled.grid == computed.grid
    # To the last bit: whether it was cached changes no result.
    assert torch.equal(recalled.descriptors, computed.descriptors)
    assert torch.equal(recalled.basis.evecs, computed.basis.evecs)
    assert later.recall(ImageSize(256, 192), "b") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.clear(),
        lambda t: t.pop("mass"),
        lambda t: t.update(more=torch.zeros(1)),
        lambda t: t.update(evecs=t["evecs"][:-1].contiguous()),
        lambda t: t.update(evals=t["evals"][:-1].contiguous()),
        lambda t: t.update(mass=t["mass"][:, None].contiguous()),
        lambda t: t.update(descriptors=torch.zeros(3)),
        lambda t: t["evecs"].fill_(torch.nan),
    ],
)
def test_what_lies_in_a_cache_and_is_no_analysis_counts_as_absent(
    tmp_path, make_matcher, scene, change
):
    first = make_matcher(cache=TensorCache(tmp_path))
    first.analyse(scene, "a")
    (path,) = tmp_path.rglob("*.safetensors")
    tensors = dict(TensorCache(tmp_path).get(path.stem))
    change(tensors)
    # Whole, by its own checksum.
    TensorCache(tmp_path).put(path.stem, tensors)
    later = make_matcher(cache=TensorCache(tmp_path))
    assert later.recall(ImageSize(256, 192), "a") is None
    assert later.analyse(scene, "a").grid.n == len(later.analyse(scene, "a").descriptors)


def test_settings_that_shape_the_basis_change_the_key(make_matcher, scene):
    base = make_matcher()
    keys = {base.analyse(scene, "a").key, base.analyse(scene, "b").key}
    for change in ({"k": 20}, {"basis": "uniform"}, {"neighbours": 8}, {"long_side": 128}):
        settings = dataclasses.replace(base.settings, **change)
        keys.add(make_matcher(settings).analyse(scene, "a").key)
    assert len(keys) == 6
    same = dataclasses.replace(base.settings, map_weight=0.9)
    assert make_matcher(same).analyse(scene, "a").key in keys


def test_one_network_for_both_parts_runs_once(make_matcher, scene):
    matcher = make_matcher()
    matcher.analyse(scene, "a")
    assert [e.calls for e in matcher.made] == [1]
