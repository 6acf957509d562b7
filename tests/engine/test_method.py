"""docs/method.md against the code: each formula written out again from its definition.

In float64 numpy, from what an image's analysis holds; nothing of `fmstudio.spectral` is called.
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.engine.conftest import SETTINGS


@pytest.fixture(scope="module")
def pair_of():
    """Return a maker of the two analyses and the map under settings."""
    rng = np.random.default_rng(4)
    cells = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    first = cells.repeat(24, axis=0).repeat(24, axis=1)
    second = np.roll(first, (24, 48), axis=(0, 1)) // 2 + 40

    def make(make_matcher, **changes):
        matcher = make_matcher(replace(SETTINGS, **changes))
        s, t = matcher.analyse(first, "first"), matcher.analyse(second, "second")
        return s, t, matcher.pair(s, t, losses=True)

    return make


def arrays(analysis):
    """Return Phi (n, k), m (n,), lambda (k,), D (n, d) and A = Phi' M D / sqrt(n)."""
    basis = analysis.basis
    Phi, m, lam = (v.double().numpy() for v in (basis.evecs, basis.mass, basis.evals))
    D = analysis.descriptors.double().numpy()
    return Phi, m, lam, D, Phi.T @ (m[:, None] * D) / np.sqrt(analysis.grid.n)


def penalties(lam_s, lam_t, r):
    """Return P (k_t, k_s) by its name in the settings."""
    i, j = np.meshgrid(np.arange(len(lam_s)), np.arange(len(lam_t)))
    commutator = (lam_s[None, :] - lam_t[:, None]) ** 2
    w = np.exp(-0.03 * np.hypot(i + 1, j + 1)) * np.abs(r * i - j) / np.sqrt(1 + r**2)
    L = max(lam_s.max(), lam_t.max())
    x, y = np.sqrt(lam_s / L)[None, :], np.sqrt(lam_t / L)[:, None]
    resolvent = (y / (1 + y**2) - x / (1 + x**2)) ** 2 + (1 / (1 + y**2) - 1 / (1 + x**2)) ** 2
    scaled = {
        name: P * commutator.mean() / P.mean()
        for name, P in (("slanted", w**2), ("resolvent", resolvent))
    }
    return {"commutator": commutator, **scaled}


def polar(C):
    U, _, Vt = np.linalg.svd(C, full_matrices=False)
    return U @ Vt


def cosines(a, b):
    return (a / np.linalg.norm(a, axis=1)[:, None]) @ (b / np.linalg.norm(b, axis=1)[:, None]).T


def test_the_basis_is_of_the_graph_that_is_written_down(make_matcher, pair_of):
    s, _, _ = pair_of(make_matcher)
    Phi, m, lam, D, _ = arrays(s)
    rows, cols = s.grid.rows, s.grid.cols
    n = rows * cols
    places = np.arange(n).reshape(rows, cols)
    a = np.concatenate([places[:, :-1].ravel(), places[:-1].ravel()])
    b = np.concatenate([places[:, 1:].ravel(), places[1:].ravel()])
    d = np.linalg.norm(D[a] - D[b], axis=1)
    W = np.zeros((n, n))
    W[a, b] = W[b, a] = np.exp(-(d**2) / (2 * np.median(d) ** 2))
    degree = W.sum(axis=1)
    Lap = np.eye(n) - W / np.sqrt(degree[:, None] * degree[None, :])
    assert np.linalg.eigvalsh(Lap)[: len(lam)] == pytest.approx(lam, abs=2e-4)
    assert Lap @ Phi == pytest.approx(Phi * lam, abs=1e-3)
    # In half precision, as the cache keeps it.
    assert Phi.T @ (m[:, None] * Phi) == pytest.approx(np.eye(len(lam)), abs=1e-3)


