import dataclasses

import numpy as np
import pytest
import torch

from fmstudio.engine.agreement import summarise
from fmstudio.engine.cache import TensorCache
from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import DECODERS, LAP_MASKS, REFINEMENTS, MatchSettings
from fmstudio.errors import Cancelled
from fmstudio.geometry.grid import ImageSize
from fmstudio.spectral.convert import hub_corrected, map_similarity
from fmstudio.spectral.fmap import FmapWeights, fmap_energy, solve_fmap
from fmstudio.spectral.losses import bijectivity_loss, weighted_sum


@pytest.fixture
def changed(make_matcher):
    """Return a matcher with some settings changed."""

    def make(cache=None, **change):
        settings = dataclasses.replace(make_matcher().settings, **change)
        return make_matcher(settings, cache=cache)

    return make


@pytest.fixture
def pair(scene):
    """Return two views of one scene, half of each in both, and a matcher's analyses of them."""
    wide = np.concatenate([scene, scene[:, ::-1] // 2 + 100], axis=1)
    views = [np.ascontiguousarray(wide[:, x : x + 256]) for x in (0, 128)]

    def analysed(matcher):
        return [matcher.analyse(view, str(i)) for i, view in enumerate(views)]

    return analysed


def test_the_defaults_are_the_plain_closed_form_to_the_last_bit(changed, pair):
    matcher = changed()
    s, t = pair(matcher)
    A_s = s.basis.project(s.descriptors) / s.grid.n**0.5
    A_t = t.basis.project(t.descriptors) / t.grid.n**0.5
    C_st = solve_fmap(A_s, A_t, s.basis.evals, t.basis.evals, lap_weight=0.1)
    mapped = map_similarity(C_st, s.basis, t.basis, A_s)
    score = hub_corrected(torch.lerp(s.descriptors @ t.descriptors.T, mapped, 0.3))
    found = matcher.pair(s, t)
    assert torch.equal(found.C_st, C_st)
    assert torch.equal(found.score, score)
    assert (found.C_ts, found.losses) == (None, None)


OPTIONS = [
    *({"decoder": word} for word in DECODERS),
    *({"lap_mask": word} for word in LAP_MASKS),
    *({"refine": word, "refine_k": 60} for word in REFINEMENTS),
    {"foreground": 1.0},
    {"network_steps": 20},
    {"hub_correction": False},
    {"refine": "zoomout", "refine_k": 10_000},
    {"refine": "zoomout", "refine_k": 45, "bijectivity": 0.1, "laplacian": "random-walk"},
    {"refine": "bijective-zoomout", "refine_k": 60, "decoder": "spectral", "lap_mask": "slanted"},
]


DEFAULTS = {"mixed", "commutator", "none", 60}


@pytest.mark.parametrize("change", OPTIONS, ids=str)
def test_an_image_finds_itself_under_every_option(changed, scene, change):
    matcher = changed(**change)
    analysis = matcher.analyse(scene, "a")
    found = matcher.pair(analysis, analysis)
    exact = (found.p2p_ts == torch.arange(analysis.grid.n)).float().mean()
    assert exact > 0.9
    assert found.score.isfinite().all()


@pytest.mark.parametrize(
    "change", [c for c in OPTIONS if not DEFAULTS.issuperset(c.values())], ids=str
)
def test_every_option_changes_the_result_of_two_images(changed, pair, change):
    plain, other = changed(), changed(**change)
    scores = [m.pair(*pair(m)).score for m in (plain, other)]
    assert not torch.allclose(*scores, atol=1e-4)


def test_an_option_that_is_off_changes_nothing(changed, pair):
    plain, other = changed(), changed(refine="none", refine_k=60)
    (s, t), (u, v) = pair(plain), pair(other)
    assert s.key == u.key
    assert torch.equal(plain.pair(s, t).score, other.pair(u, v).score)


def test_descriptors_are_reduced_on_axes_of_the_pair(changed, pair):
    matcher = changed(pca_width=6, map_weight=0.0, hub_correction=False)
    s, t = pair(matcher)
    found = matcher.pair(s, t).score
    rows = torch.cat([s.descriptors, t.descriptors]).double()
    mean = rows.mean(dim=0)
    axes = torch.linalg.svd(rows - mean, full_matrices=False)[2][:6].T
    a, b = (
        torch.nn.functional.normalize((x.descriptors.double() - mean) @ axes, dim=1) for x in (s, t)
    )
    assert torch.allclose(found, (a @ b.T).float(), atol=1e-3)
    # The analyses themselves stay as they are: they serve other pairs.
    assert s.descriptors.shape[1] == 32


def test_refinements_that_grow_enlarge_the_basis_and_its_key(changed, pair, tmp_path):
    grown = changed(TensorCache(tmp_path), refine="zoomout", refine_k=50)
    s, t = pair(grown)
    assert (s.basis.k, t.basis.k) == (50, 50)
    assert grown.pair(s, t).C_st.shape == (50, 50)
    assert changed(TensorCache(tmp_path)).recall(ImageSize(256, 192), "0") is None
    again = changed(TensorCache(tmp_path), refine="bijective-zoomout", refine_k=50)
    known = again.recall(ImageSize(256, 192), "0")
    assert known is not None
    assert known.basis.k == 50


def test_settings_of_the_pair_keep_what_is_cached(changed, scene):
    keys = {
        changed(**change).analyse(scene, "a").key
        for change in (
            {},
            {"decoder": "spectral"},
            {"lap_mask": "slanted"},
            {"foreground": 0.5},
            {"hub_correction": False},
            {"refine": "orthogonal"},
        )
    }
    assert len(keys) == 1


def test_the_map_back_is_there_where_it_was_solved(changed, pair):
    for change, size in (
        ({"bijectivity": 0.1}, 30),
        ({"bijectivity": 0.1, "refine": "zoomout", "refine_k": 50}, 50),
        ({"orthogonality": 0.1, "refine": "orthogonal"}, 30),
        ({"refine": "bijective-zoomout", "refine_k": 50}, 50),
    ):
        matcher = changed(**change)
        found = matcher.pair(*pair(matcher))
        assert found.C_st.shape == (size, size)
        assert found.C_ts is not None
        assert found.C_ts.shape == (size, size)


def test_losses_are_measured_on_request(changed, pair):
    matcher = changed()
    s, t = pair(matcher)
    found = matcher.pair(s, t, losses=True)
    A = [a.basis.project(a.descriptors) / a.grid.n**0.5 for a in (s, t)]
    energy = fmap_energy(found.C_st, *A, s.basis.evals, t.basis.evals, lap_weight=0.1)
    total = weighted_sum(found.losses, FmapWeights(laplacian=0.1))
    assert total == pytest.approx(energy, rel=1e-5)
    assert "bijectivity" not in found.losses
    matcher = changed(bijectivity=0.5)
    both = matcher.pair(*pair(matcher), losses=True)
    assert both.losses["bijectivity"] == float(bijectivity_loss(both.C_st, both.C_ts))


def test_views_that_share_half_say_so(changed, pair):
    matcher = changed()
    s, t = pair(matcher)
    assert matcher.pair(s, s).overlap == (1.0, 1.0)
    assert 0.3 < min(matcher.pair(s, t).overlap) <= max(matcher.pair(s, t).overlap) < 0.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decoder": "raw"}, "decoder is one of mixed, band-limited"),
        ({"lap_mask": "wide"}, "lap_mask is one of commutator"),
        ({"refine": "icp"}, "refine is one of none"),
        ({"foreground": 1.5}, "foreground is from 0 to 1, not 1.5"),
        ({"foreground": float("nan")}, "foreground is from 0 to 1"),
        ({"refine": "zoomout", "refine_k": 40}, "above it, not 40"),
    ],
)
def test_settings_out_of_range_are_refused_in_a_sentence(change, message):
    with pytest.raises(ValueError, match=message):
        MatchSettings(**change)


def test_the_network_can_be_stopped_between_its_steps(changed, pair):
    matcher = changed(network_steps=50)
    s, t = pair(matcher)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        matcher.pair(s, t, check=token.check)


def test_maps_that_agree_are_taken_for_their_pairs_alone(changed, pair):
    matcher = changed(consistency=1.0)
    s, t = pair(matcher)
    apart = matcher.pair(s, t)
    matcher.agree([summarise(image, matcher.settings) for image in (s, t)], [(0, 1)])
    together = matcher.pair(s, t)
    assert not torch.allclose(together.C_st, apart.C_st, atol=1e-4)
    assert torch.equal(matcher.pair(t, s).C_st, changed().pair(t, s).C_st)


@pytest.mark.parametrize("name", ["network_steps", "consistency"])
def test_a_setting_below_nothing_is_refused(changed, name):
    with pytest.raises(ValueError, match=f"{name} is at least 0"):
        changed(**{name: -1})
