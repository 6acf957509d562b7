"""The mapping as the window keeps it: stages, what makes it outdated, what a project's end ends."""

import numpy as np
import pytest

from fmstudio.engine.overview import Overview
from fmstudio.errors import MatchError
from fmstudio.project.edits import RemoveImages, SetStatus
from fmstudio.project.model import Status
from fmstudio.session import Progress
from fmstudio.session_collection import Outlier, OutlierReason
from fmstudio.ui import collection
from fmstudio.ui.collection import CollectionMapping, Stage


def overview_of(ids):
    n = len(ids)
    return Overview(
        tuple(ids),
        np.linspace(0, 1, 2 * n).reshape(n, 2),
        np.arange(n) % 2,
        np.linspace(0, 1, n),
        np.linspace(0.1, 0.9, n),
        np.full(n, np.nan),
        np.array([[0, 1], [1, 2]]),
        np.array([0.2, 0.8]),
        np.array([0.1, 0.5]),
        (Outlier(n - 1, OutlierReason.BOTH),),
    )


@pytest.fixture
def answer(monkeypatch):
    """Let the job yield what a test wants; an exception is raised."""
    items = []

    def job(_live, request, _token):
        yield Progress("features", 0, len(request.images))
        for item in items or [overview_of([image.id for image in request.images])]:
            if isinstance(item, Exception):
                raise item
            yield item

    monkeypatch.setattr(collection, "map_collection", job)
    return items


@pytest.fixture
def mapping(controller, tasks, answer):
    return CollectionMapping(controller, tasks, lambda: object())


def mapped(qtbot, mapping):
    mapping.start()
    assert mapping.stage is Stage.RUNNING
    qtbot.waitUntil(lambda: mapping.stage is not Stage.RUNNING)


def test_it_is_mapped_until_images_or_references_change(qtbot, mapping, controller):
    assert mapping.stage is Stage.UNMAPPED
    mapped(qtbot, mapping)
    assert mapping.stage is Stage.MAPPED
    assert not mapping.is_outdated
    (annotation,) = controller.project.annotations
    controller.perform(SetStatus((annotation,), Status.REJECTED))
    assert mapping.is_outdated
    controller.undo()
    assert not mapping.is_outdated
    controller.perform(RemoveImages((max(controller.project.images),)))
    assert mapping.is_outdated
    mapped(qtbot, mapping)
    assert not mapping.is_outdated


def test_what_fails_is_said_and_can_be_tried_again(qtbot, mapping, answer):
    answer.append(MatchError("No such device."))
    mapped(qtbot, mapping)
    assert mapping.stage is Stage.FAILED
    assert mapping.error == "No such device."
    answer.clear()
    mapped(qtbot, mapping)
    assert mapping.stage is Stage.MAPPED


def test_cancelled_it_is_as_before(qtbot, mapping):
    mapping.start()
    mapping.cancel()
    assert mapping.stage is Stage.UNMAPPED


def test_another_project_has_no_map(qtbot, mapping, controller):
    mapped(qtbot, mapping)
    controller.set_session(None)
    assert mapping.overview is None
    assert mapping.stage is Stage.NO_IMAGES
