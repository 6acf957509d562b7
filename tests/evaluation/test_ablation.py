import json
from dataclasses import replace

import pytest

from fmstudio.engine.cancel import CancelToken
from fmstudio.engine.requests import MatchSettings
from fmstudio.errors import Cancelled, MatchError
from fmstudio.evaluation import ablation
from fmstudio.evaluation.ablation import GROUPS, Part, ablate
from fmstudio.evaluation.benchmark import evaluate
from fmstudio.evaluation.datasets import find_sets
from fmstudio.evaluation.methods import METHODS
from fmstudio.features.registry import make_extractor
from tests.evaluation.conftest import ColourExtractor


@pytest.fixture
def sets(writer, mosaic):
    made = writer("mosaic", points=("a", "b"))
    for image_id, (down, right) in enumerate([(0, 0), (1, 2), (2, 1)], start=1):
        made.image(image_id, mosaic(down, right))
        x, y = (1.5 + right) * 16, (1.5 + down) * 16
        made.annotation(image_id, image_id, xyv=[(x, y, 2), (x + 48, y, 2)], bbox=(x, y, 48, 16))
    return find_sets(made.close())


@pytest.fixture
def extractors(monkeypatch):
    """Return the maker of extractors, and those that it made."""
    made = []

    def make(name, *, device="cpu"):
        made.append(ColourExtractor(name, device=device))
        return made[-1]

    return make, made


def test_every_part_can_be_built():
    networks = set()
    for group, parts in GROUPS.items():
        for part in parts:
            assert part.group == group
            assert part.method in METHODS
            settings = replace(MatchSettings(), **part.changes)
            assert settings != MatchSettings() or part.method != "map", part.name
            networks |= {settings.basis_extractor, *settings.descriptor_extractors}
    names = [part.name for parts in GROUPS.values() for part in parts]
    assert len(set(names)) == len(names)
    for name in networks:
        assert make_extractor(name).spec.name == name


def test_rows_are_judged_on_the_same_pairs_and_share_features(sets, settings, extractors):
    make, made = extractors
    found = ablate(sets, groups=["methods", "basis"], settings=settings, extractors=make)
    assert [part.name for part, _ in found.parts][-3:] == [
        "basis=uniform",
        "laplacian=random-walk",
        "neighbours=8",
    ]
    # Two networks, three photos: once each, however many rows there are.
    assert [extractor.calls for extractor in made] == [3, 3]
    alone = evaluate(sets, methods=["identity"], settings=settings, analyser=_matcher(settings))
    assert found.parts[0][1].mean["identity"].values == alone.mean["identity"].values


def _matcher(settings):
    from fmstudio.engine.match import Matcher

    return Matcher(settings, extractors=ColourExtractor)


def test_differences_are_against_the_default(sets, settings, extractors, monkeypatch):
    same, off = Part("k", {"k": settings.k}), Part("k", method="identity")
    monkeypatch.setattr(ablation, "GROUPS", {"k": (same, off)})
    found = ablate(sets, settings=settings, extractors=extractors[0])
    zero = found.difference(*found.parts[0], "pck@0.1")
    assert (zero.mean, zero.low, zero.high) == (0, 0, 0)
    assert found.difference(*found.parts[1], "pck@0.1").high < 0
    rows = json.loads(found.to_json())["parts"]
    assert [row["method"] for row in rows] == ["map", "map", "identity"]
    assert rows[1]["over_default"]["pck@0.1"] == [0, 0, 0]
    lines = found.to_markdown().splitlines()
    assert lines[0] == "### k"
    assert lines[4].startswith("| map (the default)")
    assert "+0.0 [+0.0, +0.0]" in lines[5]


def test_an_unknown_group_is_named(sets, settings):
    with pytest.raises(MatchError, match='"nonsense"'):
        ablate(sets, groups=["nonsense"], settings=settings)


def test_progress_counts_over_all_rows_and_a_cancel_ends_it(sets, settings, extractors):
    seen, token = [], CancelToken()

    def progress(done, total):
        seen.append((done, total))
        if done == 8:
            token.cancel()

    with pytest.raises(Cancelled):
        ablate(
            sets,
            groups=["basis"],
            settings=settings,
            extractors=extractors[0],
            progress=progress,
            token=token,
        )
    # Four rows of six pairs.
    assert seen[-1] == (8, 24)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
