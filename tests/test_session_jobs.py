"""The engine at work for a session: devices, limits, and jobs that keep to them."""

import json
import shutil

import pytest

from fmstudio.engine.cancel import CancelToken
from fmstudio.errors import MatchError
from fmstudio.session import CacheLimits, Proposal, Session
from fmstudio.session_jobs import list_devices


@pytest.fixture
def session(tmp_path, sample):
    photos = tmp_path / "photos"
    shutil.copytree(sample / "cats" / "images", photos)
    document = json.loads((sample / "cats" / "coco.json").read_text(encoding="utf-8"))
    first = document["images"][0]["id"]
    document["annotations"] = [a for a in document["annotations"] if a["image_id"] == first]
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps(document), encoding="utf-8")
    with Session.create(tmp_path / "cats") as session:
        session.import_coco(labels, photos)
        yield session


def request(session, n_targets):
    (annotation,) = session.project.annotations.values()
    targets = [i for i in sorted(session.project.images) if i != annotation.image_id]
    return session.request([annotation.image_id], targets[:n_targets])


def held(folder):
    return sum(file.stat().st_size for file in folder.rglob("*.safetensors"))


def test_this_machine_has_a_processor_and_auto_comes_first():
    (devices,) = list_devices(CancelToken())
    assert "cpu" in [device.kind for device in devices]
    assert all(device.name for device in devices)


@pytest.mark.slow
def test_a_job_keeps_to_the_limit_of_the_disk(session):
    events = list(session.job(request(session, 2), CancelToken(), "cpu"))
    assert sum(isinstance(event, Proposal) for event in events) == 2
    whole = held(session.cache_dir)
    shutil.rmtree(session.cache_dir)
    limits = CacheLimits(disk_bytes=whole // 2)
    again = list(session.job(request(session, 2), CancelToken(), "cpu", limits))
    assert sum(isinstance(event, Proposal) for event in again) == 2
    assert 0 < held(session.cache_dir) <= whole // 2


def test_a_device_that_is_not_there_is_explained(session):
    with pytest.raises(MatchError, match=r'^A device is one of .* not "abacus"'):
        next(session.job(request(session, 1), CancelToken(), "abacus", CacheLimits()))
