from types import SimpleNamespace

import pytest
import torch

from fmstudio.engine import reference_pool
from fmstudio.engine.reference_pool import ReferencePool
from fmstudio.engine.requests import ImageRef, PropagationRequest, Reference
from fmstudio.geometry.grid import ImageSize


def ref(number):
    return Reference(ImageRef(number, f"key-{number}", f"{number}.png", ImageSize(64, 64)), ())


def view_at(angle):
    row = torch.tensor([angle / 10.0])
    return SimpleNamespace(
        analysis=SimpleNamespace(descriptors=torch.stack([row.cos(), row.sin()], dim=1))
    )


@pytest.fixture
def looked():
    return []


@pytest.fixture
def look(looked):
    def look(image):
        looked.append(image.id)
        return view_at(image.id)

    return look


def test_a_target_takes_the_references_that_look_most_like_it(look):
    pool = ReferencePool(look, 2)
    for number in (0, 5, 4, 9):
        pool.add(ref(number))
    assert [r.image.id for r, _ in pool.near(view_at(6))] == [5, 4]
    assert [r.image.id for r, _ in pool.near(view_at(1))] == [0, 4]


def test_all_are_taken_where_no_number_is_asked_for_or_there_are_no_more(look):
    for nearest in (0, 3, 7):
        pool = ReferencePool(look, nearest)
        for number in (3, 1, 2):
            pool.add(ref(number))
        assert [r.image.id for r, _ in pool.near(view_at(1))] == [3, 1, 2]


def test_few_are_held_and_looked_at_anew(look, looked, monkeypatch):
    monkeypatch.setattr(reference_pool, "_HELD", 2)
    pool = ReferencePool(look, 1)
    for number in (1, 2, 3):
        pool.add(ref(number))
    assert looked == [1, 2, 3]
    ((found, view),) = pool.near(view_at(1))
    assert (found.image.id, looked) == (1, [1, 2, 3, 1])
    assert pool.near(view_at(1))[0][1] is view
    assert len(looked) == 4
    assert len(list(pool.views())) == 3


def test_a_request_takes_no_negative_number():
    with pytest.raises(ValueError, match="at least 0"):
        PropagationRequest((), (), nearest=-1)
