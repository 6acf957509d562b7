"""The benchmarks run, on small sizes; what they print is not judged here."""

import pytest

from benchmarks import eigen, fmap
from benchmarks.published_network import make_step
from benchmarks.timing import compare
from fmstudio.spectral.fmap import solve_fmap

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def problem():
    return fmap.make_problem(k=20, d=60, long_side=256)


def test_the_closed_form_has_the_lowest_objective_of_all_solvers(problem):
    lowest = problem.energy(solve_fmap(*problem.terms, lap_weight=fmap.LAP_WEIGHT))
    published = fmap.solve_fmap_iterative(*problem.terms, steps=50)
    assert problem.energy(published) > lowest
    assert problem.energy(fmap.solve_by_lbfgs(problem)) >= lowest * (1 - 1e-6)


def test_the_table_of_maps_has_every_solver(problem, monkeypatch):
    monkeypatch.setattr("benchmarks.timing.TURN", 0.0)
    monkeypatch.setattr(fmap, "PUBLISHED_PATCHES", 100)
    table = fmap.measure(problem, 1, steps=5)
    assert len(table) == 5
    assert table[0][2] == "1.0"


def test_the_published_network_learns_nothing_but_computes_gradients(problem):
    step = make_step(problem.features_s, problem.features_t)
    step()
    assert all(p.grad is not None for p in step.network.parameters())


def test_eigen_solvers_agree(monkeypatch):
    monkeypatch.setattr("benchmarks.timing.TURN", 0.0)
    table = eigen.measure(12, 10, 1)
    exact = [float(row[5]) for row in table if row[5] != "another graph"]
    assert len(exact) >= 4
    assert max(exact) < 1e-4


def test_contestants_take_turns(monkeypatch):
    monkeypatch.setattr("benchmarks.timing.TURN", 0.0)
    calls = []
    seconds = compare({name: lambda name=name: calls.append(name) for name in "ab"}, 2)
    assert "".join(calls) == "ababab"
    assert set(seconds) == {"a", "b"}
