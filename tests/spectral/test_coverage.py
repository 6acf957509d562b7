import numpy as np
import pytest

from fmstudio.spectral.coverage import best_to_annotate


def clusters(*sizes, d=16, spread=0.05, seed=0):
    """Return descriptors of clusters far apart, whose first member is the middle of each."""
    rng = np.random.default_rng(seed)
    groups = []
    for at, size in enumerate(sizes):
        middle = np.zeros(d)
        middle[at] = 1.0
        noise = rng.normal(scale=spread, size=(size // 2, d))
        # Both ways, so that the middle is the medoid.
        groups.append(np.vstack([middle, middle + noise, middle - noise])[:size])
    return np.vstack(groups)


def test_the_medoid_of_the_largest_cluster_wins():
    found = best_to_annotate(clusters(5, 11, 7), np.ones(23), np.zeros(23, dtype=bool))
    assert found.index == 5
    assert sorted(found.covered) == list(range(6, 16))
    assert found.doubt == pytest.approx(1.0)


def test_what_is_covered_already_does_not_count():
    annotated = np.zeros(23, dtype=bool)
    annotated[5] = True
    found = best_to_annotate(clusters(5, 11, 7), np.ones(23), annotated)
    assert found.index == 16
    assert sorted(found.covered) == list(range(17, 23))


def test_doubt_outweighs_size():
    doubt = np.full(23, 0.1)
    doubt[:5] = 0.9
    found = best_to_annotate(clusters(5, 11, 7), doubt, np.zeros(23, dtype=bool))
    assert found.index == 0
    assert found.doubt == pytest.approx(0.9)


def test_a_common_direction_of_all_photos_is_no_likeness():
    together = clusters(5, 11, 7) + 20.0
    assert best_to_annotate(together, np.ones(23), np.zeros(23, dtype=bool)).index == 5


def test_many_candidates_are_looked_at_in_groups(monkeypatch):
    monkeypatch.setattr("fmstudio.spectral.coverage._CHUNK", 4)
    annotated = np.zeros(23, dtype=bool)
    annotated[[5, 6, 7, 8, 9, 10]] = True
    assert best_to_annotate(clusters(5, 11, 7), np.ones(23), annotated).index == 16


def test_edges():
    assert best_to_annotate(np.ones((2, 3)), np.ones(2), np.ones(2, dtype=bool)) is None
    alone = best_to_annotate(np.ones((1, 3)), np.array([0.4]), np.zeros(1, dtype=bool))
    assert (alone.index, len(alone.covered)) == (0, 0)
    assert alone.gain == pytest.approx(0.4)
    same = best_to_annotate(np.ones((4, 3)), np.ones(4), np.zeros(4, dtype=bool))
    assert same.index == 0
    with pytest.raises(ValueError, match="doubts"):
        best_to_annotate(np.ones((4, 3)), np.ones(3), np.zeros(4, dtype=bool))
