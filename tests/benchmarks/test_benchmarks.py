"""The benchmarks run, on small sizes; the times they print are not judged here."""

import pytest
import torch

from benchmarks import backbone, cost, eigen, fmap, pair
from benchmarks.__main__ import BEGIN, END, write
from benchmarks.published_network import make_step
from benchmarks.timing import compare
from fmstudio.spectral.fmap import solve_fmap

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def problem():
    return fmap.make_problem(k=20, d=60, long_side=256)


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    monkeypatch.setattr("benchmarks.timing.TURN", 0.0)


def test_the_closed_form_has_the_lowest_objective_of_all_solvers(problem):
    lowest = problem.energy(solve_fmap(*problem.terms, lap_weight=fmap.LAP_WEIGHT))
    published = fmap.solve_fmap_iterative(*problem.terms, steps=50)
    assert problem.energy(published) > lowest
    for is_free in (False, True):
        C = fmap.solve_by_lbfgs(problem, is_free=is_free)
        assert problem.energy(C) >= lowest * (1 - 1e-6)


def test_only_with_a_free_first_column_does_lbfgs_solve_the_same_problem(problem):
    lowest = problem.energy(solve_fmap(*problem.terms, lap_weight=fmap.LAP_WEIGHT))
    fixed, free = (fmap.solve_by_lbfgs(problem, is_free=is_free) for is_free in (False, True))
    assert torch.equal(fixed[:, 0], torch.eye(20, dtype=fixed.dtype)[:, 0])
    assert problem.energy(free) == pytest.approx(lowest, rel=1e-2)


def test_the_descriptors_are_weighed_as_the_product_weighs_them(problem):
    # Unit rows: their mean square over the patches is 1, of which the basis keeps a part.
    whole = fmap.make_problem(k=20, d=10**6, long_side=256)
    assert 0.1 < float(whole.A_s.square().sum()) <= 1.0 + 1e-4
    assert float(problem.A_s.square().sum()) <= float(whole.A_s.square().sum())


def test_the_table_of_maps_has_every_solver(problem, monkeypatch):
    monkeypatch.setattr(fmap, "PUBLISHED_PATCHES", 100)
    table = fmap.measure(problem, 1, steps=5)
    assert len(table) == 6
    assert table[0][2:] == ("1.0", "1.0000")
    assert "100 and 100 patches (5 steps timed, scaled by 1)" in table[-1][0]


def test_the_published_network_learns_nothing_but_computes_gradients(problem):
    step = make_step(problem.features_s, problem.features_t)
    before = [p.clone() for p in step.network.parameters()]
    step()
    assert all(p.grad is not None for p in step.network.parameters())
    assert all(map(torch.equal, before, step.network.parameters()))


def test_eigen_solvers_agree():
    table = eigen.measure(12, (10,), 1)
    exact = [float(row[5]) for row in table if row[5] != "another graph"]
    assert len(exact) == 4
    assert max(exact) < 1e-4


def test_a_solver_that_is_left_out_says_why():
    table = eigen.measure(12, (40,), 1)
    assert table[-1][2:] == (eigen.LOBPCG, "-", "-", "skipped: needs 3 k patches")


def test_the_stages_of_a_pair_are_timed():
    table = pair.measure(1)
    assert [row[0] for row in table] == [*pair.STAGES, "all but the networks"]
    assert all(float(row[1]) > 0 for row in table)
    assert 0 < float(table[0][2]) < 1


def test_contestants_take_turns():
    calls = []

    def work(name):
        calls.append(name)
        return name.upper()

    found = compare({name: lambda name=name: work(name) for name in "ab"}, 2)
    assert "".join(calls) == "ababab"
    assert [result for _, result in found.values()] == ["A", "B"]


def test_tables_replace_only_what_stands_between_the_markers(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"above\n{BEGIN}\nold\n{END}\nbelow\n", encoding="utf-8")
    write(readme, "new\n", 0.25)
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"above\n{BEGIN}\n`python -m benchmarks`, ")
    assert text.endswith(f"\n\nnew\n{END}\nbelow\n")
    assert "load at the start 0.2." in text
    assert "old" not in text
    readme.write_text("no markers", encoding="utf-8")
    with pytest.raises(ValueError, match="put the two lines back"):
        write(readme, "new\n", 0.25)


def test_every_kind_of_growth_has_a_line_and_a_cost():
    rows = cost.measure(1, is_quick=True)
    assert [row[0] for row in rows] == [
        "the default",
        "pixels of the longer side, both looks",
        "basis functions",
        "references",
        "target images",
    ]
    assert all(float(cell) > 0 for row in rows for cell in row[2:])
    assert rows[0][-1] == "1.00"


def test_forms_of_a_network_are_compared_on_the_same_descriptors():
    makers = {name: backbone.MAKERS[name] for name in ("channels first", "two images at once")}
    broken = {"broken": lambda name, x: 1 / 0}
    table = list(backbone.measure(1, (128,), makers=makers | broken))
    assert [row[2] for row in table] == [backbone.OURS, *makers, "broken"] * 2
    for row in table:
        if row[2] == "broken":
            assert row[4] == "skipped: division by zero"
        else:
            assert float(row[4]) > 0
            assert float(row[6]) < 1e-6


def test_a_form_that_needs_a_package_says_which(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    with pytest.raises(ImportError, match="onnx and onnxruntime not installed"):
        backbone.MAKERS["ONNX Runtime"]("efficientnet-lite0", torch.zeros(1, 3, 64, 64))


def test_a_form_that_deviates_is_found_out():
    exact = [torch.tensor([[1.0, 0.0], [0.0, 1.0]]).reshape(1, 2, 1, 2)]
    turned = [torch.tensor([[0.0, 0.0], [1.0, 1.0]]).reshape(1, 2, 1, 2)]
    assert backbone.deviation(exact, exact) == (0.0, 0.0)
    assert backbone.deviation(exact, turned) == (0.5, 1.0)
