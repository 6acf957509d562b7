"""Tests of the window: real widgets, drawn into memory."""

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal

from fmstudio.engine.overview import Overview
from fmstudio.session import Progress
from fmstudio.session_collection import Outlier, OutlierReason
from fmstudio.ui import collection
from fmstudio.ui.collection import CollectionMapping, Stage
from fmstudio.ui.controller import Controller
from fmstudio.ui.tasks import Tasks
from fmstudio.worker.service import EngineService


class FakeRunning(QObject):
    """Keeps what is asked, and answers when told to."""

    stepped, ended, failed, stopped = Signal(object), Signal(), Signal(object), Signal()

    def __init__(self, _tasks, _lane, parent):
        super().__init__(parent)
        self.makes = []

    def start(self, _title, make, **_more):
        self.makes.append(make)

    def stop(self):
        self.makes.clear()


@pytest.fixture
def service(qapp):
    service = EngineService()
    yield service
    assert service.shutdown(5000)


@pytest.fixture
def controller(qapp, make_session):
    controller = Controller()
    controller.set_session(make_session())
    return controller


@pytest.fixture
def tasks(service):
    return Tasks(service)


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
