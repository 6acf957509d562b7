"""Tests of the window: real widgets, drawn into memory."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fmstudio.session import Session
from fmstudio.ui.controller import Controller
from fmstudio.ui.tasks import Tasks
from fmstudio.worker.service import EngineService


@pytest.fixture
def make_session(tmp_path: Path, sample: Path) -> Iterator[Callable[..., Session]]:
    """Return a function that makes a project of the five sample cats; siamese.jpg is annotated."""
    opened: list[Session] = []

    def make(name: str = "cats", *, annotated: bool = True) -> Session:
        photos = tmp_path / f"{name}-photos"
        shutil.copytree(sample / "cats" / "images", photos)
        session = Session.create(tmp_path / name)
        opened.append(session)
        session.add_images([photos])
        if annotated:
            document = json.loads((sample / "cats" / "coco.json").read_text(encoding="utf-8"))
            first = document["images"][0]["id"]
            document["images"] = document["images"][:1]
            document["annotations"] = [a for a in document["annotations"] if a["image_id"] == first]
            labels = tmp_path / f"{name}.json"
            labels.write_text(json.dumps(document), encoding="utf-8")
            session.import_coco(labels, photos)
        return session

    yield make
    for session in opened:
        session.close()


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