@pytest.mark.parametrize("name", ["commutator", "slanted", "resolvent"])
def test_the_map_minimises_the_objective_that_is_written_down(make_matcher, pair_of, name):
    mu = 3.0
    s, t, pair = pair_of(make_matcher, lap_mask=name, lap_weight=mu)
    *_, lam_s, _, A_s = arrays(s)
    *_, lam_t, _, A_t = arrays(t)
    C = pair.C_st.double().numpy()
    # The slope, which is the ratio of the overlaps, is taken from what decides it: the map's rows.
    overlaps = _overlaps(s, t)
    slope = np.clip(overlaps[0] / overlaps[1], 0.25, 4) if min(overlaps) >= 0.05 else 1.0
    P = penalties(lam_s, lam_t, slope)[name]

    def objective(C):
        return np.sum((C @ A_s - A_t) ** 2) + mu * np.sum(P * C**2)

    least = objective(C)
    assert pair.losses["descriptors"] == pytest.approx(np.sum((C @ A_s - A_t) ** 2), rel=1e-3)
    assert pair.losses["laplacian"] == pytest.approx(np.sum(P * C**2), rel=1e-3)
    assert pair.losses["orthogonality"] == pytest.approx(np.sum((C - polar(C)) ** 2), rel=1e-3)
    ridge = 1e-6 * np.trace(A_s @ A_s.T) / len(A_s)
    exact = np.stack(
        [
            np.linalg.solve(A_s @ A_s.T + np.diag(mu * P[j] + ridge), A_s @ A_t[j])
            for j in range(len(lam_t))
        ]
    )
    assert least == pytest.approx(objective(exact), rel=1e-5)
    assert pytest.approx(exact, abs=5e-3) == C
    rng = np.random.default_rng(0)
    for _ in range(5):
        assert objective(C + 1e-2 * rng.normal(size=C.shape)) > least


def _overlaps(s, t):
    """Return the shares of patches whose round trip ends at most two patches away."""
    score = hub_corrected(s.descriptors.double().numpy() @ t.descriptors.double().numpy().T)
    to_t, to_s = score.argmax(axis=1), score.argmax(axis=0)

    def share(there, back, grid):
        at = np.stack(np.divmod(np.arange(grid.n), grid.cols), axis=1)
        return np.mean(np.linalg.norm(at[back[there]] - at, axis=1) <= 2)

    return share(to_t, to_s, s.grid), share(to_s, to_t, t.grid)


def hub_corrected(S):
    """Return S less half of each patch's mean over its ten best matches, on both sides."""
    best_s = np.sort(S, axis=1)[:, -10:].mean(axis=1)
    best_t = np.sort(S, axis=0)[-10:].mean(axis=0)
    return S - 0.5 * best_s[:, None] - 0.5 * best_t[None, :]


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize(
    "decoder", ["mixed", "band-limited", "transferred", "concatenated", "spectral"]
)
def test_the_score_is_the_one_that_is_written_down(make_matcher, pair_of, decoder, corrected):
    s, t, pair = pair_of(make_matcher, decoder=decoder, map_weight=0.4, hub_correction=corrected)
    Phi_s, _, _, D_s, A_s = arrays(s)
    Phi_t, _, _, D_t, _ = arrays(t)
    C = pair.C_st.double().numpy()
    raw = D_s @ D_t.T
    band = cosines(Phi_s @ A_s, Phi_t @ C @ A_s)
    transferred = cosines(D_s, Phi_t @ C @ A_s)
    psi_s, psi_t = Phi_s * np.sqrt(s.grid.n), Phi_t * np.sqrt(t.grid.n)
    apart = ((psi_t @ C)[None, :, :] - psi_s[:, None, :]) ** 2
    expected = {
        "mixed": 0.6 * raw + 0.4 * band,
        "band-limited": band,
        "transferred": transferred,
        "concatenated": (transferred + raw) / 2,
        "spectral": 1 - apart.sum(axis=2) / (2 * len(A_s)),
    }[decoder]
    found = pair.score.double().numpy()
    assert found == pytest.approx(hub_corrected(expected) if corrected else expected, abs=2e-4)


def test_both_directions_are_solved_as_written_down(make_matcher, pair_of):
    alpha, beta, mu = 0.2, 0.3, 0.1
    s, t, pair = pair_of(make_matcher, orthogonality=alpha, bijectivity=beta, lap_weight=mu)
    *_, lam_s, _, A_s = arrays(s)
    *_, lam_t, _, A_t = arrays(t)
    P = penalties(lam_s, lam_t, 1.0)["commutator"]
    C_ts = pair.C_ts.double().numpy()
    C_st = pair.C_st.double().numpy()
    eye = np.eye(len(lam_s))
    assert pair.losses["bijectivity"] == pytest.approx(
        np.sum((C_st @ C_ts - np.eye(len(lam_t))) ** 2), rel=1e-3
    )
    # C_ts was solved last, with C_st held: its half-round is an exact solve.
    held = C_ts
    left = A_t @ A_t.T + alpha * eye + beta * C_st @ C_st.T
    right = A_s @ A_t.T + alpha * polar(held) + beta * C_st.T
    again = np.stack(
        [np.linalg.solve(left + mu * np.diag(P.T[j]), right[j]) for j in range(len(lam_s))]
    )
    # One more half-round moves it little: three rounds have all but settled.
    assert np.linalg.norm(again - C_ts) < 0.05 * np.linalg.norm(C_ts)
