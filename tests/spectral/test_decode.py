import torch
from torch.nn.functional import normalize

from fmstudio.spectral.convert import fmap_to_p2p, map_similarity, p2p_to_fmap
from fmstudio.spectral.decode import (
    concatenated_similarity,
    spectral_similarity,
    transferred_similarity,
)
from fmstudio.spectral.eigenbasis import uniform_basis


def unit(n, d, seed):
    return normalize(torch.randn(n, d, generator=torch.Generator().manual_seed(seed)), dim=1)


def random(rows, cols):
    return torch.randn(rows, cols, generator=torch.Generator().manual_seed(7))


def test_transferred_descriptors_are_compared_with_the_raw_ones_of_the_source():
    s, t, D_s, C = (
        uniform_basis(6, 10, 20),
        uniform_basis(7, 8, 15),
        unit(60, 16, 0),
        random(15, 20),
    )
    score = transferred_similarity(C, s, t, D_s)
    T = t.evecs.numpy() @ C.numpy() @ s.evecs.numpy().T @ D_s.numpy()
    for x, y in ((0, 0), (17, 3), (59, 55)):
        cosine = (D_s[x].numpy() @ T[y]) / (T[y] @ T[y]) ** 0.5
        assert abs(float(score[x, y]) - cosine) < 1e-5


def test_transferred_descriptors_follow_a_mirror():
    basis, D_s = uniform_basis(6, 10, 60), unit(60, 32, 0)
    mirror = torch.arange(60).reshape(6, 10).flip(1).reshape(-1)
    score = transferred_similarity(p2p_to_fmap(mirror, basis, basis), basis, basis, D_s)
    assert torch.equal(score.argmax(dim=1), mirror)
    assert torch.allclose(score.gather(1, mirror[:, None]), torch.ones(60, 1), atol=1e-4)


def test_transferring_differs_from_the_band_limited_decoder_by_the_sources_side():
    s, t, D_s, C = (
        uniform_basis(6, 10, 20),
        uniform_basis(7, 8, 15),
        unit(60, 16, 0),
        random(15, 20),
    )
    band = map_similarity(C, s, t, s.project(D_s))
    assert not torch.allclose(transferred_similarity(C, s, t, D_s), band, atol=0.05)
    low = normalize(s.low_pass(D_s), dim=1)
    carried = normalize(t.lift(C @ s.project(D_s)), dim=1)
    assert torch.allclose(low @ carried.T, band, atol=1e-5)


def test_concatenating_is_the_cosine_of_both_side_by_side():
    D_s, D_t, T = unit(12, 8, 0), unit(9, 8, 1), unit(9, 8, 2)
    source = normalize(torch.cat([D_s, D_s], dim=1), dim=1)
    target = normalize(torch.cat([T, D_t], dim=1), dim=1)
    score = concatenated_similarity(D_s @ T.T, D_s @ D_t.T)
    assert torch.allclose(score, source @ target.T, atol=1e-6)


def test_the_spectral_score_ranks_as_nearest_rows_do():
    s, t = uniform_basis(6, 10, 20).per_patch(), uniform_basis(7, 8, 15).per_patch()
    C = random(15, 20)
    score = spectral_similarity(C, s, t)
    assert torch.equal(score.argmax(dim=0), fmap_to_p2p(C, s, t))
    distance = torch.cdist(s.evecs, t.evecs @ C).square()
    assert torch.allclose(score, 1 - distance / 40, atol=1e-4)


def test_the_spectral_score_is_one_where_rows_meet():
    basis = uniform_basis(6, 10, 30).per_patch()
    mirror = torch.arange(60).reshape(6, 10).flip(1).reshape(-1)
    score = spectral_similarity(p2p_to_fmap(mirror, basis, basis), basis, basis)
    assert torch.equal(score.argmax(dim=1), mirror)
    assert torch.allclose(score.gather(1, mirror[:, None]), torch.ones(60, 1), atol=1e-4)
    assert score.max() <= 1
